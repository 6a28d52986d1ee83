//! Documents that change their patient.

use xds::constants::{DOCUMENT_ENTRY_PATIENT_ID, FOLDER_PATIENT_ID, STATUS_APPROVED, STATUS_DEPRECATED};

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
async fn an_update_of_more_patients_than_the_limit_is_refused_and_has_one_trace() {
    let server =
        Server::with(&[("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_LIMITS__PATIENTS", "2")]).await;
    let (a, b, c) = (patient(), patient(), patient());
    let mut entries = Vec::new();
    for patient in [&a, &b, &c] {
        let submission = filed(&server, patient, "lettre").await;
        entries.push(entry(&server, submission.entry.entry_uuid).await);
    }
    let keep = |_: &mut Common| {};
    let three = Update::of(&a).document(&entries[0], "1", keep).document(&entries[1], "1", keep).document(
        &entries[2],
        "1",
        keep,
    );
    assert_eq!(three.refused(&server).await, pairs(&[("XDSRegistryOutOfResources", "")]));
    let events = async |condition: &str| {
        let sql = format!("select count(*) from audit_trail where act = 'iti57-registry' and {condition}");
        server.count(&sql).await
    };
    assert_eq!((events("true").await, events("patient_id is null").await), (1, 1));
    // Those who are not named count as well, and nothing is said of them.
    let [of_b, of_c] = [&entries[1], &entries[2]].map(|entry| entry.common.id.as_str());
    let named = Update::of(&a).status(of_b, STATUS_APPROVED, STATUS_DEPRECATED).status(
        of_c,
        STATUS_DEPRECATED,
        STATUS_APPROVED,
    );
    assert_eq!(named.refused(&server).await, pairs(&[("XDSRegistryOutOfResources", "")]));
    let of_a = format!("patient_id = '{}'", a.id);
    assert_eq!((events("true").await, events(&of_a).await), (2, 1));

    let moved = |c: &mut Common| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &b.text);
    Update::of(&b).document(&entries[0], "1", moved).accepted(&server).await;
    assert_eq!(events("outcome = 'success'").await, 2);
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
