//! Published French CDA documents, from the folder that `CARNET_CORPUS` names, held against their manifest.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::path::PathBuf;

use cda::metadata::{Defaults, document_entry};
use cda::{Body, Header, Id, Relation};
use uuid::Uuid;
use xml::Limits;

/// A line of the manifest, by the names of its columns.
struct Line {
    cells: Vec<(String, String)>,
}

impl Line {
    fn get(&self, column: &str) -> &str {
        let cell = self.cells.iter().find(|(name, _)| name == column);
        &cell.unwrap_or_else(|| panic!("the manifest has no column {column}")).1
    }
}

/// Every document of the corpus with its manifest line; `None` when there is no corpus.
fn corpus() -> Option<Vec<(Line, Header)>> {
    let Some(root) = std::env::var_os("CARNET_CORPUS") else {
        #[expect(clippy::print_stderr, reason = "says that nothing was tested")]
        {
            eprintln!("skipped: CARNET_CORPUS is not set");
        }
        return None;
    };
    let folder = PathBuf::from(root).join("data/cda");
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let mut lines = manifest.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let documents = lines.map(|cells| {
        let line = Line { cells: names.iter().cloned().zip(cells).collect() };
        let octets = std::fs::read(folder.join(line.get("file"))).unwrap();
        let header = cda::read(&octets, &Limits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", line.get("file")));
        (line, header)
    });
    Some(documents.collect())
}

/// An identifier as the manifest writes it.
fn written(id: &Id) -> String {
    match &id.extension {
        Some(extension) => format!("{}^{extension}", id.root),
        None => id.root.clone(),
    }
}

#[test]
fn corpus_headers_agree_with_the_manifest() {
    let Some(corpus) = corpus() else { return };
    assert_eq!(corpus.len(), 38);
    for (line, header) in corpus {
        let file = line.get("file");
        assert_eq!(header.code.code, line.get("typeCode"), "{file}");
        assert_eq!(header.title.as_deref(), Some(line.get("title")), "{file}");
        assert_eq!(written(&header.id), line.get("id"), "{file}");
        assert_eq!(header.set_id.as_ref().map(written).unwrap_or_default(), line.get("setId"), "{file}");
        let version = header.version_number.map(|number| number.to_string()).unwrap_or_default();
        assert_eq!(version, line.get("version"), "{file}");
        assert_eq!(header.effective_time.as_deref(), Some(line.get("effectiveTime")), "{file}");
        let patients: Vec<String> = header.patient.ids.iter().map(written).collect();
        assert!(patients.join(" ") == line.get("patientIds"), "{file}: patient identifiers");
        let replaced = header.parents.iter().filter(|parent| parent.relation == Relation::Replaces);
        let replaced: Vec<String> = replaced.map(|parent| format!("RPLC:{}", written(&parent.id))).collect();
        assert_eq!(replaced.join(" "), line.get("relatedDocument"), "{file}");
        assert_eq!(header.self_presenting, line.get("rootElement") == "stylesheet", "{file}");
        let level = match &header.body {
            Some(Body::Structured) => "N3".to_owned(),
            Some(Body::Unstructured { media_type }) => format!("N1:{media_type}"),
            None => String::new(),
        };
        assert_eq!(level, line.get("level"), "{file}");
    }
}

#[test]
fn corpus_documents_map_completely_without_any_default() {
    let Some(corpus) = corpus() else { return };
    for (line, header) in corpus {
        let file = line.get("file");
        let draft = document_entry(&header, &Defaults::default(), Uuid::nil())
            .unwrap_or_else(|missing| panic!("{file}: {missing:?}"));
        let entry = draft.entry;
        assert_ne!(entry.format_code.code, "urn:asipSante:modelesHorsProfils:2011", "{file}");
        assert!(entry.service_start_time.is_some(), "{file}");
        assert!(entry.legal_authenticator.is_some() && !entry.authors.is_empty(), "{file}");
        assert_eq!(draft.replaces.is_some(), line.get("relatedDocument").starts_with("RPLC:"), "{file}");
        // The CNAM's documents are about a period, not about acts with codes.
        assert_eq!(entry.event_codes.is_empty(), file.contains("CNAM-HR"), "{file}");
    }
}

#[test]
fn corpus_ins_numbers_with_a_wrong_key_are_found() {
    let Some(corpus) = corpus() else { return };
    let wrong = corpus.iter().filter(|(_, header)| !header.ins_findings().is_empty());
    let files: Vec<&str> = wrong.map(|(line, _)| line.get("file")).collect();
    assert_eq!(
        files,
        [
            "ans-3.0/CSE-MDE_2023.01.xml",
            "ans-3.0/CSE-CS8_2024.01.xml",
            "ans-3.0/SDM-MR_2024.01_nouveau-ne.xml",
        ]
    );
}
