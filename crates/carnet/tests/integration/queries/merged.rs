//! Objects of a record that was merged into another.

use xds::constants::*;
use xds::query::*;

use super::world::{APPROVED, Batch, ask, document, folder, found, set, urn};
use crate::harness::{Server, patient};

#[actix_web::test]
async fn every_query_shows_the_surviving_patient() {
    let server = Server::start().await;
    let (a, b) = (patient(), patient());
    let mut of_a = Batch::new(&a);
    let document_a = of_a.document(document(&a));
    let folder_a = of_a.folder(folder(&a));
    of_a.put(folder_a, document_a);
    of_a.register(&server).await;
    let mut of_b = Batch::new(&b);
    let document_b = of_b.document(document(&b));
    of_b.register(&server).await;
    crate::merge::merge(&server.database, &a, &b).await.unwrap();

    let find = |id: &str, patient: &str, status: &str, value: &str| {
        ask(id).with_string(patient, value).with_list(status, APPROVED)
    };
    let sets = |value: &str| {
        find(
            QUERY_FIND_SUBMISSION_SETS,
            find_submission_sets::PATIENT_ID,
            find_submission_sets::STATUS,
            value,
        )
    };
    let folders =
        |value: &str| find(QUERY_FIND_FOLDERS, find_folders::PATIENT_ID, find_folders::STATUS, value);
    assert_eq!(found(&server, &sets(&b.text)).await, set([of_a.set.entry_uuid, of_b.set.entry_uuid]));
    assert_eq!(found(&server, &folders(&b.text)).await, set([folder_a]));
    assert!(found(&server, &sets(&a.text)).await.is_empty());
    assert!(found(&server, &folders(&a.text)).await.is_empty());

    // Both patients are one now, so their objects may come together, all under the surviving patientId.
    let documents = Request::get_documents_by_entry_uuid([document_a, document_b], ReturnType::LeafClass);
    assert_eq!(found(&server, &documents).await, set([document_a, document_b]));
    let contents = ask(QUERY_GET_FOLDER_AND_CONTENTS).with_string(get_folders::ENTRY_UUID, &urn(folder_a));
    let of_set = ask(QUERY_GET_SUBMISSION_SET_AND_CONTENTS)
        .with_string(get_submission_set_and_contents::ENTRY_UUID, &urn(of_a.set.entry_uuid));
    for request in [sets(&b.text), folders(&b.text), documents, contents, of_set] {
        let answer = server.client.query(&request).await.unwrap();
        let documents = answer.documents.iter().map(|object| &object.common);
        let objects: Vec<_> =
            documents.chain(answer.packages.iter().map(|package| &package.common)).collect();
        assert!(!objects.is_empty());
        for common in objects {
            let schemes = [DOCUMENT_ENTRY_PATIENT_ID, SUBMISSION_SET_PATIENT_ID, FOLDER_PATIENT_ID];
            let shown = schemes.iter().find_map(|scheme| common.external_identifier(scheme));
            assert_eq!(shown, Some(b.text.as_str()));
        }
    }
    let traced = |id: &str| {
        format!(
            "select count(*) from audit_trail where act = 'iti18-registry' and outcome = 'success' and patient_id = '{id}'"
        )
    };
    // Only the two questions for it by name.
    assert_eq!(server.count(&traced(&a.id)).await, 4);
    assert!(server.count(&traced(&b.id)).await > 5);
    server.stop().await;
}
