//! Data of every earlier version of the tables are brought up to date, and are whole then.
//!
//! The files beside this one hold rows as the program of their time wrote them; each is named after the version of the tables
//! that made them possible. Holes of fragments are written `{status}` and so on. What is signed is written by the code of the log.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use access::Requester;
use atna::log::{CheckpointFile, Expiry, Retention, Sequencer, Verification};
use atna::{Act, Event, Outcome, Source};
use blob::format;
use refinery::Target;
use repository::check::Depth;
use serde_json::Value;
use test_support::TestDatabase;
use tokio_postgres::NoTls;
use xds::constants::AVAILABILITY_OFFLINE;
use xds::query::{Request, ReturnType, Status};
use xds::value::Cx;

use crate::audit_kept::key_in;
use crate::audit_log::{filed, verifier};
use crate::catalogue;
use crate::fsck::check;
use crate::harness::{AUTHORITY, Server, Submission, assert_filed};

mod embedded {
    refinery::embed_migrations!("../../schemas/migrations");
}

/// From a version of the tables on, up to another if the rows have another form then.
struct Rows {
    from: i32,
    until: i32,
    sql: &'static str,
}

const fn rows(from: i32, sql: &'static str) -> Rows {
    Rows { from, until: i32::MAX, sql }
}

const ROWS: [Rows; 10] = [
    rows(1, include_str!("1-records.sql")),
    // Before there was a repository its documents were nowhere.
    rows(3, include_str!("2-registry.sql")),
    rows(3, include_str!("3-repository.sql")),
    Rows { from: 4, until: 11, sql: include_str!("4-traces.sql") },
    rows(6, include_str!("6-versions.sql")),
    rows(7, include_str!("7-removal.sql")),
    rows(9, include_str!("9-statuses.sql")),
    rows(10, include_str!("10-wire.sql")),
    rows(12, include_str!("12-traces.sql")),
    rows(13, include_str!("13-nodes.sql")),
];

/// The first version whose log is signed, and the first from whose log months go.
const SIGNED: i32 = 12;
const EXPIRED: i32 = 14;

/// The last version of the tables whose program gave every document a hole for its availability.
const AVAILABILITY_HOLE: i32 = 11;
const OCTETS: [&str; 3] = ["lettre", "lettre corrigée", "hors ligne"];

fn filled_in(sql: &str, version: i32) -> String {
    let slot = |value: &str| {
        let name = "documentAvailability";
        format!(
            r#"<rim:Slot name="{name}"><rim:ValueList><rim:Value>{value}</rim:Value></rim:ValueList></rim:Slot>"#
        )
    };
    let (online, offline) = match version <= AVAILABILITY_HOLE {
        true => (slot("\u{4}"), slot("\u{4}")),
        false => (String::new(), slot(AVAILABILITY_OFFLINE)),
    };
    sql.replace("{online}", &online)
        .replace("{offline}", &offline)
        .replace("{status}", "\u{1}")
        .replace("{patient}", "\u{2}")
        .replace("{time}", "\u{3}")
}

/// A log as the programs since that version sign it: what they write is what is written now, but for columns and tables that they
/// had not yet.
struct Log {
    sequencer: Sequencer,
    expiry: Expiry,
}

impl Log {
    fn of(test: &TestDatabase, data: &Path) -> Log {
        let (database, signer) = (test.open(), key_in(data));
        let checkpoints = CheckpointFile::new(data.join("audit/checkpoints"));
        let expiry = Expiry {
            database: database.clone(),
            signer: signer.clone(),
            retention: Retention { access: 10, operation: 10, received: 10 },
            archive: data.join("audit/archive"),
            requester: Requester::local("operator", "carnet"),
            source: Source::here("carnet", None),
        };
        Log { sequencer: Sequencer::new(database, signer, checkpoints).unwrap(), expiry }
    }

    async fn write(&self) {
        let Expiry { database, requester, source, .. } = &self.expiry;
        let event = Event::new(Act::PatientOpened, Outcome::Success, requester, source);
        let event = event.patient(Some("279035121518989^^^&1.2.250.1.213.1.4.10&ISO"));
        atna::record(&database.get().await.unwrap(), &[event]).await.unwrap();
    }

    async fn sign(&mut self, at: &str) {
        assert!(self.sequencer.round_at(at.parse().unwrap()).await.unwrap().sequenced > 0);
    }

    /// Before there is anything else: a month that is going to expire.
    async fn begin(&mut self) {
        self.write().await;
        self.sign("2010-05-06T00:00:00Z").await;
    }

    /// Signs what waits in two rounds, and leaves an event that waits.
    async fn go_on(&mut self, version: i32) {
        self.sign("2026-01-02T03:04:06Z").await;
        if version >= EXPIRED {
            let went = self.expiry.run("2026-01-02T03:04:07Z".parse().unwrap()).await.unwrap();
            assert_eq!(went.len(), 1, "version {version}");
        }
        self.write().await;
        self.sign("2026-02-03T04:05:06Z").await;
        self.write().await;
    }
}

/// A database as the program of that version left it, and what it left in the data folder but documents.
async fn made_by(version: i32, data: &Path) -> TestDatabase {
    let test = TestDatabase::empty().await;
    let (mut client, connection) = tokio_postgres::connect(&test.url, NoTls).await.unwrap();
    let driver = actix_web::rt::spawn(connection);
    let runner = embedded::migrations::runner().set_target(Target::Version(version));
    runner.run_async(&mut client).await.unwrap();
    let mut log = (version >= SIGNED).then(|| Log::of(&test, data));
    if let Some(log) = log.as_mut().filter(|_| version >= EXPIRED) {
        log.begin().await;
    }
    for rows in ROWS.iter().filter(|rows| (rows.from..=rows.until).contains(&version)) {
        client.batch_execute(&filled_in(rows.sql, version)).await.unwrap_or_else(|error| {
            panic!("version {version}: {error:?}\n{}", rows.sql.lines().next().unwrap())
        });
    }
    drop(client);
    driver.await.unwrap().unwrap();
    if let Some(log) = &mut log {
        log.go_on(version).await;
    }
    test
}

/// Every table of a version has a row that is brought up to date with it.
fn assert_none_is_empty(version: i32, tables: &BTreeMap<String, Vec<String>>) {
    let empty: Vec<_> = tables.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
    // Version 2 had no repository yet: its documents were nowhere, and every entry would be found without one.
    let of_registry =
        ["association", "document_entry", "folder", "header_fact", "object", "submission_set", "unique_id"];
    let expected: &[&str] = if version == 2 { &of_registry } else { &[] };
    assert_eq!(empty, expected, "version {version}");
}

/// No table has fewer rows than before, but for those between which events move.
async fn assert_nothing_is_lost(version: i32, server: &Server, before: &BTreeMap<String, Vec<String>>) {
    let after = catalogue::rows(&server.database).await;
    for (table, rows) in
        before.iter().filter(|(table, _)| !["audit_event", "audit_inbox"].contains(&table.as_str()))
    {
        let count = after.get(table).map_or(0, Vec::len);
        assert!(count >= rows.len(), "version {version}: {table} had {} rows and has {count}", rows.len());
    }
}

/// The log holds with the checkpoints of before, which are outside, and new events are signed behind the `signed` of before.
async fn assert_log_goes_on(version: i32, server: &Server, signed: i64) {
    let (folder, deadline) = (server.folder.path(), Instant::now() + Duration::from_secs(60));
    while filed(folder) <= signed {
        assert!(Instant::now() < deadline, "version {version}: nothing new is signed");
        tokio::task::yield_now().await;
    }
    let audit = folder.join("audit");
    let verification = Verification {
        keys: vec![verifier(folder)],
        checkpoints: Some(audit.join("checkpoints")),
        since: None,
    };
    let report = verification.run(&server.database, |_, _| ()).await.unwrap();
    assert_eq!(report.finding, None, "version {version}");
    assert_eq!(report.expired, u64::from(version >= EXPIRED), "version {version}");
    assert!(
        report.size as i64 > signed && report.outside > Some(signed as u64),
        "version {version}: {report:?}"
    );
    assert_eq!(audit.join("archive/access-2010-05.ndjson").exists(), version >= EXPIRED, "version {version}");
}

/// The octets of its documents.
async fn store(folder: &Path, test: &TestDatabase) {
    let database = test.open();
    let client = database.get().await.unwrap();
    for row in client.query("select blob, size from document where state <> 'removed'", &[]).await.unwrap() {
        let (blob, size): (String, i64) = (row.get(0), row.get(1));
        let octets = OCTETS.into_iter().find(|octets| octets.len() as i64 == size).unwrap();
        let mut file = format::header().to_vec();
        format::seal(octets.as_bytes(), &mut file);
        let path = folder.join("documents").join(&blob[..2]);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(&blob), file).unwrap();
    }
}

#[actix_web::test]
async fn data_of_every_earlier_version_are_whole_when_they_are_brought_up_to_date() {
    let patient = Cx::new("279035121518989", AUTHORITY);
    let mut versions: Vec<i32> =
        embedded::migrations::runner().get_migrations().iter().map(|m| m.version()).collect();
    versions.sort_unstable();
    for version in versions {
        let folder = test_support::folder();
        let test = made_by(version, folder.path()).await;
        if version >= 3 {
            store(folder.path(), &test).await;
        }
        let before = catalogue::rows(&test.open()).await;
        assert_none_is_empty(version, &before);
        let signed = match version {
            ..SIGNED => 0,
            _ => atna::log::signed(&**test.open().get().await.unwrap()).await.unwrap(),
        };
        assert!(version < SIGNED || signed > 1, "version {version}: {signed}");
        let server = Server::on(&test.url, test.open(), folder, &[]).await;
        let (findings, counts) = check(&server, Depth::Octets).await;
        assert_eq!(findings, Vec::<Value>::new(), "version {version}");

        let request =
            Request::find_documents(&patient, &[Status::Approved, Status::Deprecated], ReturnType::LeafClass);
        let found = server.client.query(&request).await.unwrap().documents;
        let expected = match version {
            ..3 => 0,
            // Two and the one in the folder; at most the removed one; the offline one and earlier versions are not shown.
            3..7 => 3,
            7..9 => 4,
            // An archived one is found by its status alone.
            _ => 3,
        };
        assert_eq!(found.len(), expected, "version {version}");
        if version >= 3 {
            assert!(counts.entries_held >= 4, "version {version}: {counts:?}");
            let mut octets = Vec::new();
            for document in &found {
                assert!(document.common.slot("documentAvailability").is_empty(), "version {version}");
                let id =
                    document.common.external_identifier(xds::constants::DOCUMENT_ENTRY_UNIQUE_ID).unwrap();
                octets.extend(server.read(id).await);
            }
            assert!(octets.iter().any(|octets| octets == b"lettre"), "version {version}");
            let mut request = request.clone();
            request.parameters.push(("$MetadataLevel".to_owned(), vec!["2".to_owned()]));
            let all = server.client.query(&request).await.unwrap().documents;
            let offline = all.iter().filter_map(|d| d.common.slot_value("documentAvailability"));
            assert_eq!(offline.collect::<Vec<_>>(), [AVAILABILITY_OFFLINE], "version {version}");
        }
        if version >= 4 {
            assert_eq!(server.messages(&["1.2.3.7", "4711"]).await, 1, "version {version}");
        }
        assert_nothing_is_lost(version, &server, &before).await;
        assert_log_goes_on(version, &server, signed).await;
        // And life goes on.
        assert_filed(&server.file(&Submission::new(&patient, "nouvelle")).await);
        server.stop().await;
    }
}
