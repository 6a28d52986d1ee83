//! Octets without a document: old ones go, and nothing else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use uuid::Uuid;

use crate::fsck::names;
use crate::harness::{Server, Submission, assert_filed, patient};

const OPEN: (&str, &str) = ("CARNET_PATIENTS__UNKNOWN", "open");

fn age(file: &Path, hours: u64) {
    let written = SystemTime::now() - Duration::from_secs(hours * 3600);
    File::options().write(true).open(file).unwrap().set_modified(written).unwrap();
}

/// Octets that no document has, in one part of the store.
fn stray(of: &Path, part: &str, hours: u64) -> PathBuf {
    let key = format!("{part}{}", &Uuid::new_v4().simple().to_string()[2..]);
    let file = of.ancestors().nth(2).unwrap().join(part).join(key);
    fs::copy(of, &file).unwrap();
    age(&file, hours);
    file
}

/// The sweep runs when a server starts, through the parts in their order.
async fn until_gone(files: &[&Path]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while files.iter().any(|file| file.exists()) {
        assert!(Instant::now() < deadline, "octets without a document are still there");
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn octets_without_a_document_go_when_they_are_old_enough_and_those_of_a_document_stay() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "octets");
    assert_filed(&server.file(&submission).await);
    let blob: String = {
        let client = server.database.get().await.unwrap();
        client.query_one("select blob from document", &[]).await.unwrap().get(0)
    };
    let filed = server.folder.path().join("documents").join(&blob[..2]).join(&blob);
    age(&filed, 9000);
    let (young, fresh) = (stray(&filed, "01", 23), stray(&filed, "02", 1));
    let (mut first, mut last) = (stray(&filed, "00", 25), stray(&filed, "ff", 25));
    let mut found = names(&server).await;
    if !first.exists() || !last.exists() {
        // The sweep of the start came late. The next is an hour away.
        until_gone(&[&first, &last]).await;
        (first, last) = (stray(&filed, "00", 25), stray(&filed, "ff", 25));
        found = names(&server).await;
    }
    assert_eq!(found, ["unreferenced", "unreferenced"]);

    let server = server.restart_broken(&[OPEN]).await;
    until_gone(&[&first, &last]).await;
    assert!(young.exists() && fresh.exists() && filed.exists());
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), submission.octets);

    let last = stray(&filed, "ff", 3);
    let server = server
        .restart(&[OPEN, ("CARNET_REPOSITORY__SWEEP_HOURS", "2"), ("CARNET_LIMITS__REQUEST_MINUTES", "30")])
        .await;
    until_gone(&[&young, &last]).await;
    assert!(fresh.exists() && filed.exists());
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), submission.octets);
    // The check asks for what the sweep does.
    let last = stray(&filed, "ff", 3);
    assert_eq!(names(&server).await, ["unreferenced"]);
    fs::remove_file(last).unwrap();
    server.stop().await;
}
