//! Two PostgreSQL of which the second has everything that the first has committed: synchronous streaming replication.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};
use tokio::process::{Child, Command};
use tokio::time::sleep;
use tokio_postgres::NoTls;

use crate::server::signal_family;

const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// One of the two, in a folder of its own.
pub struct Postgres {
    folder: PathBuf,
    child: Child,
}

impl Postgres {
    /// The first, which waits for the second at each commit once that is there.
    pub async fn first(folder: &Path) -> anyhow::Result<Postgres> {
        own(folder)?;
        let cluster = folder.join("cluster");
        let initdb =
            program("initdb")?.arg("-D").arg(&cluster).args(["--username=carnet", "--auth=trust"]).output();
        let output = initdb.await?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        Self::start(folder).await
    }

    /// A copy of the first, which follows it.
    pub async fn second(folder: &Path, first: &Postgres) -> anyhow::Result<Postgres> {
        own(folder)?;
        let mut copy = program("pg_basebackup")?;
        copy.arg("-h")
            .arg(first.socket())
            .args(["-U", "carnet", "-R", "-c", "fast", "-D"])
            .arg(folder.join("cluster"));
        let output = copy.output().await?;
        ensure!(output.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&output.stderr));
        let second = Self::start(folder).await?;
        let client = first.connect().await?;
        client
            .batch_execute("alter system set synchronous_standby_names = '*'")
            .await
            .context("the first cannot be told to wait for the second")?;
        client.batch_execute("select pg_reload_conf()").await?;
        let started = Instant::now();
        while !is_synchronous(&client).await? {
            ensure!(started.elapsed() < LIMIT, "the second does not follow");
            sleep(PAUSE).await;
        }
        Ok(second)
    }

    async fn start(folder: &Path) -> anyhow::Result<Postgres> {
        let mut server = program("postgres")?;
        server.arg("-D").arg(folder.join("cluster")).args(["-c", "listen_addresses=", "-c"]);
        server.arg(format!("unix_socket_directories={}", folder.display()));
        let log = fs::File::create(folder.join("log"))?;
        let child = server.stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn()?;
        let postgres = Postgres { folder: folder.to_owned(), child };
        let started = Instant::now();
        while postgres.connect().await.is_err() {
            ensure!(started.elapsed() < LIMIT, "PostgreSQL does not start");
            sleep(PAUSE).await;
        }
        Ok(postgres)
    }

    pub fn socket(&self) -> &Path {
        &self.folder
    }

    async fn connect(&self) -> anyhow::Result<tokio_postgres::Client> {
        let url = format!("host={} user=carnet dbname=postgres", self.folder.display());
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Kills the parent and all its children, without a word.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        signal_family(i32::try_from(self.child.id().context("PostgreSQL does not run")?)?, Signal::SIGKILL)?;
        self.child.wait().await?;
        Ok(())
    }

    /// The second becomes the first.
    pub async fn promote(&self) -> anyhow::Result<()> {
        self.connect().await?.query("select pg_promote()", &[]).await?;
        Ok(())
    }
}

async fn is_synchronous(client: &tokio_postgres::Client) -> anyhow::Result<bool> {
    let sql = "select exists (select from pg_stat_replication where sync_state = 'sync')";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// A program of PostgreSQL, under an account that it takes.
fn program(name: &str) -> anyhow::Result<Command> {
    let path = private_postgres::programs()?.join(name);
    let mut command = match account()? {
        None => Command::new(path),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={}", user.uid)).arg(format!("--regid={}", user.gid));
            command.args(["--clear-groups", "--pdeathsig=KILL", "--"]).arg(path);
            command
        }
    };
    command.current_dir("/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    Ok(command)
}

/// Whom to step down to.
fn account() -> anyhow::Result<Option<User>> {
    match geteuid().is_root() {
        false => Ok(None),
        true => Ok(Some(User::from_name("postgres")?.context("there is no account of PostgreSQL")?)),
    }
}

fn own(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    if let Some(user) = account()? {
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    Ok(())
}
