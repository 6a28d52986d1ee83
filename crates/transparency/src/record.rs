//! What a log signs about itself: checkpoints, and that it was restored.

use std::fmt::Write;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::lines::{decode, encode, is_name, number};
use crate::{Hash, MARK_LENGTH, Mark, Note, NoteError, Signer, Verifier};

/// Leaves that one checkpoint can mark at most, so that its note stays below [`crate::MAX_NOTE`]. A log that grew by more
/// signs a checkpoint in between.
pub const MAX_LEAVES: usize = 65_536;

const RESTORE: &str = " restore";
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// The state of a log at a moment (C2SP `tlog-checkpoint`):
///
/// ```text
/// audit.example.org                                  origin
/// 20852163                                           size
/// CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=       root
/// time 2026-11-25T00:00:00.000Z
/// leaves q83vASNFZ4k=
/// ```
///
/// The last two are extension lines. `leaves` has the first eight octets of the hash of each leaf since the checkpoint
/// before, so that who holds all checkpoints can tell which leaf differs, and not only that one does. It is left out
/// where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, and that of the key that signs.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    /// When it was made, to the millisecond.
    pub at: DateTime<Utc>,
    pub leaves: Vec<Mark>,
}

/// That the log was put back to an older state by a restore, and goes on from there:
///
/// ```text
/// audit.example.org restore                          origin, and what this is
/// 20852163                                           size
/// CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=       root
/// time 2026-11-25T00:00:00.000Z
/// ```
///
/// Size and root are those of the last checkpoint that the restored log knows. An origin has no spaces, so none of the
/// two can be taken for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    /// When the restore was done, to the millisecond.
    pub at: DateTime<Utc>,
}

/// A signed statement of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Checkpoint(Checkpoint),
    Restoration(Restoration),
}

/// Why a record cannot be signed or is not believed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error(
        "the first line of a record is the name of its log, and after it \"restore\" if it is one; it is {0:?}"
    )]
    Origin(String),
    #[error("the log is {origin}, and the keys that signed are of others: {}", names.join(", "))]
    NotItsKey { origin: String, names: Vec<String> },
    #[error("a record has a line with its {0}; there is none, or it cannot be read")]
    Line(&'static str),
    #[error("a record has no line such as {0:?} at this place")]
    Unexpected(String),
    #[error("the record of a restore stands where a checkpoint should")]
    NotACheckpoint,
    #[error("a checkpoint marks at most 65536 leaves; this one would mark {0}: sign one in between")]
    TooManyLeaves(usize),
    #[error("a checkpoint of {size} leaves cannot mark {marked}")]
    MoreLeavesThanSize { size: u64, marked: usize },
}

impl Checkpoint {
    /// Reads a signed checkpoint, checked as [`Record::open`] checks it.
    pub fn open(octets: &[u8], keys: &[Verifier]) -> Result<Checkpoint, RecordError> {
        match Record::open(octets, keys)? {
            Record::Checkpoint(checkpoint) => Ok(checkpoint),
            Record::Restoration(_) => Err(RecordError::NotACheckpoint),
        }
    }

    /// Signs it, with the key that has the log's name.
    pub fn sign(&self, signer: &Signer) -> Result<Note, RecordError> {
        self.checked()?;
        sign(&self.origin, &self.text(), signer)
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = head(&self.origin, self.size, &self.root, self.at);
        if !self.leaves.is_empty() {
            // Writing to a String does not fail.
            let _ = writeln!(text, "leaves {}", encode(self.leaves.as_flattened()));
        }
        text
    }

    /// Where the first marked leaf is in the log, which is the size of the checkpoint before if any are marked.
    pub fn first_marked(&self) -> u64 {
        self.size.saturating_sub(self.leaves.len() as u64)
    }

    fn checked(&self) -> Result<(), RecordError> {
        let marked = self.leaves.len();
        if marked > MAX_LEAVES {
            return Err(RecordError::TooManyLeaves(marked));
        }
        if marked as u64 > self.size {
            return Err(RecordError::MoreLeavesThanSize { size: self.size, marked });
        }
        Ok(())
    }
}

impl Restoration {
    /// Signs it, with the key that has the log's name.
    pub fn sign(&self, signer: &Signer) -> Result<Note, RecordError> {
        sign(&self.origin, &self.text(), signer)
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        head(&format!("{}{RESTORE}", self.origin), self.size, &self.root, self.at)
    }
}

impl Record {
    /// Reads a signed record and checks that a known key with the name of its log signed it.
    pub fn open(octets: &[u8], keys: &[Verifier]) -> Result<Record, RecordError> {
        Record::of(&Note::parse(octets)?, keys)
    }

    /// The record that a note is, checked as [`Record::open`] checks it.
    pub fn of(note: &Note, keys: &[Verifier]) -> Result<Record, RecordError> {
        let signed = note.check(keys)?;
        let record = Record::parse(note.text())?;
        let origin = record.origin();
        if !signed.iter().any(|key| key.name() == origin) {
            let names = signed.iter().map(|key| key.name().to_owned()).collect();
            return Err(RecordError::NotItsKey { origin: origin.to_owned(), names });
        }
        Ok(record)
    }

    pub fn origin(&self) -> &str {
        match self {
            Record::Checkpoint(checkpoint) => &checkpoint.origin,
            Record::Restoration(restoration) => &restoration.origin,
        }
    }

    /// Reads the text of a record, exactly as it is written here.
    pub(crate) fn parse(text: &str) -> Result<Record, RecordError> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let first = lines.next().unwrap_or_default();
        let origin = first.strip_suffix(RESTORE).unwrap_or(first);
        if !is_name(origin) {
            return Err(RecordError::Origin(first.to_owned()));
        }
        let restored = origin != first;
        let origin = origin.to_owned();
        let size = lines.next().and_then(number).ok_or(RecordError::Line("size"))?;
        let root = lines.next().and_then(|line| line.parse().ok()).ok_or(RecordError::Line("root hash"))?;
        let at = lines.next().and_then(time).ok_or(RecordError::Line("time"))?;
        let record = if restored {
            Record::Restoration(Restoration { origin, size, root, at })
        } else {
            let leaves =
                lines.next().map(|line| leaves(line).ok_or(RecordError::Line("leaves"))).transpose()?;
            let checkpoint = Checkpoint { origin, size, root, at, leaves: leaves.unwrap_or_default() };
            checkpoint.checked()?;
            Record::Checkpoint(checkpoint)
        };
        match lines.next() {
            Some(line) => Err(RecordError::Unexpected(line.chars().take(40).collect())),
            None => Ok(record),
        }
    }
}

fn head(first: &str, size: u64, root: &Hash, at: DateTime<Utc>) -> String {
    format!("{first}\n{size}\n{root}\ntime {}\n", at.format(TIME))
}

fn sign(origin: &str, text: &str, signer: &Signer) -> Result<Note, RecordError> {
    if origin != signer.name() {
        return Err(RecordError::NotItsKey {
            origin: origin.to_owned(),
            names: vec![signer.name().to_owned()],
        });
    }
    Ok(signer.sign(text)?)
}

fn time(line: &str) -> Option<DateTime<Utc>> {
    let text = line.strip_prefix("time ")?;
    let at = NaiveDateTime::parse_from_str(text, TIME).ok()?.and_utc();
    // What is not written as it would be written here is refused.
    (at.format(TIME).to_string() == text).then_some(at)
}

fn leaves(line: &str) -> Option<Vec<Mark>> {
    let octets = decode(line.strip_prefix("leaves ")?)?;
    let (marks, rest) = octets.as_chunks::<MARK_LENGTH>();
    (rest.is_empty() && !marks.is_empty()).then(|| marks.to_vec())
}
