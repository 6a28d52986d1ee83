//! The audit table in a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use access::Requester;
use atna::{Act, Event, Filter, Object, Outcome, Source, record, search};
use chrono::{DateTime, Timelike, Utc};
use test_support::TestDatabase;

const NIR: (&str, &str) = ("279035121518989", "1.2.250.1.213.1.4.10");
const HOSPITAL: (&str, &str) = ("123", "1.2.250.1.999.1");

fn cx((id, authority): (&str, &str)) -> String {
    format!("{id}^^^&{authority}&ISO^NH")
}

fn event(second: u32, patient: Option<&str>) -> Event {
    let source = Source::here("carnet", None);
    let requester = Requester::remote("192.0.2.7".parse().ok(), "http://127.0.0.1:8080/services/registry");
    let mut event =
        Event::new(Act::Iti42Registry, Outcome::MinorFailure, &requester, &source).patient(patient);
    event.at = time(second);
    event
        .described("XDSUnknownPatientId")
        .object(Object::SubmissionSet { unique_id: format!("1.2.{second}"), titles: Vec::new() })
}

fn time(second: u32) -> DateTime<Utc> {
    format!("2026-01-05T10:00:{second:02}.123456789Z").parse().unwrap()
}

fn of(patients: &[(&str, &str)]) -> Filter {
    let owned = |(id, authority): &(&str, &str)| ((*id).to_owned(), (*authority).to_owned());
    Filter { patients: patients.iter().map(owned).collect(), ..Filter::default() }
}

/// The seconds of the events that a filter lets through.
async fn seconds(client: &tokio_postgres::Client, filter: &Filter) -> Vec<u32> {
    let rows = search(client, filter).await.unwrap();
    rows.iter().map(|row| row.event.at.second()).collect()
}

#[tokio::test]
async fn events_come_back_as_they_were_written_in_the_order_of_time() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    let events = [event(2, Some(&cx(NIR))), event(1, None)];
    record(&**client, &events).await.unwrap();
    let rows = search(&**client, &Filter::default()).await.unwrap();
    let found: Vec<&Event> = rows.iter().map(|row| &row.event).collect();
    assert_eq!(found, [&events[1], &events[0]]);
    assert_eq!(rows[1].message, atna::dicom::render(&events[0]));
}

#[tokio::test]
async fn an_event_goes_with_the_transaction_that_it_describes() {
    let database = TestDatabase::create().await.open();
    let mut client = database.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    record(&*transaction, &[event(1, None)]).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(search(&**client, &Filter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_patient_is_found_by_id_and_authority_under_any_identifier() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    let stranger = (NIR.0, "1.2.250.1.213.1.4.8");
    let patients =
        [Some(cx(NIR)), Some(cx(HOSPITAL)), Some(cx(stranger)), Some("279035121518989".to_owned()), None];
    let events: Vec<Event> = (1..).zip(&patients).map(|(second, cx)| event(second, cx.as_deref())).collect();
    record(&**client, &events).await.unwrap();
    assert_eq!(seconds(&client, &of(&[NIR])).await, [1]);
    assert_eq!(seconds(&client, &of(&[HOSPITAL, NIR])).await, [1, 2]);
    assert_eq!(seconds(&client, &of(&[(HOSPITAL.0, NIR.1)])).await, [0; 0]);
}

#[tokio::test]
async fn a_limit_keeps_the_latest_and_since_is_inclusive() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    let events: Vec<Event> = (1..=4).map(|second| event(second, None)).collect();
    record(&**client, &events).await.unwrap();
    assert_eq!(seconds(&client, &Filter { limit: Some(2), ..Filter::default() }).await, [3, 4]);
    let since = "2026-01-05T10:00:03Z".parse().ok();
    assert_eq!(seconds(&client, &Filter { since, ..Filter::default() }).await, [3, 4]);
}

#[tokio::test]
async fn every_event_has_its_own_salt_and_columns_to_search_by() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    record(&**client, &[event(1, Some(&cx(NIR))), event(2, None)]).await.unwrap();
    let rows = client
        .query("select salt, act, outcome, patient_id, patient_authority from audit_event order by at", &[])
        .await
        .unwrap();
    let salts: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect();
    assert!(salts.iter().all(|salt| salt.len() == 16) && salts[0] != salts[1]);
    assert_eq!(rows[0].get::<_, String>(1), "iti42-registry");
    assert_eq!(rows[0].get::<_, String>(2), "minor-failure");
    assert_eq!((rows[0].get::<_, &str>(3), rows[0].get::<_, &str>(4)), NIR);
    assert_eq!((rows[1].get::<_, Option<&str>>(3), rows[1].get::<_, Option<&str>>(4)), (None, None));
}

#[tokio::test]
async fn no_events_are_nothing_to_write() {
    let database = TestDatabase::create().await.open();
    let client = database.get().await.unwrap();
    record(&**client, &[]).await.unwrap();
    assert!(search(&**client, &Filter::default()).await.unwrap().is_empty());
}
