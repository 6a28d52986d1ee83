//! Checkpoints in a file, read piece by piece.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use transparency::{Checkpoint, MAX_NOTE, Record, RecordsError, Restoration, Verifier, records};

use crate::Error;

/// Octets that are read at a time: several records.
const PIECE: usize = 4 * MAX_NOTE;

/// The checkpoints of a file that still hold: a signed restore takes those back that the restored log did not know.
pub struct Outside {
    reader: Reader,
    restorations: Vec<(u64, Restoration)>,
    last: u64,
}

impl Outside {
    /// Reads the file once, to know of its restores and its end.
    pub fn open(path: &Path, keys: &[Verifier]) -> Result<Outside, Error> {
        let mut reader = Reader::open(path, keys)?;
        let (mut restorations, mut last) = (Vec::new(), 0);
        while let Some(record) = reader.next()? {
            match record {
                Record::Checkpoint(checkpoint) => last = checkpoint.size,
                Record::Restoration(restored) => {
                    last = restored.size;
                    restorations.push((reader.count, restored));
                }
            }
        }
        Ok(Outside { reader: Reader::open(path, keys)?, restorations, last })
    }

    pub fn restorations(&self) -> Vec<Restoration> {
        self.restorations.iter().map(|(_, restored)| restored.clone()).collect()
    }

    /// The size in the last record.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The next checkpoint that holds.
    pub fn next(&mut self) -> Result<Option<Checkpoint>, Error> {
        while let Some(record) = self.reader.next()? {
            let count = self.reader.count;
            let holds =
                |size| self.restorations.iter().all(|(restored, to)| *restored < count || size <= to.size);
            if let Record::Checkpoint(checkpoint) = record
                && holds(checkpoint.size)
            {
                return Ok(Some(checkpoint));
            }
        }
        Ok(None)
    }
}

struct Reader {
    path: PathBuf,
    file: File,
    keys: Vec<Verifier>,
    /// Octets that were read and make no whole record yet.
    rest: Vec<u8>,
    read: std::collections::VecDeque<Record>,
    /// Records that were given out.
    count: u64,
}

impl Reader {
    fn open(path: &Path, keys: &[Verifier]) -> Result<Reader, Error> {
        let file = File::open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        Ok(Reader {
            path: path.to_owned(),
            file,
            keys: keys.to_vec(),
            rest: Vec::new(),
            read: Default::default(),
            count: 0,
        })
    }

    fn next(&mut self) -> Result<Option<Record>, Error> {
        if self.read.is_empty() {
            self.piece()?;
        }
        let record = self.read.pop_front();
        self.count += u64::from(record.is_some());
        Ok(record)
    }

    fn piece(&mut self) -> Result<(), Error> {
        loop {
            let mut piece = Vec::new();
            let read = self.file.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            let read = read.map_err(|source| Error::File { path: self.path.clone(), source })?;
            self.rest.append(&mut piece);
            let mut used = 0;
            for record in records(&self.rest, &self.keys) {
                match record {
                    Ok(located) => {
                        used = located.end;
                        self.read.push_back(located.record);
                    }
                    // The end of a piece, or of a file that is being written.
                    Err(RecordsError::Torn { .. }) => {}
                    Err(source) => return Err(Error::Records { path: self.path.clone(), source }),
                }
            }
            self.rest.drain(..used);
            if read == 0 || !self.read.is_empty() {
                return Ok(());
            }
        }
    }
}
