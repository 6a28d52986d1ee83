//! Reading a blob: a chunk is read and verified as a whole and given out in pieces; while the last of them goes out, the next
//! chunk is read.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::Error;
use crate::format::{self, CHUNK, DIGEST, HEADER};

/// What is given out at a time. The connection holds it too until it has gone out, so that a whole chunk would be there twice as
/// long as its reader is slow.
const PIECE: usize = 64 << 10;

/// A blob as a stream of verified octets. Holds a chunk and a piece at most.
pub struct Reader {
    next: Next,
}

enum Next {
    /// Not before somebody asks.
    Unopened(PathBuf, u64),
    Ready(Bytes, Option<Rest>),
    Reading(JoinHandle<Result<(Bytes, Option<Rest>), Error>>),
    End,
}

/// What was not read yet. The file is closed with its last octet.
struct Rest {
    file: File,
    /// The number of the next chunk, from 0.
    chunk: u64,
    /// Octets, without digests.
    left: u64,
}

impl Reader {
    /// Reads the first chunk, so that most of what can go wrong does so before anything is answered.
    pub(super) fn open(path: &Path, size: u64) -> Result<Reader, Error> {
        let (bytes, rest) = begin(path, size)?;
        Ok(Reader { next: Next::Ready(bytes, rest) })
    }

    /// Reads the first chunk as [`Reader::open`] does, lets go of it and of the file, and begins again when it is polled.
    pub(super) fn open_later(path: PathBuf, size: u64) -> Result<Reader, Error> {
        begin(&path, size)?;
        Ok(Reader { next: Next::Unopened(path, size) })
    }
}

fn begin(path: &Path, size: u64) -> Result<(Bytes, Option<Rest>), Error> {
    let file = measure(path, size)?;
    Rest { file, chunk: 0, left: size }.read()
}

/// Opens a blob behind its header, if it is as long as it should be.
pub(super) fn measure(path: &Path, size: u64) -> Result<File, Error> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::Missing,
        _ => error.into(),
    })?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header).map_err(|error| cut(error, 0))?;
    if header != format::header() {
        return Err(Error::Corrupt { chunk: 0 });
    }
    let sealed = (CHUNK + DIGEST) as u64;
    let chunks = size.div_ceil(CHUNK as u64);
    let length = HEADER as u64 + size + chunks * DIGEST as u64;
    match file.metadata()?.len() {
        found if found == length => Ok(file),
        // The chunk that is cut; octets behind the end belong to none.
        found if found < length => Err(Error::Corrupt { chunk: (found - HEADER as u64) / sealed }),
        _ => Err(Error::Corrupt { chunk: chunks }),
    }
}

impl Rest {
    /// The next chunk, and what is behind it. The chunk of an empty blob is empty.
    fn read(mut self) -> Result<(Bytes, Option<Rest>), Error> {
        if self.left == 0 {
            return Ok((Bytes::new(), None));
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK);
        let mut sealed = vec![0; length + DIGEST];
        self.file.read_exact(&mut sealed).map_err(|error| cut(error, self.chunk))?;
        let length = format::verify(&sealed, self.chunk)?;
        sealed.truncate(length);
        self.chunk += 1;
        self.left -= length as u64;
        Ok((Bytes::from(sealed), (self.left > 0).then_some(self)))
    }
}

pub(super) fn cut(error: std::io::Error, chunk: u64) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => Error::Corrupt { chunk },
        _ => error.into(),
    }
}

impl Stream for Reader {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Next::Unopened(path, size) = &self.next {
            let (path, size) = (path.clone(), *size);
            self.next = Next::Reading(spawn_blocking(move || begin(&path, size)));
        }
        if let Next::Reading(task) = &mut self.next {
            let result = ready!(Pin::new(task).poll(context));
            self.next = match result.map_err(|error| Error::Io(error.into())).flatten() {
                Ok((bytes, rest)) => Next::Ready(bytes, rest),
                Err(error) => {
                    self.next = Next::End;
                    return Poll::Ready(Some(Err(error)));
                }
            };
        }
        match std::mem::replace(&mut self.next, Next::End) {
            Next::Ready(mut bytes, rest) if !bytes.is_empty() => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                self.next = match rest {
                    Some(rest) if bytes.is_empty() => Next::Reading(spawn_blocking(move || rest.read())),
                    rest => Next::Ready(bytes, rest),
                };
                Poll::Ready(Some(Ok(piece)))
            }
            _ => Poll::Ready(None),
        }
    }
}
