//! An export is checked with nothing but itself and the key of the log.

use std::io::{BufRead, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use transparency::{Checkpoint, Hash, RecordError, Verifier, leaf_hash, verify_inclusion};

use super::{FORMAT, Head, Line, Tail};

/// Octets of the longest line.
const LINE: u64 = 256 << 20;
const STEP: u64 = 256;

/// An export that holds.
#[derive(Debug, Clone)]
pub struct Checked {
    pub checkpoint: Checkpoint,
    pub events: u64,
    /// Those of them whose content was blanked before they were exported.
    pub blanked: u64,
}

/// The first line of an export that does not hold, counted from 1.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Doubt {
    pub line: u64,
    pub why: Why,
}

#[derive(Debug, thiserror::Error)]
pub enum Why {
    #[error("it cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("it is longer than 256 MiB")]
    TooLong,
    #[error("it was not written to its end")]
    Torn,
    #[error("this is not what stands in this place of an export: {0}")]
    Json(#[from] serde_json::Error),
    #[error("this is not an export of an audit log, which begins with {FORMAT}")]
    Format,
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] RecordError),
    #[error("event {position} stands behind event {before}, so a line was added or moved")]
    Order { position: u64, before: u64 },
    #[error("event {position} has neither a salt and a content nor a leaf")]
    NoRecord { position: u64 },
    #[error("event {position} is not the one that the log has there: {why}")]
    NotInLog { position: u64, why: String },
    #[error("the export has {found} events and its last line tells of {told}")]
    Count { told: u64, found: u64 },
    #[error("the export ends here and has no last line, which tells how many events there are")]
    NoEnd,
    #[error("something stands behind the last line")]
    Behind,
}

/// Checks the signature, every leaf and every proof of an export; it is read a line at a time. `progress` is told how many
/// octets were read.
pub fn check_export(
    mut from: impl BufRead,
    keys: &[Verifier],
    mut progress: impl FnMut(u64),
) -> Result<Checked, Doubt> {
    let (mut line, mut octets, mut text) = (1, 0, Vec::new());
    let doubt = |line| move |why: Why| Doubt { line, why };
    next(&mut from, &mut text)
        .and_then(|more| if more { Ok(()) } else { Err(Why::Format) })
        .map_err(doubt(line))?;
    octets += text.len() as u64;
    let checkpoint = head(&text, keys).map_err(doubt(line))?;
    let mut checked = Checked { checkpoint, events: 0, blanked: 0 };
    let mut before = None;
    loop {
        line += 1;
        if !next(&mut from, &mut text).map_err(doubt(line))? {
            return Err(doubt(line)(Why::NoEnd));
        }
        octets += text.len() as u64;
        // An event begins with its position.
        if !text.starts_with(b"{\"position\"") {
            end(&text, &checked).map_err(doubt(line))?;
            let more = next(&mut from, &mut text).map_err(doubt(line + 1))?;
            progress(octets);
            return if more { Err(doubt(line + 1)(Why::Behind)) } else { Ok(checked) };
        }
        before = Some(event(&text, before, &mut checked).map_err(doubt(line))?);
        if checked.events.is_multiple_of(STEP) {
            progress(octets);
        }
    }
}

/// One line with its end; false: there is none.
fn next(from: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Why> {
    line.clear();
    from.take(LINE).read_until(b'\n', line)?;
    match line.last() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if line.len() as u64 == LINE => Err(Why::TooLong),
        Some(_) => Err(Why::Torn),
    }
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Why> {
    Ok(serde_json::from_slice(line)?)
}

fn head(line: &[u8], keys: &[Verifier]) -> Result<Checkpoint, Why> {
    let head: Head = parse(line)?;
    if head.format != FORMAT {
        return Err(Why::Format);
    }
    Ok(Checkpoint::open(head.checkpoint.as_bytes(), keys)?)
}

/// Gives the position.
fn event(line: &[u8], before: Option<u64>, checked: &mut Checked) -> Result<u64, Why> {
    let Line { position, salt, content, leaf, proof, .. } = parse(line)?;
    if let Some(before) = before.filter(|before| *before >= position) {
        return Err(Why::Order { position, before });
    }
    let not_in_log = |why: String| Why::NotInLog { position, why };
    let leaf: Hash = match (salt, content, leaf) {
        (Some(salt), Some(content), None) => {
            let salt = STANDARD.decode(salt).ok().and_then(|salt| salt.try_into().ok());
            let salt = salt.ok_or_else(|| not_in_log("its salt is not 16 octets in base64".to_owned()))?;
            leaf_hash(&salt, content.as_bytes())
        }
        (None, None, Some(leaf)) => {
            checked.blanked += 1;
            leaf.parse().map_err(|why| not_in_log(format!("{why}")))?
        }
        _ => return Err(Why::NoRecord { position }),
    };
    let proof: Result<Vec<Hash>, _> = proof.iter().map(|hash| hash.parse()).collect();
    let proof = proof.map_err(|why: transparency::HashError| not_in_log(why.to_string()))?;
    let Checkpoint { size, root, .. } = &checked.checkpoint;
    verify_inclusion(&leaf, position, *size, root, &proof).map_err(|why| not_in_log(why.to_string()))?;
    checked.events += 1;
    Ok(position)
}

fn end(line: &[u8], checked: &Checked) -> Result<(), Why> {
    let Tail { events: told } = parse(line)?;
    match told == checked.events {
        true => Ok(()),
        false => Err(Why::Count { told, found: checked.events }),
    }
}
