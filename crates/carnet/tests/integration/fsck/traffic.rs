//! What a server sees in its life, in short.

use xds::message::{DocumentRequest, RemoveObjects};
use xds::metadata::DocumentType;
use xds::value::{Cx, uuid_urn};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, oid, patient};
use crate::merge::merge;
use crate::on_demand::on_demand;
use crate::update::{Update, entry, filed_in_folder, newest, title};

/// The document of a submission, for ITI-43 and ITI-86.
pub fn request(submission: &Submission) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: submission.entry.unique_id.clone(),
    }
}

/// SubmissionSet, DocumentEntry and HasMember.
fn whole(submission: &Submission) -> RemoveObjects {
    let own = [submission.set.entry_uuid, submission.entry.entry_uuid];
    RemoveObjects::of(own.into_iter().chain(submission.associations.iter().map(|a| a.entry_uuid)))
}

/// Files, replaces, updates, merges and removes documents of two patients, and gives the last one.
pub async fn live(server: &Server) -> Cx {
    let (one, two) = (patient(), patient());
    let first = Submission::new(&one, "lettre");
    assert_filed(&server.file(&first).await);
    assert_filed(
        &server.file(&Submission::new(&one, "lettre corrigée").replacing(first.entry.entry_uuid)).await,
    );
    let large = Submission::new(&two, vec![7; (3 << 20) + 11]);
    assert_filed(&server.file(&large).await);
    // The same octets under the same uniqueId, filed once more.
    let mut again = Submission::new(&two, large.octets.clone());
    again.entry.unique_id = large.entry.unique_id.clone();
    assert_filed(&server.file(&again).await);
    assert_filed(&server.file(&Submission::new(&two, "")).await);

    let (document, folder) = filed_in_folder(server, &two).await;
    let id = document.entry.entry_uuid;
    let current = entry(server, id).await;
    Update::of(&two).document(&current, "1", |c| title(c, "Corrigé")).accepted(server).await;
    Update::of(&two).folder(&folder, "1", |c| title(c, "Autre séjour")).accepted(server).await;
    let renewed = uuid_urn(newest(server, id).await);
    let deprecated = Update::of(&two).status(
        &renewed,
        "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
        "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated",
    );
    deprecated.accepted(server).await;

    let elsewhere = elsewhere(&one);
    assert_filed(&server.client.register(&elsewhere.objects()).await.unwrap());
    let summary = on_demand(&one);
    assert_filed(&server.client.register_on_demand(&summary.objects()).await.unwrap());
    assert!(server.read(&summary.entry.unique_id).await.is_some());

    let unlisted = Submission::new(&one, "à retirer");
    assert_filed(&server.file(&unlisted).await);
    assert_filed(&server.client.remove_metadata(&whole(&unlisted)).await.unwrap());
    let gone = Submission::new(&one, "à détruire");
    assert_filed(&server.file(&gone).await);
    assert_filed(&server.client.remove_documents(&[request(&gone)]).await.unwrap());

    merge(&server.database, &one, &two).await.unwrap();
    assert_filed(&server.file(&Submission::new(&two, "après").replacing(elsewhere.entry.entry_uuid)).await);
    two
}

/// A document of another repository.
fn elsewhere(patient: &Cx) -> Submission {
    let mut submission = Submission::new(patient, "");
    let entry = &mut submission.entry;
    entry.document_type = DocumentType::Stable;
    entry.repository_unique_id = Some(oid());
    entry.hash = Some("a".repeat(40));
    entry.size = Some(12);
    submission
}
