//! Traces that share commits.

use atna::{Error, TraceWriter};
use futures_util::future::join_all;
use test_support::TestDatabase;

use crate::{event, execute, log_in, verify};

async fn waiting(database: &database::Database) -> i64 {
    atna::log::waiting(&**database.get().await.unwrap()).await.unwrap().0
}

#[tokio::test]
async fn accesses_at_the_same_time_share_a_commit_and_all_are_written() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let writer = TraceWriter::new(&database);
    let events: Vec<_> = (0..200).map(|second| [event(second, None), event(second, None)]).collect();
    let written = join_all(events.iter().map(|pair| writer.record(pair))).await;
    assert!(written.iter().all(Result::is_ok));
    let client = database.get().await.unwrap();
    let row =
        client.query_one("select count(*), count(distinct xmin::text) from audit_inbox", &[]).await.unwrap();
    let (rows, commits): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(rows, 400);
    assert!(commits < 100, "{commits} commits for 200 accesses");
    log_in(&database, folder.path()).round().await.unwrap();
    assert!(verify(&database, None).await.is_good());
}

#[tokio::test]
async fn an_event_that_cannot_be_written_takes_no_other_with_it() {
    let test = TestDatabase::create().await;
    let database = test.open();
    let writer = TraceWriter::new(&database);
    // PostgreSQL takes no NUL in a text.
    let (good, poison) = ([event(1, Some("1^^^&1.2&ISO"))], [event(2, Some("\0^^^&1.2&ISO"))]);
    let each = (0..50).map(|n| writer.record(if n == 25 { &poison } else { &good }));
    let failed = join_all(each).await.into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(matches!(failed.as_slice(), [Error::NotWritten { unavailable: false, .. }]), "{failed:?}");
    assert_eq!(waiting(&database).await, 49);
}

#[tokio::test]
async fn without_the_table_nobody_is_told_that_it_was_written() {
    let test = TestDatabase::create().await;
    let database = test.open();
    let writer = TraceWriter::new(&database);
    execute(&database, "alter table audit_inbox rename to away").await;
    assert!(writer.record(&[event(1, None)]).await.is_err());
    execute(&database, "alter table away rename to audit_inbox").await;
    writer.record(&[event(1, None)]).await.unwrap();
    assert_eq!(waiting(&database).await, 1);
}
