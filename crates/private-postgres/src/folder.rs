//! The folders of a server: data, socket, log.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::Account;

/// The kernel's limit for the path of a Unix socket is 107 octets; the server appends `/.s.PGSQL.5432.lock`.
const LONGEST_SOCKET_FOLDER: usize = 85;
/// The log of the last run is kept beside the present one, so both are bounded by this.
const LOG_LIMIT: u64 = 16 << 20;

/// Everything about one data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    pub data: PathBuf,
    pub socket: PathBuf,
    pub log: PathBuf,
}

impl Folders {
    /// `data` is the folder that the caller names; the server's own is `data/cluster`.
    pub fn of(data: &Path) -> Folders {
        let beside = data.join("socket");
        let socket = match beside.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
            true => beside,
            false => {
                let mut hasher = DefaultHasher::new();
                data.hash(&mut hasher);
                PathBuf::from(format!("/tmp/carnet-{:016x}", hasher.finish()))
            }
        };
        Folders { data: data.join("cluster"), socket, log: data.join("postgres.log") }
    }

    /// Makes what is missing, for the account alone, and refuses what belongs to somebody else.
    pub fn prepare(&self, account: &Account) -> Result<(), Error> {
        let outer = self.data.parent().unwrap_or(&self.data);
        if account.step_down && !account.can_reach(outer) {
            let folder = outer.parent().unwrap_or(outer).to_owned();
            return Err(Error::FolderNotReachable { folder, account: account.name.clone() });
        }
        if let Some(parent) = outer.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        for folder in [outer, &self.socket] {
            own(folder, account)?;
        }
        if self.data.exists() {
            own(&self.data, account)?;
        }
        self.rotate_log()
    }

    /// One process at a time keeps a server here. The kernel frees the lock when that process ends, however it ends.
    pub fn try_lock(&self) -> Result<Option<File>, Error> {
        let path = self.data.with_file_name("lock");
        let file = File::create(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
        }
    }

    fn rotate_log(&self) -> Result<(), Error> {
        match fs::metadata(&self.log) {
            Ok(metadata) if metadata.len() > LOG_LIMIT => {
                fs::rename(&self.log, self.log.with_extension("log.1")).map_err(Error::io(&self.log))
            }
            _ => Ok(()),
        }
    }

    /// The end of the log, for a message to the operator.
    pub fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().map(|line| format!("    {line}\n")).collect()
    }
}

/// Makes a folder that only the account may enter, or checks that an existing one is its own.
fn own(folder: &Path, account: &Account) -> Result<(), Error> {
    if !folder.exists() {
        DirBuilder::new().mode(0o700).create(folder).map_err(Error::io(folder))?;
        if account.step_down {
            chown(folder, Some(account.uid), Some(account.gid)).map_err(Error::io(folder))?;
        }
    }
    let metadata = fs::symlink_metadata(folder).map_err(Error::io(folder))?;
    if metadata.uid() != account.uid || !metadata.is_dir() {
        return Err(Error::ForeignFolder { folder: folder.to_owned(), account: account.name.clone() });
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(Error::io(folder))?;
    }
    Ok(())
}
