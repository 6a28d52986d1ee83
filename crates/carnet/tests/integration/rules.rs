//! Rules that need the repository's and the registry's state together.

use client::{Encoding, Outgoing};
use xds::message::ResponseStatus;
use xds::value::uuid_urn;

use crate::harness::{Server, Submission, assert_filed, codes, oid, patient};

#[actix_web::test]
async fn v8_an_unknown_patient_is_reported_beside_everything_else() {
    let server = Server::start().await;
    let known = Submission::new(&patient(), "known");
    assert_filed(&server.file(&known).await);
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "refuse")]).await;
    let mut stranger = Submission::new(&patient(), "stranger");
    stranger.entry.language_code = "fr_FR".to_owned();
    stranger.set.unique_id = known.set.unique_id.clone();
    stranger.entry.entry_uuid = known.entry.entry_uuid;
    stranger.associations[0].target = known.entry.entry_uuid;
    let response = server.file(&stranger).await;
    let mut found = codes(&response);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "XDSDuplicateUniqueIdInRegistry",
            "XDSRegistryMetadataError",
            "XDSRegistryMetadataError",
            "XDSUnknownPatientId"
        ],
        "{response:?}"
    );
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    assert_eq!(server.count("select count(*) from record").await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn v8_a_refused_submission_opens_no_record() {
    let server = Server::start().await;
    let mut submission = Submission::new(&patient(), "refused");
    submission.entry.language_code = "fr_FR".to_owned();
    assert_eq!(codes(&server.file(&submission).await), ["XDSRegistryMetadataError"]);
    assert_eq!(server.count("select count(*) from record").await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn v28_extra_metadata_are_stored_so_nobody_is_warned() {
    let server = Server::start().await;
    let mut submission = Submission::new(&patient(), "extra");
    submission.entry.extra =
        vec![xds::metadata::ExtraSlot { name: "urn:example:ward".to_owned(), values: vec!["7B".to_owned()] }];
    let response = server.file(&submission).await;
    assert_filed(&response);
    assert!(response.errors.is_empty(), "{response:?}");
    assert_eq!(
        server.count("select count(*) from document_entry where fragment like '%urn:example:ward%7B%'").await,
        1
    );
    server.stop().await;
}

/// What the answer to two documents with these ids, and metadata for the first, is.
async fn sent(server: &Server, ids: &[&str], keep_metadata: bool) -> Vec<String> {
    let submission = Submission::new(&patient(), "octets");
    let own = uuid_urn(submission.entry.entry_uuid);
    let outgoing = ids
        .iter()
        .map(|id| Outgoing::bytes(if *id == "own" { &own } else { id }, "text/plain", "octets"))
        .collect();
    let mut objects = submission.objects();
    if !keep_metadata {
        objects.extrinsic_objects.clear();
        objects.associations.clear();
    }
    let response = server.client.provide_and_register(objects, outgoing, Encoding::Mtom).await.unwrap();
    codes(&response).into_iter().map(str::to_owned).collect()
}

#[actix_web::test]
async fn r1_each_document_has_its_metadata() {
    let server = Server::start().await;
    assert_eq!(sent(&server, &["own", "stray"], true).await, ["XDSMissingDocumentMetadata"]);
    server.stop().await;
}

#[actix_web::test]
async fn r2_all_metadata_have_their_document() {
    let server = Server::start().await;
    assert_eq!(sent(&server, &[], true).await, ["XDSMissingDocument"]);
    server.stop().await;
}

#[actix_web::test]
async fn r3_hash_and_size_are_those_of_the_octets() {
    let server = Server::start().await;
    let mut submission = Submission::new(&patient(), "octets");
    submission.entry.hash = Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned());
    submission.entry.size = Some(0);
    let response = server.file(&submission).await;
    assert_eq!(codes(&response), ["XDSRepositoryMetadataError", "XDSRepositoryMetadataError"]);
    server.stop().await;
}

#[actix_web::test]
async fn r4_a_unique_id_returns_only_with_the_same_octets() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "octets");
    assert_filed(&server.file(&first).await);
    for (octets, expected) in [("octets", None), ("others", Some("XDSNonIdenticalHash"))] {
        let mut again = Submission::new(&patient, octets);
        again.entry.unique_id = first.entry.unique_id.clone();
        let response = server.file(&again).await;
        match expected {
            None => assert_filed(&response),
            Some(code) => assert_eq!(codes(&response), [code]),
        }
    }
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"octets");
    server.stop().await;
}

#[actix_web::test]
async fn r6_every_source_may_submit() {
    let server = Server::start().await;
    for _ in 0..2 {
        let mut submission = Submission::new(&patient(), "octets");
        submission.set.source_id = oid();
        assert_filed(&server.file(&submission).await);
    }
    server.stop().await;
}

#[actix_web::test]
async fn r7_the_repository_judges_no_metadata() {
    let server = Server::start().await;
    let mut submission = Submission::new(&patient(), "octets");
    submission.entry.class_code.display = " ".to_owned();
    let response = server.file(&submission).await;
    assert_eq!(response.status, ResponseStatus::Failure);
    assert_eq!(codes(&response), ["XDSRegistryMetadataError"], "the registry's code, not the repository's");
    server.stop().await;
}
