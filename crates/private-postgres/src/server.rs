//! Starting, watching and stopping the server.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use crate::account::Account;
use crate::folder::Folders;
use crate::{Error, Options, binaries};

const SOCKET: &str = ".s.PGSQL.5432";
/// A command that administers the data holds them for a moment.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks at a server that is starting or stopping.
const PAUSE: Duration = Duration::from_millis(10);

/// Every answer that reaches the caller is durable on disk.
const DURABLE: [(&str, &str); 3] = [("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on")];

/// A running server. It stops when this is dropped or its process ends.
pub struct PrivatePostgres {
    folders: Folders,
    stop: mpsc::Sender<oneshot::Sender<bool>>,
}

impl PrivatePostgres {
    /// Starts the server and returns when it takes connections. The data folder is made on the first start.
    pub async fn start(options: &Options) -> Result<PrivatePostgres, Error> {
        let account = Account::choose()?;
        let binaries = binaries::find(&options.data.join("cluster"))?;
        let folders = Folders::of(&options.data);
        folders.prepare(&account)?;
        let lock = lock(&folders).await?;
        wait_for_predecessor(&folders, options.stop_timeout).await?;
        if !folders.data.join("PG_VERSION").exists() {
            initialise(&binaries, &folders, &account).await?;
        }
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = mpsc::channel(1);
        let keeper = Keeper { account, binaries, folders: folders.clone(), options: options.clone(), _lock: lock };
        // The kernel's parent is the *thread* that started the server: this one lives as long as the server does.
        std::thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keeper.run(ready, stopped))
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

fn connection(folders: &Folders) -> String {
    format!("host={} port=5432 user=carnet dbname=postgres", folders.socket.display())
}

/// The thread that owns the server: starts it, starts it again if it ends by itself, stops it.
struct Keeper {
    account: Account,
    binaries: PathBuf,
    folders: Folders,
    options: Options,
    /// Held as long as the server runs.
    _lock: File,
}

impl Keeper {
    fn run(
        self,
        ready: oneshot::Sender<Result<(), Error>>,
        stopped: mpsc::Receiver<oneshot::Sender<bool>>,
    ) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.keep(ready, stopped)),
            Err(error) => {
                let _ = ready.send(Err(Error::io(&self.folders.data)(error)));
            }
        }
    }

    async fn keep(
        self,
        ready: oneshot::Sender<Result<(), Error>>,
        mut stopped: mpsc::Receiver<oneshot::Sender<bool>>,
    ) {
        let mut child = match self.launch().await {
            Ok(child) => child,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        loop {
            tokio::select! {
                order = stopped.recv() => {
                    let ended = self.end(&mut child).await;
                    if let Some(done) = order {
                        let _ = done.send(ended);
                    }
                    return;
                }
                status = child.wait() => {
                    tracing::error!("PostgreSQL ended by itself ({status:?}); it is started again");
                    match self.relaunch().await {
                        Some(again) => child = again,
                        None => return,
                    }
                }
            }
        }
    }

    /// After a crash of the server: backends of the old one may still be ending.
    async fn relaunch(&self) -> Option<Child> {
        let mut pause = Duration::from_millis(100);
        for _ in 0..10 {
            let free = wait_for_predecessor(&self.folders, self.options.stop_timeout).await;
            match free.and(self.launch().await) {
                Ok(child) => return Some(child),
                Err(error) => tracing::error!("PostgreSQL does not start: {error}"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        None
    }

    /// Starts the server in a process group of its own, so that Ctrl-C at the terminal reaches its parent only.
    async fn launch(&self) -> Result<Child, Error> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.folders.log)
            .map_err(Error::io(&self.folders.log))?;
        if self.account.step_down {
            chown(&self.folders.log, Some(self.account.uid), Some(self.account.gid))
                .map_err(Error::io(&self.folders.log))?;
        }
        let errors = log.try_clone().map_err(Error::io(&self.folders.log))?;
        let mut command = as_account(&self.account, &self.binaries.join("postgres"));
        command.arg("-D").arg(&self.folders.data);
        let socket = self.folders.socket.display().to_string();
        let fixed = [
            ("listen_addresses", ""),
            ("unix_socket_directories", socket.as_str()),
            ("unix_socket_permissions", "0700"),
            ("max_connections", "100"),
            ("shared_buffers", "128MB"),
        ];
        for (name, value) in fixed.into_iter().chain(DURABLE) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, value) in &self.options.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(Error::io("postgres"))?;
        self.wait_until_ready(&mut child).await?;
        Ok(child)
    }

    async fn wait_until_ready(&self, child: &mut Child) -> Result<(), Error> {
        let started = Instant::now();
        // The server says in its pid file when it takes connections; a socket alone is there earlier.
        let pid_file = self.folders.data.join("postmaster.pid");
        loop {
            if fs::read_to_string(&pid_file).is_ok_and(|text| text.lines().nth(7).is_some_and(|l| l.trim() == "ready"))
            {
                return Ok(());
            }
            if child.try_wait().map_err(Error::io("postgres"))?.is_some() {
                return Err(Error::Ended { log: self.folders.log_tail() });
            }
            if started.elapsed() > self.options.start_timeout {
                let _ = child.start_kill();
                let seconds = self.options.start_timeout.as_secs();
                return Err(Error::NotReady { seconds, log: self.folders.log_tail() });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Fast shutdown; false when the server does not end in time.
    async fn end(&self, child: &mut Child) -> bool {
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
        tokio::time::timeout(self.options.stop_timeout, child.wait()).await.is_ok()
    }
}

/// A program under the account. The kernel ends it with SIGINT when the thread that starts it ends.
fn as_account(account: &Account, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if account.step_down {
        command
            .arg(format!("--reuid={}", account.uid))
            .arg(format!("--regid={}", account.gid))
            .arg("--clear-groups");
    }
    command.arg("--pdeathsig=INT").arg("--").arg(program);
    command.current_dir("/").env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Makes the data folder beside its final place and moves it there when it is complete: a start that was interrupted
/// leaves nothing that looks finished.
async fn initialise(binaries: &Path, folders: &Folders, account: &Account) -> Result<(), Error> {
    let unfinished = folders.data.with_file_name("cluster.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
    }
    let output = as_account(account, &binaries.join("initdb"))
        .arg("-D")
        .arg(&unfinished)
        .args(["--username=carnet", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--data-checksums", "--no-instructions"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(Error::io("initdb"))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Program { program: "initdb", output });
    }
    fs::rename(&unfinished, &folders.data).map_err(Error::io(&folders.data))
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

/// A server of an earlier run on the same data may still be stopping, or its pid file may be left of a crash. The
/// server itself refuses to start beside another; here it is only waited for.
async fn wait_for_predecessor(folders: &Folders, limit: Duration) -> Result<(), Error> {
    let pid_file = folders.data.join("postmaster.pid");
    let started = Instant::now();
    let mut asked_to_stop = false;
    while let Some(pid) = predecessor(&pid_file, &folders.data) {
        if started.elapsed() > limit {
            return Err(Error::StillRunning { folder: folders.data.clone() });
        }
        if !asked_to_stop {
            // We hold the lock, so its parent is gone: it has been told to stop, or is told now.
            let _ = kill(pid, Signal::SIGINT);
            asked_to_stop = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// The process in the pid file, if it is a PostgreSQL on this very folder.
fn predecessor(pid_file: &Path, data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments = command.split(|byte| *byte == 0);
    let is_postgres = arguments.next()?.ends_with(b"postgres");
    let on_this_folder = arguments.any(|argument| argument == data.as_os_str().as_encoded_bytes());
    (is_postgres && on_this_folder).then(|| Pid::from_raw(pid))
}
