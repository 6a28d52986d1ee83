//! What a tree will cost, counted before it is built: its depth, and the memory of its nodes.
//!
//! A tree costs by the node, a text by the octet: without this, a MiB of `<a/>` would become a hundred.

use memchr::{memchr_iter, memmem};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::{Error, Limits};

/// Octets of the tree for a node. Room is made for as many nodes as there are `<`; when texts make them more, it is made
/// again for twice as many, and both are held for a moment.
const NODE: usize = 96;
const GROWTH: usize = 3;
/// Octets for an attribute; room is made for as many as there are `=`.
const ATTRIBUTE: usize = 72;
/// Octets for each namespace that is known inside an element with declarations of its own.
const IN_SCOPE: usize = 4;

const ALLOWED_PER_OCTET: usize = 9;

/// Refuses what would be too deep or too dear. Whether it is well-formed, the parser says afterwards.
pub fn check(text: &str, limits: &Limits) -> Result<(), Error> {
    let allowed = limits.dense + ALLOWED_PER_OCTET * text.len();
    let room = memchr_iter(b'<', text.as_bytes()).count();
    let attributes = ATTRIBUTE * memchr_iter(b'=', text.as_bytes()).count();
    let mut nodes = 1;
    let mut namespaces = 0;
    // Namespaces in scope of each open element.
    let mut open: Vec<usize> = Vec::new();
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.expand_empty_elements = true;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return Ok(()),
            Ok(Event::DocType(_)) => return Err(Error::Dtd),
            Ok(Event::Start(tag)) => {
                if open.len() >= limits.depth as usize {
                    return Err(Error::TooDeep { limit: limits.depth });
                }
                let declared = memmem::find_iter(tag.as_ref().as_bytes(), "xmlns").count();
                let scope = open.last().copied().unwrap_or_default() + declared;
                open.push(scope);
                nodes += 1;
                namespaces += if declared > 0 { IN_SCOPE * scope } else { 0 };
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(_) => nodes += 1,
            // What this reader cannot read, the strict one cannot either; nor would its cost be known.
            Err(_) => return Err(at(text, reader.error_position())),
        }
        let room = if nodes > room { GROWTH * room } else { room };
        if room * NODE + attributes + namespaces > allowed {
            return Err(Error::TooDense);
        }
    }
}

fn at(text: &str, position: u64) -> Error {
    let before = usize::try_from(position).ok().and_then(|position| text.get(..position)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = "this cannot be read as XML".to_owned();
    Error::NotWellFormed { line, column, message }
}

/// The prefixes that a start tag declares; the default namespace is the empty one. `attributes` is what follows the name
/// of the tag.
pub fn declared_prefixes(attributes: &str) -> Vec<&str> {
    let mut prefixes = Vec::new();
    let mut rest = attributes;
    loop {
        rest = rest.trim_start();
        if rest.starts_with(['/', '>']) {
            return prefixes;
        }
        let Some((name, after)) = rest.split_once('=') else { return prefixes };
        match name.trim_end() {
            "xmlns" => prefixes.push(""),
            name => prefixes.extend(name.strip_prefix("xmlns:")),
        }
        let value = after.trim_start();
        let quote = if value.starts_with('"') { '"' } else { '\'' };
        let Some((_, after)) = value.get(1..).and_then(|inner| inner.split_once(quote)) else {
            return prefixes;
        };
        rest = after;
    }
}
