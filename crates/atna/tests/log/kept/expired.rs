use atna::log::{Verification, What};
use atna::{Act, Entry, Error, Event, Expired, Gone, Kind, Loss, Object, Outcome, Sum};
use chrono::NaiveDate;

use super::*;

const JANUARY: &str = "2026-02-01T00:00:00Z";

fn january() -> NaiveDate {
    NaiveDate::from_ymd_opt(2016, 1, 1).unwrap()
}

/// All of January is gone.
async fn without_january() -> Log {
    let mut log = Log::new().await;
    log.expire(10, 10, JANUARY).await.unwrap();
    log.sequence().await;
    log
}

/// The access of January is gone, its operation is there.
async fn without_access_of_january() -> Log {
    let mut log = Log::new().await;
    log.expire(10, 20, JANUARY).await.unwrap();
    log.sequence().await;
    log
}

#[tokio::test]
async fn a_month_that_is_old_enough_goes_and_the_log_is_as_it_was_signed() {
    let mut log = Log::new().await;
    assert_eq!(log.expire(10, 10, "2026-01-31T23:59:59Z").await.unwrap(), []);
    let went = log.expire(10, 10, JANUARY).await.unwrap();
    let told: Vec<_> = went.iter().map(|went| (went.month, went.kind, went.events)).collect();
    assert_eq!(told, [(january(), Kind::Access, 150), (january(), Kind::Operation, 50)]);
    assert_eq!(log.count("select count(*) from audit_event where position < 200").await, 0);
    // Whether or not the events that tell of it have their positions.
    for sequenced in [0, 2] {
        let report = log.verify().await;
        assert_eq!((report.finding, report.expired), (None, 200));
        assert_eq!(report.events, 200 + sequenced);
        log.sequence().await;
    }
    assert_eq!(log.expire(10, 10, JANUARY).await.unwrap(), [], "once");
    for went in went {
        let archive = std::io::BufReader::new(std::fs::File::open(went.archive).unwrap());
        let checked = atna::log::check_export(archive, &[signer().verifier().unwrap()], |_| ()).unwrap();
        assert_eq!((checked.events, checked.checkpoint.size), (went.events, 400));
    }
}

#[tokio::test]
async fn kinds_of_one_month_may_go_at_different_times_and_so_may_the_events_that_told_of_it() {
    let mut log = Log::new().await;
    // Operation is kept for two years, access for ten. An event that tells of a going is one of operation.
    for (now, expired) in [
        ("2018-02-01T00:00:00Z", 50),
        ("2026-02-01T00:00:00Z", 50 + 150 + 25 + 25 + 1),
        ("2026-03-01T00:00:00Z", 251 + 75),
        ("2031-01-01T00:00:00Z", 326 + 75 + 3 + 1),
    ] {
        log.expire(10, 2, now).await.unwrap();
        log.sequencer.round_at(moment(now)).await.unwrap();
        let report = log.verify().await;
        assert_eq!((report.finding, report.expired), (None, expired), "{now}");
        assert_eq!(report.events + report.expired, report.size);
    }
    // Statements outlive the events that made them.
    assert_eq!(log.count("select count(*) from audit_statement where position is not null").await, 5);
    log.execute("delete from audit_statement where position = (select min(position) from audit_statement)")
        .await;
    assert!(log.verify().await.is_good(), "a later statement about the same month has superseded it");
    log.execute("delete from audit_statement where position = (select min(position) from audit_statement)")
        .await;
    assert!(!log.verify().await.is_good());
}

#[tokio::test]
async fn the_event_says_which_month_went_and_names_no_patient() {
    let log = without_january().await;
    let client = log.database.get().await.unwrap();
    let rows = atna::search(&client, &atna::Filter { limit: Some(2), ..Default::default() }).await.unwrap();
    for row in rows {
        let Entry::Own(event) = row.entry else { panic!("{row:?}") };
        assert_eq!((event.act, event.patient.as_deref()), (Act::AuditExpired, None));
        let message = atna::dicom::render(&event);
        use base64::Engine;
        let month = base64::engine::general_purpose::STANDARD.encode("2016-01");
        assert!(message.contains(&format!("type=\"Month\" value=\"{month}\"")), "{message}");
    }
}

#[tokio::test]
async fn one_more_event_that_is_missing_is_found() {
    let log = without_access_of_january().await;
    log.execute("delete from audit_event where position = 100").await;
    let missing = What::Missing { month: january(), first: 0, until: 200, stated: 150, found: 151 };
    assert_eq!(log.verify().await.finding, Some(missing));
    let log = without_january().await;
    log.execute("delete from audit_event where position = 200").await;
    assert_eq!(log.verify().await.finding, Some(What::Removed { position: 200 }));
}

#[tokio::test]
async fn an_event_that_comes_back_is_found() {
    for access_only in [false, true] {
        let mut log = Log::new().await;
        log.execute(
            "create schema copy; create table copy.event as select * from audit_event where position = 101",
        )
        .await;
        log.expire(10, if access_only { 20 } else { 10 }, JANUARY).await.unwrap();
        log.sequence().await;
        log.execute(
            "select audit_open_month('2016-01-01'); insert into audit_event select * from copy.event",
        )
        .await;
        let found = log.verify().await.finding;
        assert!(matches!(found, Some(What::Returned { position: 101, .. })), "{found:?}");
        log.execute("update audit_event set month = '2016-02-01' where position = 101").await;
        let found = log.verify().await.finding;
        assert!(matches!(found, Some(What::Column { position: 101, column: "month", .. })), "{found:?}");
        // An event of January that belongs there, and that another was taken for.
        log.execute("delete from audit_event where position = 101").await;
        assert!(log.verify().await.is_good());
    }
}

#[tokio::test]
async fn without_its_statement_what_expired_is_removed() {
    let log = without_january().await;
    log.execute("delete from audit_statement").await;
    assert_eq!(log.verify().await.finding, Some(What::Removed { position: 0 }));
    // The statement about the first kind alone.
    let log = without_january().await;
    log.execute("delete from audit_statement where convert_from(content, 'UTF8') like '%operation%'").await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Missing { stated: 150, found: 200, .. })), "{found:?}");
}

#[tokio::test]
async fn a_statement_that_the_key_did_not_sign_is_found() {
    let mut log = Log::new().await;
    // Whoever can write the database can have an event signed into the log.
    let stranger = transparency::Signer::generate("log.example").unwrap();
    let mut event = Event::new(Act::AuditExpired, Outcome::Success, &requester(), &source());
    let loss = Loss::Expired(Expired {
        month: january(),
        kinds: vec![Kind::Access, Kind::Operation],
        first: 0,
        until: 200,
        gone: Sum { count: 200, digest: String::new() },
    });
    event.objects.push(Object::Gone(Gone::sign(loss, event.id, &stranger).unwrap()));
    let client = log.database.get().await.unwrap();
    atna::record(&client, std::slice::from_ref(&event)).await.unwrap();
    drop(client);
    log.execute("insert into audit_statement (id, salt, content) select id, salt, content from audit_inbox")
        .await;
    log.sequence().await;
    log.execute("delete from audit_event where position < 200").await;
    assert_eq!(log.verify().await.finding, Some(What::Statement { id: event.id }));
}

#[tokio::test]
async fn a_statement_that_was_altered_or_has_no_event_is_found() {
    let log = without_january().await;
    log.execute(
        "update audit_statement set content = convert_to(replace(convert_from(content, 'UTF8'), '\"count\":200', '\"count\":199'),
        'UTF8')",
    )
    .await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Statement { .. })), "{found:?}");
    let log = Log::new().await;
    log.expire(10, 10, JANUARY).await.unwrap();
    log.execute("delete from audit_inbox").await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Statement { .. })), "{found:?}");
}

#[tokio::test]
async fn what_is_not_as_it_was_signed_does_not_go() {
    for (sql, position) in [
        ("delete from audit_event where position = 150", None),
        ("update audit_event set content = convert_to(replace(convert_from(content, 'UTF8'), 'minor', 'serious'), 'UTF8')
            where position = 150", Some(150)),
        ("update audit_event set patient_id = '1' where position = 150", Some(150)),
        ("update audit_event set kind = 1 where position = 152", Some(152)),
        ("update audit_event set month = '2016-01-01' where position = 250", Some(250)),
    ] {
        let log = Log::new().await;
        log.execute(sql).await;
        let refused = log.expire(10, 10, JANUARY).await;
        let named = match &refused {
            Err(Error::NotAsSigned(What::Missing { stated: 0, found: 1, .. })) => None,
            Err(Error::NotAsSigned(What::Altered { position, .. } | What::Column { position, .. })) => Some(*position),
            Err(Error::OtherMonth { position, .. }) => Some(*position),
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(named, position, "{sql}");
        assert!(log.count("select count(*) from audit_event where position < 200").await >= 199);
        assert_eq!(log.count("select count(*) from audit_inbox").await, 0);
        assert!(!log.archive().join("access-2016-01.ndjson").exists(), "{sql}");
        assert!(!log.verify().await.is_good());
    }
}

#[tokio::test]
async fn without_a_place_for_the_archive_nothing_goes() {
    let log = Log::new().await;
    std::fs::write(log.archive(), "a file").unwrap();
    assert!(matches!(log.expire(10, 10, JANUARY).await, Err(Error::File { .. })));
    assert_eq!(log.count("select count(*) from audit_event where position < 200").await, 200);
    assert!(log.verify().await.is_good());
}

#[tokio::test]
async fn a_verification_of_what_came_since_passes_over_what_went() {
    let log = without_access_of_january().await;
    let since = |moment: &str| Verification {
        keys: vec![signer().verifier().unwrap()],
        checkpoints: None,
        since: moment.parse().ok(),
    };
    for moment in ["2016-01-20T00:00:00Z", "2016-03-01T00:00:00Z"] {
        assert!(since(moment).run(&log.database, |_, _| ()).await.unwrap().is_good());
    }
    log.execute("delete from audit_event where position = 4").await;
    let found = since("2016-01-20T00:00:00Z").run(&log.database, |_, _| ()).await.unwrap().finding;
    assert!(matches!(found, Some(What::Missing { .. })), "{found:?}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_brings_no_month_back() {
    let mut log = Log::new().await;
    log.grow("2016-01-15T00:00:00Z").await;
    assert_eq!(log.count("select count(*) from audit_event where month = '2020-01-01'").await, 200);
    assert!(log.verify().await.is_good());
}
