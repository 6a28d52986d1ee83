//! The log of traces in a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod events;
mod kept;
mod restored;
mod sequence;
mod tampering;
mod writer;

use std::path::Path;

use access::Requester;
use atna::log::{CheckpointFile, Report, Sequencer, Verification};
use atna::{Act, Event, Object, Outcome, Source};
use chrono::{DateTime, Utc};
use database::Database;
use transparency::Signer;

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
    let start: DateTime<Utc> = "2026-01-05T10:00:00.123456Z".parse().unwrap();
    start + chrono::TimeDelta::seconds(second.into())
}

/// One key for all tests.
fn signer() -> Signer {
    static PEM: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let pem = PEM.get_or_init(|| Signer::generate("log.example").unwrap().to_pem().unwrap());
    Signer::from_pem("log.example", pem).unwrap()
}

fn log_in(database: &Database, folder: &Path) -> Sequencer {
    let file = CheckpointFile::new(folder.join("checkpoints"));
    Sequencer::new(database.clone(), signer(), file).unwrap()
}

/// Verifies, against a file of checkpoints if there is one.
async fn verify(database: &Database, checkpoints: Option<&Path>) -> Report {
    let verification = Verification {
        keys: vec![signer().verifier().unwrap()],
        checkpoints: checkpoints.map(Path::to_owned),
        since: None,
    };
    verification.run(database, |_, _| ()).await.unwrap()
}

/// `count` events in the inbox.
async fn write(database: &Database, count: u32) {
    let events: Vec<Event> = (0..count).map(|second| event(second, Some(&cx(NIR)))).collect();
    let client = database.get().await.unwrap();
    atna::record(&client, &events).await.unwrap();
}

async fn execute(database: &Database, sql: &str) {
    database.get().await.unwrap().batch_execute(sql).await.unwrap();
}
