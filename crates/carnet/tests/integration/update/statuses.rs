//! Statuses of documents, folders and associations.

use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::value::uuid_urn;

use super::*;
use crate::harness::patient;

#[actix_web::test]
async fn a_document_is_deprecated_and_approved_again() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let id = first.entry.entry_uuid;
    let urn = uuid_urn(id);
    Update::of(&patient).status(&urn, STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;
    assert_eq!(statuses(&server, id).await, ["Deprecated"]);
    assert_eq!(server.read(&first.entry.unique_id).await.unwrap(), b"lettre");
    Update::of(&patient).status(&urn, STATUS_DEPRECATED, STATUS_APPROVED).accepted(&server).await;
    assert_eq!(statuses(&server, id).await, ["Approved"]);
    assert_eq!(entry(&server, id).await.common.version_name.as_deref(), Some("1"));
    server.stop().await;
}

#[actix_web::test]
async fn a_change_of_status_that_does_not_fit_is_refused() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let urn = uuid_urn(first.entry.entry_uuid);
    let change = |target: &str| Update::of(&patient).status(target, STATUS_APPROVED, STATUS_DEPRECATED);

    let other = Update::of(&patient).status(&urn, STATUS_DEPRECATED, STATUS_APPROVED);
    assert_eq!(
        other.refused(&server).await,
        pairs(&[("XDSMetadataUpdateOperationError", "Status01"), ("XDSMetadataUpdateError", "Status01")])
    );
    let unknown = change(&uuid_urn(Uuid::new_v4()));
    assert_eq!(unknown.refused(&server).await, pairs(&[("UnresolvedReferenceException", "Status01")]));
    let of_set = change(&uuid_urn(first.set.entry_uuid));
    assert_eq!(of_set.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Status01")]));
    let of_member = change(&uuid_urn(first.associations[0].entry_uuid));
    assert_eq!(of_member.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Status01")]));

    let current = entry(&server, first.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    let of_old = Update::of(&patient).status(&urn, STATUS_DEPRECATED, STATUS_APPROVED);
    assert_eq!(of_old.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Status01")]));
    server.stop().await;
}

#[actix_web::test]
async fn a_new_version_and_its_status_come_in_one_update() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let id = first.entry.entry_uuid;
    let current = entry(&server, id).await;
    // By the id of the version that is there.
    let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).status(
        &uuid_urn(id),
        STATUS_APPROVED,
        STATUS_DEPRECATED,
    );
    update.accepted(&server).await;
    assert_eq!(statuses(&server, id).await, ["Deprecated", "Deprecated"]);
    // By the id of the new version.
    let current = entry(&server, newest(&server, id).await).await;
    let update = Update::of(&patient).document(&current, "2", |c| title(c, "Encore")).status(
        "Document01",
        STATUS_DEPRECATED,
        STATUS_APPROVED,
    );
    update.accepted(&server).await;
    assert_eq!(statuses(&server, id).await, ["Deprecated", "Deprecated", "Approved"]);
    // One change of status for each logical object.
    let current = entry(&server, newest(&server, id).await).await;
    let update = Update::of(&patient)
        .document(&current, "3", |c| title(c, "Trop"))
        .status("Document01", STATUS_APPROVED, STATUS_DEPRECATED)
        .status(&current.common.id, STATUS_APPROVED, STATUS_DEPRECATED);
    assert_eq!(update.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Status03")]));
    server.stop().await;
}

#[actix_web::test]
async fn a_membership_is_deprecated_and_approved_again() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let sql = "select entry_uuid from association where source = $1";
    let client = server.database.get().await.unwrap();
    let member: Uuid = client.query_one(sql, &[&id(&folder.common)]).await.unwrap().get(0);
    let member = uuid_urn(member);
    let count = async || {
        let target = document.entry.entry_uuid;
        links(&server, AssociationType::HasMember, id(&folder.common), target).await
    };
    Update::of(&patient).status(&member, STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;
    assert_eq!(count().await, 0);
    Update::of(&patient).status(&member, STATUS_DEPRECATED, STATUS_APPROVED).accepted(&server).await;
    assert_eq!(count().await, 1);
    drop(client);
    server.stop().await;
}
