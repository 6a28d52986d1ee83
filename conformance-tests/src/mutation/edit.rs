//! Changes in messages as text, whatever the namespace prefixes. A character stands for an octet, so that documents
//! in a package stay as they are.

use std::ops::Range;

use bytes::Bytes;

pub fn text(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

pub fn octets(text: &str) -> Bytes {
    // Every character came from an octet or is ASCII.
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// Every element of that local name, outermost and in order.
pub fn elements(text: &str, name: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(element) = element(text, name, from) {
        from = element.end;
        found.push(element);
    }
    found
}

fn element(text: &str, name: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let start = at + text[at..].find('<')?;
        let tag_end = start + text[start..].find('>')? + 1;
        let tag = &text[start + 1..tag_end - 1];
        let qualified = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        if !tag.starts_with(['/', '?', '!']) && qualified.rsplit(':').next() == Some(name) {
            if tag.ends_with('/') {
                return Some(start..tag_end);
            }
            let close = format!("</{qualified}>");
            let end = tag_end + text[tag_end..].find(&close)? + close.len();
            return Some(start..end);
        }
        at = tag_end;
    }
}

/// Puts what `change` makes of the first element for which it makes something in its place.
pub fn change_element(text: &str, name: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    elements(text, name).into_iter().find_map(|range| {
        let other = change(&text[range.clone()])?;
        (other != text[range.clone()]).then(|| [&text[..range.start], &other, &text[range.end..]].concat())
    })
}

/// Leaves out the last element of that name that `which` names.
pub fn without_element(text: &str, name: &str, which: impl Fn(&str) -> bool) -> Option<String> {
    let range = elements(text, name).into_iter().rev().find(|range| which(&text[range.clone()]))?;
    Some([&text[..range.start], &text[range.end..]].concat())
}

/// Gives the first attribute of that name another value.
pub fn with_attribute(text: &str, name: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let mark = format!(" {name}=\"");
    let start = text.find(&mark)? + mark.len();
    let end = start + text[start..].find('"')?;
    let other = change(&text[start..end]);
    (other != text[start..end]).then(|| [&text[..start], &other, &text[end..]].concat())
}

/// Gives the element another text.
pub fn with_text(element: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let start = element.find('>')? + 1;
    let end = element.rfind("</")?;
    let other = change(element.get(start..end)?);
    Some([&element[..start], &other, &element[end..]].concat())
}

/// Every occurrence.
pub fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    text.contains(from).then(|| text.replace(from, to))
}

/// The first occurrence.
pub fn replaced_once(text: &str, from: &str, to: &str) -> Option<String> {
    text.contains(from).then(|| text.replacen(from, to, 1))
}
