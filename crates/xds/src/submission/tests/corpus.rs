//! Submissions written by others.

use std::path::Path;

use xml::{Document, Limits};

use super::*;
use crate::constants::ns::LCM;

/// `lcm:SubmitObjectsRequest` in a file; `None` when there is none.
fn read(path: &Path) -> Option<SubmitObjects> {
    let octets = std::fs::read(path).unwrap();
    let text = xml::decode(&octets).unwrap();
    let document =
        Document::parse(&text, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let root = document.root();
    let request = if root.is(LCM, "SubmitObjectsRequest") {
        root
    } else {
        root.descendant(LCM, "SubmitObjectsRequest")?
    };
    Some(SubmitObjects::read(request).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

fn samples() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("CARNET_CORPUS").map(|corpus| Path::new(&corpus).join("data/xds-samples"));
    if folder.is_none() {
        eprintln!("skipped: CARNET_CORPUS is not set");
    }
    folder
}

#[test]
fn corpus_every_submission_is_readable() {
    let Some(samples) = samples() else { return };
    let (mut count, mut unnamed) = (0, Vec::new());
    for folder in ["ihe", "ipf", "openxds", "xds2fhir", "xdm-metadata", "xca"] {
        for file in std::fs::read_dir(samples.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) {
                continue;
            }
            let Some(objects) = read(&path) else { continue };
            count += 1;
            assert_eq!(objects.findings, [], "{}", path.display());
            if objects.submission_set_unique_id().is_none() {
                unnamed.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    unnamed.sort();
    assert_eq!(count, 16);
    // An empty list; a package that nothing marks as SubmissionSet; a scheme with a blank in the middle of its UUID.
    assert_eq!(unnamed, ["IT_iti-42_request.xml", "PnR_request.xml", "SubmitObjectsRequest_ebrs30.xml"]);
}

#[test]
fn corpus_the_faults_of_the_official_registration_are_all_named() {
    let Some(samples) = samples() else { return };
    let objects = read(&samples.join("ihe/RegisterDocumentSet-bRequest_SOAP.xml")).unwrap();
    let findings = checked(objects).unwrap_err();
    let found: Vec<(&str, &str)> =
        findings.iter().map(|f| (f.location.as_deref().unwrap(), f.context.as_str())).collect();
    let expected = [
        // A Repository fills these three in before it registers (TF-3 Table 4.3.1-3, column of ITI-42).
        ("Document01", "DocumentEntry.hash: required, and missing"),
        ("Document01", "DocumentEntry.repositoryUniqueId: required, and missing"),
        ("Document01", "DocumentEntry.size: required, and missing"),
        // The data type of sourceId is OID (TF-3 Table 4.3.1-3), which is more than one number.
        (
            "SubmissionSet01",
            "SubmissionSet.sourceId: \"3670984664\" is not an OID (numbers without leading zeros, joined by dots, at most 64 characters)",
        ),
        // The type of an association is a full URN since ebRIM 3.0 (TF-3 §4.2.2).
        ("as01", "Association.associationType: \"HasMember\" is not a type that may be submitted here"),
        // Follows from the one before: nothing else ties the document to the SubmissionSet.
        ("Document01", "DocumentEntry: needs exactly one HasMember from the SubmissionSet, has 0"),
    ];
    assert_eq!(found, expected);
    let rules: Vec<Rule> = findings.iter().filter_map(|f| f.rule).collect();
    assert_eq!(rules, [Rule::V2, Rule::V2, Rule::V2, Rule::V3, Rule::V21, Rule::S3]);
}

#[test]
fn corpus_the_official_registration_is_accepted_once_its_faults_are_mended() {
    let Some(samples) = samples() else { return };
    let mut objects = read(&samples.join("ihe/RegisterDocumentSet-bRequest_SOAP.xml")).unwrap();
    let entry = common(&mut objects, "Document01");
    entry.set_slot("hash", document().hash.unwrap());
    entry.set_slot("repositoryUniqueId", "1.2.3");
    entry.set_slot("size", "0");
    let identifiers = &mut common(&mut objects, "SubmissionSet01").external_identifiers;
    identifiers.iter_mut().filter(|e| e.value == "3670984664").for_each(|e| e.value = "1.2.4".into());
    objects.associations[0].association_type = AssociationType::HasMember.urn().into();
    let submission = checked(objects).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert_eq!(submission.documents[0].title.as_deref(), Some("Physical"));
    assert_eq!(submission.submission_set.comments.as_deref(), Some("Annual physical"));
}
