//! A backup that is taken beside a running server, and what comes of it in an empty installation.

mod killed;
mod shipped;
mod whole;

use std::path::Path;

use carnet::backup::{Made, make, restore};
use carnet::commands::fsck::state::State;
use carnet::commands::fsck::walk::Walk;
use carnet::config::Config;
use carnet::installation::Installation;
use database::Database;
use futures_util::future::join;
use indicatif::ProgressBar;
use repository::check::Depth;
use serde_json::Value;
use tempfile::TempDir;
use test_support::TestDatabase;

use crate::fsck::traffic::request;
use crate::harness::{Server, Submission, assert_filed, config, patient};

const OPEN: [(&str, &str); 1] = [("CARNET_PATIENTS__UNKNOWN", "open")];

async fn back_up(server: &Server, folder: &Path) -> anyhow::Result<Made> {
    let installation = Installation::administer(&server.config).await.unwrap();
    let made = make(&server.config, &installation, folder, true, &|_, _, _| ()).await;
    installation.close().await.unwrap();
    made
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap()
}

/// Somewhere to restore to.
struct Empty {
    folder: TempDir,
    url: String,
    database: Database,
    config: Config,
}

impl Empty {
    async fn new() -> Empty {
        let test = TestDatabase::empty().await;
        let folder = test_support::folder();
        let config = config(folder.path(), Some(&test.url), &OPEN);
        Empty { database: test.open(), url: test.url, folder, config }
    }

    async fn restore(&self, from: &Path) -> anyhow::Result<carnet::backup::Restored> {
        restore(&self.config, from, &|_, _, _| ()).await
    }

    async fn check(&self) -> Vec<Value> {
        let bar = ProgressBar::hidden();
        let walk = Walk::new(&self.config, &self.database, self.folder.path(), Depth::Octets, &bar);
        let (mut state, mut all) = (State::begin(), Vec::new());
        while let Some(findings) = walk.step(&mut state).await.unwrap() {
            all.extend(findings.iter().map(|finding| finding.as_json()));
        }
        all
    }

    async fn start(self) -> Server {
        Server::on(&self.url, self.database, self.folder, &OPEN).await
    }
}

#[actix_web::test]
async fn a_document_that_is_removed_meanwhile_stays_removed_and_nothing_is_half_there() {
    let server = Server::start().await;
    let patient = patient();
    let mut filed = Vec::new();
    for number in 0..60 {
        let submission = Submission::new(&patient, format!("lettre {number}"));
        assert_filed(&server.file(&submission).await);
        filed.push(submission);
    }
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    let removing = async {
        for submission in &filed {
            assert_filed(&server.client.remove_documents(&[request(submission)]).await.unwrap());
            assert_filed(&server.file(&Submission::new(&patient, "nouvelle")).await);
        }
    };
    let (made, ()) = join(back_up(&server, &dir), removing).await;
    assert!(made.unwrap().lost.is_empty());
    let empty = Empty::new().await;
    empty.restore(&dir).await.unwrap();
    assert_eq!(empty.check().await, Vec::<Value>::new());
    server.stop().await;
}

#[actix_web::test]
async fn a_restore_goes_into_nothing_but_an_empty_installation_and_takes_nothing_that_was_altered() {
    let server = Server::start().await;
    assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    let server = server.restart(&OPEN).await;
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    back_up(&server, &dir).await.unwrap();
    let refused = restore(&server.config, &dir, &|_, _, _| ()).await.unwrap_err();
    assert!(refused.to_string().contains("empty installation only"), "{refused}");
    assert!(!server.folder.path().join("restoring").exists());

    let empty = Empty::new().await;
    let manifest = manifest(&dir);
    for part in ["database", "documents", "checkpoints", "key"] {
        let file = dir.join(manifest[part]["name"].as_str().unwrap());
        let good = std::fs::read(&file).unwrap();
        let mut flipped = good.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for bad in [flipped.as_slice(), &good[..middle], &good[..good.len() - 1], b""] {
            std::fs::write(&file, bad).unwrap();
            let refused = empty.restore(&dir).await.unwrap_err().to_string();
            assert!(refused.contains("not as it was when the backup was made"), "{refused}");
            assert!(refused.contains(file.to_str().unwrap()), "{refused}");
        }
        std::fs::remove_file(&file).unwrap();
        let refused = empty.restore(&dir).await.unwrap_err().to_string();
        assert!(refused.contains(file.to_str().unwrap()), "{refused}");
        std::fs::write(&file, good).unwrap();
    }
    let file = dir.join("manifest.json");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    let refused = empty.restore(&dir).await.unwrap_err().to_string();
    assert!(refused.contains(file.to_str().unwrap()), "{refused}");
    std::fs::write(&file, good).unwrap();
    assert!(empty.database.is_empty().await.unwrap());
    let nothing = empty.restore(folder.path()).await.unwrap_err();
    assert!(nothing.to_string().contains("there is no backup"), "{nothing}");

    // A restore that was cut off before its end is finished by the next, and no server starts before.
    let mark = manifest["database"]["sha256"].as_str().unwrap();
    std::fs::write(empty.folder.path().join("restoring"), mark).unwrap();
    let refused = Installation::start(&empty.config, empty.folder.path()).await.err().unwrap();
    assert!(refused.to_string().contains("not finished"), "{refused}");
    empty.restore(&dir).await.unwrap();
    assert_eq!(empty.check().await, Vec::<Value>::new());

    // The backup is of one installation.
    let other = Server::start().await;
    assert_filed(&other.file(&Submission::new(&patient(), "lettre")).await);
    let refused = back_up(&other, &dir).await.unwrap_err();
    assert!(refused.to_string().contains("another installation"), "{refused}");
    other.stop().await;
    server.stop().await;
}

#[actix_web::test]
async fn damaged_documents_do_not_keep_the_others_from_the_backup_and_a_good_copy_is_not_given_up() {
    let server = Server::start().await;
    let patient = patient();
    let folder = test_support::folder();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    assert_filed(&server.file(&Submission::new(&patient, "lettre")).await);
    back_up(&server, &one).await.unwrap();
    let blob: String = {
        let client = server.database.get().await.unwrap();
        client.query_one("select blob from document", &[]).await.unwrap().get(0)
    };
    let file = server.folder.path().join("documents").join(&blob[..2]).join(&blob);
    let mut bad = std::fs::read(&file).unwrap();
    bad[20] ^= 1;
    std::fs::write(&file, bad).unwrap();
    assert_filed(&server.file(&Submission::new(&patient, "autre")).await);
    let made = back_up(&server, &one).await.unwrap();
    assert_eq!((made.documents, made.copied, made.lost.len()), (2, 1, 0), "the first copy is good");
    let made = back_up(&server, &two).await.unwrap();
    assert_eq!((made.documents, &made.lost), (1, &vec![blob.clone()]));
    let empty = Empty::new().await;
    assert_eq!(empty.restore(&two).await.unwrap().lost, [blob.as_str()]);
    let findings = empty.check().await;
    assert_eq!((findings.len(), &findings[0]["finding"]), (1, &"no-octets".into()));
    let empty = Empty::new().await;
    assert!(empty.restore(&one).await.unwrap().lost.is_empty());
    assert!(empty.check().await.is_empty());

    // In the backup itself.
    let copy = one.join("documents").join(&blob[..2]).join(&blob);
    let good = std::fs::read(&copy).unwrap();
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    for bad in [&flipped[..], &good[..good.len() - 1], b""] {
        std::fs::write(&copy, bad).unwrap();
        let empty = Empty::new().await;
        assert_eq!(empty.restore(&one).await.unwrap().lost, [blob.as_str()]);
        let findings = empty.check().await;
        assert_eq!((findings.len(), &findings[0]["finding"]), (1, &"no-octets".into()));
    }
    server.stop_broken().await;
}
