//! `$MetadataLevel`: what is shown of versions, and of what is Deprecated.

use uuid::Uuid;
use xds::constants::*;
use xds::query::*;
use xds::value::Cx;

use super::world::{BOTH, Batch, ask, document, folder, found, set, urn};
use crate::harness::{Server, patient};
use crate::update::Update;

/// A document in a folder, of which the document has two versions.
struct Versions {
    patient: Cx,
    batch: Batch,
    old: Uuid,
    new: Uuid,
    folder: Uuid,
}

async fn versions(server: &Server) -> Versions {
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let old = batch.document(document(&patient));
    let folder = batch.folder(folder(&patient));
    batch.put(folder, old);
    batch.register(server).await;
    let request = Request::get_documents_by_entry_uuid([old], ReturnType::LeafClass);
    let current = server.client.query(&request).await.unwrap().documents.remove(0);
    let change = Update::of(&patient).document(&current, "1", |common| common.name[0].value = "2".to_owned());
    change.accepted(server).await;
    let by_logical = ask(QUERY_GET_DOCUMENTS).with_uuids(get_documents::LOGICAL_ID, [old]);
    let newest: Vec<Uuid> = found(server, &by_logical).await.into_iter().collect();
    let [new] = newest[..] else { panic!("{newest:?}") };
    assert_ne!(new, old);
    Versions { patient, batch, old, new, folder }
}

fn complete(request: &Request) -> Request {
    request.clone().with_level(Level::Complete)
}

#[actix_web::test]
async fn old_versions_are_seen_at_level_2_only() {
    let server = Server::start().await;
    let Versions { patient, batch, old, new, .. } = versions(&server).await;
    let both_states = [Status::Approved, Status::Deprecated];
    for request in [
        Request::find_documents(&patient, &both_states, ReturnType::LeafClass),
        Request::get_documents_by_unique_id([&batch.documents[0].unique_id], ReturnType::LeafClass),
        ask(QUERY_GET_DOCUMENTS).with_uuids(get_documents::LOGICAL_ID, [old]),
        Request::get_documents_by_entry_uuid([old, new], ReturnType::LeafClass),
    ] {
        assert_eq!(found(&server, &request).await, set([new]), "{request:?}");
        let one = Request {
            parameters: [request.parameters.clone(), vec![("$MetadataLevel".into(), vec!["1".into()])]]
                .concat(),
            ..request.clone()
        };
        assert_eq!(found(&server, &one).await, set([new]), "{one:?}");
        assert_eq!(found(&server, &complete(&request)).await, set([old, new]), "{request:?}");
    }
    let all = ask(QUERY_GET_ALL)
        .with_string(get_all::PATIENT_ID, &patient.text)
        .with_list(find_documents::STATUS, BOTH)
        .with_list(find_submission_sets::STATUS, BOTH)
        .with_list(find_folders::STATUS, BOTH);
    assert!(!found(&server, &all).await.contains(&old));
    assert!(found(&server, &complete(&all)).await.contains(&old));
    server.stop().await;
}

#[actix_web::test]
async fn contents_show_the_version_that_is_current() {
    let server = Server::start().await;
    let Versions { batch, old, new, folder, .. } = versions(&server).await;
    let folder_unique = &batch.folders[0].unique_id;
    let contents = ask(QUERY_GET_FOLDER_AND_CONTENTS).with_string(get_folders::UNIQUE_ID, folder_unique);
    let current = found(&server, &contents).await;
    assert!(current.is_superset(&set([folder, new])) && !current.contains(&old));
    assert_eq!(current.len(), 3, "the folder, the document, one membership");
    let past = found(&server, &complete(&contents)).await;
    assert!(past.is_superset(&set([folder, old, new])));

    let of_set = ask(QUERY_GET_SUBMISSION_SET_AND_CONTENTS)
        .with_string(get_submission_set_and_contents::ENTRY_UUID, &urn(batch.set.entry_uuid));
    let expected = set([batch.set.entry_uuid, folder, batch.membership(folder)]);
    assert_eq!(found(&server, &of_set).await, expected);
    assert!(found(&server, &complete(&of_set)).await.contains(&old));

    let folders =
        |id: Uuid| ask(QUERY_GET_FOLDERS_FOR_DOCUMENT).with_string(get_documents::ENTRY_UUID, &urn(id));
    assert_eq!(found(&server, &folders(new)).await, set([folder]));
    assert!(found(&server, &folders(old)).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn a_deprecated_folder_is_found_by_its_status_and_by_id_at_level_2() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let entry = batch.document(document(&patient));
    let folder = batch.folder(folder(&patient));
    let [member, _] = batch.put(folder, entry);
    batch.register(&server).await;
    Update::of(&patient).status(&urn(folder), STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;

    let find = ask(QUERY_FIND_FOLDERS)
        .with_string(find_folders::PATIENT_ID, &patient.text)
        .with_list(find_folders::STATUS, [STATUS_DEPRECATED]);
    assert_eq!(found(&server, &find).await, set([folder]));
    for by_id in [
        ask(QUERY_GET_FOLDERS).with_uuids(get_folders::ENTRY_UUID, [folder]),
        ask(QUERY_GET_FOLDERS_FOR_DOCUMENT).with_string(get_documents::ENTRY_UUID, &urn(entry)),
    ] {
        assert!(found(&server, &by_id).await.is_empty(), "{by_id:?}");
        assert_eq!(found(&server, &complete(&by_id)).await, set([folder]), "{by_id:?}");
    }
    let contents = ask(QUERY_GET_FOLDER_AND_CONTENTS).with_string(get_folders::ENTRY_UUID, &urn(folder));
    assert!(found(&server, &contents).await.is_empty());
    assert_eq!(found(&server, &complete(&contents)).await, set([folder, entry, member]));
    server.stop().await;
}

#[actix_web::test]
async fn a_deprecated_association_is_seen_at_level_2_and_by_its_status() {
    let server = Server::start().await;
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let entry = batch.document(document(&patient));
    let folder = batch.folder(folder(&patient));
    let [member, of_member] = batch.put(folder, entry);
    batch.register(&server).await;
    Update::of(&patient).status(&urn(member), STATUS_APPROVED, STATUS_DEPRECATED).accepted(&server).await;

    let get = ask(QUERY_GET_ASSOCIATIONS).with_uuids(get_associations::UUID, [entry]);
    let of_set = batch.membership(entry);
    assert_eq!(found(&server, &get).await, set([of_set]));
    assert_eq!(found(&server, &complete(&get)).await, set([of_set, member]));
    let only = |status: &str| complete(&get).with_list("$XDSAssociationStatus", [status]);
    assert_eq!(found(&server, &only(STATUS_DEPRECATED)).await, set([member]));
    assert_eq!(found(&server, &only(STATUS_APPROVED)).await, set([of_set]));
    let folders = ask(QUERY_GET_FOLDERS_FOR_DOCUMENT).with_string(get_documents::ENTRY_UUID, &urn(entry));
    assert!(found(&server, &folders).await.is_empty());
    assert_eq!(found(&server, &complete(&folders)).await, set([folder]));
    let contents = ask(QUERY_GET_SUBMISSION_SET_AND_CONTENTS)
        .with_string(get_submission_set_and_contents::ENTRY_UUID, &urn(batch.set.entry_uuid));
    let shown = found(&server, &contents).await;
    assert!(!shown.contains(&member) && !shown.contains(&of_member));
    let shown = found(&server, &complete(&contents)).await;
    assert!(shown.contains(&member) && shown.contains(&of_member));
    server.stop().await;
}
