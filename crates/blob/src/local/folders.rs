//! The folders of the store.
//!
//! All are made when it is opened. Made on demand, a folder could be there and not yet durable when a second writer
//! puts a blob in it and says that the blob is.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use uuid::Uuid;

/// Makes what is missing, durably, for this account alone: documents are nobody else's business.
pub fn prepare(root: &Path) -> io::Result<()> {
    let root = std::path::absolute(root)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
    for folder in fan_out(&root).chain([temporary(&root)]) {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    sync(&root)?;
    for folder in root.ancestors().skip(1) {
        // Best effort: a folder that this account may not read was not made by it.
        let _ = sync(folder);
    }
    Ok(())
}

/// Where a blob is being written.
pub fn temporary(root: &Path) -> PathBuf {
    root.join("tmp")
}

/// `00` to `ff`.
pub fn fan_out(root: &Path) -> impl Iterator<Item = PathBuf> {
    (0..=u8::MAX).map(move |first| part(root, first))
}

/// One of the folders in which blobs are, by the first octet of their keys.
pub fn part(root: &Path, first: u8) -> PathBuf {
    root.join(format!("{first:02x}"))
}

pub fn of_blob(root: &Path, id: &Uuid) -> PathBuf {
    let key = id.simple().to_string();
    root.join(key.get(..2).unwrap_or_default()).join(key)
}

/// The files in a folder and when they were written last. One that goes away meanwhile is not among them.
pub fn files(folder: &Path) -> io::Result<Vec<(PathBuf, SystemTime)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            files.push((entry.path(), metadata.modified()?));
        }
    }
    Ok(files)
}

pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
