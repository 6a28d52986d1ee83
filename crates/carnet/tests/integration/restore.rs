//! A restore fills what is empty, or says that it has not.

use std::path::{Path, PathBuf};

use carnet::backup::{make, restore};
use carnet::config::Config;
use carnet::installation::Installation;
use database::Database;
use nix::sys::signal::Signal;
use tempfile::TempDir;
use test_support::TestDatabase;

use crate::command_line;
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, config, patient};

/// A server with one document, and a backup of it without its key.
async fn backed_up() -> (Server, TempDir, PathBuf) {
    let server = Server::start().await;
    assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    // What is signed tells a database from another.
    let signed = "select count(*) from audit_checkpoint";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while server.count(signed).await == 0 {
        assert!(std::time::Instant::now() < deadline, "nothing is signed");
        tokio::task::yield_now().await;
    }
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    back_up(&server, &dir).await.unwrap();
    (server, folder, dir)
}

async fn back_up(server: &Server, dir: &Path) -> anyhow::Result<()> {
    let installation = Installation::administer(&server.config).await.unwrap();
    let made = make(&server.config, &installation, dir, false, &|_, _, _| ()).await;
    installation.close().await.unwrap();
    made.map(drop)
}

/// Where a restore goes to.
struct Target {
    folder: TempDir,
    config: Config,
    database: Database,
}

impl Target {
    fn new(url: &str, database: Database) -> Target {
        let folder = test_support::folder();
        let config = config(folder.path(), Some(url), &[("CARNET_PATIENTS__UNKNOWN", "open")]);
        Target { folder, config, database }
    }

    async fn empty() -> Target {
        let test = TestDatabase::empty().await;
        Target::new(&test.url, test.open())
    }

    /// The key of the log, which the backup has not.
    fn put_key_of(&self, server: &Server) {
        let key = self.folder.path().join("audit/key.pem");
        std::fs::create_dir_all(key.parent().unwrap()).unwrap();
        std::fs::copy(server.folder.path().join("audit/key.pem"), &key).unwrap();
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("restoring")
    }

    /// As a restore leaves it that was cut off.
    fn leave_mark_for(&self, dir: &Path) {
        let manifest = std::fs::read_to_string(dir.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        std::fs::write(self.mark(), manifest["database"]["sha256"].as_str().unwrap()).unwrap();
    }

    async fn restore(&self, dir: &Path) -> Result<u64, String> {
        let restored = restore(&self.config, dir, &|_, _, _| ()).await;
        restored.map(|restored| restored.documents).map_err(|error| error.to_string())
    }

    /// Refuses twice: neither run may make the other believe that something was restored.
    async fn refuses_twice(&self, server: &Server, dir: &Path) {
        let refused = self.restore(dir).await.unwrap_err();
        assert!(refused.contains("empty installation only"), "{refused}");
        self.put_key_of(server);
        let refused = self.restore(dir).await.unwrap_err();
        assert!(refused.contains("empty installation only"), "{refused}");
        assert!(!self.mark().exists() && !self.folder.path().join("audit/checkpoints").exists());
    }

    async fn documents(&self) -> i64 {
        let client = self.database.get().await.unwrap();
        client.query_one("select count(*) from document", &[]).await.unwrap().get(0)
    }
}

#[actix_web::test]
async fn tables_without_rows_are_not_a_restored_database() {
    let (server, _folder, dir) = backed_up().await;
    let target = Target::empty().await;
    // As any command makes them.
    target.database.migrate().await.unwrap();
    target.refuses_twice(&server, &dir).await;
    assert_eq!(target.documents().await, 0);

    // Not even behind a restore that had begun.
    target.leave_mark_for(&dir);
    let refused = target.restore(&dir).await.unwrap_err();
    assert!(refused.contains("not what the backup holds"), "{refused}");
    assert_eq!(target.documents().await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn tables_without_rows_are_not_even_a_restored_database_of_which_nothing_was_signed() {
    let test = TestDatabase::create().await;
    let (folder, kept) = (test_support::folder(), test_support::folder());
    let config = config(folder.path(), Some(&test.url), &[]);
    let installation = Installation::administer(&config).await.unwrap();
    let dir = kept.path().join("backup");
    make(&config, &installation, &dir, false, &|_, _, _| ()).await.unwrap();
    installation.close().await.unwrap();
    let target = Target::empty().await;
    target.database.migrate().await.unwrap();
    target.leave_mark_for(&dir);
    let refused = target.restore(&dir).await.unwrap_err();
    assert!(refused.contains("not what the backup holds"), "{refused}");

    let target = Target::empty().await;
    assert_eq!(target.restore(&dir).await, Ok(0));
    target.leave_mark_for(&dir);
    assert_eq!(target.restore(&dir).await, Ok(0));
}

#[actix_web::test]
async fn the_database_of_a_living_installation_is_left_alone_by_an_exercise() {
    let (server, _folder, dir) = backed_up().await;
    let url = server.config.database.url.clone().unwrap();
    let target = Target::new(&url, server.database.clone());
    target.refuses_twice(&server, &dir).await;

    // It knows the backup, and has gone on since.
    assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    let signed = "select count(*) from audit_inbox";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while server.count(signed).await > 0 {
        assert!(std::time::Instant::now() < deadline, "nothing is signed");
        tokio::task::yield_now().await;
    }
    target.leave_mark_for(&dir);
    let refused = target.restore(&dir).await.unwrap_err();
    assert!(refused.contains("not what the backup holds"), "{refused}");
    assert_eq!(server.messages(&["backup-restore"]).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn documents_in_the_folder_are_not_mixed_with_those_of_a_backup() {
    let (server, _folder, dir) = backed_up().await;
    let target = Target::empty().await;
    let part = target.folder.path().join("documents/00");
    std::fs::create_dir_all(&part).unwrap();
    std::fs::write(part.join("00000000000040008000000000000000"), "x").unwrap();
    target.refuses_twice(&server, &dir).await;
    assert!(target.database.is_empty().await.unwrap());
    server.stop().await;
}

#[actix_web::test]
async fn a_restore_that_lacks_its_key_leaves_an_empty_installation_and_one_that_was_cut_off_is_finished() {
    let (server, _folder, dir) = backed_up().await;
    let target = Target::empty().await;
    let refused = target.restore(&dir).await.unwrap_err();
    assert!(refused.contains("put the audit key"), "{refused}");
    assert!(!target.mark().exists() && target.database.is_empty().await.unwrap());
    target.put_key_of(&server);
    assert_eq!(target.restore(&dir).await, Ok(1));
    assert!(!target.mark().exists());
    let refused = target.restore(&dir).await.unwrap_err();
    assert!(refused.contains("empty installation only"), "{refused}");

    // Cut off when the database was in place.
    target.leave_mark_for(&dir);
    assert_eq!(target.restore(&dir).await, Ok(1));
    assert_eq!(target.documents().await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_restore_that_is_killed_before_it_has_looked_at_anything_is_done_by_the_next() {
    let (server, _folder, dir) = backed_up().await;
    let settings = format!("[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let mut new = command_line::Installation::new(&settings);
    let key = new.path("var/audit/key.pem");
    std::fs::create_dir_all(key.parent().unwrap()).unwrap();
    std::fs::copy(server.folder.path().join("audit/key.pem"), &key).unwrap();
    server.stop().await;
    let dir = dir.to_str().unwrap();
    let mut restore = new.command(&["restore", dir]).spawn().unwrap();
    while !new.path("var/postgres/cluster/postmaster.pid").exists() {
        assert!(restore.try_wait().unwrap().is_none(), "ended before");
        std::thread::yield_now();
    }
    restore.kill().unwrap();
    restore.wait().unwrap();
    assert!(new.good(&["restore", dir]).contains("1 documents"));
    assert!(new.good(&["fsck"]).contains("Everything is as it should be"));
    new.start();
    assert_eq!(new.end(Signal::SIGTERM), Some(0));
}
