//! Associations that are added later, and those that new versions take over.

use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::value::uuid_urn;

use super::*;
use crate::harness::patient;

#[actix_web::test]
async fn registered_documents_are_linked_later() {
    let server = Server::start().await;
    let patient = patient();
    let one = filed(&server, &patient, "un").await.entry.entry_uuid;
    let other = filed(&server, &patient, "deux").await.entry.entry_uuid;
    Update::of(&patient).adding(AssociationType::Apnd, one, other).accepted(&server).await;
    assert_eq!(links(&server, AssociationType::Apnd, one, other).await, 1);

    // Both ends get new versions: one link, between the new ones.
    let (first, second) = (entry(&server, one).await, entry(&server, other).await);
    let update = Update::of(&patient)
        .document(&first, "1", |c| title(c, "Un"))
        .document(&second, "1", |c| title(c, "Deux"));
    update.accepted(&server).await;
    let (new_one, new_other) = (newest(&server, one).await, newest(&server, other).await);
    assert_eq!(links(&server, AssociationType::Apnd, new_one, new_other).await, 1);
    assert_eq!(links(&server, AssociationType::Apnd, new_one, other).await, 0);
    assert_eq!(links(&server, AssociationType::Apnd, one, new_other).await, 0);

    // One end gets a third version: the link goes to the newest at the other.
    let first = entry(&server, new_one).await;
    Update::of(&patient).document(&first, "2", |c| title(c, "Encore")).accepted(&server).await;
    assert_eq!(links(&server, AssociationType::Apnd, newest(&server, one).await, new_other).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_document_is_put_into_a_folder_later() {
    let server = Server::start().await;
    let patient = patient();
    let (_, folder) = filed_in_folder(&server, &patient).await;
    let document = filed(&server, &patient, "autre").await.entry.entry_uuid;
    let sql = "update folder set last_update_time = '20000101000000'";
    server.database.get().await.unwrap().execute(sql, &[]).await.unwrap();
    let member = AssociationType::HasMember;
    Update::of(&patient).adding(member, id(&folder.common), document).accepted(&server).await;
    assert_eq!(links(&server, member, id(&folder.common), document).await, 1);
    assert_eq!(server.count("select count(*) from folder where last_update_time > '2001'").await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn an_association_that_does_not_fit_is_refused() {
    let server = Server::start().await;
    let (patient, other_patient) = (patient(), patient());
    let first = filed(&server, &patient, "un").await;
    let one = first.entry.entry_uuid;
    let other = filed(&server, &patient, "deux").await.entry.entry_uuid;
    let of_other = filed(&server, &other_patient, "trois").await.entry.entry_uuid;
    let apnd =
        |source: Uuid, target: Uuid| Update::of(&patient).adding(AssociationType::Apnd, source, target);

    let unknown = apnd(one, Uuid::new_v4()).refused(&server).await;
    assert_eq!(unknown, pairs(&[("UnresolvedReferenceException", "Added01")]));
    let to_set = apnd(one, first.set.entry_uuid).refused(&server).await;
    assert_eq!(to_set, pairs(&[("XDSMetadataUpdateError", "Added01")]));
    let not_a_folder = Update::of(&patient).adding(AssociationType::HasMember, one, other);
    assert_eq!(not_a_folder.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Added01")]));
    let across = apnd(one, of_other).refused(&server).await;
    assert_eq!(across, pairs(&[("XDSPatientIDReconciliationError", "Added01")]));
    // To a version that the same update supersedes.
    let current = entry(&server, other).await;
    let superseded = Update::of(&patient).document(&current, "1", |c| title(c, "Deux")).adding(
        AssociationType::Apnd,
        one,
        other,
    );
    assert_eq!(superseded.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Added02")]));
    Update::of(&patient).status(&uuid_urn(other), STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;
    let deprecated = apnd(one, other).refused(&server).await;
    assert_eq!(deprecated, pairs(&[("XDSMetadataUpdateError", "Added01")]));
    server.stop().await;
}

#[actix_web::test]
async fn a_link_to_another_patient_cannot_be_approved_again() {
    let server = Server::start().await;
    let (wrong, right) = (patient(), patient());
    let one = filed(&server, &wrong, "un").await.entry.entry_uuid;
    let other = filed(&server, &wrong, "deux").await.entry.entry_uuid;
    filed(&server, &right, "autre").await;
    Update::of(&wrong).adding(AssociationType::Apnd, one, other).accepted(&server).await;
    let sql = "select entry_uuid from association where association_type like '%APND'";
    let link: Uuid = server.database.get().await.unwrap().query_one(sql, &[]).await.unwrap().get(0);
    let link = uuid_urn(link);
    Update::of(&wrong).status(&link, STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;
    // The old version of `other` stays with its patient and is deprecated; approving the link changes nothing for it.
    let current = entry(&server, other).await;
    let moved = |c: &mut Common| identify(c, xds::constants::DOCUMENT_ENTRY_PATIENT_ID, &right.text);
    Update::of(&right).document(&current, "1", moved).accepted(&server).await;
    let new_other = newest(&server, other).await;
    assert_eq!(
        links(&server, AssociationType::Apnd, one, new_other).await,
        0,
        "deprecated links stay behind"
    );
    Update::of(&wrong).status(&link, STATUS_DEPRECATED, STATUS_APPROVED).accepted(&server).await;
    let across = Update::of(&wrong).adding(AssociationType::Apnd, one, new_other).refused(&server).await;
    assert_eq!(across, pairs(&[("XDSPatientIDReconciliationError", "Added01")]));
    server.stop().await;
}
