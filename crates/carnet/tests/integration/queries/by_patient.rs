//! Queries that start at a patient.

use std::collections::BTreeSet;

use uuid::Uuid;
use xds::constants::*;
use xds::metadata::{AssociationType, Author, Availability, DocumentType};
use xds::query::*;
use xds::value::{Cx, Dtm};

use super::world::{APPROVED, BOTH, Batch, ask, code, document, folder, found, refused, set};
use crate::harness::{Server, oid, patient};

const KEY: &str = "^^1.2.250.1.999.1";

fn sets(patient: &Cx) -> Request {
    ask(QUERY_FIND_SUBMISSION_SETS)
        .with_string(find_submission_sets::PATIENT_ID, &patient.text)
        .with_list(find_submission_sets::STATUS, APPROVED)
}

fn folders(patient: &Cx) -> Request {
    ask(QUERY_FIND_FOLDERS)
        .with_string(find_folders::PATIENT_ID, &patient.text)
        .with_list(find_folders::STATUS, APPROVED)
}

fn documents(patient: &Cx) -> Request {
    Request::find_documents(patient, &[Status::Approved], ReturnType::LeafClass)
}

fn all(patient: &Cx) -> Request {
    ask(QUERY_GET_ALL)
        .with_string(get_all::PATIENT_ID, &patient.text)
        .with_list(find_documents::STATUS, BOTH)
        .with_list(find_submission_sets::STATUS, BOTH)
        .with_list(find_folders::STATUS, BOTH)
}

fn time(text: &str) -> Dtm {
    Dtm::parse(text).unwrap()
}

#[actix_web::test]
async fn submission_sets_are_found_by_each_parameter() {
    let server = Server::start().await;
    let patient = patient();
    let mut one = Batch::new(&patient);
    one.document(document(&patient));
    one.set.submission_time = time("20240615");
    one.register(&server).await;
    let mut two = Batch::new(&patient);
    two.document(document(&patient));
    two.set.source_id = "1.2.250.1.999.3".to_owned();
    two.set.submission_time = time("20250101000000");
    two.set.content_type_code = code("other");
    two.set.authors = vec![Author { person: Some("8^DURAND^Paul".to_owned()), ..Author::default() }];
    two.register(&server).await;
    let (one, two) = (one.set.entry_uuid, two.set.entry_uuid);

    assert_eq!(found(&server, &sets(&patient)).await, set([one, two]));
    let none: [Uuid; 0] = [];
    use find_submission_sets::*;
    let cases: Vec<(Request, BTreeSet<Uuid>)> = vec![
        (sets(&patient).with_list(SOURCE_ID, ["1.2.250.1.999.3"]), set([two])),
        (sets(&patient).with_list(SOURCE_ID, ["1.2.250.1.999.3", "1.2.250.1.999.2"]), set([one, two])),
        (sets(&patient).with_list(CONTENT_TYPE, [format!("other{KEY}")]), set([two])),
        (sets(&patient).with_string(AUTHOR_PERSON, "%DURAND%"), set([two])),
        (sets(&patient).with_string(AUTHOR_PERSON, "8^DURAND^Pau_"), set([two])),
        (sets(&patient).with_string(AUTHOR_PERSON, "DURAND"), set(none)),
        // From is included, To is not, and a shorter time is the beginning of what it names.
        (sets(&patient).with_time(SUBMISSION_TIME_FROM, &time("2025")), set([two])),
        (sets(&patient).with_time(SUBMISSION_TIME_TO, &time("2025")), set([one])),
        (sets(&patient).with_time(SUBMISSION_TIME_FROM, &time("20240615000000")), set([one, two])),
        (sets(&patient).with_time(SUBMISSION_TIME_FROM, &time("20240615000001")), set([two])),
    ];
    for (request, expected) in cases {
        assert_eq!(found(&server, &request).await, expected, "{request:?}");
    }
    let deprecated = ask(QUERY_FIND_SUBMISSION_SETS)
        .with_string(PATIENT_ID, &patient.text)
        .with_list(STATUS, [STATUS_DEPRECATED]);
    assert!(found(&server, &deprecated).await.is_empty());
    assert!(found(&server, &sets(&crate::harness::patient())).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn folders_are_found_by_each_parameter() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let one = batch.folder(folder(&patient));
    let mut other = folder(&patient);
    other.codes = vec![code("a"), code("b")];
    let two = batch.folder(other);
    batch.register(&server).await;
    // Set by the registry to the time of the submission.
    let update = format!("update folder set last_update_time = '20240615000000' where entry_uuid = '{one}'");
    server.database.get().await.unwrap().batch_execute(&update).await.unwrap();

    assert_eq!(found(&server, &folders(&patient)).await, set([one, two]));
    let none: [Uuid; 0] = [];
    use find_folders::*;
    let with_code = |codes: &[&str]| {
        folders(&patient).with_list(CODE_LIST, codes.iter().map(|code| format!("{code}{KEY}")))
    };
    let cases: Vec<(Request, BTreeSet<Uuid>)> = vec![
        (with_code(&["a"]), set([two])),
        (with_code(&["a", "folder"]), set([one, two])),
        (with_code(&["a"]).with_list(CODE_LIST, [format!("b{KEY}")]), set([two])),
        (with_code(&["a"]).with_list(CODE_LIST, [format!("folder{KEY}")]), set(none)),
        (folders(&patient).with_time(LAST_UPDATE_TIME_TO, &time("2025")), set([one])),
        (folders(&patient).with_time(LAST_UPDATE_TIME_FROM, &time("2025")), set([two])),
        (folders(&patient).with_time(LAST_UPDATE_TIME_FROM, &time("202406150000")), set([one, two])),
        (folders(&patient).with_time(LAST_UPDATE_TIME_TO, &time("20240615")), set(none)),
    ];
    for (request, expected) in cases {
        assert_eq!(found(&server, &request).await, expected, "{request:?}");
    }
    let answer = server.client.query(&folders(&patient)).await.unwrap();
    let shown = answer.packages.iter().find(|p| p.common.id.ends_with(&one.to_string())).unwrap();
    assert_eq!(shown.common.slot_value("lastUpdateTime"), Some("20240615000000"));
    server.stop().await;
}

#[actix_web::test]
async fn everything_comes_with_the_associations_at_it() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let one = batch.document(document(&patient));
    let mut other = document(&patient);
    other.format_code = code("other");
    other.confidentiality_codes = vec![code("N"), code("R")];
    let two = batch.document(other);
    let folder = batch.folder(folder(&patient));
    batch.put(folder, one);
    batch.put(folder, two);
    batch.register(&server).await;
    let associations: Vec<Uuid> = batch.associations.iter().map(|a| a.entry_uuid).collect();
    let objects = [batch.set.entry_uuid, one, two, folder];
    let everything = set(associations.iter().copied().chain(objects));
    assert_eq!(found(&server, &all(&patient)).await, everything);

    // An association stays with one end alone.
    let mut narrow = everything.clone();
    narrow.remove(&one);
    for (name, value) in [
        (find_documents::FORMAT_CODE, format!("other{KEY}")),
        (find_documents::CONFIDENTIALITY_CODE, format!("R{KEY}")),
    ] {
        assert_eq!(found(&server, &all(&patient).with_list(name, [value])).await, narrow, "{name}");
    }
    narrow.remove(&two);
    let on_demand = all(&patient).with_list(find_documents::TYPE, [DOCUMENT_ENTRY_ON_DEMAND]);
    assert_eq!(found(&server, &on_demand).await, narrow);
    let deprecated = all(&patient).with_list("$XDSAssociationStatus", [STATUS_DEPRECATED]);
    assert_eq!(found(&server, &deprecated).await, set(objects));
    let mut request = all(&patient);
    for (_, values) in request.parameters.iter_mut().filter(|(name, _)| name.ends_with("Status")) {
        *values = vec![format!("('{STATUS_DEPRECATED}')")];
    }
    assert!(found(&server, &request).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn documents_are_found_by_reference_id() {
    let server = Server::start().await;
    let patient = patient();
    let accession = "A_1^^^&1.2.250.1.999.5&ISO^urn:ihe:iti:xds:2013:accession";
    let order = "O-1^^^&1.2.250.1.999.5&ISO^urn:ihe:iti:xds:2013:order";
    let mut batch = Batch::new(&patient);
    let mut first = document(&patient);
    first.reference_ids = vec![accession.to_owned(), order.to_owned()];
    let first = batch.document(first);
    let mut second = document(&patient);
    second.reference_ids = vec![order.to_owned()];
    second.class_code = code("other");
    let second = batch.document(second);
    batch.document(document(&patient));
    batch.register(&server).await;
    let name = find_documents_by_reference_id::REFERENCE_ID_LIST;
    let find = || Request { id: QUERY_FIND_DOCUMENTS_BY_REFERENCE_ID.to_owned(), ..documents(&patient) };
    let none: [Uuid; 0] = [];
    let cases: Vec<(Request, BTreeSet<Uuid>)> = vec![
        (find().with_list(name, [accession]), set([first])),
        (find().with_list(name, [accession, order]), set([first, second])),
        (find().with_list(name, [order]).with_list(name, [accession]), set([first])),
        (find().with_list(name, ["O-1^%"]), set([first, second])),
        (find().with_list(name, ["O-1"]), set(none)),
        (
            find().with_list(name, [order]).with_list(find_documents::CLASS_CODE, [format!("other{KEY}")]),
            set([second]),
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(found(&server, &request).await, expected, "{request:?}");
    }
    assert_eq!(refused(&server, &find()).await, ["XDSStoredQueryMissingParam"]);
    server.stop().await;
}

#[actix_web::test]
async fn on_demand_entries_come_when_their_type_is_asked_for() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let stable = batch.document(document(&patient));
    batch.register(&server).await;
    let mut batch = Batch::new(&patient);
    let mut entry = document(&patient);
    entry.document_type = DocumentType::OnDemand;
    (entry.creation_time, entry.hash, entry.size) = (None, None, None);
    let on_demand = batch.document(entry);
    batch.register(&server).await;
    let find = |types: &[&str]| documents(&patient).with_list(find_documents::TYPE, types);
    assert_eq!(found(&server, &documents(&patient)).await, set([stable]));
    assert_eq!(found(&server, &find(&[DOCUMENT_ENTRY_ON_DEMAND])).await, set([on_demand]));
    let both = [DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE];
    assert_eq!(found(&server, &find(&both)).await, set([stable, on_demand]));
    let early = find(&both).with_time(find_documents::CREATION_TIME_TO, &time("1990"));
    assert_eq!(found(&server, &early).await, set([on_demand]), "creationTime says nothing about it");
    let by_id = Request::get_documents_by_entry_uuid([on_demand], ReturnType::LeafClass);
    assert_eq!(found(&server, &by_id).await, set([on_demand]));
    let in_all = all(&patient).with_list(find_documents::TYPE, both);
    assert!(found(&server, &in_all).await.is_superset(&set([stable, on_demand])));
    server.stop().await;
}

#[actix_web::test]
async fn a_document_that_is_offline_is_found_at_level_2() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let online = batch.document(document(&patient));
    let mut entry = document(&patient);
    entry.availability = Some(Availability::Offline);
    let offline = batch.document(entry);
    batch.register(&server).await;
    let of = |state: Availability| documents(&patient).with_list(find_documents::AVAILABILITY, [state.urn()]);
    assert_eq!(found(&server, &documents(&patient)).await, set([online]));
    let complete = |request: Request| request.with_level(Level::Complete);
    assert_eq!(found(&server, &complete(documents(&patient))).await, set([online, offline]));
    assert_eq!(found(&server, &complete(of(Availability::Offline))).await, set([offline]));
    assert_eq!(found(&server, &complete(of(Availability::Online))).await, set([online]));
    assert!(found(&server, &of(Availability::Offline)).await.is_empty());
    server.stop().await;
}

/// What follows from a replacement: the old document is Deprecated, the new one is in its folder.
#[actix_web::test]
async fn a_replacement_is_found_beside_what_it_replaced() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let old = batch.document(document(&patient));
    let folder = batch.folder(folder(&patient));
    batch.put(folder, old);
    batch.register(&server).await;
    let mut batch = Batch::new(&patient);
    let new = batch.document(document(&patient));
    let rplc = batch.relate(AssociationType::Rplc, new, old);
    batch.register(&server).await;
    assert_eq!(found(&server, &documents(&patient)).await, set([new]));
    let related = ask(QUERY_GET_RELATED_DOCUMENTS)
        .with_string(get_documents::ENTRY_UUID, &super::world::urn(old))
        .with_list(get_related_documents::ASSOCIATION_TYPES, [AssociationType::Rplc.urn()]);
    assert_eq!(found(&server, &related).await, set([old, new, rplc]));
    let of_new =
        ask(QUERY_GET_FOLDERS_FOR_DOCUMENT).with_string(get_documents::ENTRY_UUID, &super::world::urn(new));
    assert_eq!(found(&server, &of_new).await, set([folder]));
    // The membership that the registry added belongs to the new SubmissionSet.
    let contents = ask(QUERY_GET_SUBMISSION_SET_AND_CONTENTS)
        .with_string(get_submission_set_and_contents::UNIQUE_ID, &batch.set.unique_id);
    let contents = found(&server, &contents).await;
    assert!(contents.is_superset(&set([batch.set.entry_uuid, new, batch.membership(new)])));
    assert!(!contents.contains(&folder));
    server.stop().await;
}

#[actix_web::test]
async fn an_unknown_patient_has_nothing_or_is_an_error_as_configured() {
    let server = Server::start().await;
    let nobody = Cx::new(&oid(), crate::harness::AUTHORITY);
    let requests = || [documents(&nobody), sets(&nobody), folders(&nobody), all(&nobody)];
    for request in requests() {
        assert!(found(&server, &request).await.is_empty());
    }
    let server = server.restart(&[("CARNET_PATIENTS__QUERY_UNKNOWN", "error")]).await;
    for request in requests() {
        assert_eq!(refused(&server, &request).await, ["XDSUnknownPatientId"]);
    }
    server.stop().await;
}
