//! Blobs as files: `xx/<key>`, where `xx` are the first two digits of the key, written under `tmp/` first.
//!
//! Disk work and digests happen on blocking threads, a chunk at a time, so memory does not follow the size of a
//! document. A document of one chunk costs one trip: write, fsync, rename, fsync of the folder.

mod copy;
mod folders;
mod id;
mod reader;
mod writer;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::sys::statvfs::statvfs;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::{BlobStore, Error};

pub use copy::Copied;
pub use reader::Reader;
pub use writer::{Writer, hex};

/// Octets of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub size: u64,
    /// For accounts without privileges.
    pub free: u64,
}

/// Blobs in a folder of this machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// Opens the store in `root`, which is made if it is not there, for this account alone.
    pub async fn open(root: &Path) -> Result<LocalStore, Error> {
        let root = root.to_owned();
        blocking(move || {
            folders::prepare(&root)?;
            Ok(LocalStore { root })
        })
        .await
    }

    /// The store in `root` as it is: nothing is made, so where there is no store every blob is missing.
    pub fn existing(root: &Path) -> LocalStore {
        LocalStore { root: root.to_owned() }
    }

    /// Copies a blob under its key to another store, durably, checked chunk by chunk on the way. `sha256` is that of its
    /// octets; one that is there already was checked when it came.
    pub async fn copy_to(
        &self,
        other: &LocalStore,
        key: &str,
        size: u64,
        sha256: &str,
    ) -> Result<Copied, Error> {
        let (from, to) = (self.path(key)?, other.path(key)?);
        let (root, sha256) = (other.root.clone(), sha256.to_owned());
        blocking(move || copy::copy(&from, size, &sha256, &root, &to)).await
    }

    /// Removes what a process that was ended has left half written. Nobody may be writing.
    pub async fn tidy(&self) -> Result<(), Error> {
        let root = self.root.clone();
        blocking(move || {
            folders::files(&folders::temporary(&root))?.iter().try_for_each(|(path, _)| remove(path))
        })
        .await
    }

    /// How large the file system of the store is, and how much of that it still takes.
    pub async fn room(&self) -> Result<Room, Error> {
        let root = self.root.clone();
        blocking(move || {
            let seen = statvfs(&root).map_err(io::Error::from)?;
            let octets = |blocks: u64| blocks.saturating_mul(seen.fragment_size());
            Ok(Room { size: octets(seen.blocks()), free: octets(seen.blocks_available()) })
        })
        .await
    }

    /// The file of a blob. A key that is not one of ours would lead out of the folder.
    fn path(&self, key: &str) -> Result<PathBuf, Error> {
        let id = Uuid::parse_str(key).map_err(|_| Error::Missing)?;
        Ok(folders::of_blob(&self.root, &id))
    }
}

impl BlobStore for LocalStore {
    type Writer = Writer;
    type Reader = Reader;

    async fn writer(&self) -> Result<Writer, Error> {
        Ok(Writer::new(self.root.clone()))
    }

    async fn open(&self, key: &str, size: u64) -> Result<Reader, Error> {
        let path = self.path(key)?;
        blocking(move || Reader::open(&path, size)).await
    }

    async fn open_later(&self, key: &str, size: u64) -> Result<Reader, Error> {
        let path = self.path(key)?;
        blocking(move || Reader::open_later(path, size)).await
    }

    async fn measure(&self, key: &str, size: u64) -> Result<(), Error> {
        let path = self.path(key)?;
        blocking(move || reader::measure(&path, size).map(drop)).await
    }

    async fn part(&self, part: u8) -> Result<Vec<(String, SystemTime)>, Error> {
        let folder = folders::part(&self.root, part);
        blocking(move || match folders::files(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            files => Ok(blobs(files?)),
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key)?;
        blocking(move || remove(&path)).await
    }

    async fn older_than(&self, age: Duration) -> Result<Vec<String>, Error> {
        let root = self.root.clone();
        blocking(move || {
            let limit = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
            for (path, modified) in folders::files(&folders::temporary(&root))? {
                if modified <= limit {
                    // What a crash left half written.
                    remove(&path)?;
                }
            }
            let mut keys = Vec::new();
            for folder in folders::fan_out(&root) {
                let old =
                    blobs(folders::files(&folder)?).into_iter().filter(|(_, modified)| *modified <= limit);
                keys.extend(old.map(|(key, _)| key));
            }
            Ok(keys)
        })
        .await
    }

    async fn check(&self) -> Result<(), Error> {
        let probe = folders::temporary(&self.root).join(Uuid::new_v4().simple().to_string());
        blocking(move || {
            fs::write(&probe, b"probe")?;
            remove(&probe)
        })
        .await
    }
}

/// The keys of the files that are blobs. A file that is not ours is left alone.
fn blobs(files: Vec<(PathBuf, SystemTime)>) -> Vec<(String, SystemTime)> {
    files
        .into_iter()
        .filter_map(|(path, modified)| {
            let name = path.file_name()?.to_str()?;
            Uuid::parse_str(name).ok().map(|_| (name.to_owned(), modified))
        })
        .collect()
}

/// What is not there need not be removed.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::Io(error.into()))?
}

#[cfg(test)]
mod tests;
