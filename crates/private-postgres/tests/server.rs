//! A real PostgreSQL in a temporary folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use private_postgres::{Error, Options, PrivatePostgres};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

fn folder() -> (TempDir, Options) {
    let folder = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let options = Options::new(folder.path().join("postgres"));
    (folder, options)
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn count(url: &str) -> i64 {
    connect(url).await.query_one("select count(*) from kept", &[]).await.unwrap().get(0)
}

fn postmaster(data: &Path) -> i32 {
    let text = fs::read_to_string(data.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

fn kill_hard(pid: i32) {
    let status = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn data_are_there_after_a_stop_and_a_second_start() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    connect(&server.connection()).await.batch_execute("create table kept as select 1").await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(PrivatePostgres::running(&options).await, None);
    let server = PrivatePostgres::start(&options).await.unwrap();
    assert_eq!(PrivatePostgres::running(&options).await, Some(server.connection()));
    assert_eq!(count(&server.connection()).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn it_keeps_what_it_acknowledged_and_listens_nowhere() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let client = connect(&server.connection()).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
    ] {
        let shown: String = client.query_one(&format!("show {setting}"), &[]).await.unwrap().get(0);
        assert_eq!(shown, value, "{setting}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_killed_is_started_again_with_its_data() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let client = connect(&server.connection()).await;
    client.batch_execute("create table kept as select 1").await.unwrap();
    let before = postmaster(&options.data);
    kill_hard(before);
    // The connection ends with the server; a new one is possible as soon as the new server is ready.
    while client.simple_query("select 1").await.is_ok() {}
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let after = loop {
        if let Ok((client, connection)) = tokio_postgres::connect(&server.connection(), NoTls).await {
            tokio::spawn(connection);
            break client;
        }
        assert!(std::time::Instant::now() < deadline, "the server did not come back");
        tokio::task::yield_now().await;
    };
    let kept: i64 = after.query_one("select count(*) from kept", &[]).await.unwrap().get(0);
    assert_eq!(kept, 1);
    assert_ne!(postmaster(&options.data), before);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_does_not_stop_a_start() {
    let (_folder, options) = folder();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
    // A process that exists and is no PostgreSQL.
    let pid_file = options.data.join("cluster/postmaster.pid");
    fs::write(&pid_file, format!("{}\n{}\n", std::process::id(), options.data.display())).unwrap();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_are_refused() {
    let (_folder, options) = folder();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
    fs::write(options.data.join("cluster/PG_VERSION"), "9\n").unwrap();
    let refused = PrivatePostgres::start(&options).await.err().unwrap();
    assert!(matches!(&refused, Error::WrongVersion { found, .. } if found == "9"), "{refused}");
}

#[tokio::test]
async fn one_server_at_a_time() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let refused = PrivatePostgres::start(&options).await.err().unwrap();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert_eq!(PrivatePostgres::running(&options).await, Some(server.connection()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_its_account_cannot_enter_is_refused_by_name() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root steps down to another account");
        return;
    }
    let (folder, _) = folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!private_postgres::account_can_reach(&closed.join("data")));
    let refused = PrivatePostgres::start(&Options::new(closed.join("data/postgres"))).await.err().unwrap();
    assert!(matches!(refused, Error::FolderNotReachable { .. }), "{refused}");
}
