//! Queries that start at ids.

use uuid::Uuid;
use xds::constants::*;
use xds::metadata::AssociationType;
use xds::query::*;

use super::world::{Batch, ask, code, document, folder, found, refused, set};
use crate::harness::{Server, patient};

const HAS_MEMBER: &str = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember";

/// Two documents in a folder, the second an addendum to the first; a third document outside.
struct Shelf {
    batch: Batch,
    first: Uuid,
    second: Uuid,
    outside: Uuid,
    folder: Uuid,
    /// Folder → first, SubmissionSet → that.
    put_first: [Uuid; 2],
    put_second: [Uuid; 2],
    addendum: Uuid,
}

async fn shelf(server: &Server) -> Shelf {
    let patient = patient();
    let mut batch = Batch::new(&patient);
    let first = batch.document(document(&patient));
    let second = batch.document(xds::metadata::DocumentEntry {
        format_code: code("other"),
        confidentiality_codes: vec![code("N"), code("R")],
        ..document(&patient)
    });
    let outside = batch.document(document(&patient));
    let folder = batch.folder(folder(&patient));
    let put_first = batch.put(folder, first);
    let put_second = batch.put(folder, second);
    let addendum = batch.relate(AssociationType::Apnd, second, first);
    batch.register(server).await;
    Shelf { batch, first, second, outside, folder, put_first, put_second, addendum }
}

#[actix_web::test]
async fn documents_and_folders_are_got_by_each_kind_of_id() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let unique = &shelf.batch.documents[0].unique_id;
    let documents = ask(QUERY_GET_DOCUMENTS);
    // A folder's id finds no document.
    let by_uuid =
        documents.clone().with_uuids(get_documents::ENTRY_UUID, [shelf.first, shelf.second, shelf.folder]);
    assert_eq!(found(&server, &by_uuid).await, set([shelf.first, shelf.second]));
    let by_unique = documents.clone().with_list(get_documents::UNIQUE_ID, [unique]);
    assert_eq!(found(&server, &by_unique).await, set([shelf.first]));
    let by_logical = documents.with_uuids(get_documents::LOGICAL_ID, [shelf.first]);
    assert_eq!(found(&server, &by_logical).await, set([shelf.first]));

    let folders = ask(QUERY_GET_FOLDERS);
    let by_uuid = folders.clone().with_uuids(get_folders::ENTRY_UUID, [shelf.folder, shelf.first]);
    assert_eq!(found(&server, &by_uuid).await, set([shelf.folder]));
    let by_unique = folders.clone().with_list(get_folders::UNIQUE_ID, [&shelf.batch.folders[0].unique_id]);
    assert_eq!(found(&server, &by_unique).await, set([shelf.folder]));
    let by_logical = folders.with_uuids(get_folders::LOGICAL_ID, [shelf.folder]);
    assert_eq!(found(&server, &by_logical).await, set([shelf.folder]));
    server.stop().await;
}

#[actix_web::test]
async fn associations_are_got_by_either_end() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let of = |id: Uuid| ask(QUERY_GET_ASSOCIATIONS).with_uuids(get_associations::UUID, [id]);
    let expected = set([shelf.batch.membership(shelf.first), shelf.put_first[0], shelf.addendum]);
    assert_eq!(found(&server, &of(shelf.first)).await, expected);
    let expected = set([shelf.batch.membership(shelf.folder), shelf.put_first[0], shelf.put_second[0]]);
    assert_eq!(found(&server, &of(shelf.folder)).await, expected);
    let deprecated = of(shelf.first).with_list("$XDSAssociationStatus", [STATUS_DEPRECATED]);
    assert!(found(&server, &deprecated).await.is_empty());

    let get = ask(QUERY_GET_DOCUMENTS_AND_ASSOCIATIONS).with_uuids(get_documents::ENTRY_UUID, [shelf.second]);
    let expected =
        set([shelf.second, shelf.batch.membership(shelf.second), shelf.put_second[0], shelf.addendum]);
    assert_eq!(found(&server, &get).await, expected);
    let unique = &shelf.batch.documents[1].unique_id;
    let get = ask(QUERY_GET_DOCUMENTS_AND_ASSOCIATIONS).with_list(get_documents::UNIQUE_ID, [unique]);
    assert_eq!(found(&server, &get).await, expected);
    let deprecated = get.with_list("$XDSAssociationStatus", [STATUS_DEPRECATED]);
    assert_eq!(found(&server, &deprecated).await, set([shelf.second]));
    server.stop().await;
}

#[actix_web::test]
async fn the_submission_sets_of_objects_come_with_their_memberships() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let of = |ids: &[Uuid]| {
        ask(QUERY_GET_SUBMISSION_SETS).with_uuids(get_submission_sets::UUID, ids.iter().copied())
    };
    let submission_set = shelf.batch.set.entry_uuid;
    let expected =
        set([submission_set, shelf.batch.membership(shelf.first), shelf.batch.membership(shelf.folder)]);
    // Not the folder's membership of the first document.
    assert_eq!(found(&server, &of(&[shelf.first, shelf.folder])).await, expected);
    assert!(found(&server, &of(&[Uuid::new_v4()])).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn a_submission_set_comes_with_what_it_holds_as_far_as_that_passes() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let get = |name: &str, value: &str| ask(QUERY_GET_SUBMISSION_SET_AND_CONTENTS).with_string(name, value);
    let by_unique = get(get_submission_set_and_contents::UNIQUE_ID, &shelf.batch.set.unique_id);
    let mut all =
        set(shelf.batch.associations.iter().map(|a| a.entry_uuid).filter(|id| *id != shelf.addendum));
    all.extend([shelf.batch.set.entry_uuid, shelf.first, shelf.second, shelf.outside, shelf.folder]);
    assert_eq!(found(&server, &by_unique).await, all);
    let by_uuid =
        get(get_submission_set_and_contents::ENTRY_UUID, &super::world::urn(shelf.batch.set.entry_uuid));
    assert_eq!(found(&server, &by_uuid).await, all);

    // Without a document its memberships go, and what belongs to those.
    let narrow = set([
        shelf.batch.set.entry_uuid,
        shelf.second,
        shelf.folder,
        shelf.batch.membership(shelf.second),
        shelf.batch.membership(shelf.folder),
        shelf.put_second[0],
        shelf.put_second[1],
    ]);
    for (name, value) in [
        (find_documents::FORMAT_CODE, "other^^1.2.250.1.999.1"),
        (find_documents::CONFIDENTIALITY_CODE, "R^^1.2.250.1.999.1"),
    ] {
        assert_eq!(found(&server, &by_unique.clone().with_list(name, [value])).await, narrow, "{name}");
    }
    let on_demand = by_unique.with_list(find_documents::TYPE, [DOCUMENT_ENTRY_ON_DEMAND]);
    let without = set([shelf.batch.set.entry_uuid, shelf.folder, shelf.batch.membership(shelf.folder)]);
    assert_eq!(found(&server, &on_demand).await, without);
    server.stop().await;
}

#[actix_web::test]
async fn a_folder_comes_with_the_documents_in_it_as_far_as_they_pass() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let unique = &shelf.batch.folders[0].unique_id;
    let get = ask(QUERY_GET_FOLDER_AND_CONTENTS).with_string(get_folders::UNIQUE_ID, unique);
    let all = set([shelf.folder, shelf.first, shelf.second, shelf.put_first[0], shelf.put_second[0]]);
    assert_eq!(found(&server, &get).await, all);
    let by_uuid = ask(QUERY_GET_FOLDER_AND_CONTENTS)
        .with_string(get_folders::ENTRY_UUID, &super::world::urn(shelf.folder));
    assert_eq!(found(&server, &by_uuid).await, all);
    let narrow = set([shelf.folder, shelf.second, shelf.put_second[0]]);
    for (name, value) in [
        (find_documents::FORMAT_CODE, "other^^1.2.250.1.999.1"),
        (find_documents::CONFIDENTIALITY_CODE, "R^^1.2.250.1.999.1"),
    ] {
        assert_eq!(found(&server, &get.clone().with_list(name, [value])).await, narrow, "{name}");
    }
    for more in [
        get.clone().with_list(find_documents::TYPE, [DOCUMENT_ENTRY_ON_DEMAND]),
        get.with_list("$XDSAssociationStatus", [STATUS_DEPRECATED]),
    ] {
        assert_eq!(found(&server, &more).await, set([shelf.folder]));
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_folders_of_a_document_come_alone() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let of = |name: &str, value: &str| ask(QUERY_GET_FOLDERS_FOR_DOCUMENT).with_string(name, value);
    let by_unique = of(get_documents::UNIQUE_ID, &shelf.batch.documents[0].unique_id);
    assert_eq!(found(&server, &by_unique).await, set([shelf.folder]));
    let by_uuid = |id: Uuid| of(get_documents::ENTRY_UUID, &super::world::urn(id));
    assert_eq!(found(&server, &by_uuid(shelf.second)).await, set([shelf.folder]));
    assert!(found(&server, &by_uuid(shelf.outside)).await.is_empty());
    let deprecated = by_unique.with_list("$XDSAssociationStatus", [STATUS_DEPRECATED]);
    assert!(found(&server, &deprecated).await.is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn relatives_come_with_what_joins_them_or_not_at_all() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let of = |id: Uuid, types: &[&str]| {
        ask(QUERY_GET_RELATED_DOCUMENTS)
            .with_string(get_documents::ENTRY_UUID, &super::world::urn(id))
            .with_list(get_related_documents::ASSOCIATION_TYPES, types)
    };
    let apnd = AssociationType::Apnd.urn();
    let all = set([shelf.first, shelf.second, shelf.addendum]);
    for id in [shelf.first, shelf.second] {
        assert_eq!(found(&server, &of(id, &[apnd, HAS_MEMBER])).await, all);
    }
    let by_unique = ask(QUERY_GET_RELATED_DOCUMENTS)
        .with_string(get_documents::UNIQUE_ID, &shelf.batch.documents[0].unique_id)
        .with_list(get_related_documents::ASSOCIATION_TYPES, [apnd]);
    assert_eq!(found(&server, &by_unique).await, all);
    for nothing in [
        of(shelf.first, &[AssociationType::Rplc.urn(), HAS_MEMBER]),
        of(shelf.outside, &[apnd]),
        of(shelf.first, &[apnd]).with_list(find_documents::TYPE, [DOCUMENT_ENTRY_ON_DEMAND]),
        of(shelf.first, &[apnd]).with_list("$XDSAssociationStatus", [STATUS_DEPRECATED]),
    ] {
        assert!(found(&server, &nothing).await.is_empty(), "{nothing:?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn complete_objects_of_two_patients_are_not_given_together() {
    let server = Server::start().await;
    let (a, b) = (shelf(&server).await, shelf(&server).await);
    let two = [
        ask(QUERY_GET_DOCUMENTS).with_uuids(get_documents::ENTRY_UUID, [a.first, b.first]),
        ask(QUERY_GET_FOLDERS).with_uuids(get_folders::ENTRY_UUID, [a.folder, b.folder]),
        ask(QUERY_GET_DOCUMENTS_AND_ASSOCIATIONS).with_uuids(get_documents::ENTRY_UUID, [a.first, b.first]),
        ask(QUERY_GET_SUBMISSION_SETS).with_uuids(get_submission_sets::UUID, [a.first, b.first]),
    ];
    for request in two {
        assert_eq!(refused(&server, &request).await, ["XDSResultNotSinglePatient"], "{request:?}");
        let refs = Request { return_type: "ObjectRef".to_owned(), ..request };
        assert!(server.client.query(&refs).await.unwrap().object_refs.len() >= 2);
    }
    // A SubmissionSet may refer to a document of another patient.
    let other = patient();
    let mut batch = Batch::new(&other);
    batch.document(document(&other));
    batch.reference(a.first);
    batch.register(&server).await;
    let get = ask(QUERY_GET_SUBMISSION_SET_AND_CONTENTS)
        .with_string(get_submission_set_and_contents::UNIQUE_ID, &batch.set.unique_id);
    assert_eq!(refused(&server, &get).await, ["XDSResultNotSinglePatient"]);
    server.stop().await;
}

#[actix_web::test]
async fn too_many_complete_objects_are_refused_and_their_ids_are_not() {
    let server =
        Server::with(&[("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_LIMITS__QUERY_RESULTS", "4")]).await;
    let shelf = shelf(&server).await;
    let get = ask(QUERY_GET_FOLDER_AND_CONTENTS)
        .with_string(get_folders::ENTRY_UUID, &super::world::urn(shelf.folder));
    assert_eq!(refused(&server, &get).await, ["XDSTooManyResults"]);
    let refs = Request { return_type: "ObjectRef".to_owned(), ..get };
    assert_eq!(server.client.query(&refs).await.unwrap().object_refs.len(), 5);
    server.stop().await;
}

/// Associations name no patient, and reading them is traced for him all the same.
#[actix_web::test]
async fn reading_associations_is_traced_for_the_patient() {
    let server = Server::start().await;
    let shelf = shelf(&server).await;
    let get = ask(QUERY_GET_ASSOCIATIONS).with_uuids(get_associations::UUID, [shelf.first]);
    server.client.query(&get).await.unwrap();
    let traced = format!(
        "select count(*) from audit_trail where act = 'iti18-registry' and outcome = 'success' and patient_id = '{}'",
        shelf.batch.set.patient_id.id
    );
    assert_eq!(server.count(&traced).await, 1);
    server.stop().await;
}
