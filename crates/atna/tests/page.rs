//! Holds the page about the event table to the table.

#![allow(clippy::unwrap_used, reason = "a file that cannot be written fails the test")]

use std::path::Path;

#[test]
fn the_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    let expected = atna::table::document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == expected, "docs/audit.md is stale: UPDATE_DOCS=1 cargo test -p atna --test page");
}
