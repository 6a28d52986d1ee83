//! A server that an earlier process left on the same data.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Error;
use crate::folder::Folders;
use crate::server::PAUSE;

const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";

/// Waits for a server of an earlier run to end; it may still be stopping. The caller holds the lock of the folder, so
/// that server's parent is gone: it has been told to stop, or is told now.
///
/// Then the two files with its pid that a crash left are taken away: when another process of the account has got that
/// pid since, the server would take it for a living one and never start. Sessions that outlive a killed server are
/// still noticed, by the shared memory that the server finds through the data folder itself.
pub(crate) async fn make_way(folders: &Folders, limit: Duration) -> Result<(), Error> {
    let pid_file = folders.data.join("postmaster.pid");
    let started = Instant::now();
    let mut asked_to_stop = false;
    while let Some(pid) = running(&pid_file, &folders.data) {
        if started.elapsed() > limit {
            return Err(Error::StillRunning { folder: folders.data.clone() });
        }
        if !asked_to_stop {
            let _ = kill(pid, Signal::SIGINT);
            asked_to_stop = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    for left in [pid_file, folders.socket.join(SOCKET_LOCK)] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io(left)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The process in the pid file, if it is a PostgreSQL on this very folder.
fn running(pid_file: &Path, data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    // That of a process that has ended and was not yet collected is empty.
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments = command.split(|byte| *byte == 0);
    let is_postgres = arguments.next()?.ends_with(b"postgres");
    let on_this_folder = arguments.any(|argument| argument == data.as_os_str().as_encoded_bytes());
    (is_postgres && on_this_folder).then(|| Pid::from_raw(pid))
}
