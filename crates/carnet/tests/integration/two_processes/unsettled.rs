//! Submissions whose outcome nobody told: what is kept of them, and for how long.

use test_support::TestDatabase;
use xds::message::DocumentRequest;

use super::*;
use crate::harness::codes;
use crate::relay::{Loss, Relay};
use crate::update::{Update, entry, title};

/// A repository whose way to its database can lose commits, with a registry that takes everything.
async fn by_a_relay() -> (Server, Relay) {
    let test = TestDatabase::create().await;
    let relay = Relay::start(&test.url).await;
    let stub = Stub::start(|_| registry_response("Success", &[])).await;
    let settings = as_repository(&stub.url);
    let server = Server::on(&relay.url(&test.url), test.open(), test_support::folder(), &settings).await;
    (server, relay)
}

const STORED: &str = "select count(*) from document where state = 'stored'";
const REGISTERED: &str = "select count(*) from document where state = 'registered'";

#[actix_web::test]
async fn a_lost_answer_of_the_own_database_is_found_out_before_the_registry_is_asked() {
    let (server, relay) = by_a_relay().await;
    let submission = Submission::new(&patient(), "lettre");
    relay.lose(Loss::Answer, &submission.set.unique_id);
    assert_filed(&server.file(&submission).await);
    assert!(relay.has_lost());
    assert_eq!((server.count(REGISTERED).await, server.blobs()), (1, 1));
    assert_eq!(server.count("select count(*) from filing").await, 0);

    let submission = Submission::new(&patient(), "lettre");
    relay.lose(Loss::Commit, &submission.set.unique_id);
    assert_eq!(codes(&server.file(&submission).await), ["XDSRegistryNotAvailable"]);
    assert!(relay.has_lost());
    assert_eq!((server.count("select count(*) from document").await, server.blobs()), (1, 1));
    server.stop().await;
}

#[actix_web::test]
async fn octets_stay_when_the_own_database_cannot_tell_whether_it_has_them() {
    let (server, relay) = by_a_relay().await;
    let submission = Submission::new(&patient(), "lettre");
    relay.lose(Loss::AnswerAndWay, &submission.set.unique_id);
    let response = server.file(&submission).await;
    assert_eq!(codes(&response), ["XDSRepositoryError"]);
    assert!(response.errors[0].context.contains("not known"), "{response:?}");
    assert_eq!((server.count(STORED).await, server.blobs()), (1, 1), "both are there");
    relay.reconnect();
    // Sent again.
    assert_filed(&server.file(&submission).await);
    assert_eq!((server.count(STORED).await, server.count(REGISTERED).await), (1, 1));
    assert_eq!(server.blobs(), 2);
    server.stop().await;
}

#[actix_web::test]
async fn of_two_copies_of_a_document_the_one_that_can_be_read_is_given_out() {
    let submission = Submission::new(&patient(), "lettre");
    let shown = registered(&submission);
    let stub = Stub::start(move |request| match request.contains("AdhocQueryRequest") {
        true => objects(&shown),
        false => registry_response("Success", &[]),
    })
    .await;
    let server = repository(&stub.url).await;
    for _ in 0..2 {
        assert_filed(&server.file(&submission).await);
    }
    let client = server.database.get().await.unwrap();
    let rows = client.query("select blob from document order by document", &[]).await.unwrap();
    drop(client);
    let files: Vec<_> = rows
        .iter()
        .map(|row| {
            let blob: String = row.get(0);
            server.folder.path().join("documents").join(&blob[..2]).join(&blob)
        })
        .collect();
    let good = std::fs::read(&files[0]).unwrap();
    let mut bad = good.clone();
    bad[20] ^= 1;
    for lost in [0, 1] {
        std::fs::remove_file(&files[lost]).unwrap();
        assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), b"lettre", "{lost} is missing");
        std::fs::write(&files[lost], &bad).unwrap();
        assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), b"lettre", "{lost} is damaged");
        std::fs::write(&files[lost], &good).unwrap();
    }
    for file in &files {
        std::fs::write(file, &bad).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let request = DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: submission.entry.unique_id.clone(),
    };
    let answer = server.client.retrieve(&[request], Encoding::Mtom, folder.path()).await.unwrap();
    assert_eq!(answer.response.errors[0].code, "XDSRepositoryError");
    server.stop_broken().await;
}

async fn execute(server: &Server, sql: &str) {
    server.database.get().await.unwrap().batch_execute(sql).await.unwrap();
}

/// Submissions to which no registry has answered, begun so long ago.
async fn waiting(submissions: &[&Submission], since: &str) -> Server {
    let stub = Stub::start(|_| Reply::Nothing).await;
    let server = repository(&stub.url).await;
    for submission in submissions {
        assert_eq!(codes(&server.file(submission).await), ["XDSRepositoryError"]);
    }
    execute(&server, &format!("update filing set begun_at = now() - interval '{since}'")).await;
    server
}

#[actix_web::test]
async fn a_submission_is_given_up_only_when_its_submission_set_is_not_there() {
    let (hidden, absent) = (Submission::new(&patient(), "lettre"), Submission::new(&patient(), "perdue"));
    let server = waiting(&[&hidden, &absent], "25 hours").await;
    // Its document was hidden by an update.
    let mut shown = registered(&hidden);
    shown.extrinsic_objects.clear();
    let set = hidden.set.unique_id.clone();
    let stub = Stub::start(move |request| match request.contains(&set) {
        true => objects(&shown),
        false => nothing(),
    })
    .await;
    let server = server.restart(&as_repository(&stub.url)).await;
    unsettled(&server, 1).await;
    let kept = format!("select count(*) from document where unique_id = '{}'", hidden.entry.unique_id);
    assert_eq!((server.count(&kept).await, server.count(STORED).await), (1, 1));

    // Visible again.
    let shown = registered(&hidden);
    let stub = Stub::start(move |_| objects(&shown)).await;
    let server = server.restart(&as_repository(&stub.url)).await;
    unsettled(&server, 0).await;
    assert_eq!(server.count(REGISTERED).await, 1);
    assert_eq!(server.read(&hidden.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

#[actix_web::test]
async fn a_registry_of_ours_tells_of_a_document_that_an_update_has_hidden() {
    let registry = registry(&[]).await;
    let address = address(&registry);
    let settings =
        [as_repository(&address), vec![("CARNET_REPOSITORY__REGISTRY_IS_CARNET", "true")]].concat();
    let repository = Server::with(&settings).await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&repository.file(&submission).await);
    let current = entry(&registry, submission.entry.entry_uuid).await;
    let patient = &submission.entry.patient_id;
    assert_filed(&Update::of(patient).document(&current, "1", |c| title(c, "Corrigé")).send(&registry).await);
    // As if the answer to the first registration had been lost.
    execute(
        &repository,
        &format!(
            "insert into filing (submission_set, event, begun_at)
                 select '{}', content, now() - interval '25 hours' from audit_trail where act = 'iti41-repository';
             update document set state = 'stored', filing = (select max(filing) from filing)",
            submission.set.unique_id
        ),
    )
    .await;
    let repository = repository.restart(&settings).await;
    unsettled(&repository, 0).await;
    assert_eq!(repository.count(REGISTERED).await, 1);
    assert_eq!(repository.read(&submission.entry.unique_id).await.unwrap(), b"lettre");
    repository.stop().await;
    registry.stop().await;
}

#[actix_web::test]
async fn a_question_that_is_never_answered_does_not_keep_the_others_waiting() {
    let (silent, known) = (Submission::new(&patient(), "lettre"), Submission::new(&patient(), "autre"));
    let server = waiting(&[&silent, &known], "1 hour").await;
    let (shown, set) = (registered(&known), silent.set.unique_id.clone());
    let stub = Stub::start(move |request| match request.contains(&set) {
        true => Reply::Nothing,
        false => objects(&shown),
    })
    .await;
    let server = server.restart(&as_repository(&stub.url)).await;
    unsettled(&server, 1).await;
    assert_eq!((server.count(STORED).await, server.count(REGISTERED).await), (1, 1));
    assert_eq!(server.read(&known.entry.unique_id).await.unwrap(), b"autre");
    server.stop().await;
}
