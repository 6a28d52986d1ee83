use std::fs;
use std::io::Write;

use super::{Folders, LOG_LIMIT};
use crate::account::Account;

#[test]
fn a_log_that_grew_too_long_becomes_the_previous_one_under_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of(folder.path());
    let account = Account { name: String::new(), uid: 0, gid: 0, step_down: false };
    let mut log = folders.open_log(&account).unwrap();
    log.write_all(&vec![b'x'; LOG_LIMIT as usize]).unwrap();
    folders.bound_log().unwrap();
    assert_eq!(fs::metadata(&folders.log).unwrap().len(), LOG_LIMIT, "it may grow so far");
    log.write_all(b"last\n").unwrap();
    folders.bound_log().unwrap();
    log.write_all(b"next\n").unwrap();
    assert_eq!(fs::read(&folders.log).unwrap(), b"next\n");
    assert_eq!(fs::metadata(folder.path().join("postgres.log.1")).unwrap().len(), LOG_LIMIT + 5);
}

#[test]
fn the_tail_of_a_log_is_its_last_lines() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of(folder.path());
    let text: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
    fs::write(&folders.log, text).unwrap();
    let tail = folders.log_tail();
    assert!(tail.starts_with("    line 9992\n") && tail.ends_with("    line 9999\n"), "{tail}");
}
