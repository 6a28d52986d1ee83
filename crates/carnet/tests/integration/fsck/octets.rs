//! Documents whose octets are not what was filed: never given out as good, and named.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use client::Encoding;
use repository::check::Depth;
use serde_json::{Value, json};
use xds::message::ResponseStatus;
use xds::metadata::Availability;

use super::traffic::request;
use super::{check, execute, names};
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};

const MIB: usize = 1 << 20;
/// Of the store, before the first chunk; and behind each chunk.
const HEADER: usize = 16;
const DIGEST: usize = 32;

/// A server with one document of two and a half MiB, and the file of its octets.
async fn filed() -> (Server, Submission, PathBuf) {
    let server = Server::start().await;
    let octets: Vec<u8> = (0..2 * MIB + MIB / 2).map(|n| (n * 7 % 251) as u8).collect();
    let submission = Submission::new(&patient(), octets);
    assert_filed(&server.file(&submission).await);
    let blob: String = {
        let client = server.database.get().await.unwrap();
        client.query_one("select blob from document", &[]).await.unwrap().get(0)
    };
    let file = server.folder.path().join("documents").join(&blob[..2]).join(&blob);
    (server, submission, file)
}

/// What the client of a retrieval sees.
#[derive(Debug, PartialEq)]
enum Seen {
    /// XDSRepositoryError, and no document.
    Error,
    /// The connection ended before the document did.
    Cut,
}

async fn seen(server: &Server, submission: &Submission) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    match server.client.retrieve(&[request(submission)], Encoding::Mtom, folder.path()).await {
        Err(_) => Seen::Cut,
        Ok(answer) => {
            assert_eq!(answer.response.status, ResponseStatus::Failure, "damage was given out as good");
            assert!(answer.documents.is_empty());
            assert_eq!(answer.response.errors[0].code, "XDSRepositoryError");
            Seen::Error
        }
    }
}

#[actix_web::test]
async fn damage_is_never_given_out_as_good_and_is_named_with_its_place() {
    let (server, submission, file) = filed().await;
    let good = fs::read(&file).unwrap();
    let second = HEADER + MIB + DIGEST;
    let flipped = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        bad
    };
    // A page that the disk never wrote.
    let torn = |at: usize| {
        let mut bad = good.clone();
        bad[at..at + 4096].fill(0);
        bad
    };
    for (what, bad, expected, chunk) in [
        ("header flipped", flipped(3), Seen::Error, 0),
        ("first chunk flipped", flipped(HEADER + 5), Seen::Error, 0),
        ("first digest flipped", flipped(HEADER + MIB + 3), Seen::Error, 0),
        ("second chunk flipped", flipped(second + 5), Seen::Cut, 1),
        ("last chunk flipped", flipped(good.len() - DIGEST - 1), Seen::Cut, 2),
        ("last digest flipped", flipped(good.len() - 1), Seen::Cut, 2),
        ("first chunk torn", torn(HEADER + 4096), Seen::Error, 0),
        ("second chunk torn", torn(second + 4096), Seen::Cut, 1),
        ("nothing left", Vec::new(), Seen::Error, 0),
        ("first chunk cut", good[..HEADER + 100].to_vec(), Seen::Error, 0),
        ("second chunk cut", good[..second + 100].to_vec(), Seen::Error, 1),
        ("last octet cut", good[..good.len() - 1].to_vec(), Seen::Error, 2),
        ("octets appended", [&good[..], b"x"].concat(), Seen::Error, 3),
    ] {
        fs::write(&file, bad).unwrap();
        assert_eq!(seen(&server, &submission).await, expected, "{what}");
        let (findings, _) = check(&server, Depth::Octets).await;
        let [finding] = findings.as_slice() else { panic!("{what}: {findings:?}") };
        assert_eq!(finding["finding"], "damaged", "{what}");
        assert_eq!(finding["unique_id"], submission.entry.unique_id, "{what}");
        assert_eq!(finding["chunk"], chunk, "{what}");
    }
    fs::write(&file, &good).unwrap();
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), submission.octets);
    assert!(names(&server).await.is_empty());
    server.stop_broken().await;
}

#[actix_web::test]
async fn a_damaged_document_does_not_keep_another_back_and_is_traced_as_failed() {
    let (server, damaged, file) = filed().await;
    let good = fs::read(&file).unwrap();
    let whole = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&whole).await);
    let folder = tempfile::tempdir().unwrap();
    let requests = [request(&damaged), request(&whole)];
    let mut first = good.clone();
    first[HEADER + 5] ^= 1;
    fs::write(&file, first).unwrap();
    for encoding in [Encoding::Mtom, Encoding::Simple] {
        let answer = server.client.retrieve(&requests, encoding, folder.path()).await.unwrap();
        assert_eq!(answer.response.status, ResponseStatus::PartialSuccess);
        let [error] = answer.response.errors.as_slice() else { panic!("{:?}", answer.response) };
        assert_eq!(
            (error.code.as_str(), &error.location),
            ("XDSRepositoryError", &Some(damaged.entry.unique_id.clone()))
        );
        let [document] = answer.documents.as_slice() else { panic!("{:?}", answer.documents) };
        assert_eq!(fs::read(&document.path).unwrap(), b"lettre");
    }
    let read = |submission: &Submission, outcome: &str| {
        format!(
            "select count(*) from audit_trail where act = 'iti43-repository' and outcome = '{outcome}' and patient_id = '{}'",
            submission.entry.patient_id.id
        )
    };
    for (submission, outcome, other) in
        [(&damaged, "minor-failure", "success"), (&whole, "success", "minor-failure")]
    {
        assert_eq!(server.count(&read(submission, outcome)).await, 2);
        assert_eq!(server.count(&read(submission, other)).await, 0);
    }
    // Found too late for an error of its own, and in plain SOAP before anything is answered.
    let mut second = good.clone();
    second[HEADER + MIB + DIGEST + 5] ^= 1;
    fs::write(&file, second).unwrap();
    let answer = server.client.retrieve(&requests, Encoding::Simple, folder.path()).await;
    assert!(matches!(answer, Err(client::Error::Fault { .. })), "{answer:?}");
    fs::write(&file, good).unwrap();
    server.stop().await;
}

#[actix_web::test]
async fn octets_that_are_missing_or_of_another_document_are_found() {
    let (server, submission, file) = filed().await;
    let good = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(seen(&server, &submission).await, Seen::Error);
    for depth in [Depth::Length, Depth::Octets] {
        let (findings, _) = check(&server, depth).await;
        assert_eq!(findings[0]["finding"], "no-octets");
        assert_eq!(findings.len(), 1);
    }
    // Whole by its own digests, and as long as it should be.
    let mut other = submission.octets.clone();
    other[17] ^= 1;
    assert_filed(&server.file(&Submission::new(&patient(), other)).await);
    let newest: String = {
        let client = server.database.get().await.unwrap();
        client
            .query_one("select blob from document order by document desc limit 1", &[])
            .await
            .unwrap()
            .get(0)
    };
    fs::copy(server.folder.path().join("documents").join(&newest[..2]).join(&newest), &file).unwrap();
    assert_eq!(names(&server).await, ["other-octets"]);
    fs::write(&file, good).unwrap();
    assert!(names(&server).await.is_empty());
    server.stop_broken().await;
}

#[actix_web::test]
async fn entries_without_their_document_or_with_another_are_found() {
    let (server, submission, file) = filed().await;
    let id = submission.entry.entry_uuid;
    execute(&server, "update document set size = size + 1").await;
    let (findings, _) = check(&server, Depth::Length).await;
    assert_eq!((&findings[0]["finding"], &findings[0]["entry"]), (&"other-document".into(), &json!(id)));
    assert_eq!((&findings[1]["finding"], findings.len()), (&"damaged".into(), 2));
    execute(&server, "delete from document").await;
    let (findings, _) = check(&server, Depth::Octets).await;
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((&finding["finding"], &finding["entry"]), (&"no-document".into(), &json!(id)));

    // Nobody has its octets now; a submission under way would not have filed its document yet.
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 3600);
    fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(names(&server).await, ["no-document", "unreferenced"]);
    server.stop_broken().await;
}

#[actix_web::test]
async fn a_document_may_be_absent_when_it_is_offline_and_not_because_it_is_empty() {
    let server = Server::start().await;
    let patient = patient();
    let mut offline = Submission::new(&patient, "");
    let entry = &mut offline.entry;
    entry.repository_unique_id = Some(REPOSITORY.to_owned());
    (entry.hash, entry.size) = (Some("a".repeat(40)), Some(12));
    entry.availability = Some(Availability::Offline);
    assert_filed(&server.client.register(&offline.objects()).await.unwrap());
    let empty = Submission::new(&patient, "");
    assert_filed(&server.file(&empty).await);
    let (findings, counts) = check(&server, Depth::Octets).await;
    assert_eq!(findings, Vec::<Value>::new());
    assert_eq!((counts.entries_awaited, counts.entries_held), (1, 1), "{counts:?}");

    execute(&server, "delete from document where size = 0").await;
    let (findings, counts) = check(&server, Depth::Octets).await;
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    let id = json!(empty.entry.entry_uuid);
    assert_eq!((&finding["finding"], &finding["entry"]), (&"no-document".into(), &id));
    assert_eq!((counts.entries_awaited, counts.entries_held), (1, 0), "{counts:?}");
    server.stop_broken().await;
}

#[actix_web::test]
async fn octets_that_outlive_the_removal_of_their_document_are_found() {
    let (server, submission, file) = filed().await;
    let good = fs::read(&file).unwrap();
    assert_filed(&server.client.remove_documents(&[request(&submission)]).await.unwrap());
    assert_eq!(check(&server, Depth::Octets).await.0, Vec::<Value>::new());
    fs::write(&file, good).unwrap();
    assert_eq!(names(&server).await, ["not-purged"]);
    execute(&server, "update document set purged_at = null").await;
    assert!(names(&server).await.is_empty(), "the sweep has its time");
    execute(&server, "update document set removed_at = now() - interval '25 hours'").await;
    assert_eq!(names(&server).await, ["not-purged"]);
    server.stop_broken().await;
}
