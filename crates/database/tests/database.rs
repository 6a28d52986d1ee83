//! Against a real PostgreSQL.

use database::{Database, Error, Options};
use private_postgres::PrivatePostgres;

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
    let options = Options { pool: 1, wait: std::time::Duration::from_millis(20), ..Options::default() };
    let database = Database::connect(&test.url, &options).unwrap();
    let _held = database.get().await.unwrap();
    assert!(database.get().await.err().unwrap().is_unavailable());
}
