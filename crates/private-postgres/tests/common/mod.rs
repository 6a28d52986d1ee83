#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use private_postgres::Options;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A folder that every account can enter.
pub fn folder() -> (TempDir, Options) {
    let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    let options = Options::new(folder.path().join("postgres"));
    (folder, options)
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub async fn count(url: &str) -> i64 {
    connect(url).await.query_one("select count(*) from kept", &[]).await.unwrap().get(0)
}

pub fn postmaster(data: &Path) -> u32 {
    let text = fs::read_to_string(data.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

pub fn kill_hard(pid: u32) {
    let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

pub fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: only root steps down to another account");
    }
    root
}
