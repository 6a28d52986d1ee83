//! Data types of metadata values (TF-3 Table 4.2.3.1.7-2).
//!
//! What is required is required. Components beyond that are tolerated where senders are known to add them: French CX,
//! XCN and XON carry an identifier type (`…&ISO^NH`, `^D^^^IDNPS`) that the table does not name.

mod dtm;
mod hl7;

use uuid::Uuid;

pub use dtm::Dtm;
pub(crate) use hl7::component;
pub use hl7::{Cx, check_cx, check_cxi, check_pid_field, check_recipient, check_xcn, check_xon, check_xtn};

/// Why a value is refused: one sentence, to be preceded by the attribute's name. Never quotes the value of a person's
/// identifier or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

fn refuse<T>(reason: impl Into<String>) -> Result<T, ValueError> {
    Err(ValueError(reason.into()))
}

/// `urn:uuid:` + the UUID in lower case.
pub fn uuid_urn(id: Uuid) -> String {
    format!("urn:uuid:{id}")
}

/// Reads `urn:uuid:…`; upper-case digits are read as lower case.
pub fn parse_uuid_urn(text: &str) -> Option<Uuid> {
    let digits = text.strip_prefix("urn:uuid:")?;
    match digits.len() {
        36 => Uuid::parse_str(digits).ok(),
        _ => None,
    }
}

/// Digits and dots, no leading zeros, at most 64 characters (TF-2 Appendix B). Which numbers may come first is left open:
/// IHE's own examples, and tools made after them, begin with arcs that nobody can give out (1.42, 3.4).
pub fn check_oid(text: &str) -> Result<(), ValueError> {
    let number = |arc: &str| {
        !arc.is_empty()
            && arc.bytes().all(|byte| byte.is_ascii_digit())
            && (arc == "0" || !arc.starts_with('0'))
    };
    match text.len() <= 64 && text.contains('.') && text.split('.').all(number) {
        true => Ok(()),
        false => refuse(format!(
            "\"{}\" is not an OID (numbers without leading zeros, joined by dots, at most 64 characters)",
            clip(text)
        )),
    }
}

/// `urn:oid:` + OID, at most 64 characters.
pub fn check_home(text: &str) -> Result<(), ValueError> {
    match text.strip_prefix("urn:oid:") {
        Some(oid) if text.len() <= 64 => check_oid(oid),
        _ => {
            refuse(format!("\"{}\" is not urn:oid: and an OID of at most 64 characters together", clip(text)))
        }
    }
}

/// 40 hexadecimal digits, in either case.
pub fn check_sha1(text: &str) -> Result<(), ValueError> {
    match text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(()),
        false => refuse(format!("\"{}\" is not a SHA-1 (40 hexadecimal digits)", clip(text))),
    }
}

/// A decimal number of octets.
pub fn check_size(text: &str) -> Result<(), ValueError> {
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok() {
        true => Ok(()),
        false => refuse(format!("\"{}\" is not a number of octets", clip(text))),
    }
}

/// A language tag by its shape: subtags of up to eight letters or digits, the first of letters (RFC 5646).
pub fn check_language(text: &str) -> Result<(), ValueError> {
    let mut subtags = text.split('-');
    let primary = subtags.next().unwrap_or_default();
    let good = (2..=8).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags
            .all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    match good {
        true => Ok(()),
        false => refuse(format!("\"{}\" is not a language tag such as fr-FR (RFC 5646)", clip(text))),
    }
}

/// `type/subtype`.
pub fn check_mime_type(text: &str) -> Result<(), ValueError> {
    let token = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    match essence.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => Ok(()),
        _ => refuse(format!("\"{}\" is not a media type (type/subtype)", clip(text))),
    }
}

/// At most 80 characters of a value that is quoted in a sentence.
fn clip(text: &str) -> String {
    match text.chars().count() > 80 {
        true => text.chars().take(79).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
