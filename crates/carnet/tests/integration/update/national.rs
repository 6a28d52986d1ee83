//! Statuses of the French shared record.

use xds::constants::{STATUS_APPROVED, STATUS_ARCHIVED, STATUS_DELETED};

use super::*;

/// The documents that a query for this status finds, and the status that it gives.
async fn found(server: &Server, patient: &Cx, status: Status) -> Vec<Option<String>> {
    let request = Request::find_documents(patient, &[status], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    answer.documents.into_iter().map(|document| document.common.status).collect()
}

#[actix_web::test]
async fn documents_are_archived_brought_back_and_deleted_in_the_shared_record_only() {
    let server = Server::start().await;
    let patient = Cx::parse("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH").unwrap();
    let filed = filed(&server, &patient, "a document").await;
    let target = uuid_urn(filed.entry.entry_uuid);
    let update = || {
        let mut update = Update::of(&patient);
        update.set.authors[0].person =
            Some("801234567897^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS".to_owned());
        update
    };
    let archive = update().status(&target, STATUS_APPROVED, STATUS_ARCHIVED);
    assert!(!archive.refused(&server).await.is_empty());
    let server = server.restart(&[("CARNET_AFFINITY_DOMAIN__PROFILE", "ci-sis")]).await;
    archive.accepted(&server).await;
    assert_eq!(found(&server, &patient, Status::Approved).await, []);
    assert_eq!(found(&server, &patient, Status::Archived).await, [Some(STATUS_ARCHIVED.to_owned())]);
    update().status(&target, STATUS_ARCHIVED, STATUS_APPROVED).accepted(&server).await;
    assert_eq!(found(&server, &patient, Status::Approved).await, [Some(STATUS_APPROVED.to_owned())]);
    update().status(&target, STATUS_APPROVED, STATUS_DELETED).accepted(&server).await;
    assert_eq!(found(&server, &patient, Status::Deleted).await, [Some(STATUS_DELETED.to_owned())]);
    assert_eq!(server.count("select count(*) from document").await, 1, "what is deleted is kept");
    server.stop().await;
}

#[actix_web::test]
async fn a_folder_is_not_archived() {
    let server = Server::start().await;
    let patient = Cx::parse("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH").unwrap();
    let (_, folder) = filed_in_folder(&server, &patient).await;
    let server = server.restart(&[("CARNET_AFFINITY_DOMAIN__PROFILE", "ci-sis")]).await;
    let mut update = Update::of(&patient).status(&folder.common.id, STATUS_APPROVED, STATUS_ARCHIVED);
    update.set.authors[0].person =
        Some("801234567897^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS".to_owned());
    assert_eq!(update.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Status01")]));
    server.stop().await;
}
