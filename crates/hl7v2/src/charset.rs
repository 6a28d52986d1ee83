//! The character sets of MSH-18 (HL7 table 0211) that are read.

use std::borrow::Cow;

/// How the text of a message is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// Also when MSH-18 is empty: ASCII, the default of HL7, is a part of it.
    #[default]
    Utf8,
    Latin1,
}

impl Charset {
    /// From MSH-18; `None`: not supported.
    pub fn named(name: &str) -> Option<Charset> {
        match name.trim().to_ascii_uppercase().as_str() {
            "" | "ASCII" | "UTF-8" | "UNICODE UTF-8" => Some(Charset::Utf8),
            "8859/1" | "ISO-8859-1" | "ISO8859-1" => Some(Charset::Latin1),
            _ => None,
        }
    }

    /// `None`: the octets are invalid in this character set.
    pub fn decode(self, octets: &[u8]) -> Option<String> {
        match self {
            Charset::Utf8 => std::str::from_utf8(octets).ok().map(str::to_owned),
            Charset::Latin1 => Some(octets.iter().copied().map(char::from).collect()),
        }
    }

    /// What the character set cannot say becomes a question mark.
    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Charset::Utf8 => Cow::Borrowed(text.as_bytes()),
            Charset::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        }
    }

    /// For MSH-18.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UNICODE UTF-8",
            Charset::Latin1 => "8859/1",
        }
    }
}
