//! A document goes in and comes out.

use client::Encoding;
use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::query::{Request, ReturnType, Status};

use crate::harness::{Server, Submission, assert_filed, codes, oid, patient, read};

#[actix_web::test]
async fn a_document_comes_back_byte_for_byte_in_both_encodings() {
    let server = Server::start().await;
    let octets: Vec<u8> = (0..300_000).map(|n| (n * 31 % 256) as u8).collect();
    for encoding in [Encoding::Mtom, Encoding::Simple] {
        let submission = Submission::new(&patient(), octets.clone());
        assert_filed(&submission.send(&server.client, encoding).await);
        for back in [Encoding::Mtom, Encoding::Simple] {
            let received = read(&server.client, &submission.entry.unique_id, back).await;
            assert!(received.as_ref() == Some(&octets), "{encoding:?} in, {back:?} out");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_was_submitted_is_found_with_what_the_registry_adds() {
    let server = Server::start().await;
    let patient = patient();
    let mut submission = Submission::new(&patient, "lettre");
    submission.entry.extra.push(xds::metadata::ExtraSlot {
        name: "urn:example:extra".to_owned(),
        values: vec!["one".to_owned(), "two".to_owned()],
    });
    submission.entry.comments = Some("ligne 1\nligne 2 & <fin>".to_owned());
    assert_filed(&server.file(&submission).await);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    let [object] = answer.documents.as_slice() else { panic!("{answer:?}") };
    let common = &object.common;
    assert_eq!(common.slot("urn:example:extra"), ["one", "two"]);
    assert_eq!(common.description[0].value, "ligne 1\nligne 2 & <fin>");
    assert_eq!(common.slot_value("size"), Some("6"));
    // SHA-1 of "lettre".
    assert_eq!(common.slot_value("hash"), Some("94426a59be086dc8a3d425f3c8bcfe67ba33a6b6"));
    assert_eq!(common.slot_value("repositoryUniqueId"), Some(crate::harness::REPOSITORY));
    assert_eq!(common.status.as_deref(), Some(STATUS_APPROVED));
    assert_eq!(
        (common.lid.as_deref(), common.version_name.as_deref()),
        (Some(common.id.as_str()), Some("1"))
    );
    let refs = Request::find_documents(&patient, &[Status::Approved], ReturnType::ObjectRef);
    let answer = server.client.query(&refs).await.unwrap();
    assert_eq!(answer.object_refs, [common.id.as_str()]);
    server.stop().await;
}

#[actix_web::test]
async fn a_replacement_deprecates_and_cannot_be_repeated() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "version 1");
    assert_filed(&server.file(&first).await);
    let second = Submission::new(&patient, "version 2").replacing(first.entry.entry_uuid);
    assert_filed(&server.file(&second).await);
    let third = Submission::new(&patient, "version 3").replacing(first.entry.entry_uuid);
    assert_eq!(codes(&server.file(&third).await), ["XDSRegistryDeprecatedDocumentError"]);
    let request =
        Request::find_documents(&patient, &[Status::Approved, Status::Deprecated], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    let status = |id: &str| {
        let object = answer.documents.iter().find(|o| o.common.id.ends_with(id)).unwrap();
        object.common.status.clone().unwrap()
    };
    assert_eq!(answer.documents.len(), 2);
    assert_eq!(status(&first.entry.entry_uuid.to_string()), STATUS_DEPRECATED);
    assert_eq!(status(&second.entry.entry_uuid.to_string()), STATUS_APPROVED);
    // Deprecated documents stay readable.
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"version 1");
    server.stop().await;
}

#[actix_web::test]
async fn the_same_unique_id_returns_only_with_the_same_octets() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "octets");
    assert_filed(&server.file(&first).await);
    let mut same = Submission::new(&patient, "octets");
    same.entry.unique_id = first.entry.unique_id.clone();
    assert_filed(&server.file(&same).await);
    let mut other = Submission::new(&patient, "others");
    other.entry.unique_id = first.entry.unique_id.clone();
    assert_eq!(codes(&server.file(&other).await), ["XDSNonIdenticalHash"]);
    let mut same_set = Submission::new(&patient, "more");
    same_set.set.unique_id = first.set.unique_id.clone();
    assert_eq!(codes(&server.file(&same_set).await), ["XDSDuplicateUniqueIdInRegistry"]);
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"octets");
    assert_eq!(server.blobs(), 2, "refused octets are gone");
    server.stop().await;
}

#[actix_web::test]
async fn a_record_is_opened_by_the_first_submission_only_where_that_is_the_policy() {
    let server = Server::with(&[("CARNET_PATIENTS__UNKNOWN", "refuse")]).await;
    let refused = Submission::new(&patient(), "lettre");
    assert_eq!(codes(&server.file(&refused).await), ["XDSUnknownPatientId"]);
    assert_eq!(server.count("select count(*) from record").await, 0);
    assert_eq!(server.blobs(), 0);
    server.stop().await;

    let server = Server::start().await;
    let merged = patient();
    assert_filed(&server.file(&Submission::new(&merged, "lettre")).await);
    let away =
        "insert into record default values; update record set survivor = (select max(record) from record)
        where record = (select min(record) from record)";
    server.database.get().await.unwrap().batch_execute(away).await.unwrap();
    assert_eq!(codes(&server.file(&Submission::new(&merged, "lettre")).await), ["XDSUnknownPatientId"]);
    server.stop().await;
}

#[actix_web::test]
async fn a_cda_header_is_indexed_and_not_returned() {
    let server = Server::start().await;
    let patient = patient();
    let cda = std::fs::read("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap();
    let mut submission = Submission::new(&patient, cda);
    submission.entry.mime_type = "text/xml".to_owned();
    assert_filed(&server.file(&submission).await);
    assert_eq!(server.count("select count(*) from header_fact where ins = '257041995001259'").await, 1);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    assert!(answer.documents[0].common.slots.iter().all(|slot| !slot.name.starts_with("urn:carnet:")));
    server.stop().await;
}

#[actix_web::test]
async fn documents_that_are_not_here_are_told_one_by_one() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    let request = |repository: &str, id: &str| xds::message::DocumentRequest {
        home_community_id: None,
        repository_unique_id: repository.to_owned(),
        document_unique_id: id.to_owned(),
    };
    let unknown = oid();
    let requests = [
        request(crate::harness::REPOSITORY, &submission.entry.unique_id),
        request(crate::harness::REPOSITORY, &unknown),
        request("1.2.3.4", &submission.entry.unique_id),
    ];
    let folder = tempfile::tempdir().unwrap();
    let answer = server.client.retrieve(&requests, Encoding::Mtom, folder.path()).await.unwrap();
    assert_eq!(answer.response.status, xds::message::ResponseStatus::PartialSuccess);
    assert_eq!(answer.documents.len(), 1);
    let errors: Vec<(&str, Option<&str>)> =
        answer.response.errors.iter().map(|e| (e.code.as_str(), e.location.as_deref())).collect();
    let first = submission.entry.unique_id.as_str();
    assert_eq!(
        errors,
        [("XDSDocumentUniqueIdError", Some(unknown.as_str())), ("XDSUnknownRepositoryId", Some(first)),]
    );
    server.stop().await;
}
