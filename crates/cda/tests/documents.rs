//! The project's own sample documents, in `conformance-tests/documents`: each is read and maps completely.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cda::metadata::{Defaults, Draft, document_entry};
use uuid::Uuid;
use xml::Limits;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance-tests/documents")
}

fn drafts() -> BTreeMap<String, Draft> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let documents = files.filter(|path| path.extension().is_some_and(|extension| extension == "xml"));
    documents
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let header = cda::read(&std::fs::read(&path).unwrap(), &Limits::default())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(header.ins_findings(), [], "{name}");
            let draft = document_entry(&header, &Defaults::default(), Uuid::new_v4())
                .unwrap_or_else(|missing| panic!("{name}: {missing:?}"));
            (name, draft)
        })
        .collect()
}

#[test]
fn every_document_has_the_type_class_and_format_that_it_is_made_for() {
    let codes: BTreeMap<String, (String, String, String)> = drafts()
        .into_iter()
        .map(|(name, draft)| {
            let entry = draft.entry;
            (name, (entry.type_code.code, entry.class_code.code, entry.format_code.code))
        })
        .collect();
    let expected = [
        ("biologie-structuree.xml", "11502-2", "10", "urn:ihe:lab:xd-lab:2008"),
        ("compte-rendu-hospitalisation-pdf.xml", "34112-3", "10", "urn:ihe:iti:xds-sd:pdf:2008"),
        ("consultation-texte.xml", "11488-4", "10", "urn:ihe:iti:xds-sd:text:2008"),
        ("document-du-patient-texte.xml", "DOCPAT01", "11", "urn:ihe:iti:xds-sd:text:2008"),
        ("imagerie-version-1-pdf.xml", "18748-4", "31", "urn:ihe:iti:xds-sd:pdf:2008"),
        ("imagerie-version-2-pdf.xml", "18748-4", "31", "urn:ihe:iti:xds-sd:pdf:2008"),
        ("lettre-de-liaison-entree-bom.xml", "18761-7", "11", "urn:asip:ci-sis:ldl-ees:2017"),
        ("lettre-de-liaison-sortie.xml", "11490-0", "10", "urn:asip:ci-sis:ldl-ses:2017"),
        ("note-de-vaccination.xml", "87273-9", "52", "urn:asip:ci-sis:vac-note:2021"),
        ("ordonnance-numerisee-jpeg.xml", "57833-6", "42", "urn:ihe:iti-fr:xds-sd:jpeg:2010"),
        ("synthese-auto-presentable.xml", "SYNTH", "11", "urn:asip:ci-sis:vsm:2012"),
        ("synthese-episode-iso-8859-1.xml", "34133-9", "11", "urn:asipSante:modelesHorsProfils:2011"),
    ];
    let expected = expected.map(|(name, code, class, format)| {
        (name.to_owned(), (code.to_owned(), class.to_owned(), format.to_owned()))
    });
    assert_eq!(codes, BTreeMap::from(expected));
}

#[test]
fn every_document_has_its_own_identity_and_every_attribute_of_the_french_profile() {
    let mut unique_ids = BTreeSet::new();
    for (name, draft) in drafts() {
        let entry = draft.entry;
        assert!(unique_ids.insert(entry.unique_id.clone()), "{name}: {}", entry.unique_id);
        assert!(entry.unique_id.len() <= 64 && identity::Oid::parse(&entry.unique_id).is_ok(), "{name}");
        assert!(entry.patient_id.text.ends_with("&1.2.250.1.213.1.4.10&ISO^NH"), "{name}");
        assert!(entry.service_start_time.is_some(), "{name}");
        assert!(entry.legal_authenticator.is_some() && !entry.authors.is_empty(), "{name}");
        assert!(entry.title.is_some_and(|title| title.chars().count() <= 128), "{name}");
        assert!(draft.facts.set_id.is_some() && draft.facts.version_number.is_some(), "{name}");
        assert!(draft.facts.birth_name.is_some() && draft.facts.birth_place.is_some(), "{name}");
    }
}

#[test]
fn the_documents_are_of_five_patients() {
    let patients: BTreeSet<String> = drafts().into_values().map(|draft| draft.entry.patient_id.id).collect();
    assert_eq!(patients.len(), 5);
}

#[test]
fn the_second_version_replaces_the_first() {
    let drafts = drafts();
    let (first, second) = (&drafts["imagerie-version-1-pdf.xml"], &drafts["imagerie-version-2-pdf.xml"]);
    assert_eq!(second.replaces.as_ref(), Some(&first.entry.unique_id));
    assert_eq!(second.facts.set_id, first.facts.set_id);
    assert_eq!((first.facts.version_number, second.facts.version_number), (Some(1), Some(2)));
    assert_eq!(drafts.values().filter(|draft| draft.replaces.is_some()).count(), 1);
}

#[test]
fn accents_survive_every_encoding() {
    let drafts = drafts();
    let title = |name: &str| drafts[name].entry.title.clone().unwrap();
    assert_eq!(title("lettre-de-liaison-entree-bom.xml"), "Lettre de liaison à l'entrée");
    assert!(title("synthese-episode-iso-8859-1.xml").starts_with("Synthèse d'épisode : "));
    let octets = std::fs::read(folder().join("synthese-episode-iso-8859-1.xml")).unwrap();
    assert!(std::str::from_utf8(&octets).is_err(), "the sample is not in ISO 8859-1");
}
