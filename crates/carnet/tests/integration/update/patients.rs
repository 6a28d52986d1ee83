//! Documents that change their patient.

use xds::constants::{DOCUMENT_ENTRY_PATIENT_ID, FOLDER_PATIENT_ID};

use super::*;
use crate::harness::patient;

#[actix_web::test]
async fn a_document_moves_to_the_record_of_another_patient() {
    let server = Server::start().await;
    let (wrong, right) = (patient(), patient());
    let first = filed(&server, &wrong, "lettre").await;
    filed(&server, &right, "autre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let update =
        Update::of(&right).document(&current, "1", |c| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &right.text));
    update.accepted(&server).await;
    assert_eq!(approved(&server, &wrong).await, Vec::<String>::new());
    assert_eq!(approved(&server, &right).await.len(), 2);
    for patient in [&wrong, &right] {
        let sql = format!(
            "select count(*) from audit_trail where act = 'iti57-registry' and patient_id = '{}'",
            patient.id
        );
        assert_eq!(server.count(&sql).await, 1);
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_is_linked_moves_together_or_not_at_all() {
    let server = Server::start().await;
    let (wrong, right) = (patient(), patient());
    let (document, folder) = filed_in_folder(&server, &wrong).await;
    filed(&server, &right, "autre").await;
    let current = entry(&server, document.entry.entry_uuid).await;
    let moved = |c: &mut Common| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &right.text);
    let alone = Update::of(&right).document(&current, "1", moved);
    assert_eq!(alone.refused(&server).await, pairs(&[("XDSPatientIDReconciliationError", "Document01")]));
    let not_of_the_set =
        Update::of(&wrong).document(&current, "1", moved).without_propagation("SetHasDocument01");
    assert_eq!(
        not_of_the_set.refused(&server).await,
        pairs(&[("XDSPatientIDReconciliationError", "Document01")])
    );
    let together = Update::of(&right)
        .document(&current, "1", moved)
        .folder(&folder, "1", |c| identify(c, FOLDER_PATIENT_ID, &right.text));
    together.accepted(&server).await;
    let (new, new_folder) =
        (newest(&server, document.entry.entry_uuid).await, newest(&server, id(&folder.common)).await);
    assert_eq!(links(&server, AssociationType::HasMember, new_folder, new).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_document_moves_alone_when_its_folder_is_left_behind() {
    let server = Server::start().await;
    let (wrong, right) = (patient(), patient());
    let (document, _) = filed_in_folder(&server, &wrong).await;
    filed(&server, &right, "autre").await;
    let current = entry(&server, document.entry.entry_uuid).await;
    let moved = |c: &mut Common| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &right.text);
    let update = Update::of(&right).document(&current, "1", moved).without_propagation("SetHasDocument01");
    update.accepted(&server).await;
    assert_eq!(approved(&server, &right).await.len(), 2);
    server.stop().await;
}

#[actix_web::test]
async fn a_document_does_not_move_to_a_patient_without_a_record() {
    let server = Server::start().await;
    let known = patient();
    let first = filed(&server, &known, "lettre").await;
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "refuse")]).await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let unknown = patient();
    let update = Update::of(&unknown)
        .document(&current, "1", |c| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &unknown.text));
    assert_eq!(update.refused(&server).await, pairs(&[("XDSUnknownPatientId", "")]));
    server.stop().await;
}

#[actix_web::test]
async fn records_that_were_merged_are_one_patient_s() {
    let server = Server::start().await;
    let (subsumed, surviving) = (patient(), patient());
    let (document, folder) = filed_in_folder(&server, &subsumed).await;
    filed(&server, &surviving, "autre").await;
    let merge = "update record set survivor = (select max(record) from record)
        where record = (select min(record) from record)";
    server.database.get().await.unwrap().execute(merge, &[]).await.unwrap();
    let current = entry(&server, document.entry.entry_uuid).await;
    let of_survivor = |c: &mut Common| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &surviving.text);
    let of_subsumed = |c: &mut Common| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &subsumed.text);
    let dead = Update::of(&subsumed).document(&current, "1", of_subsumed);
    assert_eq!(dead.refused(&server).await, pairs(&[("XDSUnknownPatientId", "")]));

    let update = Update::of(&surviving).document(&current, "1", of_survivor);
    assert_filed(&server.client.restricted_update(&update.objects()).await.unwrap());
    let second = newest(&server, document.entry.entry_uuid).await;
    assert_eq!(links(&server, AssociationType::HasMember, id(&folder.common), second).await, 1);
    let current = entry(&server, second).await;
    Update::of(&surviving).document(&current, "2", of_survivor).accepted(&server).await;
    server.stop().await;
}
