//! On-Demand documents: registered without octets, made when somebody retrieves them.

use client::{Encoding, RetrievedDocument};
use futures_util::future::join_all;
use soap::Header;
use xds::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE, action};
use xds::message::{DocumentRequest, ResponseStatus};
use xds::metadata::DocumentType;
use xds::query::{Request, ReturnType, Status, find_documents};
use xds::value::{Cx, uuid_urn};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, codes, oid, patient};

/// An entry for a summary of the patient's record.
pub fn on_demand(patient: &Cx) -> Submission {
    let mut submission = Submission::new(patient, "");
    let entry = &mut submission.entry;
    entry.document_type = DocumentType::OnDemand;
    entry.creation_time = None;
    entry.mime_type = "text/xml".to_owned();
    entry.repository_unique_id = Some(REPOSITORY.to_owned());
    entry.title = Some("Synthèse".to_owned());
    submission
}

async fn registered(server: &Server, submission: &Submission) {
    assert_filed(&server.client.register_on_demand(&submission.objects()).await.unwrap());
}

fn titled(patient: &Cx, title: &str) -> Submission {
    let mut submission = Submission::new(patient, title);
    submission.entry.title = Some(title.to_owned());
    submission
}

/// A document with its octets, or the codes of the refusal.
async fn retrieve(server: &Server, unique_id: &str) -> Result<(RetrievedDocument, String), Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let request = DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: unique_id.to_owned(),
    };
    let answer = server.client.retrieve(&[request], Encoding::Mtom, folder.path()).await.unwrap();
    match answer.documents.as_slice() {
        [document] => {
            assert_eq!(answer.response.status, ResponseStatus::Success);
            let octets = std::fs::read(&document.path).unwrap();
            assert_eq!(octets.len() as u64, document.size);
            Ok((document.clone(), String::from_utf8(octets).unwrap()))
        }
        _ => Err(codes(&answer.response).into_iter().map(str::to_owned).collect()),
    }
}

#[actix_web::test]
async fn an_on_demand_entry_is_found_when_its_type_is_asked_for() {
    let server = Server::start().await;
    let patient = patient();
    let submission = on_demand(&patient);
    registered(&server, &submission).await;
    let find = || Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    assert!(server.client.query(&find()).await.unwrap().documents.is_empty());
    for types in [vec![DOCUMENT_ENTRY_ON_DEMAND], vec![DOCUMENT_ENTRY_STABLE, DOCUMENT_ENTRY_ON_DEMAND]] {
        let answer = server.client.query(&find().with_list(find_documents::TYPE, types)).await.unwrap();
        let [entry] = answer.documents.as_slice() else { panic!("{answer:?}") };
        assert_eq!(entry.common.object_type.as_deref(), Some(DOCUMENT_ENTRY_ON_DEMAND));
        assert_eq!(entry.common.slot_value("hash"), None);
    }
    let traced = format!(
        "select count(*) from audit_trail where act = 'iti61-registry' and outcome = 'success' and patient_id = '{}'",
        patient.id
    );
    assert_eq!(server.count(&traced).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn the_answer_to_a_registration_has_the_action_of_the_standards_text() {
    let server = Server::start().await;
    let objects = on_demand(&patient()).objects();
    let url = format!("{}/services/registry", server.url);
    let header = Header::request(action::ITI_61, "urn:uuid:1", &url);
    let envelope = soap::write(&header, |w| objects.write(w));
    let content_type = soap::simple_content_type(action::ITI_61);
    let answer = server.client.post(&url, &[("Content-Type", &content_type)], envelope).await.unwrap();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains(">urn:ihe:iti:2010:RegisterOnDemandDocumentResponse<"), "{text}");
    assert!(text.contains("ResponseStatusType:Success"), "{text}");
    server.stop().await;
}

#[actix_web::test]
async fn a_summary_is_made_of_what_the_record_holds_now() {
    let server = Server::start().await;
    let (patient, stranger) = (patient(), patient());
    assert_filed(&server.file(&titled(&patient, "Lettre de sortie")).await);
    assert_filed(&server.file(&titled(&stranger, "Secret")).await);
    let submission = on_demand(&patient);
    registered(&server, &submission).await;
    let id = &submission.entry.unique_id;
    let (first, text) = retrieve(&server, id).await.unwrap();
    let made = first.made.clone().unwrap();
    assert_eq!(
        (first.request.document_unique_id.as_str(), first.mime_type.as_str()),
        (id.as_str(), "text/xml")
    );
    assert_ne!(made.unique_id, *id);
    assert_eq!(made.repository_unique_id, None, "it is not kept");
    let header = cda::read(text.as_bytes(), &xml::Limits::default()).unwrap();
    assert_eq!(header.id.root, made.unique_id);
    assert!(text.contains("Lettre de sortie") && !text.contains("Secret"), "{text}");
    assert_eq!(retrieve(&server, &made.unique_id).await.unwrap_err(), ["XDSDocumentUniqueIdError"]);

    // The same content: the same uniqueId and the same octets, after a restart too.
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "open")]).await;
    let (again, same) = retrieve(&server, id).await.unwrap();
    assert_eq!((again.made.unwrap(), same), (made.clone(), text));

    assert_filed(&server.file(&titled(&patient, "Biologie")).await);
    let (later, text) = retrieve(&server, id).await.unwrap();
    assert_ne!(later.made.unwrap(), made);
    assert!(text.contains("Biologie"), "{text}");
    let traced = format!(
        "select count(*) from audit_trail where act = 'iti43-repository' and outcome = 'success' and patient_id = '{}'",
        patient.id
    );
    assert_eq!(server.count(&traced).await, 3);
    server.stop().await;
}

#[actix_web::test]
async fn a_summary_that_is_kept_is_a_snapshot_with_an_entry_of_its_own() {
    let persist = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_ON_DEMAND__PERSIST", "true")];
    let server = Server::with(&persist).await;
    let patient = patient();
    assert_filed(&server.file(&titled(&patient, "Lettre de sortie")).await);
    let submission = on_demand(&patient);
    registered(&server, &submission).await;
    let id = &submission.entry.unique_id;
    let (first, text) = retrieve(&server, id).await.unwrap();
    let made = first.made.unwrap();
    assert_eq!(made.repository_unique_id.as_deref(), Some(REPOSITORY));
    let (stored, same) = retrieve(&server, &made.unique_id).await.unwrap();
    assert_eq!((stored.made, same), (None, text.clone()));
    // Registered as a Stable document that is a snapshot of the entry.
    let request = Request::get_documents_by_unique_id([&made.unique_id], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    let [entry] = answer.documents.as_slice() else { panic!("{answer:?}") };
    assert_eq!(entry.common.object_type.as_deref(), Some(DOCUMENT_ENTRY_STABLE));
    assert_eq!(entry.common.slot_value("size"), Some(text.len().to_string().as_str()));
    let snapshots = format!(
        "select count(*) from association where association_type like '%IsSnapshotOf'
            and 'urn:uuid:' || source = '{}' and 'urn:uuid:' || target = '{}'",
        entry.common.id,
        uuid_urn(submission.entry.entry_uuid)
    );
    assert_eq!(server.count(&snapshots).await, 1);
    // Again: the same one, though the snapshot itself is a document of the record now.
    let (again, same) = retrieve(&server, id).await.unwrap();
    assert_eq!((again.made.unwrap(), same), (made, text));
    assert_eq!(server.count("select count(*) from document_entry").await, 3);
    assert_eq!(server.blobs(), 2);
    server.stop().await;
}

#[actix_web::test]
async fn first_retrievals_at_once_keep_one_snapshot() {
    let persist = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_ON_DEMAND__PERSIST", "true")];
    let server = Server::with(&persist).await;
    let submission = on_demand(&patient());
    registered(&server, &submission).await;
    let id = &submission.entry.unique_id;
    let read = join_all((0..6).map(|_| retrieve(&server, id))).await;
    let made: Vec<_> = read.into_iter().map(|read| read.unwrap().0.made.unwrap()).collect();
    assert!(made.iter().all(|one| *one == made[0]), "{made:?}");
    assert_eq!(server.count("select count(*) from document_entry").await, 2);
    assert_eq!((server.count("select count(*) from document").await, server.blobs()), (1, 1));
    server.stop().await;
}

#[actix_web::test]
async fn a_snapshot_that_the_registry_refuses_is_not_given_out_and_leaves_nothing() {
    let persist = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_ON_DEMAND__PERSIST", "true")];
    let server = Server::with(&persist).await;
    let submission = on_demand(&patient());
    registered(&server, &submission).await;
    let close = "update record set state = 'closed'";
    server.database.get().await.unwrap().batch_execute(close).await.unwrap();
    assert_eq!(retrieve(&server, &submission.entry.unique_id).await.unwrap_err(), ["XDSRepositoryError"]);
    assert_eq!(server.blobs(), 0);
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_replaced_on_demand_entry_makes_no_document() {
    let server = Server::start().await;
    let patient = patient();
    let first = on_demand(&patient);
    registered(&server, &first).await;
    let second = on_demand(&patient).replacing(first.entry.entry_uuid);
    registered(&server, &second).await;
    let refused = retrieve(&server, &first.entry.unique_id).await.unwrap_err();
    assert_eq!(refused, ["XDSDocumentUniqueIdError"]);
    assert!(retrieve(&server, &second.entry.unique_id).await.is_ok());
    // An On-Demand document may replace a Stable one too.
    let stable = titled(&patient, "Ancienne synthèse");
    assert_filed(&server.file(&stable).await);
    registered(&server, &on_demand(&patient).replacing(stable.entry.entry_uuid)).await;
    server.stop().await;
}

#[actix_web::test]
async fn an_entry_of_another_repository_is_not_made_here() {
    let server = Server::start().await;
    let mut submission = on_demand(&patient());
    submission.entry.repository_unique_id = Some(oid());
    registered(&server, &submission).await;
    let refused = retrieve(&server, &submission.entry.unique_id).await.unwrap_err();
    assert_eq!(refused, ["XDSDocumentUniqueIdError"]);
    server.stop().await;
}

#[actix_web::test]
async fn v26_a_stable_and_an_on_demand_document_never_share_a_unique_id() {
    let server = Server::start().await;
    let patient = patient();
    let (stable, made) = (titled(&patient, "Lettre"), on_demand(&patient));
    assert_filed(&server.file(&stable).await);
    registered(&server, &made).await;
    let mut as_stable = on_demand(&patient);
    as_stable.entry.unique_id = stable.entry.unique_id.clone();
    let refused = server.client.register_on_demand(&as_stable.objects()).await.unwrap();
    assert_eq!(codes(&refused), ["XDSRegistryMetadataError"]);
    let mut as_made = titled(&patient, "Autre");
    as_made.entry.unique_id = made.entry.unique_id.clone();
    assert_eq!(codes(&server.file(&as_made).await), ["XDSRegistryMetadataError"]);
    let mut second = on_demand(&patient);
    second.entry.unique_id = made.entry.unique_id.clone();
    registered(&server, &second).await;
    assert_eq!(server.count("select count(*) from document_entry").await, 3);
    assert_eq!(server.blobs(), 1);
    server.stop().await;
}
