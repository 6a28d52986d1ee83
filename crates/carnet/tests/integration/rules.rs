//! Rules that need the repository's and the registry's state together.

use client::{Encoding, Outgoing};
use uuid::Uuid;
use xds::message::ResponseStatus;
use xds::metadata::{Association, AssociationType, Code, Folder};
use xds::value::uuid_urn;

use crate::harness::{Server, Submission, assert_filed, codes, oid, patient};
use crate::update::entry;

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
    let ward = entry(&server, submission.entry.entry_uuid).await.common.slot("urn:example:ward").to_vec();
    assert_eq!(ward, ["7B"]);
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

#[actix_web::test]
async fn f11_a_header_of_another_patient_is_a_warning_and_in_the_national_profile_a_refusal() {
    let cda = std::fs::read("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap();
    let other_patient = || {
        let mut submission = Submission::new(&patient(), cda.clone());
        submission.entry.mime_type = "text/xml".to_owned();
        submission
    };
    let server = Server::start().await;
    let response = server.file(&other_patient()).await;
    assert_filed(&response);
    assert!(
        response.errors.iter().any(|e| e.is_warning && e.code == "InvalidDocumentContent"),
        "{response:?}"
    );
    let national = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_AFFINITY_DOMAIN__PROFILE", "ci-sis")];
    let server = server.restart(&national).await;
    let response = server.file(&other_patient()).await;
    assert!(codes(&response).contains(&"InvalidDocumentContent"), "{response:?}");
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    server.stop().await;
}

/// The submission with these associations and folders beside its own.
async fn send(server: &Server, submission: &Submission, folders: &[Folder], more: &[Association]) {
    let mut objects = submission.objects();
    objects.packages.extend(folders.iter().map(Folder::to_ebxml));
    objects.associations.extend(more.iter().map(Association::to_ebxml));
    let outgoing =
        Outgoing::bytes(&uuid_urn(submission.entry.entry_uuid), "text/plain", submission.octets.clone());
    let sent = server.client.provide_and_register(objects, vec![outgoing], Encoding::Mtom).await;
    assert_filed(&sent.unwrap());
}

fn link(kind: AssociationType, source: Uuid, target: Uuid) -> Association {
    Association {
        entry_uuid: Uuid::new_v4(),
        association_type: kind,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: Vec::new(),
    }
}

#[actix_web::test]
async fn a_document_that_replaces_two_of_a_folder_enters_it_once_and_is_not_deprecated_by_its_own_transformation()
 {
    use AssociationType::{HasMember, Rplc, Xfrm};
    let server = Server::start().await;
    let patient = patient();
    let folder = Folder {
        entry_uuid: Uuid::new_v4(),
        logical_id: None,
        codes: vec![Code::new("stay", "1.2.3", "Stay")],
        comments: None,
        home_community_id: None,
        patient_id: patient.clone(),
        title: "Stay".to_owned(),
        unique_id: oid(),
        extra: Vec::new(),
    };
    let [first, second, third] = ["first", "second", "third"].map(|text| Submission::new(&patient, text));
    let into = link(HasMember, folder.entry_uuid, first.entry.entry_uuid);
    let more = [
        link(HasMember, first.set.entry_uuid, folder.entry_uuid),
        link(HasMember, first.set.entry_uuid, into.entry_uuid),
        into,
    ];
    send(&server, &first, std::slice::from_ref(&folder), &more).await;
    let into = link(HasMember, folder.entry_uuid, second.entry.entry_uuid);
    send(&server, &second, &[], &[link(HasMember, second.set.entry_uuid, into.entry_uuid), into]).await;
    let new = third.entry.entry_uuid;
    let more = [
        link(Rplc, new, first.entry.entry_uuid),
        link(Rplc, new, second.entry.entry_uuid),
        link(Xfrm, new, first.entry.entry_uuid),
    ];
    send(&server, &third, &[], &more).await;
    let (folder, member) = (folder.entry_uuid, HasMember.urn());
    let memberships = format!(
        "select count(*) from association where source = '{folder}' and target = '{new}' and association_type = '{member}'"
    );
    assert_eq!(server.count(&memberships).await, 1);
    let approved =
        format!("select count(*) from document_entry where status = 'Approved' and entry_uuid = '{new}'");
    assert_eq!(server.count(&approved).await, 1);
    assert_eq!(server.count("select count(*) from document_entry where status = 'Deprecated'").await, 2);
    server.stop().await;
}
