//! A real server with a private PostgreSQL at its durable settings, in a folder of its own: started, killed, started again.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use client::{Client, Endpoints};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use private_postgres::{Options, PrivatePostgres};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;
use tokio_postgres::NoTls;

use crate::message::{AUTHORITY, REPOSITORY};

/// For a start after a crash, on a machine that has much else to do.
const START_LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(10);
const LOG_TAIL: usize = 30;

/// Where a server listens; the system chooses, so each start has its own.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    pub url: String,
    /// MLLP.
    pub feed: String,
    /// For the audit over HTTP.
    pub token: String,
}

pub struct Server {
    binary: PathBuf,
    folder: TempDir,
    /// Without it, a private one.
    database: Option<String>,
    child: Option<Child>,
    starts: usize,
    pub addresses: Addresses,
}

impl Server {
    /// A server that has not run yet, with a private PostgreSQL.
    pub fn new(binary: &Path) -> anyhow::Result<Server> {
        Self::with(binary, None, "")
    }

    /// On databases that are there, with more lines of configuration.
    pub fn on(binary: &Path, database: &str, more: &str) -> anyhow::Result<Server> {
        Self::with(binary, Some(database.to_owned()), more)
    }

    /// One that goes away, and that the account of PostgreSQL can enter.
    pub fn folder() -> anyhow::Result<TempDir> {
        let everybody = Permissions::from_mode(0o755);
        Ok(tempfile::Builder::new().prefix("carnet-torture-").permissions(everybody).tempdir()?)
    }

    fn with(binary: &Path, database: Option<String>, more: &str) -> anyhow::Result<Server> {
        let binary = fs::canonicalize(binary).with_context(|| {
            format!("{} is no server: build it, or name it by --carnet", binary.display())
        })?;
        let folder = Self::folder()?;
        let data = folder.path().join("data");
        let database_setting =
            database.as_ref().map(|url| format!("database.url = \"{url}\"\n")).unwrap_or_default();
        let text = format!(
            "server.listen = \"127.0.0.1:0\"\nserver.workers = 2\ndata.dir = \"{}\"\n\
             repository.unique_id = \"{REPOSITORY}\"\nfeed.mllp = \"127.0.0.1:0\"\nfeed.authority = \"{AUTHORITY}\"\n\
             log.format = \"json\"\n{database_setting}{more}",
            data.display()
        );
        fs::write(folder.path().join("carnet.toml"), text)?;
        Ok(Server { binary, folder, database, child: None, starts: 0, addresses: Addresses::default() })
    }

    /// Host and port of its endpoints.
    pub fn host(&self) -> &str {
        self.addresses.url.trim_start_matches("http://")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for what is read.
    pub fn scratch(&self) -> anyhow::Result<PathBuf> {
        let scratch = self.folder.path().join("read");
        fs::create_dir_all(&scratch)?;
        Ok(scratch)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.folder.path().join("carnet.toml")).args(arguments);
        // Settings of whoever runs this are not those of the server.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"CARNET_"))
        {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Leaves its folder where it is, to be looked into.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join(format!("server-{}.log", self.starts))
    }

    /// Starts the server and waits until it is ready; how long that took.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.starts += 1;
        let log = File::create(self.log_file())?;
        self.child = Some(self.command(&["serve"]).stderr(log).stdout(Stdio::null()).spawn()?);
        loop {
            if let Some(addresses) = self.told_addresses() {
                self.addresses = addresses;
                break;
            }
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().transpose()) {
                bail!("the server ended at its start ({}):\n{}", status?, self.log_tail());
            }
            ensure!(started.elapsed() < START_LIMIT, "the server does not start:\n{}", self.log_tail());
            sleep(PAUSE).await;
        }
        self.until_ready().await?;
        Ok(started.elapsed())
    }

    pub async fn until_ready(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let client = Client::new(Endpoints::of_server(&self.addresses.url));
        let ready = format!("{}/ready", self.addresses.url);
        while !client.page(&ready).await.is_ok_and(|page| page.status == 200) {
            ensure!(started.elapsed() < START_LIMIT, "the server does not get ready:\n{}", self.log_tail());
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The log says where it listens.
    fn told_addresses(&self) -> Option<Addresses> {
        let log = fs::read_to_string(self.log_file()).ok()?;
        let address = |sentence: &str| {
            let line = log.lines().find(|line| line.contains(sentence))?;
            let line: Value = serde_json::from_str(line).ok()?;
            Some(line.get("address")?.as_str()?.to_owned())
        };
        let url = format!("http://{}", address("Carnet is ready")?);
        let tokens = fs::read_to_string(self.data().join("audit/token")).ok()?;
        let token = tokens.lines().last()?.split(' ').next()?.to_owned();
        Some(Addresses { url, feed: address("The patient identity feed is ready")?, token })
    }

    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(LOG_TAIL).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub fn pid(&self) -> anyhow::Result<Pid> {
        let pid =
            self.child.as_ref().and_then(Child::id).ok_or_else(|| anyhow!("the server does not run"))?;
        Ok(Pid::from_raw(i32::try_from(pid)?))
    }

    /// Sends a signal and waits for the end; the exit code, if it ended by itself.
    pub async fn end(&mut self, signal: Signal) -> anyhow::Result<Option<i32>> {
        self.signal(signal)?;
        self.ended().await
    }

    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(self.pid()?, signal)?)
    }

    pub async fn ended(&mut self) -> anyhow::Result<Option<i32>> {
        let mut child = self.child.take().ok_or_else(|| anyhow!("the server does not run"))?;
        Ok(child.wait().await?.code())
    }

    /// Starts a new measurement of [`Server::peak_memory`].
    pub fn forget_peak_memory(&self) -> anyhow::Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.pid()?), "5")?)
    }

    /// The most memory that the server had resident, in MiB.
    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().context("VmHWM is not told")?;
        Ok(kib >> 10)
    }

    /// How many sockets it has open.
    pub fn sockets(&self) -> anyhow::Result<usize> {
        let mut count = 0;
        for entry in fs::read_dir(format!("/proc/{}/fd", self.pid()?))? {
            // One may be closed by now.
            let target = entry.and_then(|entry| fs::read_link(entry.path()));
            count += usize::from(target.is_ok_and(|target| target.to_string_lossy().starts_with("socket:")));
        }
        Ok(count)
    }

    fn postgres(&self) -> Options {
        Options::new(self.data().join("postgres"))
    }

    /// A connection to its database.
    pub async fn database(&self) -> anyhow::Result<tokio_postgres::Client> {
        let url = match &self.database {
            Some(url) => url.clone(),
            None => PrivatePostgres::running(&self.postgres()).await.context("PostgreSQL does not run")?,
        };
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Sends a signal to its private PostgreSQL, the parent and all its children.
    pub fn signal_database(&self, signal: Signal) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.data().join("postgres/cluster/postmaster.pid"))?;
        signal_family(text.lines().next().unwrap_or_default().trim().parse()?, signal)
    }
}

/// Sends a signal to a process and its children.
pub fn signal_family(parent: i32, signal: Signal) -> anyhow::Result<()> {
    let children = children(parent)?;
    kill(Pid::from_raw(parent), signal)?;
    for child in children {
        // One that has ended by now needs no signal.
        let _ = kill(Pid::from_raw(child), signal);
    }
    Ok(())
}

fn children(parent: i32) -> anyhow::Result<Vec<i32>> {
    let parent = parent.to_string();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // pid (name) state parent …; the name may hold anything.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        if after_name.split_whitespace().nth(1) == Some(parent.as_str()) {
            children.push(pid);
        }
    }
    Ok(children)
}
