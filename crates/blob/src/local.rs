//! Blobs as files: `aa/bb/<key>`, written under `tmp/` first.
//!
//! Disk work happens on blocking threads, a chunk at a time, so memory does not follow the size of a document. A
//! document of one chunk costs one trip: write, fsync, rename, fsync of the folder.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use openssl::sha::{Sha1, Sha256};
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use crate::format::{self, CHUNK, DIGEST, HEADER};
use crate::{BlobStore, BlobWriter, Error, Stored};

/// Blobs in a folder of this machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// Opens the store in `root`, which is made if it is not there.
    pub async fn open(root: &Path) -> Result<LocalStore, Error> {
        let root = root.to_owned();
        blocking(move || {
            fs::create_dir_all(root.join("tmp"))?;
            sync_folder(&root)?;
            if let Some(parent) = root.parent() {
                sync_folder(parent)?;
            }
            Ok(LocalStore { root })
        })
        .await
    }

    fn path(&self, key: &str) -> Result<PathBuf, Error> {
        // A key that is not one of ours would lead out of the folder.
        let id = Uuid::parse_str(key).map_err(|_| Error::Missing)?.simple().to_string();
        let (first, rest) = id.split_at(2);
        let second: String = rest.chars().take(2).collect();
        Ok(self.root.join(first).join(second).join(id))
    }
}

impl BlobStore for LocalStore {
    type Writer = Writer;
    type Reader = Reader;

    async fn writer(&self) -> Result<Writer, Error> {
        Ok(Writer {
            store: self.clone(),
            buffer: BytesMut::new(),
            open: None,
            size: 0,
            sha1: Sha1::new(),
            sha256: Sha256::new(),
        })
    }

    async fn open(&self, key: &str, size: u64) -> Result<Reader, Error> {
        let path = self.path(key)?;
        let (file, first) = blocking(move || {
            let mut file = File::open(path)?;
            let mut header = [0; HEADER];
            file.read_exact(&mut header).map_err(|_| Error::Corrupt { chunk: 0 })?;
            if header != format::header() {
                return Err(Error::Corrupt { chunk: 0 });
            }
            let first = read_chunk(&mut file, 0, size)?;
            Ok((file, first))
        })
        .await?;
        let left = size - first.len() as u64;
        Ok(Reader { next: Next::Ready(first), file: Some(file), chunk: 0, left })
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key)?;
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        })
        .await
    }

    async fn older_than(&self, age: Duration) -> Result<Vec<String>, Error> {
        let root = self.root.clone();
        blocking(move || {
            let limit = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
            let mut keys = Vec::new();
            for (path, modified) in files_below(&root)? {
                if modified > limit {
                    continue;
                }
                if path.starts_with(root.join("tmp")) {
                    // What a crash left half written.
                    fs::remove_file(&path)?;
                } else if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                    keys.push(name.to_owned());
                }
            }
            Ok(keys)
        })
        .await
    }

    async fn check(&self) -> Result<(), Error> {
        let probe = self.root.join("tmp").join(format!("{}.probe", Uuid::new_v4().simple()));
        blocking(move || {
            fs::write(&probe, b"probe")?;
            Ok(fs::remove_file(&probe)?)
        })
        .await
    }
}

/// A file of the store being written.
struct Open {
    file: File,
    temporary: Temporary,
}

/// Removes its file when it is dropped, unless the file has moved on.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = fs::remove_file(path);
        }
    }
}

pub struct Writer {
    store: LocalStore,
    buffer: BytesMut,
    open: Option<Open>,
    size: u64,
    sha1: Sha1,
    sha256: Sha256,
}

impl BlobWriter for Writer {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let part = bytes.split_to(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(&part);
            // A full chunk waits until it is known that more follows: then a blob of one chunk takes one trip.
            if self.buffer.len() == CHUNK && !bytes.is_empty() {
                self.flush().await?;
            }
        }
        if self.buffer.len() == CHUNK {
            self.flush().await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Stored, Error> {
        self.sha1.update(&self.buffer);
        self.sha256.update(&self.buffer);
        let Writer { store, buffer, open, size, sha1, sha256 } = self;
        let (sha1, sha256) = (hex(&sha1.finish()), hex(&sha256.finish()));
        let id = Uuid::new_v4();
        let key = id.simple().to_string();
        let target = store.path(&key)?;
        blocking(move || {
            let mut open = match open {
                Some(open) => open,
                None => Open::create(&store)?,
            };
            if !buffer.is_empty() {
                open.append(&buffer)?;
            }
            open.file.sync_all()?;
            move_durably(open, &store.root, &target)
        })
        .await?;
        Ok(Stored { key, size, sha1, sha256 })
    }
}

impl Writer {
    async fn flush(&mut self) -> Result<(), Error> {
        let chunk = self.buffer.split().freeze();
        self.sha1.update(&chunk);
        self.sha256.update(&chunk);
        let (store, open) = (self.store.clone(), self.open.take());
        let (open, buffer) = blocking(move || {
            let mut open = match open {
                Some(open) => open,
                None => Open::create(&store)?,
            };
            open.append(&chunk)?;
            Ok((open, chunk.try_into_mut().unwrap_or_default()))
        })
        .await?;
        self.open = Some(open);
        // The same memory again.
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }
}

impl Open {
    fn create(store: &LocalStore) -> Result<Open, Error> {
        let path = store.root.join("tmp").join(Uuid::new_v4().simple().to_string());
        let mut file = File::create_new(&path)?;
        let temporary = Temporary(Some(path));
        file.write_all(&format::header())?;
        Ok(Open { file, temporary })
    }

    fn append(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let mut sealed = Vec::with_capacity(chunk.len() + DIGEST);
        format::seal(chunk, &mut sealed);
        Ok(self.file.write_all(&sealed)?)
    }
}

/// Renames into place; every folder whose entries changed is flushed.
fn move_durably(mut open: Open, root: &Path, target: &Path) -> Result<(), Error> {
    let folder = target.parent().unwrap_or(root);
    if !folder.is_dir() {
        fs::create_dir_all(folder)?;
        sync_folder(folder.parent().unwrap_or(root))?;
        sync_folder(root)?;
    }
    if let Some(path) = &open.temporary.0 {
        fs::rename(path, target)?;
        open.temporary.0 = None;
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    Ok(File::open(folder)?.sync_all()?)
}

fn files_below(folder: &Path) -> Result<Vec<(PathBuf, SystemTime)>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files.extend(files_below(&entry.path())?),
            // A file that went away meanwhile is not old.
            false => files.extend(entry.metadata().and_then(|m| m.modified()).ok().map(|time| (entry.path(), time))),
        }
    }
    Ok(files)
}

fn read_chunk(file: &mut File, number: u64, left: u64) -> Result<Bytes, Error> {
    if left == 0 {
        return Ok(Bytes::new());
    }
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
    let mut sealed = vec![0; length + DIGEST];
    file.read_exact(&mut sealed).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Error::Corrupt { chunk: number },
        _ => error.into(),
    })?;
    let length = format::verify(&sealed, number)?;
    sealed.truncate(length);
    Ok(Bytes::from(sealed))
}

/// A blob as a stream of verified chunks.
pub struct Reader {
    next: Next,
    file: Option<File>,
    chunk: u64,
    /// Octets after the chunk in `next`.
    left: u64,
}

enum Next {
    Ready(Bytes),
    Reading(JoinHandle<Result<(File, Bytes), Error>>),
    End,
}

impl Stream for Reader {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.next, Next::End) {
                Next::Ready(bytes) => {
                    if this.left > 0
                        && let Some(mut file) = this.file.take()
                    {
                        this.chunk += 1;
                        let (number, left) = (this.chunk, this.left);
                        this.next = Next::Reading(spawn_blocking(move || {
                            let bytes = read_chunk(&mut file, number, left)?;
                            Ok((file, bytes))
                        }));
                    }
                    if bytes.is_empty() {
                        return Poll::Ready(None);
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Next::Reading(mut task) => {
                    let result = match Pin::new(&mut task).poll(context) {
                        Poll::Pending => {
                            this.next = Next::Reading(task);
                            return Poll::Pending;
                        }
                        Poll::Ready(result) => result,
                    };
                    match result.map_err(|error| Error::Io(error.into())).flatten() {
                        Ok((file, bytes)) => {
                            this.left -= bytes.len() as u64;
                            this.file = Some(file);
                            this.next = Next::Ready(bytes);
                        }
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                Next::End => return Poll::Ready(None),
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::Io(error.into()))?
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
