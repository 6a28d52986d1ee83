//! STRUCTURED-DATA (RFC 5424 §6.3): skipped, but by its rules.

/// Octets of an SD-ID or of a PARAM-NAME.
const NAME: usize = 32;

/// What follows the structured data at the beginning of `text`; `None` when there are none.
pub fn skip(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let mut rest = element(text)?;
    while rest.starts_with('[') {
        rest = element(rest)?;
    }
    Some(rest)
}

/// `[id name="value" …]`
fn element(text: &str) -> Option<&str> {
    let mut rest = name(text.strip_prefix('[')?)?;
    loop {
        if let Some(after) = rest.strip_prefix(']') {
            return Some(after);
        }
        rest = value(name(rest.strip_prefix(' ')?)?.strip_prefix("=\"")?)?;
    }
}

fn name(text: &str) -> Option<&str> {
    let is_name = |c: char| c.is_ascii_graphic() && !matches!(c, '=' | ']' | '"');
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (1..=NAME).contains(&end).then(|| text.get(end..)).flatten()
}

/// Up to and with the closing quote. A backslash before any other character than `"`, `\` and `]` is a character like
/// others.
fn value(text: &str) -> Option<&str> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return text.get(at + 1..),
            ']' => return None,
            '\\' => drop(characters.next_if(|(_, next)| matches!(next, '"' | '\\' | ']'))),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_end_where_their_rules_say() {
        for (text, rest) in [
            ("- x", " x"),
            ("-", ""),
            ("[id] x", " x"),
            ("[id@32473 a=\"1\" b=\"\"][other] x", " x"),
            (r#"[a b="quote \" backslash \\ bracket \] plain \n"] x"#, " x"),
            (r#"[a b="\\"] [not="more"]"#, r#" [not="more"]"#),
            ("[a b=\"é ü 漢\"]", ""),
            ("[a b=\"1\"]]", "]"),
        ] {
            assert_eq!(skip(text), Some(rest), "{text}");
        }
    }

    #[test]
    fn what_breaks_them_is_no_structured_data() {
        let long = format!("[{}]", "a".repeat(33));
        for text in [
            "",
            "x",
            "[",
            "[]",
            "[ a]",
            "[a",
            "[a ]",
            "[a  b=\"1\"]",
            "[a b]",
            "[a b=1]",
            "[a b=\"1]",
            "[a b=\"1\"",
            "[a b=\"1\"c=\"2\"]",
            "[a b=\"]\"]",
            r#"[a b="1\"]"#,
            "[é]",
            &long,
            "[a\"b]",
        ] {
            assert_eq!(skip(text), None, "{text}");
        }
    }
}
