//! Updates at the same time.

use futures_util::future::join_all;

use super::*;
use crate::harness::patient;

#[actix_web::test]
async fn of_two_updates_of_one_document_one_succeeds() {
    let server = Server::start().await;
    let patient = patient();
    for _ in 0..5 {
        let first = filed(&server, &patient, "lettre").await;
        let current = entry(&server, first.entry.entry_uuid).await;
        let updates: Vec<Update> = (0..4)
            .map(|n| Update::of(&patient).document(&current, "1", |c| title(c, &format!("by {n}"))))
            .collect();
        let answers = join_all(updates.iter().map(|update| update.send(&server))).await;
        let accepted = answers.iter().filter(|answer| answer.status == ResponseStatus::Success).count();
        let codes: Vec<&str> = answers.iter().flat_map(|a| &a.errors).map(|e| e.code.as_str()).collect();
        assert_eq!((accepted, codes), (1, vec!["XDSMetadataVersionError"; 3]));
        assert_eq!(statuses(&server, first.entry.entry_uuid).await, ["Deprecated", "Approved"]);
    }
    server.stop().await;
}

#[actix_web::test]
async fn an_update_and_a_replacement_of_one_document_do_not_both_approve() {
    let server = Server::start().await;
    let patient = patient();
    for _ in 0..5 {
        let first = filed(&server, &patient, "version 1").await;
        let current = entry(&server, first.entry.entry_uuid).await;
        let update = Update::of(&patient).document(&current, "1", |c| title(c, "Corrigé"));
        let replacement = Submission::new(&patient, "version 2").replacing(first.entry.entry_uuid);
        let (updated, replaced) =
            futures_util::future::join(update.send(&server), server.file(&replacement)).await;
        assert_filed(&updated);
        let replaced_first = replaced.status == ResponseStatus::Success;
        let expected = if replaced_first { ["Deprecated", "Deprecated"] } else { ["Deprecated", "Approved"] };
        assert_eq!(statuses(&server, first.entry.entry_uuid).await, expected);
        if !replaced_first {
            assert_eq!(crate::harness::codes(&replaced), ["XDSRegistryDeprecatedDocumentError"]);
        }
    }
    server.stop().await;
}
