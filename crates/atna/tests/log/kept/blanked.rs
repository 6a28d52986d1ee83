use atna::log::{Blanking, What, blank, extent};
use atna::{Act, Entry, Error, Event, Filter, Loss, Object, Outcome};

use super::*;

fn identifiers() -> Vec<(String, String)> {
    [NIR, ("1", "1.2.250.1.999.1")].map(|(id, authority)| (id.to_owned(), authority.to_owned())).to_vec()
}

impl Log {
    async fn blank(&self, identifiers: &[(String, String)]) -> Result<Blanking, Error> {
        let event = Event::new(Act::AuditBlanked, Outcome::Success, &requester(), &source());
        blank(&self.database, &signer(), identifiers, &cx(NIR), event).await
    }
}

/// Nothing is said about NIR any more.
async fn without_nir() -> Log {
    let mut log = Log::new().await;
    log.blank(&identifiers()).await.unwrap();
    log.sequence().await;
    log
}

fn named(finding: &Option<What>) -> bool {
    matches!(finding, Some(What::Blanked { .. }))
}

#[tokio::test]
async fn the_events_of_a_patient_lose_what_they_say_and_the_log_is_as_it_was_signed() {
    let mut log = Log::new().await;
    let before = extent(&log.database, &identifiers()).await.unwrap();
    assert_eq!((before.events, before.waiting), (100, 0));
    assert_eq!(before.from, Some(crate::time(1)));
    let blanking = log.blank(&identifiers()).await.unwrap();
    assert_eq!(blanking.extent, before);
    for _ in 0..2 {
        let report = log.verify().await;
        assert_eq!((report.finding, report.blanked), (None, 100));
        log.sequence().await;
    }
    assert_eq!(extent(&log.database, &identifiers()).await.unwrap().events, 0);
    assert!(matches!(log.blank(&identifiers()).await, Err(Error::NothingToBlank)));
    let rest = "select count(*) from audit_event where blanked_by is not null
        and num_nonnulls(salt, content, patient_id, patient_authority) > 0";
    assert_eq!(log.count(rest).await, 0);

    // Another patient of the same months.
    let other = [(HOSPITAL.0.to_owned(), HOSPITAL.1.to_owned())];
    log.blank(&other).await.unwrap();
    log.sequence().await;
    let report = log.verify().await;
    assert_eq!((report.finding, report.blanked), (None, 300));
}

#[tokio::test]
async fn the_event_of_a_blanking_tells_nobody_who_it_was_without_the_secret() {
    let mut log = Log::new().await;
    let blanking = log.blank(&identifiers()).await.unwrap();
    log.sequence().await;
    let client = log.database.get().await.unwrap();
    let rows = atna::search(&client, &Filter { limit: Some(1), ..Filter::default() }).await.unwrap();
    let Entry::Own(event) = &rows[0].entry else { panic!("{rows:?}") };
    let Some(Object::Gone(gone)) = event.objects.first() else { panic!("{event:?}") };
    let Loss::Blanked(blanked) = &gone.loss else { panic!("{gone:?}") };
    assert_eq!(blanked.events, 100);
    let text = serde_json::to_string(event).unwrap() + &atna::dicom::render(event);
    assert!(!text.contains(NIR.0) && !text.contains(&blanking.secret.to_string()), "{text}");
    use base64::Engine;
    let told = transparency_of(&blanking, &cx(NIR));
    assert_eq!(blanked.patient, base64::engine::general_purpose::STANDARD.encode(told));
}

/// The digest as somebody makes it who was handed the secret.
fn transparency_of(blanking: &Blanking, cx: &str) -> [u8; 32] {
    openssl::sha::sha256(&[blanking.secret.as_bytes().as_slice(), cx.as_bytes()].concat())
}

#[tokio::test]
async fn one_more_event_that_is_blanked_is_found() {
    let erase = "set salt = null, content = null, patient_id = null, patient_authority = null";
    let log = without_nir().await;
    let as_if = format!(
        "update audit_event {erase}, blanked_by = (select id from audit_statement) where position = 102"
    );
    log.execute(&as_if).await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Blanked { stated: 50, found: 51, .. })), "{found:?}");

    // Where none is blanked by right, and without a word of who did.
    let log = Log::new().await;
    log.execute(&format!("update audit_event {erase}, blanked_by = gen_random_uuid() where position = 102"))
        .await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Altered { position: 102, .. })), "{found:?}");
    let log = without_nir().await;
    log.execute(&format!("update audit_event {erase} where position = 102")).await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Altered { position: 102, .. })), "{found:?}");
}

#[tokio::test]
async fn a_blanked_event_that_is_altered_filled_or_removed_is_found() {
    for sql in [
        "update audit_event set at = at + interval '1 day' where position = 101",
        "update audit_event set id = gen_random_uuid() where position = 101",
        "update audit_event set blanked_by = gen_random_uuid() where position = 101",
    ] {
        let log = without_nir().await;
        log.execute(sql).await;
        let found = log.verify().await.finding;
        assert!(named(&found), "{sql}: {found:?}");
    }
    let log = without_nir().await;
    log.execute("update audit_event set content = '{}' where position = 101").await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Altered { position: 101, .. })), "{found:?}");
    let log = without_nir().await;
    log.execute("delete from audit_event where position = 101").await;
    assert_eq!(log.verify().await.finding, Some(What::Removed { position: 101 }));
}

#[tokio::test]
async fn a_blanked_event_that_gets_its_content_back_is_found() {
    let mut log = Log::new().await;
    log.execute(
        "create schema copy; create table copy.event as select * from audit_event where position = 101",
    )
    .await;
    log.blank(&identifiers()).await.unwrap();
    log.sequence().await;
    log.execute(
        "delete from audit_event where position = 101; insert into audit_event select * from copy.event",
    )
    .await;
    let found = log.verify().await.finding;
    assert!(matches!(found, Some(What::Blanked { stated: 50, found: 49, .. })), "{found:?}");
}

#[tokio::test]
async fn events_that_wait_are_not_blanked_and_nothing_else_is() {
    let log = Log::new().await;
    let client = log.database.get().await.unwrap();
    atna::record(&client, &[event(1, Some(&cx(NIR)))]).await.unwrap();
    assert!(matches!(log.blank(&identifiers()).await, Err(Error::Waiting { events: 1 })));
    assert_eq!(extent(&log.database, &identifiers()).await.unwrap().events, 100);
}

#[tokio::test]
async fn what_is_not_as_it_was_signed_is_not_blanked() {
    for sql in [
        "update audit_event set content = convert_to(replace(convert_from(content, 'UTF8'), 'minor', 'serious'), 'UTF8')
            where position = 101",
        "update audit_event set patient_id = '279035121518989', patient_authority = '1.2.250.1.213.1.4.10' where position = 102",
        "update audit_event set salt = null, content = null, patient_id = null, patient_authority = null,
            blanked_by = gen_random_uuid() where position = 102",
    ] {
        let log = Log::new().await;
        log.execute(sql).await;
        let refused = log.blank(&identifiers()).await;
        assert!(matches!(refused, Err(Error::NotAsSigned(_))), "{sql}: {refused:?}");
        assert_eq!(log.count("select count(*) from audit_inbox").await, 0);
        assert!(!log.verify().await.is_good());
    }
}

#[tokio::test]
async fn of_a_blanked_event_there_is_nothing_to_prove() {
    let log = without_nir().await;
    let client = log.database.get().await.unwrap();
    let row =
        client.query_one("select id, blanked_by from audit_event where position = 101", &[]).await.unwrap();
    let refused = atna::log::prove(&**client, row.get(0)).await;
    let by: uuid::Uuid = row.get(1);
    assert!(matches!(refused, Err(Error::Blanked { position: 101, by: told }) if told == by), "{refused:?}");
}

#[tokio::test]
async fn what_was_blanked_can_expire() {
    let mut log = without_nir().await;
    let went = log.expire(10, 10, "2026-02-01T00:00:00Z").await.unwrap();
    assert_eq!(went.iter().map(|went| went.events).sum::<u64>(), 200);
    log.sequence().await;
    let report = log.verify().await;
    assert_eq!((report.finding, report.expired, report.blanked), (None, 200, 50));
    log.grow("2026-02-02T00:00:00Z").await;
    log.blank(&identifiers()).await.unwrap();
    log.sequence().await;
    let report = log.verify().await;
    assert_eq!((report.finding, report.expired, report.blanked), (None, 200, 75));
    let archive = std::io::BufReader::new(std::fs::File::open(&went[0].archive).unwrap());
    let checked = atna::log::check_export(archive, &[signer().verifier().unwrap()], |_| ()).unwrap();
    assert_eq!((checked.events, checked.blanked), (150, 50));
}
