//! Metadata and documents are removed: all that was asked for or nothing, and what is gone is gone everywhere.

use client::Encoding;
use uuid::Uuid;
use xds::constants::{FOLDER_CODE, FOLDER_NODE, FOLDER_PATIENT_ID, FOLDER_UNIQUE_ID};
use xds::ebxml::{Classification, Common, ExternalIdentifier, LocalizedString, RegistryPackage, Slot};
use xds::message::{DocumentRequest, ReceivedResponse, RemoveObjects, ResponseStatus};
use xds::metadata::{Association, AssociationType, SubmissionSetStatus};
use xds::query::{Request, ReturnType, Status};
use xds::value::{Cx, uuid_urn};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, codes, oid, patient};

/// Everything the registry and the repository know, the traces apart.
async fn dump(server: &Server) -> String {
    let tables = [
        "record",
        "patient_identifier",
        "submission_set",
        "document_entry",
        "folder",
        "association",
        "object",
        "unique_id",
        "header_fact",
        "document",
    ];
    let client = server.database.get().await.unwrap();
    let mut all = String::new();
    for table in tables {
        let sql = format!("select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from {table} t");
        let rows: String = client.query_one(&sql, &[]).await.unwrap().get(0);
        all.push_str(&format!("{table}\n{rows}\n"));
    }
    all
}

async fn remove(server: &Server, ids: &[Uuid]) -> ReceivedResponse {
    server.client.remove_metadata(&RemoveObjects::of(ids.iter().copied())).await.unwrap()
}

/// Refused with these codes, in order, and nothing has changed.
async fn refused(server: &Server, ids: &[Uuid], expected: &[&str]) -> ReceivedResponse {
    let before = dump(server).await;
    let response = remove(server, ids).await;
    assert_eq!(codes(&response), expected, "{response:?}");
    assert_eq!(dump(server).await, before);
    response
}

fn link(kind: AssociationType, source: Uuid, target: Uuid) -> Association {
    Association {
        entry_uuid: Uuid::new_v4(),
        association_type: kind,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: vec![],
    }
}

/// SubmissionSet, DocumentEntry and HasMember of a submission of one document.
fn whole(submission: &Submission) -> Vec<Uuid> {
    let own = [submission.set.entry_uuid, submission.entry.entry_uuid];
    own.into_iter().chain(submission.associations.iter().map(|a| a.entry_uuid)).collect()
}

fn folder(id: Uuid, patient: &Cx) -> RegistryPackage {
    let urn = uuid_urn(id);
    let text = |value: &str| vec![LocalizedString { value: value.to_owned(), ..LocalizedString::default() }];
    let identifier = |scheme: &str, value: &str| ExternalIdentifier {
        registry_object: Some(urn.clone()),
        identification_scheme: scheme.to_owned(),
        value: value.to_owned(),
        name: text("id"),
        ..ExternalIdentifier::default()
    };
    let mark = Classification { node: Some(FOLDER_NODE.to_owned()), ..Classification::default() };
    let code = Classification {
        scheme: Some(FOLDER_CODE.to_owned()),
        node_representation: Some("STAY".to_owned()),
        slots: vec![Slot {
            name: "codingScheme".to_owned(),
            slot_type: None,
            values: vec!["1.2.3".to_owned()],
        }],
        name: text("Stay"),
        ..Classification::default()
    };
    let common = Common {
        id: urn.clone(),
        name: text("Cardiologie"),
        classifications: vec![mark, code],
        external_identifiers: vec![
            identifier(FOLDER_PATIENT_ID, &patient.text),
            identifier(FOLDER_UNIQUE_ID, &oid()),
        ],
        ..Common::default()
    };
    RegistryPackage { common }
}

/// A document in a folder of its own, in one submission.
struct Filed {
    submission: Submission,
    folder: Uuid,
    set_folder: Uuid,
    folder_document: Uuid,
    set_membership: Uuid,
}

async fn file_in_folder(server: &Server, patient: &Cx) -> Filed {
    let mut submission = Submission::new(patient, "in a folder");
    let (set, entry, folder_id) = (submission.set.entry_uuid, submission.entry.entry_uuid, Uuid::new_v4());
    let set_folder = link(AssociationType::HasMember, set, folder_id);
    let folder_document = link(AssociationType::HasMember, folder_id, entry);
    let set_membership = link(AssociationType::HasMember, set, folder_document.entry_uuid);
    let ids = [set_folder.entry_uuid, folder_document.entry_uuid, set_membership.entry_uuid];
    submission.associations.extend([set_folder, folder_document, set_membership]);
    let mut objects = submission.objects();
    objects.packages.push(folder(folder_id, patient));
    let document = client::Outgoing::bytes(&uuid_urn(entry), "text/plain", submission.octets.clone());
    let sent = server.client.provide_and_register(objects, vec![document], Encoding::Mtom).await;
    assert_filed(&sent.unwrap());
    let [set_folder, folder_document, set_membership] = ids;
    Filed { submission, folder: folder_id, set_folder, folder_document, set_membership }
}

fn request(unique_id: &str) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: unique_id.to_owned(),
    }
}

#[actix_web::test]
async fn a_removed_submission_is_invisible_to_everything_and_may_come_again() {
    let server = Server::start().await;
    let patient = patient();
    let submission = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&submission).await);
    let removed = remove(&server, &whole(&submission)).await;
    assert_eq!(removed, ReceivedResponse { status: ResponseStatus::Success, errors: vec![] });
    let all = [Status::Approved, Status::Deprecated];
    let find = Request::find_documents(&patient, &all, ReturnType::LeafClass);
    assert!(server.client.query(&find).await.unwrap().documents.is_empty());
    for by_id in [
        Request::get_documents_by_unique_id([&submission.entry.unique_id], ReturnType::LeafClass),
        Request::get_documents_by_entry_uuid([submission.entry.entry_uuid], ReturnType::LeafClass),
    ] {
        assert!(server.client.query(&by_id).await.unwrap().documents.is_empty());
    }
    assert_eq!(
        server.read(&submission.entry.unique_id).await,
        None,
        "what is not registered is not given out"
    );
    let left = "select count(*) from (select from object union all select from unique_id union all
        select from association union all select from submission_set union all select from header_fact) as all_rows";
    assert_eq!(server.count(left).await, 0);
    let replacement = Submission::new(&patient, "2").replacing(submission.entry.entry_uuid);
    assert_eq!(codes(&server.file(&replacement).await), ["UnresolvedReferenceException"]);
    // The same ids and uniqueIds, as if they had never been there.
    assert_filed(&server.file(&submission).await);
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

#[actix_web::test]
async fn an_id_that_is_not_known_is_an_unresolved_reference() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    let unknown = Uuid::new_v4();
    let mut ids = whole(&submission);
    ids.push(unknown);
    let response = refused(&server, &ids, &["UnresolvedReferenceException"]).await;
    assert!(response.errors[0].context.contains(&uuid_urn(unknown)), "{response:?}");
    let before = dump(&server).await;
    let symbolic = RemoveObjects(vec!["Document01".to_owned()]);
    let response = server.client.remove_metadata(&symbolic).await.unwrap();
    assert_eq!(codes(&response), ["UnresolvedReferenceException"]);
    assert_eq!(dump(&server).await, before);
    server.stop().await;
}

#[actix_web::test]
async fn an_object_stays_as_long_as_an_association_that_stays_refers_to_it() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "original");
    assert_filed(&server.file(&first).await);
    let mut second = Submission::new(&patient, "addendum");
    let append = link(AssociationType::Apnd, second.entry.entry_uuid, first.entry.entry_uuid);
    second.associations.push(append.clone());
    assert_filed(&server.file(&second).await);
    // The SubmissionSet without its HasMember.
    refused(&server, &[first.set.entry_uuid], &["ReferencesExistException"]).await;
    // The original without the addendum's association.
    let response = refused(&server, &whole(&first), &["ReferencesExistException"]).await;
    let original = uuid_urn(first.entry.entry_uuid);
    assert!(response.errors[0].context.contains(&original), "{response:?}");
    assert!(response.errors[0].context.contains(&uuid_urn(append.entry_uuid)), "{response:?}");
    // With the association, the original goes and the addendum stays.
    let mut ids = whole(&first);
    ids.push(append.entry_uuid);
    assert_eq!(remove(&server, &ids).await.status, ResponseStatus::Success);
    assert_eq!(server.read(&second.entry.unique_id).await.unwrap(), b"addendum");
    server.stop().await;
}

#[actix_web::test]
async fn nothing_is_left_without_a_submission_set_that_holds_it() {
    let server = Server::start().await;
    let filed = file_in_folder(&server, &patient()).await;
    let set_document = filed.submission.associations[0].entry_uuid;
    let orphans = "XDSUnreferencedObjectException";
    // Of the document, of the folder, of the folder's membership.
    for (id, orphan) in [
        (set_document, filed.submission.entry.entry_uuid),
        (filed.set_folder, filed.folder),
        (filed.set_membership, filed.folder_document),
    ] {
        let response = refused(&server, &[id], &[orphans]).await;
        assert!(response.errors[0].context.contains(&uuid_urn(orphan)), "{response:?}");
    }
    // Everything that is wrong is said at once.
    refused(&server, &[set_document, filed.set_folder], &[orphans, orphans]).await;
    server.stop().await;
}

#[actix_web::test]
async fn a_document_leaves_a_folder_when_both_associations_go() {
    let server = Server::start().await;
    let filed = file_in_folder(&server, &patient()).await;
    refused(&server, &[filed.folder_document], &["ReferencesExistException"]).await;
    assert_eq!(
        remove(&server, &[filed.folder_document, filed.set_membership]).await.status,
        ResponseStatus::Success
    );
    // Then the folder can go too, and the document stays.
    assert_eq!(remove(&server, &[filed.folder, filed.set_folder]).await.status, ResponseStatus::Success);
    assert_eq!(server.count("select count(*) from folder").await, 0);
    assert_eq!(server.read(&filed.submission.entry.unique_id).await.unwrap(), b"in a folder");
    server.stop().await;
}

#[actix_web::test]
async fn a_document_that_two_sets_hold_may_lose_one_of_them() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "original");
    assert_filed(&server.file(&first).await);
    let mut second = Submission::new(&patient, "other");
    let mut reference = link(AssociationType::HasMember, second.set.entry_uuid, first.entry.entry_uuid);
    reference.submission_set_status = Some(SubmissionSetStatus::Reference);
    second.associations.push(reference.clone());
    assert_filed(&server.file(&second).await);
    let original = first.associations[0].entry_uuid;
    assert_eq!(remove(&server, &[original]).await.status, ResponseStatus::Success);
    refused(&server, &[reference.entry_uuid], &["XDSUnreferencedObjectException"]).await;
    server.stop().await;
}

#[actix_web::test]
async fn of_two_removals_that_would_orphan_a_document_together_one_is_refused() {
    let server = Server::start().await;
    let patient = patient();
    for _ in 0..5 {
        let first = Submission::new(&patient, "original");
        assert_filed(&server.file(&first).await);
        let mut second = Submission::new(&patient, "other");
        let mut reference = link(AssociationType::HasMember, second.set.entry_uuid, first.entry.entry_uuid);
        reference.submission_set_status = Some(SubmissionSetStatus::Reference);
        second.associations.push(reference.clone());
        assert_filed(&server.file(&second).await);
        let ids = ([first.associations[0].entry_uuid], [reference.entry_uuid]);
        let (one, two) = (remove(&server, &ids.0), remove(&server, &ids.1));
        let (one, two) = tokio::join!(one, two);
        let successes = [&one, &two].iter().filter(|r| r.status == ResponseStatus::Success).count();
        assert_eq!(successes, 1, "{one:?} {two:?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_removed_replacement_does_not_approve_what_it_replaced() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "1");
    assert_filed(&server.file(&first).await);
    let second = Submission::new(&patient, "2").replacing(first.entry.entry_uuid);
    assert_filed(&server.file(&second).await);
    let replacement = second.associations[1].entry_uuid;
    assert_eq!(remove(&server, &[replacement]).await.status, ResponseStatus::Success);
    let deprecated = "select count(*) from document_entry where status = 'Deprecated'";
    assert_eq!(server.count(deprecated).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn objects_of_several_patients_go_together_with_an_event_for_each() {
    let server = Server::start().await;
    let (one, two) = (Submission::new(&patient(), "1"), Submission::new(&patient(), "2"));
    assert_filed(&server.file(&one).await);
    assert_filed(&server.file(&two).await);
    let mut ids = whole(&one);
    ids.extend(whole(&two));
    ids.push(Uuid::new_v4());
    refused(&server, &ids, &["UnresolvedReferenceException"]).await;
    ids.pop();
    assert_eq!(remove(&server, &ids).await.status, ResponseStatus::Success);
    for patient in [&one.set.patient_id, &two.set.patient_id] {
        let events = |outcome: &str| {
            format!(
                "select count(*) from audit_trail where act = 'iti62-registry' and outcome = '{outcome}'
                    and patient_id = '{}' and jsonb_array_length(content -> 'objects') = 3",
                patient.id
            )
        };
        assert_eq!(server.count(&events("success")).await, 1);
        assert_eq!(server.count(&events("minor-failure")).await, 1);
    }
    let of_nobody = "select count(*) from audit_trail where act = 'iti62-registry' and patient_id is null";
    assert_eq!(server.count(of_nobody).await, 1, "the id that nobody knows");
    server.stop().await;
}

#[actix_web::test]
async fn a_malformed_removal_is_refused() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    let before = dump(&server).await;
    let nothing = server.client.remove_metadata(&RemoveObjects(vec![])).await.unwrap();
    assert_eq!(codes(&nothing), ["XDSRegistryMetadataError"]);
    assert_eq!(dump(&server).await, before);
    server.stop().await;
}

#[actix_web::test]
async fn without_a_trace_nothing_is_removed() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();
    let before = dump(&server).await;
    assert_eq!(remove(&server, &whole(&submission)).await.status, ResponseStatus::Failure);
    let requests = [request(&submission.entry.unique_id)];
    let response = server.client.remove_documents(&requests).await.unwrap();
    assert_eq!(response.status, ResponseStatus::Failure);
    assert_eq!(dump(&server).await, before);
    assert_eq!(server.blobs(), 1);
    let unblock = "drop trigger refuse on audit_inbox";
    server.database.get().await.unwrap().batch_execute(unblock).await.unwrap();
    server.stop().await;
}

#[actix_web::test]
async fn removed_documents_are_gone_with_every_copy_and_their_octets() {
    let server = Server::start().await;
    let patient = patient();
    let first = Submission::new(&patient, "octets");
    let mut copy = Submission::new(&patient, "octets");
    copy.entry.unique_id = first.entry.unique_id.clone();
    let other = Submission::new(&patient, "other");
    for submission in [&first, &copy, &other] {
        assert_filed(&server.file(submission).await);
    }
    assert_eq!(server.blobs(), 3);
    let mut ids = whole(&first);
    ids.extend(whole(&copy));
    assert_eq!(remove(&server, &ids).await.status, ResponseStatus::Success);
    let requests = [request(&first.entry.unique_id)];
    let response = server.client.remove_documents(&requests).await.unwrap();
    assert_eq!(response, ReceivedResponse { status: ResponseStatus::Success, errors: vec![] });
    assert_eq!(server.blobs(), 1);
    assert_eq!(server.read(&first.entry.unique_id).await, None);
    assert_eq!(server.read(&other.entry.unique_id).await.unwrap(), b"other");
    let settled = "select count(*) from document where state = 'removed' and purged_at is not null";
    assert_eq!(server.count(settled).await, 2);
    // Traced for the patient, though the registry has forgotten the document.
    let traced = format!(
        "select count(*) from audit_trail where act = 'iti86-repository' and outcome = 'success' and patient_id = '{}'",
        patient.id
    );
    assert_eq!(server.count(&traced).await, 1);
    let again = server.client.remove_documents(&requests).await.unwrap();
    assert_eq!(codes(&again), ["XDSDocumentUniqueIdError"]);
    server.stop().await;
}

#[actix_web::test]
async fn a_removed_document_whose_entry_stays_is_not_available() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "octets");
    assert_filed(&server.file(&submission).await);
    let requests = [request(&submission.entry.unique_id)];
    let removed = server.client.remove_documents(&requests).await.unwrap();
    assert_eq!(removed.status, ResponseStatus::Success);
    let folder = tempfile::tempdir().unwrap();
    let retrieved = server.client.retrieve(&requests, Encoding::Mtom, folder.path()).await.unwrap();
    assert_eq!(codes(&retrieved.response), ["XDSDocumentUniqueIdError"]);
    server.stop().await;
}

#[actix_web::test]
async fn what_can_be_removed_is_removed_whatever_happens_to_the_others() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "octets");
    assert_filed(&server.file(&submission).await);
    let elsewhere =
        DocumentRequest { repository_unique_id: "1.2.3".to_owned(), ..request(&submission.entry.unique_id) };
    let unknown = request(&oid());
    let none = [elsewhere.clone(), unknown.clone()];
    let before = dump(&server).await;
    let response = server.client.remove_documents(&none).await.unwrap();
    assert_eq!(codes(&response), ["XDSUnknownRepositoryId", "XDSDocumentUniqueIdError"]);
    assert!(response.errors[1].context.contains(&unknown.document_unique_id), "{response:?}");
    assert_eq!(dump(&server).await, before);
    assert_eq!(server.blobs(), 1);

    let some = [elsewhere, request(&submission.entry.unique_id), unknown];
    let response = server.client.remove_documents(&some).await.unwrap();
    assert_eq!(response.status, ResponseStatus::PartialSuccess);
    assert_eq!(response.errors.len(), 2);
    assert_eq!(server.blobs(), 0);
    let events = |outcome: &str| {
        format!("select count(*) from audit_trail where act = 'iti86-repository' and outcome = '{outcome}'")
    };
    assert_eq!(server.count(&events("success")).await, 1);
    assert_eq!(server.count(&events("minor-failure")).await, 2);
    server.stop().await;
}

#[actix_web::test]
async fn octets_that_the_disk_keeps_are_told_and_go_with_the_next_sweep() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "octets");
    assert_filed(&server.file(&submission).await);
    let blob: String = server
        .database
        .get()
        .await
        .unwrap()
        .query_one("select blob from document", &[])
        .await
        .unwrap()
        .get(0);
    let place = std::fs::read_dir(server.folder.path().join("documents"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join(&blob))
        .find(|path| path.exists())
        .unwrap();
    // A folder in its place cannot be unlinked.
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    let requests = [request(&submission.entry.unique_id)];
    let response = server.client.remove_documents(&requests).await.unwrap();
    assert_eq!(codes(&response), ["XDSRemoveDocumentsError"]);
    assert_eq!(server.read(&submission.entry.unique_id).await, None);
    std::fs::remove_dir(&place).unwrap();
    std::fs::write(&place, b"octets").unwrap();
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "open")]).await;
    swept(&server).await;
    server.stop().await;
}

#[actix_web::test]
async fn a_crash_between_the_removal_and_that_of_the_octets_is_repaired_by_the_sweep() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "octets");
    assert_filed(&server.file(&submission).await);
    // As after the commit, before the unlink.
    let committed = "update document set state = 'removed', removed_at = now()";
    server.database.get().await.unwrap().batch_execute(committed).await.unwrap();
    assert_eq!(server.blobs(), 1);
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "open")]).await;
    swept(&server).await;
    server.stop().await;
}

/// The sweep runs when a server starts.
async fn swept(server: &Server) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while server.blobs() > 0
        || server.count("select count(*) from document where purged_at is null").await > 0
    {
        assert!(std::time::Instant::now() < deadline, "the octets are still there");
        tokio::task::yield_now().await;
    }
}
