//! Each test has a database of its own, and nothing is left of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use test_support::TestDatabase;

#[tokio::test]
async fn a_database_has_the_tables_and_sees_nothing_of_another() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    one.open().pin("name", "value").await.unwrap();
    let count = "select count(*) from setting";
    let counts = [
        one.open().get().await.unwrap().query_one(count, &[]).await.unwrap().get::<_, i64>(0),
        other.open().get().await.unwrap().query_one(count, &[]).await.unwrap().get::<_, i64>(0),
    ];
    assert_eq!(counts, [1, 0]);
}

/// A second test in the same process, on a runtime of its own: the server outlives the runtime that started it.
#[tokio::test]
async fn tests_of_one_process_share_a_server() {
    let server = |database: &TestDatabase| database.url.split(" dbname").next().map(str::to_owned);
    let first = TestDatabase::create().await;
    let second = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = TestDatabase::create().await;
            database.open().get().await.unwrap().simple_query("select 1").await.unwrap();
            database
        })
    });
    assert_eq!(server(&first), server(&second.join().unwrap()));
}

/// Not a test of its own: the process that the next one starts and kills.
#[tokio::test]
#[ignore = "started by another test"]
async fn a_process_with_a_database() {
    println!("\n{}", TestDatabase::create().await.url);
    std::future::pending::<()>().await;
}

#[test]
fn nothing_is_left_of_a_process_that_was_killed() {
    let this_program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "--ignored", "--nocapture", "a_process_with_a_database"];
    let mut process = Command::new(this_program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find(|line| line.starts_with("host=")).unwrap();
    let socket = Path::new(url.split(['=', ' ']).nth(1).unwrap());
    let folder = socket.ancestors().nth(2).unwrap();
    assert!(folder.exists() && folder.file_name().unwrap().to_str().unwrap().starts_with("carnet-test-"));
    process.kill().unwrap();
    process.wait().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while folder.exists() {
        assert!(std::time::Instant::now() < deadline, "{} is still there", folder.display());
        std::thread::yield_now();
    }
}
