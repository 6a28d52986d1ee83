//! Columns that contradict what was submitted: each is named, whichever it is.

use std::collections::BTreeSet;

use repository::check::Depth;
use serde_json::{Value, json};
use uuid::Uuid;
use xds::value::parse_uuid_urn;

use super::{check, execute};
use crate::harness::{Server, patient};
use crate::update::filed_in_folder;

/// What no fragment says: keys, and what changes later.
const OWN: [&str; 8] = [
    "record",
    "entry_uuid",
    "patient_id",
    "status",
    "fragment",
    "registered_at",
    "last_update_time",
    "previous_version",
];

/// A column, another value for it, and what is found beside the column.
type Case = (&'static str, &'static str, &'static [&'static str]);

const NOBODY: &str = "'9d2c1f6e-5b1a-4c53-8f0e-3a7d5b1c2e4f'";

const DOCUMENT_ENTRY: [Case; 23] = [
    ("logical_id", NOBODY, &["version-number"]),
    ("version", "7", &["version-number"]),
    ("submission_set", NOBODY, &[]),
    ("document_type", "'OnDemand'", &[]),
    ("availability", "'Offline'", &[]),
    ("unique_id", "'1.2.3'", &["no-document", "no-unique-id", "unique-id-of-nothing"]),
    ("repository_unique_id", "'1.2.3'", &[]),
    ("hash", "repeat('a', 40)", &["other-document"]),
    ("size", "size + 1", &["other-document"]),
    ("mime_type", "'text/xml'", &[]),
    ("class_code", "'x^^1.2.3'", &[]),
    ("type_code", "'x^^1.2.3'", &[]),
    ("format_code", "'x^^1.2.3'", &[]),
    ("practice_setting_code", "'x^^1.2.3'", &[]),
    ("healthcare_facility_type_code", "'x^^1.2.3'", &[]),
    ("event_codes", "array['x^^1.2.3']", &[]),
    ("confidentiality_codes", "'{}'", &[]),
    ("author_persons", "'{}'", &[]),
    ("reference_ids", "array['x']", &[]),
    ("creation_time", "null", &[]),
    ("service_start_time", "'20260101000000'", &[]),
    ("service_stop_time", "'20260101000000'", &[]),
    // The same, put out of order.
    ("author_persons", "author_persons || author_persons", &[]),
];

const SUBMISSION_SET: [Case; 6] = [
    ("unique_id", "'1.2.3'", &["no-unique-id", "unique-id-of-nothing"]),
    ("source_id", "'1.2.3'", &[]),
    ("submission_time", "'20260101000000'", &[]),
    ("content_type_code", "'x^^1.2.3'", &[]),
    ("author_persons", "'{}'", &[]),
    ("intended_recipients", "array['x']", &[]),
];

const FOLDER: [Case; 5] = [
    ("logical_id", NOBODY, &["version-number"]),
    ("version", "7", &["version-number"]),
    ("submission_set", NOBODY, &[]),
    ("unique_id", "'1.2.3'", &["no-unique-id", "unique-id-of-nothing"]),
    ("codes", "'{}'", &[]),
];

/// Of the one by which a SubmissionSet holds a document.
const ASSOCIATION: [Case; 5] = [
    ("submission_set", NOBODY, &[]),
    ("association_type", "'urn:ihe:iti:2007:AssociationType:RPLC'", &["not-held"]),
    // The document is no longer of the SubmissionSet that it came with.
    ("source", NOBODY, &["column", "no-end", "not-held"]),
    ("target", NOBODY, &["no-end", "not-held"]),
    ("submission_set_status", "null", &[]),
];

/// Breaks one column after the other of one row.
async fn each_is_found(server: &Server, (table, kind): (&str, &str), id: Uuid, cases: &[Case]) {
    let columns = {
        let client = server.database.get().await.unwrap();
        let all = "select column_name::text from information_schema.columns where table_name = $1";
        let all = client.query(all, &[&table]).await.unwrap();
        all.iter().map(|row| row.get::<_, String>(0)).collect::<BTreeSet<_>>()
    };
    let tried = cases.iter().map(|(column, ..)| *column).collect::<BTreeSet<_>>();
    assert_eq!(
        columns.iter().map(String::as_str).filter(|c| !OWN.contains(c)).collect::<BTreeSet<_>>(),
        tried
    );
    execute(server, &format!("create table kept as select * from {table}")).await;
    for (column, value, others) in cases {
        execute(server, &format!("update {table} set {column} = {value} where entry_uuid = '{id}'")).await;
        let (findings, _) = check(server, Depth::Octets).await;
        let expected = json!({ "finding": "column", "kind": kind, "id": id, "column": column });
        let is_expected = |finding: &&Value| {
            expected.as_object().unwrap().iter().all(|(name, value)| finding[name] == *value)
        };
        assert_eq!(findings.iter().filter(is_expected).count(), 1, "{column}: {findings:?}");
        let beside =
            findings.iter().filter(|finding| !is_expected(finding)).map(|f| f["finding"].as_str().unwrap());
        let mut beside: Vec<&str> = beside.collect();
        beside.sort_unstable();
        assert_eq!(beside, *others, "{column} = {value}");
        let back = format!(
            "update {table} set {column} = kept.{column} from kept where kept.entry_uuid = {table}.entry_uuid"
        );
        execute(server, &back).await;
    }
    execute(server, "drop table kept").await;
    assert_eq!(check(server, Depth::Octets).await.0, Vec::<Value>::new());
}

#[actix_web::test]
async fn every_column_is_held_against_what_was_submitted() {
    let server = Server::start().await;
    let (submission, folder) = filed_in_folder(&server, &patient()).await;
    let folder = parse_uuid_urn(&folder.common.id).unwrap();
    let (entry, set) = (submission.entry.entry_uuid, submission.set.entry_uuid);
    each_is_found(&server, ("document_entry", "DocumentEntry"), entry, &DOCUMENT_ENTRY).await;
    each_is_found(&server, ("submission_set", "SubmissionSet"), set, &SUBMISSION_SET).await;
    each_is_found(&server, ("folder", "Folder"), folder, &FOLDER).await;
    let member = submission.associations[0].entry_uuid;
    each_is_found(&server, ("association", "Association"), member, &ASSOCIATION).await;
    server.stop().await;
}
