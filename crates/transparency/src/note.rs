//! Signed notes (C2SP `signed-note`): a text, an empty line, signatures.

use std::fmt;

use openssl::error::ErrorStack;

use crate::Verifier;
use crate::lines::{decode, encode, is_name};

/// Octets of the largest note that is read or written. The reader of `golang.org/x/mod/sumdb/note` has the same limit.
pub const MAX_NOTE: usize = 1_000_000;

const MAX_SIGNATURES: usize = 100;
const DASH: &str = "— ";

/// A text with its signatures. Only [`Note::open`] and [`Note::check`] tell whether they are good ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// A line below a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose key it says it is of.
    pub name: String,
    /// Which of the keys of that name.
    pub id: u32,
    pub octets: Vec<u8>,
}

/// Why a note is not believed.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    #[error("a note has at most 1,000,000 octets; this one has {0}")]
    TooLong(usize),
    #[error("a note is UTF-8 without control characters other than newlines")]
    NotText,
    #[error(
        "a note is a text that ends with a newline, an empty line, and lines of signatures; this is none"
    )]
    Shape,
    #[error("line {line} of the signatures is not an em dash, the name of a key and base64")]
    Signature { line: usize },
    #[error("a note has at most 100 signatures; this one has {0}")]
    TooManySignatures(usize),
    #[error(
        "the signature of {0} is wrong: the text was changed after it was signed, or the signature is not its own"
    )]
    WrongSignature(String),
    #[error("the note is signed by none of the known keys, only by: {}", names.join(", "))]
    UnknownKeys { names: Vec<String> },
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

impl Note {
    pub(crate) fn new(text: &str, signatures: Vec<Signature>) -> Result<Note, NoteError> {
        let note = Note { text: text.to_owned(), signatures };
        // What is written can be read.
        Note::parse(note.to_string().as_bytes())
    }

    /// Reads a note without checking its signatures.
    pub fn parse(octets: &[u8]) -> Result<Note, NoteError> {
        if octets.len() > MAX_NOTE {
            return Err(NoteError::TooLong(octets.len()));
        }
        let note = std::str::from_utf8(octets).map_err(|_| NoteError::NotText)?;
        if note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::NotText);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Shape)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Shape)?;
        let count = signatures.split('\n').count();
        if count > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures(count));
        }
        let signatures = signatures
            .split('\n')
            .zip(1..)
            .map(|(text, line)| Signature::parse(text).ok_or(NoteError::Signature { line }));
        Ok(Note { text: format!("{text}\n"), signatures: signatures.collect::<Result<_, _>>()? })
    }

    /// Reads a note and checks it, as [`Note::check`] does.
    pub fn open(octets: &[u8], keys: &[Verifier]) -> Result<Note, NoteError> {
        let note = Note::parse(octets)?;
        note.check(keys)?;
        Ok(note)
    }

    /// Checks the signatures: one at least is of a known key, every one that is of a known key is good, others are passed
    /// over. Gives the keys that signed.
    pub fn check<'k>(&self, keys: &'k [Verifier]) -> Result<Vec<&'k Verifier>, NoteError> {
        let mut signed = Vec::new();
        for signature in &self.signatures {
            let known = keys.iter().find(|key| key.name() == signature.name && key.id() == signature.id);
            let Some(key) = known else { continue };
            if !key.verify(&self.text, &signature.octets)? {
                return Err(NoteError::WrongSignature(signature.name.clone()));
            }
            signed.push(key);
        }
        if signed.is_empty() {
            let names =
                self.signatures.iter().map(|signature| format!("{}+{:08x}", signature.name, signature.id));
            return Err(NoteError::UnknownKeys { names: names.collect() });
        }
        Ok(signed)
    }

    /// What is signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Signature> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        let octets = decode(encoded)?;
        let (id, octets) = octets.split_first_chunk()?;
        let good = is_name(name) && !octets.is_empty();
        good.then(|| Signature {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            octets: octets.to_vec(),
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| {
            let octets = [&signature.id.to_be_bytes(), signature.octets.as_slice()].concat();
            writeln!(f, "{DASH}{} {}", signature.name, encode(octets))
        })
    }
}
