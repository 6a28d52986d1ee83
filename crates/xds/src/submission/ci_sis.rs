//! The metadata rules of the French shared record (CI-SIS, volet Partage de documents de santé), on top of IHE's. On the wire
//! form, so that another defect of an object hides nothing.

use identity::{Ins, InsError, is_ins_authority};

use super::{Ids, Role, role};
use crate::constants::*;
use crate::ebxml::{Classification, Common, ExtrinsicObject, SubmitObjects};
use crate::error::Finding;
use crate::metadata::AssociationType;
use crate::rules::Rule;
use crate::value::{Cx, Dtm, check_oid, component};

/// The format of the document that signs a SubmissionSet, and its language.
const SIGNATURE_FORMAT: &str = "http://www.w3.org/2000/09/xmldsig#";
const SIGNATURE_LANGUAGE: &str = "art";
const LANGUAGE: &str = "fr-FR";

/// CDA and signatures, self-presenting CDA, imaging manifests.
const MEDIA_TYPES: [&str; 3] = ["text/xml", "application/xslt+xml", "application/dicom"];

pub fn check(objects: &SubmitObjects, ids: &Ids) -> Vec<Finding> {
    let mut checker = Checker { ids, findings: Vec::new() };
    objects.extrinsic_objects.iter().for_each(|object| checker.document(object));
    for package in &objects.packages {
        match role(package) {
            Some(Role::SubmissionSet) => checker.submission_set(&package.common),
            Some(Role::Folder) => checker.patient("Folder", &package.common, FOLDER_PATIENT_ID),
            None => {}
        }
    }
    for association in &objects.associations {
        if association.association_type == AssociationType::Apnd.urn() {
            checker.broken(Rule::F9, &association.common, "APND: addenda are not part of the shared record");
        }
    }
    checker.findings
}

struct Checker<'a> {
    ids: &'a Ids,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn broken(&mut self, rule: Rule, object: &Common, context: impl Into<String>) {
        self.findings.push(rule.broken(Some(&self.ids.submitted(&object.id)), context));
    }

    fn document(&mut self, object: &ExtrinsicObject) {
        let common = &object.common;
        let authors = classifications(common, DOCUMENT_ENTRY_AUTHOR);
        if !authors.iter().any(|author| person(author).is_some()) {
            self.broken(Rule::F1, common, "DocumentEntry.author: needs an author with authorPerson");
        }
        authors.iter().filter_map(|author| person(author)).for_each(|text| {
            self.xcn("DocumentEntry.authorPerson", common, text);
        });
        match common.slot_value("legalAuthenticator") {
            Some(text) => self.xcn("DocumentEntry.legalAuthenticator", common, text),
            None => self.broken(Rule::F2, common, "DocumentEntry.legalAuthenticator: required, and missing"),
        }
        if common.name.iter().all(|name| name.value.trim().is_empty()) {
            self.broken(Rule::F2, common, "DocumentEntry.title: required, and missing");
        }
        self.patient("DocumentEntry", common, DOCUMENT_ENTRY_PATIENT_ID);
        if common.slot_value("serviceStartTime").is_none() {
            self.broken(Rule::F2, common, "DocumentEntry.serviceStartTime: required, and missing");
        }
        if common.slot_value("creationTime").is_some_and(|t| Dtm::parse(t).is_ok() && t.len() != 14) {
            self.broken(
                Rule::F4,
                common,
                "DocumentEntry.creationTime: must be precise to the second (14 digits)",
            );
        }
        let unique_id = common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID).unwrap_or_default();
        if !unique_id.is_empty() && check_oid(unique_id).is_err() {
            self.broken(Rule::F5, common, "DocumentEntry.uniqueId: must be an OID, without an extension");
        }
        let formats = classifications(common, DOCUMENT_ENTRY_FORMAT_CODE);
        let signs = formats.iter().any(|f| f.node_representation.as_deref() == Some(SIGNATURE_FORMAT));
        let expected = if signs { SIGNATURE_LANGUAGE } else { LANGUAGE };
        if common.slot_value("languageCode").is_some_and(|language| language != expected) {
            self.broken(Rule::F6, common, format!("DocumentEntry.languageCode: must be {expected}"));
        }
        let confidentiality = classifications(common, DOCUMENT_ENTRY_CONFIDENTIALITY_CODE).len();
        if confidentiality > 4 {
            let context =
                format!("DocumentEntry.confidentialityCode: at most 4 values, {confidentiality} were sent");
            self.broken(Rule::F7, common, context);
        }
        if object.mime_type.as_deref().is_some_and(|sent| !sent.is_empty() && !MEDIA_TYPES.contains(&sent)) {
            let context = format!("DocumentEntry.mimeType: must be one of {}", MEDIA_TYPES.join(", "));
            self.broken(Rule::F8, common, context);
        }
    }

    fn submission_set(&mut self, common: &Common) {
        let authors = classifications(common, SUBMISSION_SET_AUTHOR);
        match authors.as_slice() {
            [author] => match person(author) {
                Some(text) => self.xcn("SubmissionSet.authorPerson", common, text),
                None => self.broken(Rule::F1, common, "SubmissionSet.author: needs authorPerson"),
            },
            _ => {
                let context = format!("SubmissionSet.author: exactly one, {} were sent", authors.len());
                self.broken(Rule::F1, common, context);
            }
        }
        self.patient("SubmissionSet", common, SUBMISSION_SET_PATIENT_ID);
    }

    /// F3. A wrong key is what `patients.ins_key` is about; numbers of test patients have such.
    fn patient(&mut self, kind: &str, common: &Common, scheme: &str) {
        let Some(patient) = common.external_identifier(scheme).and_then(|text| Cx::parse(text).ok()) else {
            return;
        };
        let well_formed = matches!(Ins::parse(&patient.id), Ok(_) | Err(InsError::Key { .. }));
        if !is_ins_authority(&patient.authority) || !well_formed || component(&patient.text, 5) != "NH" {
            let context =
                format!("{kind}.patientId: must be an INS (INS^^^&OID&ISO^NH, with an OID of the INS)");
            self.broken(Rule::F3, common, context);
        }
    }

    /// F10. What a person's XCN must say so that the record knows who it is.
    fn xcn(&mut self, attribute: &str, common: &Common, text: &str) {
        let good = !component(text, 1).is_empty()
            && !component(text, 2).is_empty()
            && component(text, 9).starts_with('&')
            && matches!(component(text, 10), "D" | "U")
            && matches!(component(text, 13), "IDNPS" | "EI" | "RI" | "NH");
        if !good {
            let context = format!(
                "{attribute}: must have id, name, authority, type of name (D or U) and type of id (IDNPS, EI, RI or NH): \
                 id^family^given^^^^^^&OID&ISO^D^^^IDNPS"
            );
            self.broken(Rule::F10, common, context);
        }
    }
}

fn classifications<'a>(common: &'a Common, scheme: &str) -> Vec<&'a Classification> {
    common.classifications.iter().filter(|c| c.scheme.as_deref() == Some(scheme)).collect()
}

fn person(author: &Classification) -> Option<&str> {
    let slot = author.slots.iter().find(|slot| slot.name == "authorPerson")?;
    slot.values.first().map(String::as_str).filter(|text| !text.is_empty())
}
