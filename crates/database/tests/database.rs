//! Against a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use database::{Database, Error, Options};
use private_postgres::PrivatePostgres;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

async fn server() -> (tempfile::TempDir, private_postgres::Options, PrivatePostgres) {
    let folder = test_support::folder();
    let options = private_postgres::Options::new(folder.path().join("postgres"));
    let server = PrivatePostgres::start(&options).await.unwrap();
    (folder, options, server)
}

#[tokio::test]
async fn two_servers_that_start_together_make_the_tables_once() {
    let (_folder, _, server) = server().await;
    let databases: Vec<Database> =
        (0..2).map(|_| Database::connect(&server.connection(), &Options::default()).unwrap()).collect();
    let (first, second) = tokio::join!(databases[0].migrate(), databases[1].migrate());
    first.unwrap();
    second.unwrap();
    let client = databases[0].get().await.unwrap();
    let applied: i64 =
        client.query_one("select count(*) from refinery_schema_history", &[]).await.unwrap().get(0);
    assert_eq!(applied as usize, std::fs::read_dir("../../schemas/migrations").unwrap().count());
    drop(client);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let test = test_support::TestDatabase::create().await;
    let database = test.open();
    let newer = "insert into refinery_schema_history (version, name, applied_on, checksum)
        values (9999, 'future', '2030-01-01T00:00:00Z', '0')";
    database.get().await.unwrap().batch_execute(newer).await.unwrap();
    let refused = database.migrate().await.unwrap_err();
    assert!(matches!(refused, Error::Newer { found: 9999, .. }), "{refused}");
}

#[tokio::test]
async fn tables_of_another_version_are_told_without_a_change() {
    let test = test_support::TestDatabase::create().await;
    let database = test.open();
    database.check_version().await.unwrap();
    let execute = async |sql: &str| database.get().await.unwrap().batch_execute(sql).await.unwrap();
    execute("update refinery_schema_history set version = 9999 where version = 1").await;
    let newer = database.check_version().await.unwrap_err();
    assert!(matches!(newer, Error::Newer { found: 9999, .. }), "{newer}");
    execute("delete from refinery_schema_history where version > 1").await;
    assert!(matches!(database.check_version().await, Err(Error::NoTables)), "nothing was ever applied");
    execute("insert into refinery_schema_history (version, name, applied_on, checksum) values (1, 'record', '', '0')")
        .await;
    let older = database.check_version().await.unwrap_err();
    assert!(matches!(older, Error::Older { found: 1, .. }), "{older}");
    let empty = test_support::TestDatabase::empty().await.open();
    assert!(matches!(empty.check_version().await, Err(Error::NoTables)));
}

#[tokio::test]
async fn sessions_may_be_read_only() {
    let test = test_support::TestDatabase::create().await;
    test.open().pin("name", "value").await.unwrap();
    let options = Options { read_only: true, ..Options::default() };
    // As where the database may have failed over to another.
    let url = format!("{} target_session_attrs=read-write", test.url);
    let database = Database::connect(&url, &options).unwrap();
    database.check_version().await.unwrap();
    database.check_pinned("name", "value").await.unwrap();
    database.check_pinned("another", "value").await.unwrap();
    let changed = database.check_pinned("name", "other").await.unwrap_err();
    assert!(matches!(&changed, Error::Changed { stored, .. } if stored == "value"), "{changed}");
    for change in ["delete from setting", "create table own ()"] {
        let refused = database.get().await.unwrap().batch_execute(change).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "25006", "{refused}");
    }
}

#[tokio::test]
async fn a_pinned_setting_cannot_change() {
    let database = test_support::TestDatabase::create().await.open();
    database.pin("repository.unique_id", "1.2.3").await.unwrap();
    database.pin("repository.unique_id", "1.2.3").await.unwrap();
    let refused = database.pin("repository.unique_id", "1.2.4").await.unwrap_err();
    assert!(matches!(&refused, Error::Changed { stored, .. } if stored == "1.2.3"), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_away_is_told_from_a_wrong_statement_and_comes_back_by_itself() {
    let (_folder, options, server) = server().await;
    let database = Database::connect(&server.connection(), &Options::default()).unwrap();
    let client = database.get().await.unwrap();
    let wrong = client.simple_query("select from nowhere").await.unwrap_err();
    assert!(!database::is_unavailable(&wrong), "{wrong}");
    server.stop().await.unwrap();
    let broken = client.simple_query("select 1").await.unwrap_err();
    assert!(database::is_unavailable(&broken), "{broken}");
    drop(client);
    let away = database.get().await.err().unwrap();
    assert!(away.is_unavailable(), "{away}");
    let server = PrivatePostgres::start(&options).await.unwrap();
    database.get().await.unwrap().simple_query("select 1").await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_waits_for_a_connection_only_so_long() {
    let test = test_support::TestDatabase::create().await;
    let options = Options { pool: 1, wait: Duration::from_millis(20), ..Options::default() };
    let database = Database::connect(&test.url, &options).unwrap();
    let _held = database.get().await.unwrap();
    assert!(database.get().await.err().unwrap().is_unavailable());
}

#[tokio::test]
async fn every_session_has_its_limits_and_keeps_the_options_of_the_address() {
    let test = test_support::TestDatabase::create().await;
    let options = Options {
        statement_timeout: Duration::from_millis(1234),
        lock_timeout: Duration::from_millis(234),
        idle_in_transaction_timeout: Duration::from_millis(34),
        ..Options::default()
    };
    let url = format!("{} options='-c work_mem=8MB'", test.url);
    let client = Database::connect(&url, &options).unwrap().get().await.unwrap();
    for (name, value) in [
        ("statement_timeout", "1234ms"),
        ("lock_timeout", "234ms"),
        ("idle_in_transaction_session_timeout", "34ms"),
        ("application_name", "carnet"),
        ("work_mem", "8MB"),
    ] {
        let shown: String = client.query_one(&format!("show {name}"), &[]).await.unwrap().get(0);
        assert_eq!(shown, value, "{name}");
    }
}

#[tokio::test]
async fn a_deadlock_is_a_conflict_and_a_full_wait_for_a_lock_is_not() {
    let test = test_support::TestDatabase::create().await;
    let options = Options { lock_timeout: Duration::from_millis(50), ..Options::default() };
    let database = Database::connect(&test.url, &options).unwrap();
    let (one, other) = (database.get().await.unwrap(), database.get().await.unwrap());
    one.batch_execute("begin; select pg_advisory_xact_lock(1)").await.unwrap();
    let waited = other.batch_execute("select pg_advisory_lock(1)").await.unwrap_err();
    assert!(database::is_unavailable(&waited) && !database::is_conflict(&waited), "{waited}");
    for client in [&one, &other] {
        client.batch_execute("set lock_timeout = 0; set deadlock_timeout = '10ms'").await.unwrap();
    }
    other.batch_execute("begin; select pg_advisory_xact_lock(2)").await.unwrap();
    let results = tokio::join!(
        one.batch_execute("select pg_advisory_xact_lock(2); rollback"),
        other.batch_execute("select pg_advisory_xact_lock(1); rollback"),
    );
    let given_up = results.0.and(results.1).unwrap_err();
    assert!(database::is_unavailable(&given_up) && database::is_conflict(&given_up), "{given_up}");
}

#[tokio::test]
async fn a_connection_whose_server_fell_silent_is_replaced_at_checkout() {
    let test = test_support::TestDatabase::create().await;
    let (socket, database) = test.url.strip_prefix("host=").unwrap().split_once(' ').unwrap();
    let server = format!("{socket}/.s.PGSQL.5432");
    // Between the pool and the server: when told, it keeps connections open and passes nothing on any more.
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    let (silence, silent) = watch::channel(());
    tokio::spawn(async move {
        loop {
            let (mut here, _) = listener.accept().await.unwrap();
            let mut there = UnixStream::connect(&server).await.unwrap();
            let mut silent = silent.clone();
            silent.mark_unchanged();
            tokio::spawn(async move {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                    _ = silent.changed() => std::future::pending().await,
                }
            });
        }
    });
    let options = Options {
        pool: 1,
        connect_timeout: Duration::from_millis(500),
        probe_after: Duration::ZERO,
        ..Options::default()
    };
    let url = format!("host={} {database}", folder.path().display());
    let database = Database::connect(&url, &options).unwrap();
    database.get().await.unwrap().simple_query("select 1").await.unwrap();
    silence.send(()).unwrap();
    database.get().await.unwrap().simple_query("select 1").await.unwrap();
}
