//! Everything that an installation holds, held against what comes of its backup in an empty one.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use carnet::backup::Made;
use client::Encoding;
use database::Database;
use futures_util::future::join;
use serde_json::Value;
use xds::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE, QUERY_GET_ALL};
use xds::message::DocumentRequest;
use xds::query::{
    Level, Request, ReturnType, Status, find_documents, find_folders, find_submission_sets, get_all,
};
use xds::value::Cx;

use super::{Empty, OPEN, back_up, manifest};
use crate::audit_kept::{old_log, until};
use crate::catalogue;
use crate::fsck::execute;
use crate::fsck::traffic::{self, request};
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, files, patient};

/// The tables of the log, which goes on beside the backup: what waits gets its position, and is signed. They are compared as
/// far as the checkpoint in the backup goes ([`signed_log`]), and by their events ([`traces`]).
const LOG: [&str; 4] = ["audit_inbox", "audit_event", "audit_tile", "audit_checkpoint"];

/// All but the log and the octets of documents.
#[derive(PartialEq)]
pub struct State {
    pub tables: BTreeMap<String, Vec<String>>,
    schema: Vec<String>,
    /// The months that went from the log.
    archive: BTreeMap<String, Vec<u8>>,
    key: Vec<u8>,
}

impl State {
    /// Nothing may be written meanwhile, but for traces.
    pub async fn of(database: &Database, data: &Path) -> State {
        let mut tables = catalogue::rows(database).await;
        for table in LOG {
            tables.remove(table).unwrap();
        }
        let mut schema = catalogue::schema(database).await;
        // Each trace takes the next.
        schema.retain(|line| !line.starts_with("sequence audit_inbox_seq_seq "));
        let months = std::fs::read_dir(data.join("audit/archive")).into_iter().flatten();
        let months = months.map(|entry| entry.unwrap().path());
        let archive = months.map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
        });
        State {
            tables,
            schema,
            archive: archive.collect(),
            key: std::fs::read(data.join("audit/key.pem")).unwrap(),
        }
    }

    /// Shows what differs and not all the rest.
    pub fn assert_is(&self, expected: &State) {
        for (table, rows) in &expected.tables {
            assert_eq!(self.tables.get(table), Some(rows), "{table}");
        }
        let (ours, theirs) = (self.schema.iter().collect(), expected.schema.iter().collect::<BTreeSet<_>>());
        let differing: Vec<_> = theirs.symmetric_difference(&ours).collect();
        assert!(differing.is_empty(), "{differing:#?}");
        assert!(self == expected, "the tables, the archive or the key");
    }
}

/// The log of traces as far as a checkpoint goes: its events, checkpoints and tiles.
async fn signed_log(database: &Database, size: i64) -> Vec<String> {
    // A tile grows to its right: of those of each level, so many hashes as the tree of that size has.
    let sql = "
        select 'event ' || t::text from audit_event as t where position < $1
        union all
        select 'checkpoint ' || t::text from audit_checkpoint as t where size <= $1
        union all
        select format('tiles %s %s', level, substring(string_agg(hashes, ''::bytea order by index)
            for (($1 >> (8 * level)) * 32)::int))
        from audit_tile where $1 >> (8 * level) > 0 group by level";
    let rows = database.get().await.unwrap().query(sql, &[&size]).await.unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.sort();
    lines
}

/// What every trace says, wherever it stands.
async fn traces(database: &Database) -> BTreeSet<String> {
    let sql =
        "select concat_ws(' ', act, id, at, kind, patient_id, patient_authority, content) from audit_trail";
    let rows = database.get().await.unwrap().query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let rows = database.get().await.unwrap().query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Each patient's FindDocuments and GetAll.
fn questions(patient: &Cx) -> [Request; 2] {
    let all = [Status::Approved, Status::Deprecated];
    let urns = || all.iter().map(|status| status.urn());
    let types = [DOCUMENT_ENTRY_STABLE, DOCUMENT_ENTRY_ON_DEMAND];
    [
        Request::find_documents(patient, &all, ReturnType::LeafClass).with_list(find_documents::TYPE, types),
        Request::new(QUERY_GET_ALL, ReturnType::LeafClass)
            .with_string(get_all::PATIENT_ID, &patient.text)
            .with_list(find_documents::STATUS, urns())
            .with_list(find_submission_sets::STATUS, urns())
            .with_list(find_folders::STATUS, urns())
            .with_list(find_documents::TYPE, types)
            .with_level(Level::Complete),
    ]
}

/// What the endpoints answer, by the question: objects, and octets of documents, those that are made on demand included.
async fn answers(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    let sql = "select value || '^^^&' || authority || '&ISO' from patient_identifier";
    for patient in texts(&server.database, sql).await {
        for question in questions(&Cx::parse(&patient).unwrap()) {
            let answer = server.client.query(&question).await.unwrap();
            let mut lines = vec![format!("{:?}", answer.response)];
            lines.extend(answer.documents.iter().map(|object| format!("{object:?}")));
            lines.extend(answer.packages.iter().map(|object| format!("{object:?}")));
            lines.extend(answer.associations.iter().map(|object| format!("{object:?}")));
            lines.sort();
            all.insert(format!("{} {patient}", question.id), lines);
        }
    }
    for id in texts(&server.database, "select distinct unique_id from document_entry").await {
        let folder = tempfile::tempdir().unwrap();
        let request = DocumentRequest {
            home_community_id: None,
            repository_unique_id: REPOSITORY.to_owned(),
            document_unique_id: id.clone(),
        };
        let answer = server.client.retrieve(&[request], Encoding::Mtom, folder.path()).await.unwrap();
        let mut lines = vec![format!("{:?}", answer.response)];
        for document in answer.documents {
            let octets = openssl::sha::sha256(&std::fs::read(&document.path).unwrap());
            lines.push(format!("{:?} {} {} {octets:?}", document.made, document.mime_type, document.size));
        }
        all.insert(id, lines);
    }
    all
}

/// Rows that a server of this kind has no cause to write: the other role's, and those of nodes that are not there.
const OF_OTHERS: &str = "
    insert into filing (submission_set, event) values ('1.2.3', '{}');
    insert into outbox (recipient, action, encoding, message_id, envelope, given_up_at)
        values ('http://192.0.2.1/', 'urn:ihe:iti:2007:RegistryStoredQuery', 'simple', 'urn:uuid:1', '<é/>', now());
    insert into audit_forward (target, position) values ('192.0.2.1:6514', 3);
    insert into audit_rejected (received_at, peer, transport, reason, length, octets)
        values (now(), '192.0.2.1', 'udp', 'no message', 3, '\\x00ff5c')";

/// Files letters of a patient one after the other, and removes every second one, until told that it is enough. The uniqueIds,
/// in the order in which they were filed.
async fn file_and_remove(server: &Server, patient: &Cx, is_enough: impl Fn(usize) -> bool) -> Vec<String> {
    let mut letters = Vec::new();
    while !is_enough(letters.len()) {
        let letter = Submission::new(patient, format!("lettre {}", letters.len()));
        assert_filed(&server.file(&letter).await);
        if letters.len() % 2 == 1 {
            assert_filed(&server.client.remove_documents(&[request(&letter)]).await.unwrap());
        }
        letters.push(letter.entry.unique_id);
    }
    letters
}

/// The backup that was taken in the middle of that has those that were filed until one moment, and none of those behind.
async fn assert_is_of_one_moment(dir: &Path, made: &Made, letters: &[String]) {
    let empty = Empty::new().await;
    let restored = empty.restore(dir).await.unwrap();
    assert_eq!((restored.documents, restored.lost), (made.documents, vec![]));
    assert_eq!(empty.check().await, Vec::<Value>::new());
    let held = texts(&empty.database, "select unique_id from document_entry").await;
    let of_backup = letters.iter().take_while(|id| held.contains(id)).count();
    assert!(0 < of_backup && of_backup < letters.len(), "nothing was filed before, or nothing after it");
    assert!(!letters[of_backup..].iter().any(|id| held.contains(id)), "a letter without those before it");
}

#[actix_web::test]
async fn every_backup_is_of_one_moment_and_a_restore_is_the_same_to_the_last_octet() {
    // The first month of its log is old enough for the archive.
    let data = test_support::folder();
    let log = old_log(&data).await;
    let server = Server::on(&log.url, log.open(), data, &OPEN).await;
    until(&server, "select count(*) from audit_trail where act = 'audit-expired'").await;
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    let patient = patient();
    traffic::live(&server).await;
    let removed = Submission::new(&patient, "à détruire plus tard");
    assert_filed(&server.file(&removed).await);
    let mut letter = Submission::new(
        &patient,
        std::fs::read("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap(),
    );
    letter.entry.mime_type = "text/xml".to_owned();
    assert_filed(&server.file(&letter).await);

    let mut letters = file_and_remove(&server, &patient, |filed| filed == 4).await;
    let is_made = Cell::new(false);
    let writing = file_and_remove(&server, &patient, |filed| filed >= 20 && is_made.get());
    let making = async {
        let made = back_up(&server, &dir).await.unwrap();
        is_made.set(true);
        made
    };
    let (first, written) = join(making, writing).await;
    letters.extend(written);
    assert!(first.copied >= 8 && first.copied == first.documents && first.lost.is_empty(), "{first:?}");
    assert_is_of_one_moment(&dir, &first, &letters).await;

    traffic::live(&server).await;
    assert_filed(&server.client.remove_documents(&[request(&removed)]).await.unwrap());
    let second = back_up(&server, &dir).await.unwrap();
    assert!(second.removed >= 1 && second.lost.is_empty(), "{second:?}");
    assert!(second.copied >= 8 && second.copied < second.documents, "{second:?}");
    assert!(second.octets > 12 << 20, "{second:?}");
    assert_eq!(files(&dir.join("documents")) as u64, second.documents);
    execute(&server, OF_OTHERS).await;
    until(&server, "select count(*) from audit_checkpoint where size > 100").await;
    let answers_before = answers(&server).await;
    let known = traces(&server.database).await;
    let third = back_up(&server, &dir).await.unwrap();
    assert_eq!(third, Made { copied: 0, removed: 0, ..second });

    let before = State::of(&server.database, server.folder.path()).await;
    let empty_tables: Vec<_> = before.tables.iter().filter(|(_, rows)| rows.is_empty()).collect();
    assert!(empty_tables.is_empty(), "nothing is compared of {empty_tables:?}");
    assert_eq!(before.archive.keys().collect::<Vec<_>>(), ["access-2010-05.ndjson"]);
    let signed = manifest(&dir)["signed"].as_i64().unwrap();
    let log_before = signed_log(&server.database, signed).await;
    assert!(log_before.len() as i64 > signed && signed > 100, "{signed} events, {} lines", log_before.len());
    let traces_after = traces(&server.database).await;
    server.stop().await;

    let empty = Empty::new().await;
    let restored = empty.restore(&dir).await.unwrap();
    assert_eq!((restored.documents, restored.lost), (third.documents, vec![]));
    State::of(&empty.database, empty.folder.path()).await.assert_is(&before);
    assert_eq!(signed_log(&empty.database, signed).await, log_before);
    let restored_traces = traces(&empty.database).await;
    let missing: Vec<_> = known.difference(&restored_traces).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let new: Vec<_> = restored_traces.difference(&traces_after).collect();
    assert!(matches!(new.as_slice(), [trace] if trace.starts_with("backup-restored ")), "{new:?}");
    assert_eq!(empty.check().await, Vec::<Value>::new());

    let server = empty.start().await;
    assert!(answers_before.len() >= 20 && answers_before.values().any(|lines| lines.len() > 10));
    let answers_after = answers(&server).await;
    for (question, lines) in &answers_before {
        assert_eq!(answers_after.get(question), Some(lines), "{question}");
    }
    assert_eq!(answers_after.len(), answers_before.len());
    assert_eq!(server.messages(&["backup-restore"]).await, 1);
    assert_eq!(server.messages(&["backup-make"]).await, 3);
    let server = server.restart(&OPEN).await;
    assert_filed(&server.file(&Submission::new(&patient, "après")).await);
    server.stop().await;
}
