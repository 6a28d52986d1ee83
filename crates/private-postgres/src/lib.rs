//! A PostgreSQL of one's own: started from the installed binaries in a folder of one's own, reachable only through a
//! Unix socket, stopped with its parent.
//!
//! PostgreSQL refuses to run as root. A process of root starts it under the account `postgres` (or `nobody`); anybody
//! else starts it as themselves. Who may connect is decided by the socket's folder, which only that account (and root)
//! can enter: the server asks for no password.
//!
//! The server dies with its parent, even when that is killed: the kernel sends it SIGINT
//! (a fast shutdown), and the next start waits for it to end.

mod account;
mod binaries;
mod error;
mod folder;
mod keeper;
mod predecessor;
mod program;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use account::account_can_reach;
pub use binaries::client_program;
pub use error::Error;
pub use server::PrivatePostgres;

/// The folder with the programs of the newest PostgreSQL that is installed.
pub fn programs() -> Result<PathBuf, Error> {
    binaries::find(Path::new(""))
}

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder; made if it is not there.
    pub data: PathBuf,
    /// How long a start may take: after a crash the server replays its log first.
    pub start_timeout: Duration,
    /// How long a stop may take.
    pub stop_timeout: Duration,
    /// Further settings, such as `fsync=off` for tests whose data may be lost.
    pub settings: Vec<(String, String)>,
}

impl Options {
    pub fn new(data: PathBuf) -> Self {
        Options {
            data,
            start_timeout: Duration::from_secs(60),
            stop_timeout: Duration::from_secs(30),
            settings: Vec::new(),
        }
    }
}
