//! The file of checkpoints: what is shipped elsewhere, so that even who can write the whole database cannot bend the log.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use transparency::{MAX_NOTE, Note, Record, RecordsError, Verifier, record_octets, records};

use crate::Error;

/// At least two whole records are in so many octets at the end of a file, if it has two.
const TAIL: u64 = 3 * MAX_NOTE as u64;
/// The first octets of a line of signatures, with which no record begins.
const SIGNATURE: &[u8] = "— ".as_bytes();
const BLANK: &[u8] = b"\n\n";

/// Records one after the other, only ever appended to.
#[derive(Debug, Clone)]
pub struct CheckpointFile {
    path: PathBuf,
}

impl CheckpointFile {
    pub fn new(path: PathBuf) -> CheckpointFile {
        CheckpointFile { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last record, if the file is there and has one. What a crash left of a record that was being written is cut off.
    pub async fn last(&self, keys: &[Verifier]) -> Result<Option<Record>, Error> {
        let mut file = match File::options().read(true).write(true).open(&self.path).await {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.broken(error)),
        };
        let length = file.metadata().await.map_err(|error| self.broken(error))?.len();
        let start = length.saturating_sub(TAIL);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start)).await.map_err(|error| self.broken(error))?;
        file.read_to_end(&mut tail).await.map_err(|error| self.broken(error))?;
        let skipped = if start == 0 { 0 } else { first_record(&tail) };
        let mut last = None;
        for record in records(&tail[skipped..], keys) {
            match record {
                Ok(located) => last = Some(located.record),
                Err(RecordsError::Torn { start: torn }) => {
                    let whole = start + (skipped + torn) as u64;
                    tracing::warn!("{}: the last checkpoint was not written to its end", self.path.display());
                    file.set_len(whole).await.map_err(|error| self.broken(error))?;
                }
                Err(source) => return Err(Error::Records { path: self.path.clone(), source }),
            }
        }
        Ok(last)
    }

    /// Appends records; they are on disk when this returns.
    pub async fn append(&self, notes: &[Note]) -> Result<(), Error> {
        let octets: Vec<u8> = notes.iter().flat_map(record_octets).collect();
        let written = async {
            let mut file = OpenOptions::new().append(true).create(true).open(&self.path).await?;
            file.write_all(&octets).await?;
            file.sync_data().await
        };
        written.await.map_err(|error| self.broken(error))
    }

    fn broken(&self, source: std::io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }
}

/// Where the first whole record begins in octets that begin anywhere.
fn first_record(octets: &[u8]) -> usize {
    let blanks = octets.windows(BLANK.len()).enumerate().filter(|(_, window)| *window == BLANK);
    let mut begins = blanks.map(|(at, _)| at + BLANK.len());
    begins.find(|begin| !octets[*begin..].starts_with(SIGNATURE)).unwrap_or(octets.len())
}
