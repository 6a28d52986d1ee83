//! A document folder beside a database that is not its own, or is its own of an earlier time: nothing is removed because that
//! does not know it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use test_support::TestDatabase;
use tokio_postgres::NoTls;

use crate::command_line::Installation;
use crate::harness::REPOSITORY;

const KEPT: &str = "octets that belong to no document are kept";

fn settings(url: &str) -> String {
    format!(
        "[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n[database]\nurl = \"{url}\"\n"
    )
}

/// The same folder beside another database.
fn switch(carnet: &Installation, from: &str, to: &str) {
    let file = carnet.path("carnet.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from));
    fs::write(file, text.replace(from, to)).unwrap();
}

fn until(carnet: &Installation, what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}:\n{}", carnet.log());
        std::thread::yield_now();
    }
}

/// The ids of the store.
fn ids(carnet: &Installation) -> Vec<PathBuf> {
    let folders = fs::read_dir(carnet.path("var/documents")).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("store-")).collect()
}

fn blobs(carnet: &Installation) -> Vec<PathBuf> {
    let parts = fs::read_dir(carnet.path("var/documents")).unwrap().map(|part| part.unwrap().path());
    parts.flat_map(|part| fs::read_dir(part).unwrap().map(|file| file.unwrap().path())).collect()
}

/// As if everything had been stored days ago.
fn age(files: &[PathBuf]) {
    let days_ago = SystemTime::now() - Duration::from_secs(72 * 3600);
    for file in files {
        fs::File::options().write(true).open(file).unwrap().set_modified(days_ago).unwrap();
    }
}

fn file_a_letter(carnet: &Installation) -> String {
    let letter = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance-tests/documents/lettre-de-liaison-sortie.xml"
    );
    let filed = carnet.good(&["submit", letter]);
    filed.trim().strip_prefix("Filed as ").unwrap().to_owned()
}

/// A running server with one letter, whose folder and database know each other.
fn with_a_letter(url: &str) -> (Installation, String) {
    let mut carnet = Installation::new(&settings(url));
    carnet.start();
    assert_eq!(ids(&carnet).len(), 1, "there before anything is stored");
    let id = file_a_letter(&carnet);
    (carnet, id)
}

fn stop(carnet: &mut Installation) {
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
}

/// Starts, and sees that the server decides to keep what it does not know.
fn keeps_everything(carnet: &mut Installation, why: &str) {
    let before = blobs(carnet);
    age(&before);
    let log = carnet.log().len();
    carnet.start();
    until(carnet, why, || carnet.log()[log..].lines().any(|line| line.contains(KEPT) && line.contains(why)));
    stop(carnet);
    assert_eq!(blobs(carnet), before);
}

/// A copy of a database that nobody is connected to.
async fn copy(url: &str) -> String {
    let name = url.split("dbname=").nth(1).unwrap();
    let (client, connection) = tokio_postgres::connect(&url.replace(name, "postgres"), NoTls).await.unwrap();
    let driver = actix_web::rt::spawn(connection);
    let create = format!("create database {name}_earlier template {name}");
    // The connections of a server that has ended may take a moment to go.
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.batch_execute(&create).await.is_err() {
        assert!(Instant::now() < deadline, "the database cannot be copied");
    }
    drop(client);
    driver.abort();
    format!("{url}_earlier")
}

#[actix_web::test]
async fn a_database_of_an_earlier_time_does_not_cost_what_was_filed_since() {
    let url = TestDatabase::create().await.url;
    let (mut carnet, first) = with_a_letter(&url);
    stop(&mut carnet);
    let earlier = copy(&url).await;
    carnet.start();
    let since = file_a_letter(&carnet);
    stop(&mut carnet);

    switch(&carnet, &url, &earlier);
    keeps_everything(&mut carnet, "it was set back");
    switch(&carnet, &earlier, &url);
    carnet.start();
    for id in [&first, &since] {
        carnet.good(&["get", id, "-o", "back.xml"]);
    }
    assert!(carnet.good(&["fsck"]).contains("Everything is as it should be"));
    stop(&mut carnet);
}

#[actix_web::test]
async fn another_database_takes_nothing_whether_or_not_the_checkpoints_are_there() {
    let url = TestDatabase::create().await.url;
    let (mut carnet, id) = with_a_letter(&url);
    stop(&mut carnet);
    let other = TestDatabase::create().await.url;
    switch(&carnet, &url, &other);
    keeps_everything(&mut carnet, "the file of checkpoints tells of");

    fs::rename(carnet.path("var/audit/checkpoints"), carnet.path("checkpoints")).unwrap();
    keeps_everything(&mut carnet, "the database holds no id");
    // As an earlier version would have left them.
    let own = ids(&carnet).remove(0);
    fs::remove_dir(&own).unwrap();
    keeps_everything(&mut carnet, "knows nothing of what the document folder holds");
    assert!(ids(&carnet).is_empty());
    fs::create_dir(&own).unwrap();
    let found = carnet.run(&["fsck"]);
    let said = String::from_utf8(found.stdout).unwrap();
    assert!(
        said.contains("one of them is of another installation") && said.contains("other-store"),
        "{said}"
    );

    // One that has documents and a store of its own.
    let third = TestDatabase::create().await.url;
    let (mut elsewhere, _) = with_a_letter(&third);
    stop(&mut elsewhere);
    fs::remove_file(carnet.path("var/audit/checkpoints")).unwrap();
    // The key of its log, so that only the id is in the way.
    for file in ["key.pem", "key.pub"] {
        fs::copy(elsewhere.path("var/audit").join(file), carnet.path("var/audit").join(file)).unwrap();
    }
    switch(&carnet, &other, &third);
    keeps_everything(&mut carnet, "and the database holds the id");

    // What the message says mends it.
    let own = elsewhere.path("var/documents").join(ids(&elsewhere)[0].file_name().unwrap());
    fs::remove_dir(&ids(&carnet)[0]).unwrap();
    fs::create_dir(carnet.path("var/documents").join(own.file_name().unwrap())).unwrap();
    let stray = blobs(&carnet);
    assert_eq!(stray.len(), 1, "the letter {id} of the first database");
    carnet.start();
    until(&carnet, "what belongs to no document goes", || blobs(&carnet).is_empty());
    stop(&mut carnet);
}

#[actix_web::test]
async fn an_installation_without_an_id_gets_one_and_keeps_it() {
    let url = TestDatabase::create().await.url;
    let (mut carnet, id) = with_a_letter(&url);
    stop(&mut carnet);
    let given = ids(&carnet);
    // As an earlier version left it, with what a crash left.
    fs::remove_dir(&given[0]).unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let driver = actix_web::rt::spawn(connection);
    client.batch_execute("delete from setting where name = 'documents.store_id'").await.unwrap();
    drop(client);
    driver.abort();
    let [letter] = blobs(&carnet).try_into().unwrap();
    let stray = stray_beside(&letter);
    age(&[letter.clone(), stray.clone()]);
    assert!(carnet.bad(&["fsck"]).contains("1 finding"), "the stray alone");

    carnet.start();
    until(&carnet, "the stray goes", || !stray.exists());
    let adopted = ids(&carnet);
    assert!(adopted.len() == 1 && adopted != given && letter.exists());
    stop(&mut carnet);
    let stray = stray_beside(&letter);
    age(std::slice::from_ref(&stray));
    carnet.start();
    until(&carnet, "the stray goes", || !stray.exists());
    assert_eq!(ids(&carnet), adopted);
    carnet.good(&["get", &id, "-o", "back.xml"]);
    stop(&mut carnet);
}

#[actix_web::test]
async fn a_folder_that_lost_its_id_gets_it_again_where_it_is_known() {
    let url = TestDatabase::create().await.url;
    let (mut carnet, _) = with_a_letter(&url);
    stop(&mut carnet);
    let own = ids(&carnet);
    fs::remove_dir(&own[0]).unwrap();
    // The folder of documents is not there yet, as when its disk is not mounted: what is there instead gets nothing.
    fs::rename(carnet.path("var/documents"), carnet.path("documents")).unwrap();
    carnet.start();
    stop(&mut carnet);
    assert!(ids(&carnet).is_empty());
    fs::remove_dir_all(carnet.path("var/documents")).unwrap();
    fs::rename(carnet.path("documents"), carnet.path("var/documents")).unwrap();
    carnet.start();
    stop(&mut carnet);
    assert_eq!(ids(&carnet), own);
}

fn stray_beside(blob: &Path) -> PathBuf {
    let name = blob.file_name().unwrap().to_str().unwrap();
    let other = format!("{}{}", &name[..31], if name.ends_with('0') { '1' } else { '0' });
    let stray = blob.with_file_name(other);
    fs::copy(blob, &stray).unwrap();
    stray
}

#[actix_web::test]
async fn a_restored_installation_has_the_id_that_its_database_holds() {
    let url = TestDatabase::create().await.url;
    let (mut carnet, _) = with_a_letter(&url);
    carnet.good(&["backup", "kept", "--with-key"]);
    stop(&mut carnet);
    let restored = TestDatabase::empty().await.url;
    let new = Installation::new(&settings(&restored));
    new.good(&["restore", carnet.path("kept").to_str().unwrap()]);
    let name = |carnet: &Installation| ids(carnet)[0].file_name().unwrap().to_owned();
    assert_eq!((ids(&new).len(), name(&new)), (1, name(&carnet)));
    assert!(new.good(&["fsck"]).contains("Everything is as it should be"));
}
