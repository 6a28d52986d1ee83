//! Requests at the same time.

use futures_util::future::join_all;
use uuid::Uuid;
use xds::message::ResponseStatus;

use crate::harness::{Server, Submission, assert_filed, patient};

#[actix_web::test]
async fn of_two_replacements_of_one_document_one_succeeds() {
    let server = Server::start().await;
    let patient = patient();
    for _ in 0..10 {
        let first = Submission::new(&patient, "version 1");
        assert_filed(&server.file(&first).await);
        let replacements: Vec<Submission> = (0..4)
            .map(|n| Submission::new(&patient, format!("by {n}")).replacing(first.entry.entry_uuid))
            .collect();
        let answers = join_all(replacements.iter().map(|submission| server.file(submission))).await;
        let filed = answers.iter().filter(|answer| answer.status == ResponseStatus::Success).count();
        let codes: Vec<&str> = answers.iter().flat_map(|a| &a.errors).map(|e| e.code.as_str()).collect();
        assert_eq!((filed, codes), (1, vec!["XDSRegistryDeprecatedDocumentError"; 3]));
    }
    server.stop().await;
}

#[actix_web::test]
async fn of_submissions_with_one_unique_id_and_other_octets_one_succeeds() {
    let server = Server::start().await;
    let patient = patient();
    let submissions: Vec<Submission> = (0..6)
        .map(|n| {
            let mut submission = Submission::new(&patient, format!("octets {n}"));
            submission.entry.unique_id = "1.2.250.1.999.77".to_owned();
            submission
        })
        .collect();
    let answers = join_all(submissions.iter().map(|submission| server.file(submission))).await;
    let filed: Vec<usize> = answers
        .iter()
        .enumerate()
        .filter(|(_, a)| a.status == ResponseStatus::Success)
        .map(|(n, _)| n)
        .collect();
    let [winner] = filed.as_slice() else { panic!("{answers:?}") };
    assert_eq!(server.read("1.2.250.1.999.77").await.unwrap(), format!("octets {winner}").into_bytes());
    assert_eq!(server.blobs(), 1);
    server.stop().await;
}

#[actix_web::test]
async fn first_submissions_for_one_patient_open_one_record() {
    let server = Server::start().await;
    let patient = patient();
    let submissions: Vec<Submission> =
        (0..8).map(|_| Submission::new(&patient, Uuid::new_v4().to_string())).collect();
    for answer in join_all(submissions.iter().map(|submission| server.file(submission))).await {
        assert_filed(&answer);
    }
    assert_eq!(server.count("select count(*) from record").await, 1);
    assert_eq!(server.count("select count(*) from document_entry").await, 8);
    server.stop().await;
}
