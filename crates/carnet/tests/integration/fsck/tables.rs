//! Rows that contradict each other: each is named, and nothing else.

use serde_json::{Value, json};
use test_support::TestDatabase;
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::message::RemoveObjects;

use super::{check, execute, names};
use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};
use crate::update::{Update, entry, filed_in_folder, newest, title};
use repository::check::Depth;

/// What is wrong after `sql`, where `$id` stands for the entryUUID of a document.
async fn after(sql: &str) -> (Vec<Value>, Submission) {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    let sql = sql.replace("$id", &format!("'{}'", submission.entry.entry_uuid));
    execute(&server, &sql.replace("$set", &format!("'{}'", submission.set.entry_uuid))).await;
    let (findings, _) = check(&server, Depth::Octets).await;
    server.stop_broken().await;
    (findings, submission)
}

fn without_sentences(findings: Vec<Value>) -> Vec<Value> {
    let taken = findings.into_iter().map(|mut finding| {
        assert!(finding["sentence"].as_str().unwrap().len() > 20, "{finding}");
        finding.as_object_mut().unwrap().remove("sentence");
        finding
    });
    taken.collect()
}

/// The one finding about the document.
async fn of_document(sql: &str, name: &str, more: &[(&str, Value)]) {
    let (findings, submission) = after(sql).await;
    let mut expected = json!({ "finding": name, "kind": "DocumentEntry", "id": submission.entry.entry_uuid });
    for (field, value) in more {
        expected[*field] = value.clone();
    }
    assert_eq!(without_sentences(findings), [expected], "{sql}");
}

#[actix_web::test]
async fn a_fragment_that_cannot_be_read_is_found() {
    for damaged in ["substr(fragment, 1, length(fragment) - 10)", "'<rim:ExtrinsicObject'", "''"] {
        let sql = format!("update document_entry set fragment = {damaged} where entry_uuid = $id");
        of_document(&sql, "fragment", &[]).await;
    }
}

#[actix_web::test]
async fn a_document_whose_fragment_is_damaged_is_given_out_and_the_log_names_its_entry() {
    let test = TestDatabase::create().await;
    let settings = format!(
        "[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n[database]\nurl = \"{}\"\n",
        test.url
    );
    let mut carnet = Installation::new(&settings);
    carnet.start();
    let letter = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance-tests/documents/lettre-de-liaison-sortie.xml"
    );
    let filed = carnet.good(&["submit", letter]);
    let unique_id = filed.trim().strip_prefix("Filed as ").unwrap();
    let database = test.open();
    let client = database.get().await.unwrap();
    let id: Uuid = client.query_one("select entry_uuid from document_entry", &[]).await.unwrap().get(0);
    let told = || {
        let said = format!("DocumentEntry {id}: what is stored of an object is damaged");
        carnet.log().lines().filter(|line| line.contains("ERROR") && line.contains(&said)).count()
    };
    let get = |file: &str| carnet.good(&["get", unique_id, "--repository", REPOSITORY, "-o", file]);
    get("whole.xml");
    assert_eq!(told(), 0);
    for (number, damaged) in
        ["substr(fragment, 1, length(fragment) - 10)", "'<rim:ExtrinsicObject'"].iter().enumerate()
    {
        client.batch_execute(&format!("update document_entry set fragment = {damaged}")).await.unwrap();
        let file = format!("{number}.xml");
        get(&file);
        assert_eq!(std::fs::read(carnet.path(&file)).unwrap(), std::fs::read(letter).unwrap());
        assert_eq!(told(), number + 1, "{}", carnet.log());
    }
}

#[actix_web::test]
async fn global_keys_and_uniqueids_that_are_missing_are_found() {
    let sql = "update object set record = record + 1000 where entry_uuid = $id";
    let (findings, submission) = after(sql).await;
    let id = submission.entry.entry_uuid;
    let expected = ["no-key", "key-of-nothing"]
        .map(|name| json!({ "finding": name, "kind": "DocumentEntry", "id": id }));
    assert_eq!(without_sentences(findings), expected, "it leads to another record");
    of_document("delete from unique_id where entry_uuid = $id", "no-unique-id", &[]).await;
}

#[actix_web::test]
async fn global_keys_and_uniqueids_of_nothing_are_found() {
    let server = Server::start().await;
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    execute(
        &server,
        &format!(
            "insert into object (entry_uuid, record, kind) values ('{one}', 7, 'Folder');
             insert into unique_id (value, kind, entry_uuid, record) values ('1.2.3', 'SubmissionSet', '{two}', 7)"
        ),
    )
    .await;
    let (findings, _) = check(&server, Depth::Octets).await;
    let expected = [
        json!({ "finding": "key-of-nothing", "kind": "Folder", "id": one }),
        json!({ "finding": "unique-id-of-nothing", "kind": "SubmissionSet", "id": two }),
    ];
    assert_eq!(without_sentences(findings), expected);
    server.stop_broken().await;
}

#[actix_web::test]
async fn an_association_without_an_end_and_a_document_without_a_submission_set_are_found() {
    for end in ["source", "target"] {
        let server = Server::start().await;
        let submission = Submission::new(&patient(), "lettre");
        assert_filed(&server.file(&submission).await);
        let (association, document) = (submission.associations[0].entry_uuid, submission.entry.entry_uuid);
        let lost = if end == "source" { submission.set.entry_uuid } else { document };
        let nobody = Uuid::new_v4();
        // As the fragment is, so is the column: only the end is missing.
        let client = server.database.get().await.unwrap();
        let said = "select fragment from association where entry_uuid = $1";
        let said = client.query_one(said, &[&association]).await.unwrap();
        let said = Fragment::from_stored(said.get(0)).unwrap();
        let says = said.as_str().replace(&lost.to_string(), &nobody.to_string());
        let change = format!("update association set {end} = $2, fragment = $3 where entry_uuid = $1");
        client.execute(&change, &[&association, &nobody, &says.as_bytes()]).await.unwrap();
        drop(client);
        let (findings, _) = check(&server, Depth::Octets).await;
        let kind = "DocumentEntry";
        let mut expected = vec![
            json!({ "finding": "not-held", "kind": kind, "id": document }),
            json!({ "finding": "no-end", "id": association, "end": format!("{end}Object"), "missing": nobody }),
        ];
        if end == "source" {
            let other =
                json!({ "finding": "column", "kind": kind, "id": document, "column": "submission_set" });
            expected.insert(1, other);
        }
        assert_eq!(without_sentences(findings), expected);
        server.stop_broken().await;
    }
}

#[actix_web::test]
async fn a_document_of_another_patients_record_is_found() {
    let sql = "update document_entry set patient_id = 'x^^^&1.2.3&ISO' where entry_uuid = $id";
    of_document(sql, "patient", &[]).await;
}

#[actix_web::test]
async fn facts_of_a_header_without_their_document_are_found() {
    let id = Uuid::new_v4();
    let sql =
        format!("insert into header_fact (record, entry_uuid) select record, '{id}' from record limit 1");
    let (findings, _) = after(&sql).await;
    assert_eq!(without_sentences(findings), [json!({ "finding": "header-facts", "id": id })]);
}

#[actix_web::test]
async fn merges_that_lead_in_a_circle_are_found() {
    let server = Server::start().await;
    for _ in 0..2 {
        assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    }
    execute(&server, "update record set survivor = 3 - record").await;
    let (findings, _) = check(&server, Depth::Octets).await;
    let mut found = without_sentences(findings);
    found.sort_by_key(|finding| finding["record"].as_i64());
    assert_eq!(found, [1, 2].map(|record| json!({ "finding": "merge-circle", "record": record })));
    server.stop_broken().await;
}

#[actix_web::test]
async fn versions_that_are_out_of_order_are_found() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let first = document.entry.entry_uuid;
    let current = entry(&server, first).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    let second = newest(&server, first).await;
    let broken = async |sql: String| {
        execute(&server, &sql).await;
        without_sentences(check(&server, Depth::Octets).await.0)
    };
    let kind = "DocumentEntry";
    let found =
        broken(format!("update document_entry set status = 'Approved' where entry_uuid = '{first}'")).await;
    let expected = json!({ "finding": "old-version", "kind": kind, "id": first, "status": "Approved" });
    assert_eq!(found, [expected]);
    execute(
        &server,
        &format!("update document_entry set status = 'Deprecated' where entry_uuid = '{first}'"),
    )
    .await;

    let found = broken(format!("update document_entry set version = 7 where entry_uuid = '{first}'")).await;
    let names: Vec<&str> = found.iter().map(|finding| finding["finding"].as_str().unwrap()).collect();
    assert!(names.contains(&"version-number") && names.contains(&"column"), "{found:?}");
    execute(&server, &format!("update document_entry set version = 1 where entry_uuid = '{first}'")).await;

    let found = broken(format!(
        "update document_entry set unique_id = '1.2.3' where entry_uuid = '{second}';
         update unique_id set value = '1.2.3' where entry_uuid = '{second}'"
    ))
    .await;
    let expected = [
        json!({ "finding": "version-of-another", "kind": kind, "id": second }),
        json!({ "finding": "column", "kind": kind, "id": second, "column": "unique_id" }),
        json!({ "finding": "no-document", "entry": second, "unique_id": "1.2.3" }),
    ];
    assert_eq!(found, expected);
    let id = document.entry.unique_id;
    execute(
        &server,
        &format!(
            "update document_entry set unique_id = '{id}' where entry_uuid = '{second}';
             update unique_id set value = '{id}' where entry_uuid = '{second}'"
        ),
    )
    .await;

    let folder = folder.common.id;
    let found = broken("update folder set codes = '{}'".to_owned()).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(folder.ends_with(found[0]["id"].as_str().unwrap()) && found[0]["column"] == "codes", "{found:?}");
    server.stop_broken().await;
}

#[actix_web::test]
async fn versions_that_were_removed_are_not_missed() {
    let server = Server::start().await;
    let patient = patient();
    let submission = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&submission).await);
    let first = submission.entry.entry_uuid;
    let mut versions = vec![first];
    for previous in ["1", "2"] {
        let current = entry(&server, *versions.last().unwrap()).await;
        Update::of(&patient).document(&current, previous, |c| title(c, previous)).accepted(&server).await;
        versions.push(newest(&server, first).await);
    }
    // The second, then the first, each with what holds it.
    for version in [versions[1], first] {
        let client = server.database.get().await.unwrap();
        let whole = "select entry_uuid from association where target = $1
            union select unnest(array[entry_uuid, submission_set]) from document_entry where entry_uuid = $1";
        let whole = client.query(whole, &[&version]).await.unwrap();
        let whole = RemoveObjects::of(whole.iter().map(|row| row.get(0)));
        assert_filed(&server.client.remove_metadata(&whole).await.unwrap());
        assert_eq!(check(&server, Depth::Octets).await.0, Vec::<Value>::new());
    }
    assert_eq!(server.count("select version::bigint from document_entry").await, 3);
    server.stop().await;
}

#[actix_web::test]
async fn a_trace_that_was_altered_is_found() {
    let server = Server::start().await;
    assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    // Signed at the stop.
    let server = server.restart(&[]).await;
    execute(&server, "update audit_event set at = at + interval '1 hour' where position = 1").await;
    assert_eq!(names(&server).await, ["column"]);
    execute(&server, "update audit_event set at = at - interval '1 hour' where position = 1").await;
    server.stop_broken().await;
}
