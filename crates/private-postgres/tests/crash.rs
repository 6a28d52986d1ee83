#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

//! After a crash: of the server, of its parent, of both.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::process::{Child, Command, Stdio};

use common::{connect, count, folder, is_root, kill_hard, postmaster};
use private_postgres::{Options, PrivatePostgres};
use tokio_postgres::NoTls;

/// Where [`a_process_that_keeps_a_server`] keeps it.
const FOLDER: &str = "PRIVATE_POSTGRES_TEST_FOLDER";

/// Not a test of its own: the process that other tests start and kill.
#[tokio::test]
#[ignore = "started by other tests"]
async fn a_process_that_keeps_a_server() {
    let options = Options::new(std::env::var_os(FOLDER).unwrap().into());
    let server = PrivatePostgres::start(&options).await.unwrap();
    println!("\n{}", server.connection());
    std::future::pending::<()>().await;
}

/// A process of its own with a server on the folder, and how to connect.
fn keeper(options: &Options, prefix: &[&str]) -> (Child, String) {
    let this_program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "--ignored", "--nocapture", "a_process_that_keeps_a_server"];
    let mut command = Command::new("/usr/bin/env");
    command.args(prefix).arg(this_program).args(arguments).env(FOLDER, &options.data);
    let mut keeper = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
    let connection = lines.map(Result::unwrap).find(|line| line.starts_with("host=")).unwrap();
    (keeper, connection)
}

/// Kills it and waits for the kernel to have taken it away, not for its server.
fn kill_keeper(mut keeper: Child) {
    keeper.kill().unwrap();
    keeper.wait().unwrap();
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
async fn a_pid_file_that_names_a_process_of_the_account_does_not_stop_a_start() {
    let (_folder, options) = folder();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
    let account = fs::metadata(&options.data).unwrap().uid();
    let mut command = Command::new("/usr/bin/env");
    if account != nix::unistd::geteuid().as_raw() {
        command.args(["setpriv", &format!("--reuid={account}"), "--clear-groups"]);
    }
    // Lives until its input ends.
    let mut other = command.arg("cat").stdin(Stdio::piped()).spawn().unwrap();
    fs::write(options.data.join("cluster/postmaster.pid"), format!("{}\n/\n1\n", other.id())).unwrap();
    let started = PrivatePostgres::start(&options).await;
    drop(other.stdin.take());
    other.wait().unwrap();
    started.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_says_ready_is_not_believed_of_another_process() {
    let (_folder, options) = folder();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
    // As a killed server leaves it. No process has this pid.
    let left = "4194305\n/\n1\n5432\n/\n\n1 1\nready   \n";
    fs::write(options.data.join("cluster/postmaster.pid"), left).unwrap();
    let server = PrivatePostgres::start(&options).await.unwrap();
    connect(&server.connection()).await.simple_query("select 1").await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_stops_when_its_parent_is_killed_and_the_next_start_has_the_data() {
    let (_folder, options) = folder();
    let (keeper, connection) = keeper(&options, &[]);
    let client = connect(&connection).await;
    client.batch_execute("create table kept as select 1").await.unwrap();
    kill_keeper(keeper);
    // Fast shutdown ends the session.
    while client.simple_query("select 1").await.is_ok() {}
    let server = PrivatePostgres::start(&options).await.unwrap();
    assert_eq!(count(&server.connection()).await, 1);
    server.stop().await.unwrap();
    let log = fs::read_to_string(options.data.join("postgres.log")).unwrap();
    assert!(log.contains("received fast shutdown request"), "{log}");
}

#[tokio::test]
async fn a_start_right_after_its_parent_was_killed_waits_for_the_old_server() {
    let (_folder, options) = folder();
    let (keeper, connection) = keeper(&options, &[]);
    connect(&connection).await.batch_execute("create table kept as select 1").await.unwrap();
    let old = postmaster(&options.data);
    kill_keeper(keeper);
    let server = PrivatePostgres::start(&options).await.unwrap();
    assert_ne!(postmaster(&options.data), old);
    assert_eq!(count(&server.connection()).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_start_waits_for_busy_sessions_of_a_killed_server() {
    let (_folder, options) = folder();
    let (keeper, connection) = keeper(&options, &[]);
    connect(&connection).await.batch_execute("create table kept as select 1").await.unwrap();
    let busy = connect(&connection).await;
    // A session that computes does not see that its server is gone: it holds the memory until it is done.
    let work = "select count(*) from generate_series(1, 8000000) a where a % 7 = 3";
    let working = tokio::spawn(async move { busy.simple_query(work).await });
    let watch = connect(&connection).await;
    let active = "select count(*) from pg_stat_activity where query like '%8000000%' and state = 'active'";
    while watch.query_one(active, &[]).await.unwrap().get::<_, i64>(0) < 2 {}
    kill_hard(postmaster(&options.data));
    kill_keeper(keeper);
    let server = PrivatePostgres::start(&options).await.unwrap();
    assert_eq!(count(&server.connection()).await, 1);
    server.stop().await.unwrap();
    working.abort();
}

#[tokio::test]
async fn an_order_to_stop_is_obeyed_while_a_killed_server_is_started_again() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let client = connect(&server.connection()).await;
    kill_hard(postmaster(&options.data));
    while client.simple_query("select 1").await.is_ok() {}
    server.stop().await.unwrap();
    assert_eq!(PrivatePostgres::running(&options).await, None);
}

#[tokio::test]
async fn an_ordinary_user_keeps_a_server_under_their_own_name() {
    if !is_root() {
        return;
    }
    let (_folder, options) = folder();
    fs::create_dir(&options.data).unwrap();
    chown(&options.data, Some(65534), Some(65534)).unwrap();
    let data = Options::new(options.data.join("postgres"));
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let this_program = std::env::current_exe().unwrap();
    let mut listing = Command::new("/usr/bin/env");
    listing.args(nobody).arg(this_program).arg("--list").stdout(Stdio::null()).stderr(Stdio::null());
    if !listing.status().unwrap().success() {
        eprintln!("skipped: this test program lies where an ordinary user cannot run it");
        return;
    }
    let (keeper, _) = keeper(&data, &nobody);
    let of_the_server = fs::metadata(format!("/proc/{}", postmaster(&data.data))).unwrap();
    assert_eq!(of_the_server.uid(), 65534);
    kill_keeper(keeper);
}
