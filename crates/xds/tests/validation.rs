//! Holds the table of rules, the page about it and the tests of the rules together.

#![allow(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use std::path::{Path, PathBuf};

use xds::rules::{self, Rule};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of every file below with that extension.
fn texts(folder: &Path, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(texts(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

#[test]
fn the_page_is_the_table() {
    let path = root().join("docs/validation.md");
    let expected = rules::document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == expected,
        "docs/validation.md is stale: UPDATE_DOCS=1 cargo test -p xds --test validation"
    );
}

#[test]
fn every_rule_has_a_test_of_its_name() {
    let sources = texts(&root().join("crates"), "rs");
    let missing: Vec<&str> = Rule::ALL
        .iter()
        .map(|rule| rule.row().number)
        .filter(|number| {
            let name = format!(" {}_", number.to_lowercase());
            // In a macro a test is a name alone on its line.
            !sources.iter().any(|text| {
                text.lines().any(|line| {
                    line.contains(&format!("fn{name}"))
                        || line.starts_with(&format!("   {name}")) && line.contains(':')
                })
            })
        })
        .collect();
    assert_eq!(missing, [""; 0], "rules without a test named after them");
}
