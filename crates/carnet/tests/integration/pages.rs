//! Pages for people that must keep up with the code.

use std::fs;
use std::path::Path;

/// The transactions that have a file of their own.
fn transactions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let numbers = names.filter_map(|name| Some(name.strip_prefix("iti")?.strip_suffix(".rs")?.to_owned()));
    numbers.map(|number| format!("ITI-{number}")).collect()
}

#[test]
fn every_transaction_is_in_the_integration_statement_and_in_the_architecture() {
    let transactions = transactions();
    assert!(transactions.len() > 4, "{transactions:?}");
    for page in ["docs/conformance.md", "ARCHITECTURE.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
        let text = fs::read_to_string(path).unwrap();
        let missing: Vec<&String> =
            transactions.iter().filter(|name| !text.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{page} does not name {missing:?}");
    }
}
