//! Proofs in text, each with the signed checkpoint that it leads to, so that it can be checked without the log.

use std::fmt;
use std::str::FromStr;

use crate::lines::{decode, encode, number};
use crate::{
    Checkpoint, Hash, Note, NoteError, ProofError, Record, RecordError, Verifier, verify_consistency,
    verify_inclusion,
};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// That a leaf is in a log (C2SP `tlog-proof`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Octets that belong to it and prove nothing, such as the salt that is needed to compute the leaf hash.
    pub extra: Option<Vec<u8>>,
    pub index: u64,
    pub hashes: Vec<Hash>,
    pub checkpoint: Note,
}

/// That a log only grew since an older checkpoint, in the form in which a witness is asked (C2SP `tlog-witness`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The size of the older checkpoint.
    pub old: u64,
    pub hashes: Vec<Hash>,
    pub checkpoint: Note,
}

/// Why a proof in text cannot be read or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofTextError {
    #[error("this is not a proof of inclusion, whose first line is {HEADER}")]
    Header,
    #[error("the proof has a line that begins with {0:?}; there is none, or it cannot be read")]
    Line(&'static str),
    #[error("line {line} of the hashes is not a hash in base64")]
    Hash { line: usize },
    #[error("behind the hashes there is an empty line and then the checkpoint; the proof ends before it")]
    NoCheckpoint,
    #[error("the checkpoint in the proof: {0}")]
    Note(#[from] NoteError),
    #[error("the checkpoint in the proof: {0}")]
    Record(#[from] RecordError),
    #[error("the proof leads to the record of a restore and not to a checkpoint")]
    NotACheckpoint,
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl InclusionProof {
    /// Checks that a known key signed the checkpoint and that its tree has the leaf; gives the checkpoint.
    pub fn verify(&self, leaf: &Hash, keys: &[Verifier]) -> Result<Checkpoint, ProofTextError> {
        let checkpoint = opened(&self.checkpoint, keys)?;
        verify_inclusion(leaf, self.index, checkpoint.size, &checkpoint.root, &self.hashes)?;
        Ok(checkpoint)
    }
}

impl ConsistencyProof {
    /// Checks that a known key signed the checkpoint and that its tree begins with that of the old root; gives the
    /// checkpoint.
    pub fn verify(&self, old_root: &Hash, keys: &[Verifier]) -> Result<Checkpoint, ProofTextError> {
        let checkpoint = opened(&self.checkpoint, keys)?;
        verify_consistency(self.old, old_root, checkpoint.size, &checkpoint.root, &self.hashes)?;
        Ok(checkpoint)
    }
}

impl FromStr for InclusionProof {
    type Err = ProofTextError;

    fn from_str(text: &str) -> Result<InclusionProof, ProofTextError> {
        let rest = text
            .strip_prefix(HEADER)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or(ProofTextError::Header)?;
        let (extra, rest) = match rest.strip_prefix("extra ").and_then(|rest| rest.split_once('\n')) {
            Some((extra, rest)) => (Some(decode(extra).ok_or(ProofTextError::Line("extra"))?), rest),
            None => (None, rest),
        };
        let (index, hashes, checkpoint) = numbered("index", rest)?;
        Ok(InclusionProof { extra, index, hashes, checkpoint })
    }
}

impl FromStr for ConsistencyProof {
    type Err = ProofTextError;

    fn from_str(text: &str) -> Result<ConsistencyProof, ProofTextError> {
        let (old, hashes, checkpoint) = numbered("old", text)?;
        Ok(ConsistencyProof { old, hashes, checkpoint })
    }
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn opened(note: &Note, keys: &[Verifier]) -> Result<Checkpoint, ProofTextError> {
    match Record::of(note, keys)? {
        Record::Checkpoint(checkpoint) => Ok(checkpoint),
        Record::Restoration(_) => Err(ProofTextError::NotACheckpoint),
    }
}

/// A line with a number behind a word, lines of hashes, an empty line, a checkpoint.
fn numbered(word: &'static str, text: &str) -> Result<(u64, Vec<Hash>, Note), ProofTextError> {
    let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofTextError::NoCheckpoint)?;
    let mut lines = head.split('\n');
    let first = lines.next().and_then(|line| line.strip_prefix(word)?.strip_prefix(' ')).and_then(number);
    let first = first.ok_or(ProofTextError::Line(word))?;
    let hashes = lines.zip(1..).map(|(text, line)| text.parse().map_err(|_| ProofTextError::Hash { line }));
    Ok((first, hashes.collect::<Result<_, _>>()?, Note::parse(checkpoint.as_bytes())?))
}
