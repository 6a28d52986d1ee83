//! Whatever a test did, its traces are audit messages by DICOM's schema, and AuditEvents by FHIR's rules. The schema is that of
//! others (`CARNET_CORPUS`).

use std::path::{Path, PathBuf};
use std::process::Command;

use atna::fhir::{self, Encoding};
use atna::{Entry, Filter, dicom};
use database::Database;

/// More than any test leaves, but for those that measure.
const MOST: i64 = 500;

pub async fn assert_traces_are_valid(database: &Database) {
    let Some(corpus) = std::env::var_os("CARNET_CORPUS").map(PathBuf::from) else { return };
    let client = database.get().await.unwrap();
    let filter = Filter { limit: Some(MOST), ..Filter::default() };
    let rows = atna::search(&client, &filter).await.unwrap();
    let folder = test_support::folder();
    let mut files = Vec::new();
    for entry in rows.iter().map(|row| &row.entry) {
        let resource = fhir::audit_event(entry).unwrap();
        assert_eq!(fhir::read(&resource.to_string(), Encoding::Json, usize::MAX), Ok(resource));
        if let Entry::Own(event) = entry {
            let file = folder.path().join(format!("{}.xml", event.id));
            std::fs::write(&file, dicom::render(event)).unwrap();
            files.push(file);
        }
    }
    if !files.is_empty() {
        validate(&corpus.join("schemas/audit-ipf/dicom2017c.xsd"), &files);
    }
}

fn validate(schema: &Path, files: &[PathBuf]) {
    let mut xmllint = Command::new("xmllint");
    match xmllint.args(["--nonet", "--noout", "--schema"]).arg(schema).args(files).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => eprintln!("skipped: xmllint is not installed"),
    }
}
