//! What a backup that was cut off leaves in its folder.

use std::fs;
use std::path::{Path, PathBuf};

use carnet::backup::{make, restore};
use carnet::installation::Installation;
use test_support::TestDatabase;

use crate::harness::{Server, Submission, assert_filed, config, patient};

async fn back_up(server: &Server, dir: &Path) -> anyhow::Result<()> {
    let installation = Installation::administer(&server.config).await.unwrap();
    let made = make(&server.config, &installation, dir, true, &|_, _, _| ()).await;
    installation.close().await.unwrap();
    made.map(drop)
}

/// The archived month, restored from the folder.
async fn restored_month(dir: &Path) -> String {
    let (test, folder) = (TestDatabase::empty().await, test_support::folder());
    let config = config(folder.path(), Some(&test.url), &[]);
    restore(&config, dir, &|_, _, _| ()).await.unwrap();
    let archive = folder.path().join("audit/archive");
    assert_eq!(fs::read_dir(&archive).unwrap().count(), 1, "nothing that was half written is a month");
    fs::read_to_string(archive.join(MONTH)).unwrap()
}

const MONTH: &str = "access-2020-01.ndjson";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[actix_web::test]
async fn a_backup_that_is_cut_off_leaves_the_archive_of_the_one_before_as_it_was() {
    let server = Server::start().await;
    assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    let archive = server.folder.path().join("audit/archive");
    fs::create_dir_all(&archive).unwrap();
    fs::write(archive.join(MONTH), "first").unwrap();
    fs::write(archive.join("access-2020-02.ndjson.partial"), "half").unwrap();
    let folder = test_support::folder();
    let dir = folder.path().join("backup");
    back_up(&server, &dir).await.unwrap();
    assert_eq!(restored_month(&dir).await, "first");

    fs::write(archive.join(MONTH), "first and second").unwrap();
    // Its last step cannot be done.
    fs::create_dir(dir.join("manifest.new")).unwrap();
    let cut = back_up(&server, &dir).await.unwrap_err();
    assert!(cut.to_string().contains("manifest"), "{cut}");
    assert_eq!(restored_month(&dir).await, "first");

    fs::remove_dir(dir.join("manifest.new")).unwrap();
    let left = dir.join("documents/tmp/1234");
    fs::write(&left, "half a document").unwrap();
    back_up(&server, &dir).await.unwrap();
    assert!(!left.exists());
    assert_eq!(restored_month(&dir).await, "first and second");
    assert_eq!(files(&dir.join("archive")).len(), 1, "what is replaced has gone");

    // It is the same the next time, and may change again.
    back_up(&server, &dir).await.unwrap();
    assert_eq!(restored_month(&dir).await, "first and second");
    fs::write(archive.join(MONTH), "first, second and third").unwrap();
    back_up(&server, &dir).await.unwrap();
    assert_eq!(restored_month(&dir).await, "first, second and third");
    assert_eq!(files(&dir.join("archive")).len(), 1);
    server.stop().await;
}
