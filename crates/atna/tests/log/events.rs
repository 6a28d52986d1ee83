//! Events in a real PostgreSQL: written, found, gone with their transaction.

use atna::{Entry, Event, Filter, log, record, search};
use chrono::Timelike;
use test_support::TestDatabase;

use crate::{HOSPITAL, NIR, cx, event, log_in, verify};

fn of(patients: &[(&str, &str)]) -> Filter {
    let owned = |(id, authority): &(&str, &str)| ((*id).to_owned(), (*authority).to_owned());
    Filter { patients: patients.iter().map(owned).collect(), ..Filter::default() }
}

/// The seconds of the events that a filter lets through.
async fn seconds(client: &deadpool_postgres::Client, filter: &Filter) -> Vec<u32> {
    let rows = search(client, filter).await.unwrap();
    rows.iter().map(|row| row.entry.at().second()).collect()
}

#[tokio::test]
async fn events_come_back_as_they_were_written_the_latest_first() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    let events = [event(2, Some(&cx(NIR))), event(1, None)];
    record(&client, &events).await.unwrap();
    let rows = search(&client, &Filter::default()).await.unwrap();
    let found: Vec<Entry> = rows.into_iter().map(|row| row.entry).collect();
    assert_eq!(found, events.map(Entry::Own));
}

#[tokio::test]
async fn an_event_goes_with_the_transaction_that_it_describes() {
    let database = TestDatabase::create().await.open();
    let mut client = database.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    record(&transaction, &[event(1, None)]).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(search(&client, &Filter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_patient_is_found_by_id_and_authority_under_any_identifier() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    let stranger = (NIR.0, "1.2.250.1.213.1.4.8");
    let patients =
        [Some(cx(NIR)), Some(cx(HOSPITAL)), Some(cx(stranger)), Some("279035121518989".to_owned()), None];
    let events: Vec<Event> = (1..).zip(&patients).map(|(second, cx)| event(second, cx.as_deref())).collect();
    record(&client, &events).await.unwrap();
    assert_eq!(seconds(&client, &of(&[NIR])).await, [1]);
    assert_eq!(seconds(&client, &of(&[HOSPITAL, NIR])).await, [2, 1]);
    assert_eq!(seconds(&client, &of(&[(HOSPITAL.0, NIR.1)])).await, [0; 0]);
}

#[tokio::test]
async fn a_limit_keeps_the_latest_and_the_window_is_half_open() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    let events: Vec<Event> = (1..=4).map(|second| event(second, None)).collect();
    record(&client, &events).await.unwrap();
    assert_eq!(seconds(&client, &Filter { limit: Some(2), ..Filter::default() }).await, [4, 3]);
    let from = "2026-01-05T10:00:02Z".parse().ok();
    let until = "2026-01-05T10:00:04Z".parse().ok();
    assert_eq!(seconds(&client, &Filter { from, until, ..Filter::default() }).await, [3, 2]);
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended_whether_or_not_the_sequencer_was_there() {
    let test = TestDatabase::create().await;
    let (database, folder) = (test.open(), test_support::folder());
    let client = database.get().await.unwrap();
    let mut sequencer = log_in(&database, folder.path());
    for second in 1..=7 {
        // Of one moment, so that the id decides.
        let pair = [0, 1].map(|_| event(second, Some(&cx(NIR))));
        record(&client, &pair).await.unwrap();
        record(&client, &[event(second, Some(&cx(HOSPITAL)))]).await.unwrap();
        if second == 5 {
            sequencer.round().await.unwrap();
        }
    }
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let filter = Filter { before, limit: Some(3), ..of(&[NIR]) };
        let rows = search(&client, &filter).await.unwrap();
        let Some(last) = rows.last() else { break };
        before = Some((last.entry.at(), last.entry.id()));
        found.extend(rows.iter().map(|row| (row.entry.at(), row.entry.id())));
    }
    assert_eq!(found.len(), 14);
    assert!(found.is_sorted_by(|a, b| a > b), "{found:?}");
}

#[tokio::test]
async fn no_events_are_nothing_to_write() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    record(&client, &[]).await.unwrap();
    assert!(search(&client, &Filter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_event_is_found_by_its_id_before_and_after_it_has_its_place() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let client = database.get().await.unwrap();
    let events = [event(1, Some(&cx(NIR))), event(2, None)];
    record(&client, &events).await.unwrap();
    let found = async || log::find(&client, events[1].id).await.unwrap().map(|row| (row.position, row.entry));
    assert_eq!(found().await, Some((None, Entry::Own(events[1].clone()))));
    log_in(&database, folder.path()).round().await.unwrap();
    assert_eq!(found().await, Some((Some(1), Entry::Own(events[1].clone()))));
    assert!(log::find(&client, uuid::Uuid::nil()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_authorities_of_an_id_are_told_each_once_wherever_its_events_are() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let client = database.get().await.unwrap();
    let of = |authority: &str| event(1, Some(&cx(("7", authority))));
    record(&client, &[of("1.2"), of("1.9"), of("1.2"), event(2, Some(&cx(NIR)))]).await.unwrap();
    log_in(&database, folder.path()).round().await.unwrap();
    record(&client, &[of("1.9"), of("1.5"), event(3, Some("7")), event(4, None)]).await.unwrap();
    let mut found = log::authorities(&client, "7").await.unwrap();
    found.sort();
    assert_eq!(found, ["", "1.2", "1.5", "1.9"]);
    assert!(log::authorities(&client, "8").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_identifier_of_any_length_does_not_keep_the_log_from_growing() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let client = database.get().await.unwrap();
    // Nothing that compresses.
    let long: String = (0..1000).map(|_| uuid::Uuid::new_v4().simple().to_string() + "é").collect();
    record(&client, &[event(1, Some(&cx((&long, &long)))), event(2, None)]).await.unwrap();
    assert_eq!(log_in(&database, folder.path()).round().await.unwrap().sequenced, 2);
    assert_eq!(seconds(&client, &of(&[(&long, &long)])).await, [1]);
    assert_eq!(verify(&database, None).await.finding, None);
}
