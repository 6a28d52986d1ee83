//! New versions of documents.

use xds::constants::*;
use xds::query::{Request, ReturnType, Status};
use xds::value::uuid_urn;

use super::*;
use crate::harness::{codes, patient};

#[actix_web::test]
async fn a_new_version_takes_the_place_of_the_one_before_it() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;

    let logical_id = first.entry.entry_uuid;
    let second = newest(&server, logical_id).await;
    assert_eq!(statuses(&server, logical_id).await, ["Deprecated", "Approved"]);
    assert_eq!(approved(&server, &patient).await, [uuid_urn(second)]);
    let found = entry(&server, second).await.common;
    assert_eq!(found.name[0].value, "Corrigé");
    assert_eq!(found.lid, Some(uuid_urn(logical_id)));
    assert_eq!(found.version_name.as_deref(), Some("2"));
    assert_eq!(found.status.as_deref(), Some(STATUS_APPROVED));
    assert_eq!(found.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID), Some(first.entry.unique_id.as_str()));
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"lettre");

    let current = entry(&server, second).await;
    Update::of(&patient).document(&current, "2", |c| title(c, "Encore")).accepted(&server).await;
    assert_eq!(statuses(&server, logical_id).await, ["Deprecated", "Deprecated", "Approved"]);
    server.stop().await;
}

#[actix_web::test]
async fn a_new_version_of_a_deprecated_document_is_deprecated() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "version 1").await;
    let replacement = Submission::new(&patient, "version 2").replacing(first.entry.entry_uuid);
    assert_filed(&server.file(&replacement).await);
    let current = entry(&server, first.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    let logical_id = first.entry.entry_uuid;
    assert_eq!(statuses(&server, logical_id).await, ["Deprecated", "Deprecated"]);
    // The replacement replaces the new version too.
    let second = newest(&server, logical_id).await;
    assert_eq!(links(&server, AssociationType::Rplc, replacement.entry.entry_uuid, second).await, 1);
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"version 1");
    server.stop().await;
}

#[actix_web::test]
async fn what_a_new_version_must_not_change_is_refused() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let of =
        |previous: &str, change: fn(&mut Common)| Update::of(&patient).document(&current, previous, change);

    let version = pairs(&[("XDSMetadataVersionError", "Document01")]);
    assert_eq!(of("2", |_| {}).refused(&server).await, version);
    let unknown = of("1", |c| c.lid = Some(uuid_urn(Uuid::new_v4())));
    assert_eq!(
        unknown.refused(&server).await,
        pairs(&[("UnresolvedReferenceException", "Document01"), ("XDSMetadataVersionError", "Document01")])
    );
    let other = of("1", |c| identify(c, DOCUMENT_ENTRY_UNIQUE_ID, "1.2.3.4"));
    assert_eq!(other.refused(&server).await, pairs(&[("XDSMetadataIdentifierError", "Document01")]));
    let both = of("7", |c| identify(c, DOCUMENT_ENTRY_UNIQUE_ID, "1.2.3.4"));
    assert_eq!(
        both.refused(&server).await,
        pairs(&[("XDSMetadataIdentifierError", "Document01"), ("XDSMetadataVersionError", "Document01")])
    );
    let other = of("1", |c| {
        c.object_type = Some(DOCUMENT_ENTRY_ON_DEMAND.to_owned());
        c.slots.retain(|slot| !["creationTime", "hash", "size"].contains(&slot.name.as_str()));
    });
    assert!(
        other.refused(&server).await.contains(&pairs(&[("XDSMetadataIdentifierError", "Document01")])[0])
    );
    let other = of("1", |c| c.set_slot("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709"));
    assert_eq!(other.refused(&server).await, pairs(&[("XDSNonIdenticalHash", "Document01")]));
    let incomplete = of("1", |c| c.slots.retain(|slot| slot.name != "languageCode"));
    assert_eq!(incomplete.refused(&server).await, pairs(&[("XDSRegistryMetadataError", "Document01")]));
    let initial = of("1", |c| c.lid = None);
    assert_eq!(initial.refused(&server).await, pairs(&[("XDSInvalidRequestException", "Document01")]));
    server.stop().await;
}

#[actix_web::test]
async fn ids_and_the_unique_id_of_the_submission_set_are_new() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let mut again = Update::of(&patient).document(&current, "1", |_| {});
    again.set.unique_id = first.set.unique_id.clone();
    let set = uuid_urn(again.set.entry_uuid);
    assert_eq!(again.refused(&server).await, pairs(&[("XDSDuplicateUniqueIdInRegistry", &set)]));
    let mut again = Update::of(&patient).document(&current, "1", |_| {});
    again.set.entry_uuid = first.set.entry_uuid;
    again.associations[0].source_object = uuid_urn(first.set.entry_uuid);
    let set = uuid_urn(first.set.entry_uuid);
    assert_eq!(again.refused(&server).await, pairs(&[("XDSRegistryMetadataError", &set)]));
    server.stop().await;
}

#[actix_web::test]
async fn a_submission_goes_on_from_the_newest_version() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    let second = newest(&server, first.entry.entry_uuid).await;

    let of_old = Submission::new(&patient, "autre").replacing(first.entry.entry_uuid);
    assert_eq!(codes(&server.file(&of_old).await), ["XDSRegistryDeprecatedDocumentError"]);
    let mut same = Submission::new(&patient, "lettre");
    same.entry.unique_id = first.entry.unique_id.clone();
    assert_filed(&server.file(&same).await);
    let mut other = Submission::new(&patient, "octets");
    other.entry.unique_id = first.entry.unique_id.clone();
    assert_eq!(codes(&server.file(&other).await), ["XDSNonIdenticalHash"]);
    assert_filed(&server.file(&Submission::new(&patient, "autre").replacing(second)).await);
    assert_eq!(statuses(&server, first.entry.entry_uuid).await, ["Deprecated", "Deprecated"]);
    server.stop().await;
}

#[actix_web::test]
async fn a_document_that_is_offline_cannot_be_read_until_it_is_online_again() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    assert_eq!(current.common.slot_value("documentAvailability"), None);
    let offline = |c: &mut Common| c.set_slot("documentAvailability", AVAILABILITY_OFFLINE);
    Update::of(&patient).document(&current, "1", offline).accepted(&server).await;
    let second = entry(&server, newest(&server, first.entry.entry_uuid).await).await;
    assert_eq!(second.common.slot_value("documentAvailability"), Some(AVAILABILITY_OFFLINE));
    assert_eq!(server.read(&first.entry.unique_id).await, None);

    let online = |c: &mut Common| c.set_slot("documentAvailability", AVAILABILITY_ONLINE);
    Update::of(&patient).document(&second, "2", online).accepted(&server).await;
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

#[actix_web::test]
async fn what_the_header_of_a_document_tells_goes_with_its_versions() {
    let server = Server::start().await;
    let patient = patient();
    let cda = std::fs::read("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap();
    let mut submission = Submission::new(&patient, cda);
    submission.entry.mime_type = "text/xml".to_owned();
    assert_filed(&server.file(&submission).await);
    let current = entry(&server, submission.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    assert_eq!(server.count("select count(*) from header_fact where ins = '257041995001259'").await, 2);
    server.stop().await;
}

#[actix_web::test]
async fn every_update_and_every_refusal_leaves_its_trace() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé"));
    update.accepted(&server).await;
    update.refused(&server).await;
    for outcome in ["0", "4"] {
        let outcome = format!("EventOutcomeIndicator=\"{outcome}\"");
        let with = ["ITI-57", "EventActionCode=\"U\"", &patient.id, &update.set.unique_id, &outcome];
        assert_eq!(server.messages(&with).await, 1, "{outcome}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn an_update_sent_as_a_submission_is_refused() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé"));
    let before = dump(&server).await;
    let answer = server.client.register(&update.objects()).await.unwrap();
    assert_eq!(codes(&answer), ["XDSRegistryMetadataError"; 2]);
    assert_eq!(dump(&server).await, before);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    assert_eq!(server.client.query(&request).await.unwrap().documents.len(), 1);
    server.stop().await;
}

#[actix_web::test]
async fn v25_a_later_version_of_an_on_demand_document_has_no_creation_time_hash_or_size_either() {
    let server = Server::start().await;
    let patient = patient();
    let first = crate::on_demand::on_demand(&patient);
    assert_filed(&server.client.register_on_demand(&first.objects()).await.unwrap());
    let current = entry(&server, first.entry.entry_uuid).await;
    for (name, value) in
        [("creationTime", "2024"), ("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("size", "0")]
    {
        let update = Update::of(&patient).document(&current, "1", |c| c.set_slot(name, value));
        let expected = pairs(&[("XDSRegistryMetadataError", "Document01")]);
        assert_eq!(update.refused(&server).await, expected, "{name}");
    }
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    server.stop().await;
}
