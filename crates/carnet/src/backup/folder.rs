//! The folder of a backup: one process at a time works in it, and what no manifest names is taken out.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::manifest::{Manifest, Named};

/// Files of a backup begin with one of these.
const OURS: [&str; 4] = ["database-", "documents-", "checkpoints-", "key-"];

pub struct Folder {
    pub path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, for this account alone.
    pub fn open(path: &Path) -> anyhow::Result<Folder> {
        let broken = || format!("{} cannot be used for a backup", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(broken)?;
        let lock = private().write(true).create(true).open(path.join("lock")).with_context(broken)?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!("another process works on {}", path.display()),
            Err(TryLockError::Error(error)) => Err(error).with_context(broken),
        }
    }

    pub fn documents(&self) -> PathBuf {
        self.path.join("documents")
    }

    /// Copies a file into the folder, durably; none when there is no such file.
    pub fn take(&self, from: &Path, name: &str) -> anyhow::Result<Option<Named>> {
        match copy(from, &self.path.join(name)) {
            Ok(()) => Ok(Some(Named::of(&self.path, name)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be copied", from.display())),
        }
    }

    /// Removes what earlier backups left and this manifest does not name. Of the archive, only what another has taken the
    /// place of: a month that left the installation may be nowhere else.
    pub fn tidy(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let is_named = |name: &str| manifest.files().any(|file| file.name == name);
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_ours = OURS.iter().any(|prefix| name.starts_with(prefix));
            if is_ours && !is_named(name) {
                fs::remove_file(self.path.join(name))?;
            }
        }
        for name in self.below("archive")? {
            let month = name.rsplit('/').next().unwrap_or_default();
            let month = month.strip_suffix(".new").unwrap_or(month);
            let is_replaced = manifest.archive.iter().any(|file| file.file_name() == month);
            if is_replaced && !is_named(&name) {
                fs::remove_file(self.path.join(&name))?;
            }
        }
        Ok(())
    }

    /// The names of the files below one of its folders, as the manifest has them.
    fn below(&self, folder: &str) -> std::io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.path.join(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let name = format!("{folder}/{name}");
            match entry.file_type()?.is_dir() {
                true => names.extend(self.below(&name)?),
                false => names.push(name),
            }
        }
        Ok(names)
    }
}

/// Copies a file for this account alone, durably, whole or not at all.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut source = File::open(from)?;
    let new = to.with_added_extension("new");
    let mut target = private().write(true).create(true).truncate(true).open(&new)?;
    std::io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    fs::rename(&new, to)?;
    to.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}
