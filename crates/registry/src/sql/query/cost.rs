//! A query costs what the record costs: each statement reaches its rows by an index, in a registry of many records.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use test_support::TestDatabase;
use tokio_postgres::{Client, NoTls};

use super::{associations, documents, folders, submission_sets};
use crate::sql::record;

/// 2,000 records with 20 documents each in two folders, and their Associations.
const FILL: &str = "
    insert into record select from generate_series(1, 2000);
    insert into patient_identifier (authority, value, record) select 'a', record::text, record from record;
    update record set survivor = record - 1 where record % 4 = 0;
    create temporary table filed as
        select record, n, gen_random_uuid() as document, gen_random_uuid() as package
        from record, generate_series(1, 20) as n;
    insert into document_entry (record, entry_uuid, logical_id, submission_set, document_type, status, unique_id,
            patient_id, mime_type, class_code, type_code, format_code, practice_setting_code,
            healthcare_facility_type_code, event_codes, confidentiality_codes, author_persons, reference_ids,
            creation_time, fragment)
        select record, document, document, package, 'Stable', 'Approved', document::text, 'p', 'text/plain',
            'c' || record % 500, 't', 'f', 'p', 'h' || record % 500, array['e' || record % 500, 'x'], '{}', '{}', '{}',
            '20260101000000', ''
        from filed;
    insert into submission_set (record, entry_uuid, unique_id, source_id, patient_id, submission_time,
            content_type_code, author_persons, intended_recipients, status, fragment)
        select record, package, package::text, 's', 'p', '20260101000000', 'c', '{}', '{}', 'Approved', ''
        from filed where n > 2;
    insert into folder (record, entry_uuid, logical_id, submission_set, status, unique_id, patient_id, codes,
            last_update_time, fragment)
        select record, package, package, document, 'Approved', package::text, 'p', array['c' || record % 500],
            '20260101000000', ''
        from filed where n <= 2;
    insert into association (record, entry_uuid, submission_set, association_type, source, target, status, fragment)
        select record, gen_random_uuid(), package, 't', package, document, 'Approved', '' from filed;
    insert into object select document, record, 'DocumentEntry' from filed;
    insert into object select package, record, case when n > 2 then 'SubmissionSet' else 'Folder' end from filed;
    insert into object select entry_uuid, record, 'Association' from association;
    insert into unique_id select document::text, 'DocumentEntry', document, record from filed;
    insert into unique_id
        select package::text, case when n > 2 then 'SubmissionSet' else 'Folder' end, package, record from filed;
    analyze;";

async fn filled() -> Client {
    let test = TestDatabase::create().await;
    let (client, connection) = tokio_postgres::connect(&test.url, NoTls).await.unwrap();
    actix_web::rt::spawn(connection);
    client.batch_execute(FILL).await.unwrap();
    client
}

/// Which tables the plan reads from end to end. `values`: of the parameters, as SQL.
async fn read_whole(client: &Client, mode: &str, statement: &str, values: &str) -> Vec<String> {
    let name = format!("statement_{}", uuid::Uuid::new_v4().simple());
    let prepare = format!("set plan_cache_mode = {mode}; prepare {name} as {statement}");
    client.batch_execute(&prepare).await.unwrap();
    let plan = client.query(&format!("explain execute {name} ({values})"), &[]).await.unwrap();
    let lines = plan.iter().map(|row| row.get::<_, String>(0));
    lines.filter(|line| line.contains("Seq Scan on ")).collect()
}

const PLAIN: &str = "false, 101, '{Approved}', '{Stable}', null, null, null, null, null, null, null, null, null, null, null, \
                     null";
const FILTER: &str = "'[]', '[]', null, '[]'";

#[actix_web::test]
async fn no_statement_reads_a_table_from_end_to_end() {
    let client = filled().await;
    let uuids = "array['08a15a6f-5b4a-42de-8f95-89474f83abdf'::uuid]";
    let content = "false, 101, '{Stable}', null, '[]'";
    let any = "false, 101, null, null";
    // As they are kept, planned once for whatever parameters.
    let mut kept = vec![(documents::FIND, format!("'{{7}}', {PLAIN}, {FILTER}"))];
    kept.push((documents::FIND_OF_PATIENT, format!("'a', {PLAIN}, '7', true")));
    kept.push((documents::FRAGMENTS, format!("'{{7}}', {uuids}, '{{2026-01-01}}'")));
    kept.push((documents::BY_ENTRY_UUID, format!("{uuids}, {content}")));
    kept.push((documents::BY_LOGICAL_ID, format!("{uuids}, {content}")));
    kept.push((documents::BY_UNIQUE_ID, format!("'{{u}}', {content}")));
    kept.push((documents::READABLE_DOCUMENTS, "'{u}'".to_owned()));
    kept.push((folders::FIND, "'{7}', false, 101, '{Approved}', null, null, '[]'".to_owned()));
    kept.push((folders::BY_ENTRY_UUID, format!("{uuids}, false, 101")));
    kept.push((folders::BY_LOGICAL_ID, format!("{uuids}, false, 101")));
    kept.push((folders::BY_UNIQUE_ID, "'{u}', false, 101".to_owned()));
    kept.push((submission_sets::FIND, "'{7}', 101, '{Approved}', null, null, null, null, null".to_owned()));
    kept.push((submission_sets::BY_ENTRY_UUID, format!("{uuids}, 101")));
    kept.push((submission_sets::BY_UNIQUE_ID, "'{u}', 101".to_owned()));
    for statement in [associations::OF, associations::FROM, associations::TO, associations::BY_ID] {
        kept.push((statement, format!("{uuids}, {any}")));
    }
    kept.push((record::FAMILIES, "'{a}', '{7}'".to_owned()));
    kept.push((record::SURVIVORS, "'{7}'".to_owned()));
    kept.push((record::IDENTIFIERS, "'a', '7'".to_owned()));
    kept.push((record::SURVIVORS_WITH_PATIENT, "'{7}'".to_owned()));
    for (statement, values) in kept {
        let whole = read_whole(&client, "force_generic_plan", statement, &values).await;
        assert_eq!(whole, [""; 0], "{statement}");
    }
    // Planned for their parameters.
    for (statement, code) in
        [(documents::OF_CLASS, "c7"), (documents::OF_FACILITY, "h7"), (documents::OF_EVENT, "e7")]
    {
        let values = format!("'{{{code}}}', {PLAIN}, {FILTER}");
        let whole = read_whole(&client, "force_custom_plan", statement, &values).await;
        assert_eq!(whole, [""; 0], "{statement}");
    }
    let values = "'{c7}', false, 101, '{Approved}', null, null, '[]'";
    let whole = read_whole(&client, "force_custom_plan", folders::FIND_OF_ALL, values).await;
    assert_eq!(whole, [""; 0]);
}

/// A plan that does read a whole table is seen as such.
#[actix_web::test]
async fn a_statement_without_an_index_is_noticed() {
    let client = filled().await;
    let without = "select from document_entry where practice_setting_code = any($1::text[])";
    let whole = read_whole(&client, "force_generic_plan", without, "'{p}'").await;
    assert_eq!(whole.len(), 1);
}
