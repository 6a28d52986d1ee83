//! A backup that is taken beside a running server, and what comes of it in an empty installation.

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

use crate::command_line;
use crate::fsck::traffic::{self, request};
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, config, patient};
use crate::update::dump;

async fn back_up(server: &Server, folder: &Path) -> anyhow::Result<Made> {
    let installation = Installation::administer(&server.config).await.unwrap();
    let made = make(&server.config, &installation, folder, true, &|_, _, _| ()).await;
    installation.close().await.unwrap();
    made
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
        let config = config(folder.path(), Some(&test.url), &[("CARNET_PATIENTS__UNKNOWN", "open")]);
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
        Server::on(&self.url, self.database, self.folder, &[("CARNET_PATIENTS__UNKNOWN", "open")]).await
    }
}

/// Every uniqueId with the octets that are given out for it.
async fn documents(server: &Server) -> Vec<(String, Option<Vec<u8>>)> {
    let client = server.database.get().await.unwrap();
    let rows = client
        .query("select distinct unique_id from document_entry where document_type = 'Stable' order by 1", &[])
        .await
        .unwrap();
    let mut all = Vec::new();
    for row in rows {
        let id: String = row.get(0);
        let octets = server.read(&id).await;
        all.push((id, octets));
    }
    all
}

#[actix_web::test]
async fn a_second_backup_copies_what_is_new_and_a_restore_is_the_same_to_the_last_octet() {
    let server = Server::start().await;
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    traffic::live(&server).await;
    let patient = patient();
    let removed = Submission::new(&patient, "à détruire plus tard");
    assert_filed(&server.file(&removed).await);

    // Beside writing.
    let writing = async {
        for number in 0..20 {
            assert_filed(&server.file(&Submission::new(&patient, format!("lettre {number}"))).await);
        }
    };
    let (first, ()) = join(back_up(&server, &dir), writing).await;
    let first = first.unwrap();
    assert!(first.copied >= 8 && first.copied == first.documents && first.lost.is_empty(), "{first:?}");
    assert!(dir.join("documents").exists());

    traffic::live(&server).await;
    assert_filed(&server.client.remove_documents(&[request(&removed)]).await.unwrap());
    let second = back_up(&server, &dir).await.unwrap();
    assert_eq!(second.removed, 1, "{second:?}");
    assert!(second.copied >= 8 && second.copied < second.documents, "{second:?}");
    assert!(second.octets > 12 << 20, "{second:?}");
    let third = back_up(&server, &dir).await.unwrap();
    assert_eq!(third, Made { copied: 0, removed: 0, ..second });

    let (before, octets) = (dump(&server).await, documents(&server).await);
    assert!(octets.iter().filter(|(_, octets)| octets.is_some()).count() >= 20);
    server.stop().await;

    let empty = Empty::new().await;
    let restored = empty.restore(&dir).await.unwrap();
    assert_eq!((restored.documents, restored.lost), (third.documents, vec![]));
    assert_eq!(empty.check().await, Vec::<Value>::new());
    let server = empty.start().await;
    assert_eq!(dump(&server).await, before);
    assert_eq!(documents(&server).await, octets);
    assert_eq!(server.messages(&["backup-restore"]).await, 1);
    assert_eq!(server.messages(&["backup-make"]).await, 3);
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "open")]).await;
    assert_filed(&server.file(&Submission::new(&patient, "après")).await);
    server.stop().await;
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
    let server = server.restart(&[("CARNET_PATIENTS__UNKNOWN", "open")]).await;
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    back_up(&server, &dir).await.unwrap();
    let refused = restore(&server.config, &dir, &|_, _, _| ()).await.unwrap_err();
    assert!(refused.to_string().contains("empty installation only"), "{refused}");
    assert!(!server.folder.path().join("restoring").exists());

    let empty = Empty::new().await;
    let manifest = std::fs::read_to_string(dir.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
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

/// Whether something is in an installation.
type Has<'a> = &'a dyn Fn(&command_line::Installation) -> bool;

/// A blob is there.
fn has_a_document(new: &command_line::Installation) -> bool {
    let parts = std::fs::read_dir(new.path("var/documents")).into_iter().flatten();
    let parts = parts.map(|part| part.unwrap().path()).filter(|part| !part.ends_with("tmp"));
    parts.into_iter().any(|part| std::fs::read_dir(part).unwrap().next().is_some())
}

#[actix_web::test]
async fn a_restore_that_is_killed_is_finished_by_the_next() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    for number in 0..50 {
        assert_filed(&server.file(&Submission::new(&patient(), format!("lettre {number}"))).await);
    }
    let folder = test_support::folder();
    let (dir, other) = (folder.path().join("backup"), folder.path().join("other"));
    back_up(&server, &dir).await.unwrap();
    assert_filed(&server.file(&Submission::new(&patient(), "plus tard")).await);
    back_up(&server, &other).await.unwrap();
    server.stop().await;

    let (dir, other) = (dir.to_str().unwrap(), other.to_str().unwrap());
    let settings = format!("[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let is_there = |name: &'static str| move |new: &command_line::Installation| new.path(name).exists();
    let moments: [(&str, Has<'_>); 4] = [
        ("it has begun", &is_there("var/restoring")),
        ("PostgreSQL starts", &is_there("var/postgres/cluster/postmaster.pid")),
        ("documents are copied", &has_a_document),
        ("the database is read", &is_there("var/audit/checkpoints")),
    ];
    for (moment, has_come) in moments {
        let mut new = command_line::Installation::new(&settings);
        let mut restore = new.command(&["restore", dir]).spawn().unwrap();
        while !has_come(&new) {
            assert!(restore.try_wait().unwrap().is_none(), "{moment}: ended before");
            std::thread::yield_now();
        }
        restore.kill().unwrap();
        assert_eq!(restore.wait().unwrap().code(), None, "{moment}: ended before");
        assert!(new.path("var/restoring").exists(), "{moment}");
        assert!(new.bad(&["serve"]).contains("run carnet restore once more"), "{moment}");
        let refused = new.bad(&["restore", other]);
        assert!(refused.contains("run carnet restore with that one, or empty"), "{moment}: {refused}");

        assert!(new.good(&["restore", dir]).contains("51 documents"), "{moment}");
        assert!(new.good(&["fsck"]).contains("Everything is as it should be"), "{moment}");
        new.start();
        let octets = new.run(&["get", &submission.entry.unique_id, "--inline"]).stdout;
        assert_eq!(octets, b"lettre", "{moment}");
        assert_eq!(new.end(nix::sys::signal::Signal::SIGTERM), Some(0), "{moment}");
    }
}

#[test]
fn at_the_command_line_with_the_key_kept_elsewhere() {
    let settings = format!("[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let mut carnet = command_line::Installation::new(&settings);
    carnet.start();
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance-tests/documents");
    let filed = carnet.good(&["submit", &format!("{documents}/lettre-de-liaison-sortie.xml")]);
    let id = filed.trim().strip_prefix("Filed as ").unwrap().to_owned();
    let made = carnet.run(&["backup", "kept"]);
    let (out, note) = (String::from_utf8(made.stdout).unwrap(), String::from_utf8(made.stderr).unwrap());
    assert!(out.contains("1 documents") && note.contains("private key"), "{out}{note}");
    let names = std::fs::read_dir(carnet.path("kept")).unwrap().map(|e| e.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_str().unwrap().ends_with(".pem")));
    // Signed in the meantime, and lost with this installation.
    carnet.good(&["patient", "open", "257041995001259"]);
    assert_eq!(carnet.end(nix::sys::signal::Signal::SIGTERM), Some(0));

    let mut new = command_line::Installation::new(&settings);
    let dir = carnet.path("kept");
    let dir = dir.to_str().unwrap();
    let refused = new.bad(&["restore", dir]);
    assert!(refused.contains("put the audit key"), "{refused}");
    let key = new.path("var/audit/key.pem");
    std::fs::create_dir_all(key.parent().unwrap()).unwrap();
    std::fs::copy(carnet.path("var/audit/key.pem"), &key).unwrap();
    let restored = new.good(&["restore", dir]);
    assert!(restored.contains("1 documents") && restored.contains("says that it was restored"), "{restored}");
    assert!(new.good(&["fsck"]).contains("Everything is as it should be"));
    new.start();
    new.good(&["get", &id, "-o", "back.xml"]);
    assert_eq!(
        std::fs::read(new.path("back.xml")).unwrap(),
        std::fs::read(format!("{documents}/lettre-de-liaison-sortie.xml")).unwrap()
    );
    assert_eq!(new.end(nix::sys::signal::Signal::SIGTERM), Some(0));
    let verified: Value = serde_json::from_str(&new.good(&["audit", "verify", "--json"])).unwrap();
    assert_eq!((&verified["good"], verified["restored"].as_array().unwrap().len()), (&true.into(), 1));
    // The checkpoints that were shipped from the lost installation say that something is missing; with the record of the
    // restore behind them they say why.
    let shipped = std::fs::read(carnet.path("var/audit/checkpoints")).unwrap();
    std::fs::write(new.path("shipped"), &shipped).unwrap();
    assert!(new.run(&["audit", "verify", "--checkpoint", "shipped"]).status.code() != Some(0));
}
