//! What goes by right: months that are old enough, and what is said of a patient whose record is over.

mod blanked;
mod expired;
mod exported;

use std::path::PathBuf;

use access::Requester;
use atna::log::{Expiry, Report, Retention, Sequencer, Went};
use atna::{Act, Error, Event, Outcome, Source};
use chrono::{DateTime, Utc};
use database::Database;
use tempfile::TempDir;
use test_support::TestDatabase;

use crate::{HOSPITAL, NIR, cx, event, execute, log_in, signer, verify};

/// 200 events of January 2016, 100 of February and 100 of a later year: every fourth is one of operation, and of the others every
/// second is about NIR, the rest about HOSPITAL.
struct Log {
    database: Database,
    folder: TempDir,
    sequencer: Sequencer,
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn source() -> Source {
    Source::here("carnet", None)
}

fn requester() -> Requester {
    Requester::local("operator", "carnet")
}

impl Log {
    async fn new() -> Log {
        let (test, folder) = (TestDatabase::create().await, test_support::folder());
        let database = test.open();
        let sequencer = log_in(&database, folder.path());
        let mut log = Log { database, folder, sequencer };
        for at in
            ["2016-01-01T00:00:00Z", "2016-01-31T23:59:59Z", "2016-02-10T12:00:00Z", "2020-01-01T12:00:00Z"]
        {
            log.grow(at).await;
        }
        log
    }

    /// 100 more events, at a moment.
    async fn grow(&mut self, at: &str) {
        let events: Vec<Event> = (0..100)
            .map(|number| match number % 4 {
                0 => Event::new(Act::ServerStarted, Outcome::Success, &requester(), &source()),
                1 => event(number, Some(&cx(NIR))),
                _ => event(number, Some(&cx(HOSPITAL))),
            })
            .collect();
        let client = self.database.get().await.unwrap();
        atna::record(&client, &events).await.unwrap();
        drop(client);
        assert_eq!(self.sequencer.round_at(moment(at)).await.unwrap().sequenced, 100);
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.path().join("checkpoints")
    }

    /// Lets go what is older than these years.
    async fn expire(&self, access: u32, operation: u32, now: &str) -> Result<Vec<Went>, Error> {
        let expiry = Expiry {
            database: self.database.clone(),
            signer: signer(),
            retention: Retention { access, operation, received: access },
            archive: self.archive(),
            requester: requester(),
            source: source(),
        };
        expiry.run(moment(now)).await
    }

    async fn sequence(&mut self) -> u64 {
        self.sequencer.round().await.unwrap().sequenced
    }

    async fn verify(&self) -> Report {
        let report = verify(&self.database, Some(&self.checkpoints())).await;
        assert_eq!(verify(&self.database, None).await.finding, report.finding);
        report
    }

    async fn count(&self, sql: &str) -> i64 {
        self.database.get().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn execute(&self, sql: &str) {
        execute(&self.database, sql).await;
    }
}
