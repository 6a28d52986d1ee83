//! Writing a blob: while one chunk is digested and written, the next comes in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use openssl::sha::{Sha1, Sha256};
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use super::{blocking, folders, remove};
use crate::format::{self, CHUNK, DIGEST, HEADER};
use crate::{BlobWriter, Error, Stored};

/// A blob on its way to the disk. Holds two chunks at most.
pub struct Writer {
    buffer: BytesMut,
    state: State,
}

enum State {
    Idle(Box<Progress>),
    /// A chunk is being digested and written.
    Busy(JoinHandle<Result<Box<Progress>, Error>>),
    Failed,
}

impl Writer {
    pub(super) fn new(root: PathBuf) -> Self {
        let progress = Progress { root, file: None, size: 0, sha1: Sha1::new(), sha256: Sha256::new() };
        Writer { buffer: BytesMut::new(), state: State::Idle(Box::new(progress)) }
    }

    /// Starts the way of a full chunk to the disk.
    async fn flush(&mut self) -> Result<(), Error> {
        let mut progress = self.settle().await?;
        let chunk = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK));
        self.state = State::Busy(spawn_blocking(move || {
            progress.append(&chunk)?;
            Ok(progress)
        }));
        Ok(())
    }

    /// Waits for the chunk before this one. An error of it comes out here.
    async fn settle(&mut self) -> Result<Box<Progress>, Error> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Idle(progress) => Ok(progress),
            State::Busy(task) => task.await.map_err(|error| Error::Io(error.into()))?,
            State::Failed => Err(Error::Io(io::Error::other("an earlier part of the blob was not written"))),
        }
    }
}

impl BlobWriter for Writer {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            // A full chunk waits until it is known that more follows: then a blob of one chunk takes one trip.
            if self.buffer.len() == CHUNK {
                self.flush().await?;
            }
            let part = bytes.split_to(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(&part);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Stored, Error> {
        let progress = self.settle().await?;
        let chunk = self.buffer;
        blocking(move || progress.finish(&chunk)).await
    }
}

/// What is on the disk so far.
struct Progress {
    root: PathBuf,
    file: Option<Temporary>,
    size: u64,
    sha1: Sha1,
    sha256: Sha256,
}

impl Progress {
    fn append(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let mut out = Vec::with_capacity(HEADER + chunk.len() + DIGEST);
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                out.extend_from_slice(&format::header());
                none.insert(Temporary::create(&self.root)?)
            }
        };
        if !chunk.is_empty() {
            format::seal(chunk, &mut out);
        }
        file.file.write_all(&out)?;
        self.size += chunk.len() as u64;
        self.sha1.update(chunk);
        self.sha256.update(chunk);
        Ok(())
    }

    fn finish(mut self, last: &[u8]) -> Result<Stored, Error> {
        self.append(last)?;
        let id = Uuid::new_v4();
        if let Some(file) = self.file {
            file.move_durably(&folders::of_blob(&self.root, &id))?;
        }
        Ok(Stored {
            key: id.simple().to_string(),
            size: self.size,
            sha1: hex(&self.sha1.finish()),
            sha256: hex(&self.sha256.finish()),
        })
    }
}

/// A file that is removed when it is dropped, unless it has found its place.
pub(super) struct Temporary {
    pub file: File,
    path: Option<PathBuf>,
}

impl Temporary {
    pub fn create(root: &Path) -> io::Result<Temporary> {
        let path = folders::temporary(root).join(Uuid::new_v4().simple().to_string());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Temporary { file, path: Some(path) })
    }

    /// The octets first, then the name.
    pub fn move_durably(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(path) = &self.path {
            fs::rename(path, target)?;
            self.path = None;
        }
        target.parent().map_or(Ok(()), folders::sync)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // What cannot be removed now is swept later.
            let _ = remove(&path);
        }
    }
}

/// Digests as [`Stored`] has them.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}
