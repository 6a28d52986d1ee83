//! base64 (RFC 2045 §6.8) as it streams in. Not more than a group of four characters waits for what comes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

#[derive(Debug, Default)]
pub struct Decoder {
    waiting: Vec<u8>,
    /// The end was seen.
    padded: bool,
}

impl Decoder {
    /// The octets so far; `None` if this is no base64. White space does not count.
    pub fn decode(&mut self, characters: &[u8]) -> Option<Bytes> {
        self.waiting.extend(characters.iter().filter(|character| !character.is_ascii_whitespace()));
        let rest = self.waiting.split_off(self.waiting.len() - self.waiting.len() % 4);
        let groups = std::mem::replace(&mut self.waiting, rest);
        if groups.is_empty() {
            return Some(Bytes::new());
        }
        if self.padded {
            return None;
        }
        self.padded = groups.ends_with(b"=");
        STANDARD.decode(groups).ok().map(Bytes::from)
    }

    /// Whether this is where it may end.
    pub fn is_complete(&self) -> bool {
        self.waiting.is_empty()
    }
}
