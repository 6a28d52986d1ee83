//! Every access leaves its trace, and without a trace there is no access.

use xds::message::ResponseStatus;
use xds::query::{Request, ReturnType, Status};

use crate::harness::{Server, Submission, assert_filed, oid, patient};

/// (act, outcome) of a patient's events, in order.
async fn events(server: &Server, patient: &str) -> Vec<(String, String)> {
    let client = server.database.get().await.unwrap();
    let sql = "select act, outcome from audit_trail where patient_id = $1 order by at, act";
    client.query(sql, &[&patient]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[actix_web::test]
async fn each_transaction_is_traced_for_its_patient_with_its_outcome() {
    let server = Server::start().await;
    let patient = patient();
    let submission = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&submission).await);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    server.client.query(&request).await.unwrap();
    server.read(&submission.entry.unique_id).await.unwrap();
    let mut wrong = Submission::new(&patient, "lettre");
    wrong.set.unique_id = submission.set.unique_id.clone();
    assert_eq!(server.file(&wrong).await.status, ResponseStatus::Failure);
    let expected = [
        ("iti41-repository", "success"),
        ("iti42-registry", "success"),
        ("iti18-registry", "success"),
        ("iti43-repository", "success"),
        ("iti42-registry", "minor-failure"),
        ("iti41-repository", "minor-failure"),
    ];
    let expected: Vec<(String, String)> = expected.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    let mut found = events(&server, &patient.id).await;
    let mut sorted = expected.clone();
    found.sort();
    sorted.sort();
    assert_eq!(found, sorted);
    // What was filed, and what was read, goes by its title.
    for (act, path) in
        [("iti41-repository", "{0,submission-set,titles,0}"), ("iti43-repository", "{0,document,title}")]
    {
        let titled = format!(
            "select count(*) from audit_trail where act = '{act}' and outcome = 'success'
                and content -> 'objects' #>> '{path}' = 'Lettre'"
        );
        assert_eq!(server.count(&titled).await, 1, "{act}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_document_that_is_not_there_is_traced_as_a_failure() {
    let server = Server::start().await;
    assert_eq!(server.read(&oid()).await, None);
    let failures =
        "select count(*) from audit_trail where act = 'iti43-repository' and outcome = 'minor-failure'";
    assert_eq!(server.count(failures).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn without_a_trace_nothing_is_given_and_nothing_is_stored() {
    let server = Server::start().await;
    let patient = patient();
    let submission = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&submission).await);
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();

    assert_eq!(server.read(&submission.entry.unique_id).await, None);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!(answer.response.status, ResponseStatus::Failure);
    assert!(answer.documents.is_empty());
    let more = Submission::new(&patient, "more");
    assert_eq!(server.file(&more).await.status, ResponseStatus::Failure);
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    assert_eq!(server.blobs(), 1);

    server.database.get().await.unwrap().batch_execute("drop trigger refuse on audit_inbox").await.unwrap();
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}
