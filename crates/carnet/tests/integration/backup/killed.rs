//! A backup and a restore that are killed at any moment are finished by the next; until then the backup is the one before.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::whole::State;
use super::{Empty, back_up, manifest};
use crate::command_line;
use crate::fsck::traffic::request;
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, files, patient};

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
    let moments: [(&str, Has<'_>); 3] = [
        ("it has begun", &is_there("var/restoring")),
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

/// The folder of a backup as it is.
struct Folder {
    names: BTreeSet<String>,
    octets: usize,
    manifest: Value,
}

fn names(dir: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

impl Folder {
    fn of(dir: &Path) -> Folder {
        Folder { names: names(dir), octets: files(&dir.join("documents")), manifest: manifest(dir) }
    }

    /// Nothing is left of what was cut off.
    fn assert_is_tidy(&self) {
        let named = ["database", "documents", "checkpoints", "key", "private_key"];
        let named = named.map(|part| self.manifest[part]["name"].as_str().unwrap());
        let expected = named.into_iter().chain(["documents", "lock", "manifest.json"]);
        let expected: BTreeSet<String> = expected.map(str::to_owned).collect();
        assert_eq!(self.names, expected);
        assert_eq!(self.octets as u64, self.manifest["document_count"].as_u64().unwrap());
    }
}

/// Whether a backup has come so far, by its folder and by what that was before.
type HasCome = fn(&Path, &Folder) -> bool;

fn has_new(dir: &Path, before: &Folder, begin: &str, end: &str) -> bool {
    let new = names(dir).into_iter().filter(|name| !before.names.contains(name));
    new.into_iter().any(|name| name.starts_with(begin) && name.ends_with(end))
}

/// At the last of them the folder is the new backup, though not all has gone that it does not need.
const MOMENTS: [(&str, HasCome); 6] = [
    ("it has begun", |dir, before| has_new(dir, before, "key-", ".pub")),
    ("the database is dumped", |dir, before| has_new(dir, before, "database-", ".dump")),
    ("the documents are listed", |dir, before| has_new(dir, before, "documents-", ".new")),
    ("documents are copied", |dir, before| files(&dir.join("documents")) > before.octets),
    ("all documents are copied", |dir, before| has_new(dir, before, "key-", ".pem")),
    ("the manifest is written", |dir, before| manifest(dir) != before.manifest),
];

/// Kills a backup at its moment. True: it was not over then, nor published but at the last moment.
fn is_killed(server: &Server, dir: &Path, moment: &str, has_come: HasCome) -> bool {
    let before = Folder::of(dir);
    let mut command = server.prepare(&["backup", dir.to_str().unwrap(), "--with-key"]);
    let mut backup =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !has_come(dir, &before) && backup.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    backup.kill().unwrap();
    let was_cut_off = backup.wait().unwrap().code().is_none();
    let is_published = manifest(dir) != before.manifest;
    was_cut_off && is_published == (moment == MOMENTS[5].0)
}

/// What comes of the folder in an empty installation.
async fn assert_restores_to(dir: &Path, expected: &State, moment: &str) {
    let empty = Empty::new().await;
    let restored = empty.restore(dir).await.unwrap();
    let documents = manifest(dir)["document_count"].as_u64().unwrap();
    assert_eq!((restored.documents, restored.lost), (documents, vec![]), "{moment}");
    assert_eq!(empty.check().await, Vec::<Value>::new(), "{moment}");
    State::of(&empty.database, empty.folder.path()).await.assert_is(expected);
}

#[actix_web::test]
async fn a_backup_that_is_killed_leaves_the_one_before_as_it_was_and_is_finished_by_the_next() {
    let server = Server::start().await;
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    let patient = patient();
    let file = async || {
        let mut filed = Vec::new();
        for number in 0..20 {
            filed.push(Submission::new(&patient, format!("lettre {number}")));
            assert_filed(&server.file(&filed[number]).await);
        }
        filed
    };
    let mut filed = file().await;
    let now = async || State::of(&server.database, server.folder.path()).await;
    for (moment, has_come) in MOMENTS {
        // A backup that was over before its moment was seen is the one before the next.
        let mut tries = 0;
        let before = loop {
            assert!(back_up(&server, &dir).await.unwrap().lost.is_empty(), "{moment}");
            let before = now().await;
            let removed = std::mem::replace(&mut filed, file().await).remove(0);
            assert_filed(&server.client.remove_documents(&[request(&removed)]).await.unwrap());
            if is_killed(&server, &dir, moment, has_come) {
                break before;
            }
            tries += 1;
            assert!(tries < 20, "{moment}: never seen");
        };
        // What a document leaves that was cut off in the middle.
        std::fs::write(dir.join("documents/tmp/half"), "lettre à dét").unwrap();
        let after = now().await;
        let is_published = moment == MOMENTS[5].0;
        assert_restores_to(&dir, if is_published { &after } else { &before }, moment).await;

        assert!(back_up(&server, &dir).await.unwrap().lost.is_empty(), "{moment}");
        Folder::of(&dir).assert_is_tidy();
        assert_restores_to(&dir, &after, moment).await;
    }
    server.stop().await;
}
