//! The folders of a server: data, socket, log.
//!
//! They belong to the unprivileged account, so nothing here follows a symbolic link: whoever takes over that account
//! could otherwise lead root to a file of its own.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use nix::libc::O_NOFOLLOW;

use crate::Error;
use crate::account::Account;

/// The kernel's limit for the path of a Unix socket is 107 octets; the server appends `/.s.PGSQL.5432.lock`.
const LONGEST_SOCKET_FOLDER: usize = 85;
/// A log that grows beyond this becomes the previous log, which is kept beside the present one.
const LOG_LIMIT: u64 = 16 << 20;
/// How much of the end of the log is looked at for a message.
const TAIL: u64 = 8 << 10;
const TAIL_LINES: usize = 8;

/// Everything about one data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The folder that the caller names. All others but a displaced socket folder are in it.
    outer: PathBuf,
    pub data: PathBuf,
    pub socket: PathBuf,
    log: PathBuf,
}

impl Folders {
    pub fn of(outer: &Path) -> Folders {
        // The server runs in a working folder of its own. Only an empty path has no absolute form.
        let outer = std::path::absolute(outer).unwrap_or_else(|_| outer.to_owned());
        let beside = outer.join("socket");
        let socket = match fits_a_socket(&beside) {
            true => beside,
            false => {
                let mut hasher = DefaultHasher::new();
                outer.hash(&mut hasher);
                PathBuf::from(format!("/tmp/carnet-{:016x}", hasher.finish()))
            }
        };
        Folders { data: outer.join("cluster"), socket, log: outer.join("postgres.log"), outer }
    }

    /// Makes what is missing, for the account alone, and refuses what belongs to somebody else.
    pub fn prepare(&self, account: &Account) -> Result<(), Error> {
        self.check_reachable(account)?;
        if let Some(parent) = self.outer.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        // Folders just made are as open as the umask of this process lets them be.
        self.check_reachable(account)?;
        for folder in [&self.outer, &self.socket] {
            own(folder, account)?;
        }
        if self.data.exists() {
            own(&self.data, account)?;
        }
        self.bound_log()
    }

    pub fn is_initialised(&self) -> bool {
        self.data.join("PG_VERSION").exists()
    }

    fn check_reachable(&self, account: &Account) -> Result<(), Error> {
        if !account.step_down || account.can_reach(&self.outer) {
            return Ok(());
        }
        let folder = self.outer.parent().unwrap_or(&self.outer).to_owned();
        Err(Error::FolderNotReachable { folder, account: account.name.clone() })
    }

    /// Puts a new data folder in its place, for good: were the rename lost in a power cut, the next start would take
    /// the folder for an unfinished one.
    pub fn put_in_place(&self, finished: &Path) -> Result<(), Error> {
        fs::rename(finished, &self.data).map_err(Error::io(&self.data))?;
        sync(&self.outer).map_err(Error::io(&self.outer))?;
        for folder in self.outer.ancestors().skip(1) {
            // Best effort: a folder that this account may not read was not made by it.
            let _ = sync(folder);
        }
        Ok(())
    }

    /// One process at a time keeps a server here. The kernel frees the lock when that process ends, however it ends.
    pub fn try_lock(&self) -> Result<Option<File>, Error> {
        let path = self.outer.join("lock");
        let file = private_file().write(true).create(true).open(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
        }
    }

    /// The log, for the server to append to.
    pub fn open_log(&self, account: &Account) -> Result<File, Error> {
        let open = || {
            let log = private_file().append(true).create(true).open(&self.log)?;
            if account.step_down {
                fchown(&log, Some(account.uid), Some(account.gid))?;
            }
            Ok(log)
        };
        open().map_err(Error::io(&self.log))
    }

    /// Moves a log that has grown too long out of the way. The server keeps its file open and appends to it, so the
    /// octets are copied and the file is cut.
    pub fn bound_log(&self) -> Result<(), Error> {
        let bound = || {
            let mut log = match private_file().read(true).write(true).open(&self.log) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            };
            if log.metadata()?.len() > LOG_LIMIT {
                let previous = self.log.with_extension("log.1");
                let mut previous = private_file().write(true).create(true).truncate(true).open(previous)?;
                io::copy(&mut log, &mut previous)?;
                log.set_len(0)?;
            }
            Ok(())
        };
        bound().map_err(Error::io(&self.log))
    }

    /// The end of the log, for a message to the operator.
    pub fn log_tail(&self) -> String {
        let read = || {
            let mut log = private_file().read(true).open(&self.log)?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
            let mut end = Vec::new();
            log.take(TAIL).read_to_end(&mut end)?;
            Ok::<_, io::Error>(end)
        };
        let end = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&end);
        let lines: Vec<&str> = text.lines().rev().take(TAIL_LINES).collect();
        lines.into_iter().rev().map(|line| format!("    {line}\n")).collect()
    }
}

/// Short enough, and plain enough to stand unquoted in a setting of the server and in a connection string.
fn fits_a_socket(folder: &Path) -> bool {
    let octets = folder.as_os_str().as_encoded_bytes();
    octets.len() <= LONGEST_SOCKET_FOLDER
        && octets.iter().all(|octet| octet.is_ascii_alphanumeric() || b"/._-".contains(octet))
}

/// A file for this account alone, and not at the end of a symbolic link.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(O_NOFOLLOW);
    options
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

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
