//! `pg_dump` and `pg_restore`, of the version of the server.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use database::Database;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::Progress;
use crate::config::Config;
use crate::installation::postgres_options;

/// Octets of a dump that are taken at a time.
const PIECE: usize = 1 << 16;

/// Writes the database as it is at the moment of `snapshot`; on disk when this returns.
pub async fn dump(
    program: &Path,
    database: &Database,
    snapshot: &str,
    path: &Path,
    progress: &Progress<'_>,
) -> anyhow::Result<()> {
    let mut file = File::create_new(path).with_context(|| format!("{} cannot be made", path.display()))?;
    let arguments = ["--format=custom", "--no-owner", "--no-privileges", "--snapshot", snapshot];
    let mut child = start(program, database, &arguments, Stdio::piped())?;
    let Some(mut output) = child.stdout.take() else { bail!("{} has no output", program.display()) };
    let (mut piece, mut written) = (vec![0; PIECE], 0);
    loop {
        let read = output.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        file.write_all(piece.get(..read).unwrap_or_default())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        written += read as u64;
        progress("octets of the database", written, 0);
    }
    end(program, child).await?;
    Ok(file.sync_all()?)
}

/// Reads a dump into an empty database: all of it, or nothing.
pub async fn restore(program: &Path, database: &Database, path: &Path) -> anyhow::Result<()> {
    let path = path.to_str().context("the path of the backup is not UTF-8")?;
    let environment = database.environment();
    let name = environment.iter().find(|(name, _)| *name == "PGDATABASE").map_or("", |(_, value)| value);
    let arguments =
        ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--dbname", name, path];
    end(program, start(program, database, &arguments, Stdio::null())?).await
}

fn start(program: &Path, database: &Database, arguments: &[&str], output: Stdio) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.args(arguments).envs(database.environment()).env("PGAPPNAME", "carnet");
    command.stdin(Stdio::null()).stdout(output).stderr(Stdio::piped()).kill_on_drop(true);
    command.spawn().with_context(|| format!("{} cannot be started", program.display()))
}

async fn end(program: &Path, child: Child) -> anyhow::Result<()> {
    let output = child.wait_with_output().await?;
    match output.status.success() {
        true => Ok(()),
        // It names tables and reasons; what it could quote of a row stays where it is.
        false => {
            let text = String::from_utf8_lossy(&output.stderr);
            let reason = text.lines().find(|line| line.contains("error:")).unwrap_or("no reason was given");
            bail!("{} failed: {}", program.display(), reason.trim())
        }
    }
}

/// Of the private PostgreSQL, or the one on the PATH for any other.
pub fn find(config: &Config, data: &Path, name: &str) -> anyhow::Result<PathBuf> {
    Ok(match config.database.url {
        None => private_postgres::PrivatePostgres::program(&postgres_options(config, data), name)?,
        Some(_) => private_postgres::client_program(name)?,
    })
}
