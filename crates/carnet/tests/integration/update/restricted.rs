//! Restricted updates, ITI-92.

use xds::constants::*;
use xds::value::uuid_urn;

use super::*;
use crate::harness::patient;

async fn refused(server: &Server, update: &Update) -> Vec<(String, String)> {
    let before = dump(server).await;
    let errors = errors(server.client.restricted_update(&update.objects()).await.unwrap());
    assert_eq!(dump(server).await, before, "a refused update has left something");
    errors
}

#[actix_web::test]
async fn a_restricted_update_makes_a_new_version() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let id = first.entry.entry_uuid;
    let current = entry(&server, id).await;
    let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé"));
    assert_filed(&server.client.restricted_update(&update.objects()).await.unwrap());
    assert_eq!(statuses(&server, id).await, ["Deprecated", "Approved"]);
    let urn = uuid_urn(newest(&server, id).await);
    Update::of(&patient).status(&urn, STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;

    let current = entry(&server, newest(&server, id).await).await;
    let update = Update::of(&patient).document(&current, "2", |c| title(c, "Encore"));
    assert_filed(&server.client.restricted_update(&update.objects()).await.unwrap());
    assert_eq!(statuses(&server, id).await, ["Deprecated", "Deprecated", "Deprecated"]);
    let traced = "select count(*) from audit_trail where act = 'iti92-registry' and outcome = 'success'";
    assert_eq!(server.count(traced).await, 2);
    server.stop().await;
}

#[actix_web::test]
async fn what_a_restricted_update_must_not_change_is_refused() {
    let server = Server::start().await;
    let (patient, other) = (patient(), patient());
    let first = filed(&server, &patient, "lettre").await;
    filed(&server, &other, "autre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    let of = |change: &dyn Fn(&mut Common)| Update::of(&patient).document(&current, "1", change);
    let unmodifiable = pairs(&[("UnmodifiableMetadataError", "Document01")]);

    let slots = [
        ("documentAvailability", AVAILABILITY_OFFLINE),
        ("repositoryUniqueId", "1.2.3.4"),
        ("sourcePatientId", "1^^^&1.2.3&ISO"),
    ];
    for (name, value) in slots {
        let update = of(&|c| c.set_slot(name, value));
        assert_eq!(refused(&server, &update).await, unmodifiable, "{name}");
    }
    let update = of(&|c| {
        c.object_type = Some(DOCUMENT_ENTRY_ON_DEMAND.to_owned());
    });
    assert_eq!(refused(&server, &update).await, unmodifiable);
    let update = of(&|c| c.status = Some(STATUS_DEPRECATED.to_owned()));
    assert_eq!(refused(&server, &update).await, unmodifiable);
    let update = of(&|c| identify(c, DOCUMENT_ENTRY_PATIENT_ID, &other.text));
    let reconciliation = pairs(&[("XDSPatientIDReconciliationError", "Document01")]);
    assert_eq!(refused(&server, &update).await, reconciliation);
    let update = of(&|c| identify(c, DOCUMENT_ENTRY_UNIQUE_ID, "1.2.3.4"));
    assert_eq!(refused(&server, &update).await, pairs(&[("XDSMetadataIdentifierError", "Document01")]));
    let update = of(&|c| c.slots.retain(|slot| slot.name != "languageCode"));
    assert_eq!(refused(&server, &update).await, pairs(&[("XDSRegistryMetadataError", "Document01")]));
    server.stop().await;
}

#[actix_web::test]
async fn a_restricted_update_does_nothing_but_new_versions_of_documents() {
    let server = Server::start().await;
    let patient = patient();
    let (document, folder) = filed_in_folder(&server, &patient).await;
    let undecodable = "XDSMetadataUpdateOperationError";
    let urn = uuid_urn(document.entry.entry_uuid);
    let status = Update::of(&patient).status(&urn, STATUS_APPROVED, STATUS_DEPRECATED);
    assert_eq!(refused(&server, &status).await, pairs(&[(undecodable, "Status01")]));
    let of_folder = Update::of(&patient).folder(&folder, "1", |c| title(c, "Autre"));
    assert_eq!(refused(&server, &of_folder).await, pairs(&[(undecodable, "Folder01")]));
    server.stop().await;
}

#[actix_web::test]
async fn only_the_newest_version_is_updated() {
    let server = Server::start().await;
    let patient = patient();
    let first = filed(&server, &patient, "lettre").await;
    let current = entry(&server, first.entry.entry_uuid).await;
    Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé")).accepted(&server).await;
    let late = Update::of(&patient).document(&current, "1", |c| title(c, "Trop tard"));
    let errors = refused(&server, &late).await;
    assert_eq!(errors, pairs(&[("XDSMetadataVersionError", "Document01")]));
    server.stop().await;
}
