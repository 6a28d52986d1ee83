//! Folders and what is in them.

use xds::constants::{FOLDER_UNIQUE_ID, STATUS_APPROVED, STATUS_DEPRECATED};

use super::*;
use crate::harness::patient;

const MEMBER: AssociationType = AssociationType::HasMember;

#[actix_web::test]
async fn a_new_version_of_a_document_stays_in_its_folders() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let before = server.database.get().await.unwrap();
    before.execute("update folder set last_update_time = '20000101000000'", &[]).await.unwrap();
    drop(before);
    let current = entry(&server, document.entry.entry_uuid).await;
    let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé"));
    update.accepted(&server).await;
    let second = newest(&server, document.entry.entry_uuid).await;
    assert_eq!(links(&server, MEMBER, id(&folder.common), second).await, 1);
    let held = "
        select count(*) from association as held join association as member on member.entry_uuid = held.target
        where held.source = $1 and member.source = $2 and member.target = $3";
    let client = server.database.get().await.unwrap();
    let ids = [update.set.entry_uuid, id(&folder.common), second];
    let held: i64 = client.query_one(held, &[&ids[0], &ids[1], &ids[2]]).await.unwrap().get(0);
    assert_eq!(held, 1, "the SubmissionSet holds the new membership");
    drop(client);
    assert_eq!(server.count("select count(*) from folder where last_update_time > '2001'").await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn memberships_are_left_behind_when_the_sender_says_so() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let current = entry(&server, document.entry.entry_uuid).await;
    let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé"));
    update.without_propagation("SetHasDocument01").accepted(&server).await;
    let second = newest(&server, document.entry.entry_uuid).await;
    assert_eq!(links(&server, MEMBER, id(&folder.common), second).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_new_version_of_a_folder_keeps_its_documents() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let logical_id = id(&folder.common);
    Update::of(&patient).folder(&folder, "1", |c| title(c, "Autre séjour")).accepted(&server).await;
    assert_eq!(statuses(&server, logical_id).await, ["Deprecated", "Approved"]);
    let second = newest(&server, logical_id).await;
    assert_eq!(links(&server, MEMBER, second, document.entry.entry_uuid).await, 1);

    let wrong = Update::of(&patient).folder(&folder, "1", |_| {});
    assert_eq!(wrong.refused(&server).await, pairs(&[("XDSMetadataVersionError", "Folder01")]));
    let wrong = Update::of(&patient).folder(&folder, "2", |c| identify(c, FOLDER_UNIQUE_ID, "1.2.3.4"));
    assert_eq!(wrong.refused(&server).await, pairs(&[("XDSMetadataIdentifierError", "Folder01")]));

    // A document added now goes to the new version; the next version of the document is in that one only.
    let current = entry(&server, document.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    let renewed = newest(&server, document.entry.entry_uuid).await;
    assert_eq!(links(&server, MEMBER, second, renewed).await, 1);
    assert_eq!(links(&server, MEMBER, logical_id, renewed).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_folder_and_its_document_renewed_together_are_joined_once() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let current = entry(&server, document.entry.entry_uuid).await;
    let update =
        Update::of(&patient)
            .document(&current, "1", |c| title(c, "Corrigé"))
            .folder(&folder, "1", |c| title(c, "Autre séjour"));
    let disagreeing = Update {
        set: update.set.clone(),
        documents: update.documents.clone(),
        folders: update.folders.clone(),
        associations: update.associations.clone(),
    }
    .without_propagation("SetHasFolder01");
    assert_eq!(disagreeing.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Folder01")]));
    update.accepted(&server).await;
    let (old, new) = (document.entry.entry_uuid, newest(&server, document.entry.entry_uuid).await);
    let (old_folder, new_folder) = (id(&folder.common), newest(&server, id(&folder.common)).await);
    assert_eq!(links(&server, MEMBER, new_folder, new).await, 1);
    assert_eq!(links(&server, MEMBER, new_folder, old).await, 0);
    assert_eq!(links(&server, MEMBER, old_folder, new).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_deprecated_folder_gets_no_new_version() {
    let server = Server::start().await;
    let patient = patient();
    let (_, folder) = filed_in_folder(&server, &patient).await;
    let urn = folder.common.id.clone();
    Update::of(&patient).status(&urn, STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;
    assert_eq!(statuses(&server, id(&folder.common)).await, ["Deprecated"]);
    let update = Update::of(&patient).folder(&folder, "1", |c| title(c, "Autre séjour"));
    assert_eq!(update.refused(&server).await, pairs(&[("XDSMetadataUpdateError", "Folder01")]));
    server.stop().await;
}
