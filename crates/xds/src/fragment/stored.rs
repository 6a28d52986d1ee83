//! Fragments as they are stored: an octet that tells the form, the length of the text as 32 bits (least octet first), and
//! one block of LZ4.
//!
//! Most of a fragment is what all fragments say: element names, schemes, coding systems. A text of that kind, the dictionary,
//! is taken as read before each fragment, so that what is stored is little more than what the fragment says of its own.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_with_dict};

use super::Fragment;

/// What fragments say. It is never changed, since all that was stored is read with it: a better one has a number of its own.
const DICTIONARY: &[u8] = include_bytes!("dictionary_1.xml");
/// The form whose dictionary that is.
const PACKED: u8 = 1;
/// The form of before: the text itself, which begins so.
const TEXT: u8 = b'<';
/// LZ4 makes no more of one octet.
const MOST: usize = 255;

/// What is stored is no fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is stored of an object is damaged")]
pub struct Damaged;

impl Fragment {
    /// What is to be stored.
    pub fn to_stored(&self) -> Vec<u8> {
        let mut stored = vec![PACKED];
        stored.extend(compress_prepend_size_with_dict(self.0.as_bytes(), DICTIONARY));
        stored
    }

    /// A fragment that was stored.
    pub fn from_stored(stored: &[u8]) -> Result<Fragment, Damaged> {
        let text = match stored.split_first() {
            Some((&PACKED, packed)) => unpack(packed)?,
            Some((&TEXT, _)) => stored.to_vec(),
            _ => return Err(Damaged),
        };
        String::from_utf8(text).map(Fragment).map_err(|_| Damaged)
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Damaged> {
    let (length, block) = packed.split_first_chunk().ok_or(Damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length / MOST > block.len() {
        return Err(Damaged);
    }
    let text = decompress_with_dict(block, length, DICTIONARY).map_err(|_| Damaged)?;
    if text.len() == length { Ok(text) } else { Err(Damaged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<rim:Association status="\u{1}"/>` as it was stored first.
    const FIRST: &[u8] = &[1, 29, 0, 0, 0, 1, 114, 0, 7, 42, 51, 3, 14, 32, 96, 61, 34, 1, 34, 47, 62];

    fn fragment(text: &str) -> Fragment {
        Fragment(text.to_owned())
    }

    #[test]
    fn what_was_stored_is_read() {
        for text in
            ["<a/>", "<rim:Association status=\"\u{1}\"/>", &format!("<a>{}</a>", "é1".repeat(70_000))]
        {
            let stored = fragment(text).to_stored();
            assert_eq!(Fragment::from_stored(&stored), Ok(fragment(text)));
        }
    }

    #[test]
    fn what_was_stored_long_ago_is_read() {
        let text = "<rim:Association status=\"\u{1}\"/>";
        assert_eq!(Fragment::from_stored(text.as_bytes()), Ok(fragment(text)), "as text");
        assert_eq!(Fragment::from_stored(FIRST), Ok(fragment(text)), "{:?}", fragment(text).to_stored());
    }

    /// By FNV-1a. Whoever comes here because it is not so any more has changed what all that was stored is read with.
    #[test]
    fn the_dictionary_is_what_it_was() {
        let digest = |digest: u64, octet: &u8| (digest ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        let digest = DICTIONARY.iter().fold(0xcbf2_9ce4_8422_2325, digest);
        assert_eq!((DICTIONARY.len(), digest), (13830, 0x13e5_5601_1b4d_4974));
    }

    #[test]
    fn what_is_damaged_is_told_and_takes_no_room() {
        let stored = fragment(&format!("<a>{}</a>", "abc ".repeat(200))).to_stored();
        for length in 0..stored.len() {
            assert_eq!(Fragment::from_stored(&stored[..length]), Err(Damaged), "{length} octets");
        }
        let mut long = stored.clone();
        long[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut other_form = stored.clone();
        other_form[0] = 2;
        for damaged in [long, other_form, b"<\xff".to_vec()] {
            assert_eq!(Fragment::from_stored(&damaged), Err(Damaged));
        }
    }
}
