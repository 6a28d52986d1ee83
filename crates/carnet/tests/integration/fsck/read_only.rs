//! A check changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use carnet::installation;
use database::Database;
use nix::sys::signal::Signal;
use test_support::TestDatabase;

use crate::command_line::Installation;
use crate::harness::config;

const LETTER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance-tests/documents/lettre-de-liaison-sortie.xml");

/// Every table with its rows, and how far each sequence is.
async fn tables(database: &Database) -> BTreeMap<String, String> {
    let client = database.get().await.unwrap();
    let names = "select table_name::text from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'";
    let mut all = BTreeMap::new();
    for row in client.query(names, &[]).await.unwrap() {
        let name: String = row.get(0);
        let rows =
            format!("select coalesce(string_agg(t::text, e'\\n' order by t::text), '') from \"{name}\" as t");
        all.insert(name, client.query_one(&rows, &[]).await.unwrap().get(0));
    }
    let sequences = "select sequencename::text, last_value from pg_sequences";
    for row in client.query(sequences, &[]).await.unwrap() {
        let last: Option<i64> = row.get(1);
        all.insert(row.get(0), format!("{last:?}"));
    }
    all
}

/// Everything below a folder: how long it is and when it was changed.
fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            all.extend(listing(&path));
        }
        all.insert(path, (metadata.len(), metadata.modified().unwrap()));
    }
    all
}

/// An installation whose database is `url`.
fn on(url: &str) -> Installation {
    Installation::new(&format!("[patients]\nunknown = \"open\"\n[database]\nurl = \"{url}\"\n"))
}

#[actix_web::test]
async fn a_check_changes_neither_tables_nor_files() {
    let test = TestDatabase::create().await;
    let database = test.open();
    let mut carnet = on(&test.url);
    carnet.start();
    carnet.good(&["submit", LETTER]);
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
    let seen = async || (tables(&database).await, listing(&carnet.path("var")));
    let before = seen().await;
    for filled in
        ["document", "document_entry", "audit_event", "audit_tile", "setting", "refinery_schema_history"]
    {
        assert!(before.0[filled].len() > 10, "{filled}");
    }
    assert!(before.1.len() > 257, "the folders of the store and a document: {:?}", before.1);
    for arguments in [&["fsck"][..], &["fsck", "--quick"], &["fsck", "--json", "--resume", "state"]] {
        carnet.good(arguments);
        assert_eq!(seen().await, before, "{arguments:?}");
    }

    // What no server has held fast stays so.
    let client = database.get().await.unwrap();
    client.batch_execute("delete from setting where name = 'repository.unique_id'").await.unwrap();
    let before = seen().await;
    assert!(carnet.good(&["fsck"]).contains("Everything is as it should be"));
    assert_eq!(seen().await, before);
}

#[actix_web::test]
async fn tables_of_another_version_are_refused_and_stay_as_they_are() {
    let older = "delete from refinery_schema_history
        where version = (select max(version) from refinery_schema_history)";
    let newer = "insert into refinery_schema_history (version, name, applied_on, checksum)
        values (9999, 'future', '2030-01-01T00:00:00Z', '0')";
    for (change, said) in [(older, "start the server once"), (newer, "install that version")] {
        let test = TestDatabase::create().await;
        let database = test.open();
        database.get().await.unwrap().batch_execute(change).await.unwrap();
        let before = tables(&database).await;
        let carnet = on(&test.url);
        let refused = carnet.bad(&["fsck"]);
        assert!(refused.contains(said), "{refused}");
        assert_eq!(tables(&database).await, before, "{change}");
        assert!(!carnet.path("var").exists());
    }
    let test = TestDatabase::empty().await;
    let refused = on(&test.url).bad(&["fsck"]);
    assert!(refused.contains("no tables of Carnet: start the server once"), "{refused}");
    assert_eq!(tables(&test.open()).await, BTreeMap::new());
}

#[test]
fn a_private_database_that_is_stopped_is_started_and_none_is_made() {
    let mut carnet = Installation::new("[patients]\nunknown = \"open\"\n");
    let refused = carnet.bad(&["fsck"]);
    assert!(
        refused.contains("there is no database in") && refused.contains("start the server once"),
        "{refused}"
    );
    assert!(!carnet.path("var").exists());
    carnet.start();
    carnet.good(&["submit", LETTER]);
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
    let before = listing(&carnet.path("var/documents"));
    assert!(carnet.good(&["fsck"]).contains("Everything is as it should be"));
    assert_eq!(listing(&carnet.path("var/documents")), before);
    assert!(!carnet.path("var/postgres/cluster/postmaster.pid").exists(), "it was stopped again");
    fs::write(carnet.path("var/restoring"), "").unwrap();
    assert!(carnet.bad(&["fsck"]).contains("run carnet restore once more"));
}

#[actix_web::test]
async fn the_database_itself_refuses_to_be_changed_by_a_check() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    test.open().pin("repository.unique_id", crate::harness::REPOSITORY).await.unwrap();
    let of = |settings: &[(&str, &str)]| config(folder.path(), Some(&test.url), settings);
    let opened = installation::Installation::inspect(&of(&[])).await.unwrap();
    let client = opened.database.get().await.unwrap();
    for change in ["create table own ()", "insert into setting (name, value) values ('own', '')"] {
        let refused = client.batch_execute(change).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "25006", "{refused}");
    }
    drop(client);
    opened.close().await.unwrap();
    let other = installation::Installation::inspect(&of(&[("CARNET_REPOSITORY__UNIQUE_ID", "1.2.3")])).await;
    let refused = other.err().unwrap().to_string();
    assert!(refused.contains("it cannot be changed: set it back"), "{refused}");
}
