//! Backups in a folder, and the way back.
//!
//! The database is dumped first, as it is at one moment; then the octets of the documents of that moment are copied, those
//! that the folder does not have yet. They never change, so a copy that was checked when it came stays as it is. The
//! manifest names every other file by its digest and is written last: until then the folder is the backup that it was.

mod folder;
mod list;
mod make;
mod manifest;
mod programs;
mod restore;

pub use make::{Made, make};
pub use restore::{Restored, restore};

use std::path::{Path, PathBuf};

/// In the data folder while a restore is under way: no server starts beside it.
pub fn marker(data: &Path) -> PathBuf {
    data.join("restoring")
}

/// How far something is, in steps or octets: what, done, whole.
pub type Progress<'a> = dyn Fn(&'static str, u64, u64) + 'a;
