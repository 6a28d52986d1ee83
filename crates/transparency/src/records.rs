//! A file of records: signed notes one after the other, an empty line behind each.
//!
//! The file is only ever appended to. Because texts of records have no empty lines, a record is two paragraphs, its text
//! and its signatures, and is whole once the empty line behind it is there. What a crash cut off in the middle of a write
//! is told apart from what was damaged later: the first has nothing behind it and may be cut back, the second may not.

use crate::{MAX_NOTE, Note, Record, RecordError, Verifier};

const BLANK: &[u8] = b"\n\n";

/// A record and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The octet at which it begins.
    pub start: usize,
    /// The octet behind the empty line behind it, at which the next begins.
    pub end: usize,
    pub record: Record,
}

/// Where the records of a file end before the file does.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    #[error(
        "the last record, from octet {start}, was not written to its end: cut the file back to {start} octets and go on"
    )]
    Torn { start: usize },
    #[error("the record at octet {start} is damaged or not of this log: {why}")]
    Malformed { start: usize, why: RecordError },
}

/// The octets by which a record is appended to a file.
pub fn record_octets(note: &Note) -> Vec<u8> {
    format!("{note}\n").into_bytes()
}

/// The records of a file, each checked with the keys; after the first error there is nothing more. A file can be read in
/// pieces: what is torn at the end of a piece is whole when the next piece is put behind it.
pub fn records<'a>(octets: &'a [u8], keys: &'a [Verifier]) -> Records<'a> {
    Records { octets, start: 0, keys }
}

/// See [`records()`].
#[derive(Debug, Clone)]
pub struct Records<'a> {
    octets: &'a [u8],
    start: usize,
    keys: &'a [Verifier],
}

impl Iterator for Records<'_> {
    type Item = Result<Located, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.start;
        let rest = self.octets.get(start..).filter(|rest| !rest.is_empty())?;
        let found = match length(rest) {
            Some(length) => match Record::open(&rest[..length - 1], self.keys) {
                Ok(record) => Ok(Located { start, end: start + length, record }),
                // Octets of a write that never reached the disk are zero, and no record has any.
                Err(_) if rest.contains(&0) && length == rest.len() => Err(RecordsError::Torn { start }),
                Err(why) => Err(RecordsError::Malformed { start, why }),
            },
            None if rest.len() > MAX_NOTE + 1 => {
                let why = crate::NoteError::TooLong(rest.len()).into();
                Err(RecordsError::Malformed { start, why })
            }
            None => Err(RecordsError::Torn { start }),
        };
        self.start = found.as_ref().map_or(self.octets.len(), |found| found.end);
        Some(found)
    }
}

/// The octets of the first record with the empty line behind it, if it is whole.
fn length(octets: &[u8]) -> Option<usize> {
    let text = find(octets)?;
    Some(text + find(&octets[text..])?)
}

/// Where the octets behind the first empty line begin.
fn find(octets: &[u8]) -> Option<usize> {
    octets.windows(BLANK.len()).position(|window| window == BLANK).map(|at| at + BLANK.len())
}
