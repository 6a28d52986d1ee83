//! Rules about the wire form of each object: Slots (V4, V27, V29), lengths, and what XDS does not allow at all.

use super::Rules;
use crate::constants::*;
use crate::ebxml::{Common, SubmitObjects};
use crate::error::Finding;
use crate::rules::Rule;

/// `LongName` of the ebRIM schema, in characters.
const LONGEST: usize = 256;

/// `FreeFormText` of the ebRIM schema. It holds for titles; comments, the Description, have no bound (TF-3 §4.2.3.2.4).
const LONGEST_TEXT: usize = 1024;

const KNOWN_SLOTS: [&str; 23] = [
    "creationTime",
    "hash",
    "size",
    "languageCode",
    "repositoryUniqueId",
    "serviceStartTime",
    "serviceStopTime",
    "sourcePatientId",
    "sourcePatientInfo",
    "legalAuthenticator",
    "URI",
    "documentAvailability",
    "submissionTime",
    "intendedRecipient",
    "lastUpdateTime",
    "SubmissionSetStatus",
    "PreviousVersion",
    "NewStatus",
    "OriginalStatus",
    "AssociationPropagation",
    "codingScheme",
    "urn:ihe:iti:bppc:2007:docid",
    REFERENCE_ID_LIST,
];

pub fn check(objects: &SubmitObjects, rules: &Rules) -> Vec<Finding> {
    let mut checker = Checker { rules, findings: Vec::new() };
    for object in &objects.extrinsic_objects {
        checker.common("DocumentEntry", &object.common);
        checker.length(
            "DocumentEntry.mimeType",
            &object.common.id,
            object.mime_type.as_deref().unwrap_or_default(),
        );
    }
    for package in &objects.packages {
        checker.common("RegistryPackage", &package.common);
    }
    for association in &objects.associations {
        checker.common("Association", &association.common);
    }
    checker.findings
}

struct Checker<'a> {
    rules: &'a Rules,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn wrong(&mut self, rule: Rule, location: &str, context: String) {
        self.findings.push(rule.broken(Some(location), context));
    }

    fn length(&mut self, what: &str, location: &str, value: &str) {
        self.at_most(LONGEST, what, location, value);
    }

    fn at_most(&mut self, longest: usize, what: &str, location: &str, value: &str) {
        let length = value.chars().count();
        if length > longest {
            self.wrong(
                Rule::V29,
                location,
                format!("{what}: {length} characters, at most {longest} are allowed"),
            );
        }
    }

    fn common(&mut self, kind: &str, common: &Common) {
        let id = common.id.as_str();
        for (number, slot) in common.slots.iter().enumerate() {
            let name = &slot.name;
            if name.is_empty() {
                self.wrong(Rule::V4, id, format!("{kind}: a Slot without a name"));
            }
            if common.slots.iter().take(number).any(|earlier| earlier.name == *name) {
                self.wrong(Rule::V4, id, format!("{kind}: the Slot \"{name}\" is there twice"));
            }
            if self.rules.strict_slot_names && !is_proper_name(name) {
                self.wrong(
                    Rule::V27,
                    id,
                    format!("{kind}: the name of the extra Slot \"{name}\" is not a URN outside urn:ihe:"),
                );
            }
            self.length(&format!("{kind}, name of a Slot"), id, name);
            for value in &slot.values {
                self.length(&format!("{kind}, Slot \"{name}\""), id, value);
            }
        }
        for classification in &common.classifications {
            let representation = classification.node_representation.as_deref().unwrap_or_default();
            self.length(&format!("{kind}, nodeRepresentation of a Classification"), id, representation);
            for value in classification.slots.iter().flat_map(|slot| &slot.values) {
                self.length(&format!("{kind}, Slot of a Classification"), id, value);
            }
        }
        for string in &common.name {
            self.at_most(LONGEST_TEXT, &format!("{kind}, Name"), id, &string.value);
        }
        for identifier in &common.external_identifiers {
            self.length(&format!("{kind}, value of an ExternalIdentifier"), id, &identifier.value);
        }
        for node in
            [SUBMISSION_SET_LIMITED_METADATA, DOCUMENT_ENTRY_LIMITED_METADATA, FOLDER_LIMITED_METADATA]
        {
            if common.is_classified_as(node) {
                self.wrong(Rule::S4, id, format!("{kind}: limited metadata are for other profiles than XDS"));
            }
        }
    }
}

/// V27. Names between our own repository and registry are proper too.
fn is_proper_name(name: &str) -> bool {
    KNOWN_SLOTS.contains(&name) || (name.starts_with("urn:") && !name.starts_with("urn:ihe:"))
}
