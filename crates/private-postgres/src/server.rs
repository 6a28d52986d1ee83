//! The server as its user sees it.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use crate::account::Account;
use crate::folder::Folders;
use crate::keeper::Keeper;
use crate::{Error, Options, binaries};

const SOCKET: &str = ".s.PGSQL.5432";
/// A command that administers the data holds them for a moment.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks at a server that is starting or stopping.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// A running server. It is started again if it ends by itself, and stops when this is dropped or its process ends.
pub struct PrivatePostgres {
    folders: Folders,
    stop: mpsc::Sender<oneshot::Sender<bool>>,
}

impl PrivatePostgres {
    /// Starts the server and returns when it takes connections. The data folder is made on the first start.
    pub async fn start(options: &Options) -> Result<PrivatePostgres, Error> {
        let account = Account::choose()?;
        let folders = Folders::of(&options.data);
        let binaries = binaries::find(&folders.data)?;
        folders.prepare(&account)?;
        let lock = lock(&folders).await?;
        let (ready, is_ready) = oneshot::channel();
        let (stop, orders) = mpsc::channel(1);
        let keeper =
            Keeper { account, binaries, folders: folders.clone(), options: options.clone(), _lock: lock };
        // The kernel's parent is the *thread* that started the server: this one lives as long as the server does.
        std::thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keeper.run(ready, orders))
            .map_err(Error::io(&options.data))?;
        match is_ready.await {
            Ok(Ok(())) => Ok(PrivatePostgres { folders, stop }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Ended { log: folders.log_tail() }),
        }
    }

    /// How to connect, in the form that PostgreSQL's clients understand.
    pub fn connection(&self) -> String {
        connection(&self.folders)
    }

    /// How to connect to a server that another process of ours runs on this data folder; `None` when there is none.
    pub async fn running(options: &Options) -> Option<String> {
        let folders = Folders::of(&options.data);
        UnixStream::connect(folders.socket.join(SOCKET)).await.ok()?;
        Some(connection(&folders))
    }

    /// Whether there are data from which a server can be started: without them a start makes some.
    pub fn has_data(options: &Options) -> bool {
        Folders::of(&options.data).is_initialised()
    }

    /// The program of that name, such as `pg_dump`, that fits the data.
    pub fn program(options: &Options, name: &str) -> Result<PathBuf, Error> {
        binaries::program(&Folders::of(&options.data).data, name)
    }

    /// Ends connections, flushes everything and stops.
    pub async fn stop(self) -> Result<(), Error> {
        let folder = self.folders.data.clone();
        let (done, is_done) = oneshot::channel();
        if self.stop.send(done).await.is_err() {
            // The server has ended before; there is nothing to stop.
            return Ok(());
        }
        match is_done.await {
            Ok(true) | Err(_) => Ok(()),
            Ok(false) => Err(Error::StillRunning { folder }),
        }
    }
}

/// The socket folder needs no quotes: see `fits_a_socket`.
fn connection(folders: &Folders) -> String {
    format!("host={} port=5432 user=carnet dbname=postgres", folders.socket.display())
}

async fn lock(folders: &Folders) -> Result<File, Error> {
    let started = Instant::now();
    loop {
        match folders.try_lock()? {
            Some(lock) => return Ok(lock),
            None if started.elapsed() > LOCK_TIMEOUT => {
                return Err(Error::InUse { folder: folders.data.clone() });
            }
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}
