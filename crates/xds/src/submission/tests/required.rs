//! V2: each attribute that TF-3 Tables 4.3.1-3 and 4.3.2.1-3 require is missed by its name.

use super::*;
use crate::constants::*;

fn no_slot(common: &mut Common, name: &str) {
    common.slots.retain(|slot| slot.name != name);
}

fn no_code(common: &mut Common, scheme: &str) {
    common.classifications.retain(|classification| classification.scheme.as_deref() != Some(scheme));
}

fn no_identifier(common: &mut Common, scheme: &str) {
    common.external_identifiers.retain(|identifier| identifier.identification_scheme != scheme);
}

/// `test: object, attribute, how it is taken away`.
macro_rules! required {
    ($($test:ident: $object:expr, $attribute:literal, $remove:ident($name:expr);)*) => {$(
        #[test]
        fn $test() {
            let sentence = concat!($attribute, ": required, and missing");
            assert_broken(Rule::V2, $object, sentence, |objects| $remove(common(objects, $object), $name));
        }
    )*};
}

required! {
    v2_document_entry_class_code: DOCUMENT, "DocumentEntry.classCode", no_code(DOCUMENT_ENTRY_CLASS_CODE);
    v2_document_entry_confidentiality_code:
        DOCUMENT, "DocumentEntry.confidentialityCode", no_code(DOCUMENT_ENTRY_CONFIDENTIALITY_CODE);
    v2_document_entry_creation_time: DOCUMENT, "DocumentEntry.creationTime", no_slot("creationTime");
    v2_document_entry_format_code: DOCUMENT, "DocumentEntry.formatCode", no_code(DOCUMENT_ENTRY_FORMAT_CODE);
    v2_document_entry_hash: DOCUMENT, "DocumentEntry.hash", no_slot("hash");
    v2_document_entry_healthcare_facility_type_code:
        DOCUMENT, "DocumentEntry.healthcareFacilityTypeCode", no_code(DOCUMENT_ENTRY_HEALTHCARE_FACILITY_TYPE_CODE);
    v2_document_entry_language_code: DOCUMENT, "DocumentEntry.languageCode", no_slot("languageCode");
    v2_document_entry_patient_id: DOCUMENT, "DocumentEntry.patientId", no_identifier(DOCUMENT_ENTRY_PATIENT_ID);
    v2_document_entry_practice_setting_code:
        DOCUMENT, "DocumentEntry.practiceSettingCode", no_code(DOCUMENT_ENTRY_PRACTICE_SETTING_CODE);
    v2_document_entry_repository_unique_id:
        DOCUMENT, "DocumentEntry.repositoryUniqueId", no_slot("repositoryUniqueId");
    v2_document_entry_size: DOCUMENT, "DocumentEntry.size", no_slot("size");
    v2_document_entry_source_patient_id: DOCUMENT, "DocumentEntry.sourcePatientId", no_slot("sourcePatientId");
    v2_document_entry_type_code: DOCUMENT, "DocumentEntry.typeCode", no_code(DOCUMENT_ENTRY_TYPE_CODE);
    v2_document_entry_unique_id: DOCUMENT, "DocumentEntry.uniqueId", no_identifier(DOCUMENT_ENTRY_UNIQUE_ID);
    v2_submission_set_content_type_code:
        SET, "SubmissionSet.contentTypeCode", no_code(SUBMISSION_SET_CONTENT_TYPE_CODE);
    v2_submission_set_patient_id: SET, "SubmissionSet.patientId", no_identifier(SUBMISSION_SET_PATIENT_ID);
    v2_submission_set_source_id: SET, "SubmissionSet.sourceId", no_identifier(SUBMISSION_SET_SOURCE_ID);
    v2_submission_set_submission_time: SET, "SubmissionSet.submissionTime", no_slot("submissionTime");
    v2_submission_set_unique_id: SET, "SubmissionSet.uniqueId", no_identifier(SUBMISSION_SET_UNIQUE_ID);
    v2_folder_code_list: FOLDER, "Folder.codeList", no_code(FOLDER_CODE);
    v2_folder_patient_id: FOLDER, "Folder.patientId", no_identifier(FOLDER_PATIENT_ID);
    v2_folder_unique_id: FOLDER, "Folder.uniqueId", no_identifier(FOLDER_UNIQUE_ID);
}

#[test]
fn v2_document_entry_mime_type() {
    for sent in [None, Some(String::new())] {
        assert_broken(Rule::V2, DOCUMENT, "DocumentEntry.mimeType: required, and missing", |objects| {
            objects.extrinsic_objects[0].mime_type = sent;
        });
    }
}

#[test]
fn v2_document_entry_object_type() {
    assert_broken(Rule::V2, DOCUMENT, "DocumentEntry.objectType: ", |objects| {
        common(objects, DOCUMENT).object_type = None;
    });
    assert_broken(Rule::V3, DOCUMENT, "DocumentEntry.objectType: ", |objects| {
        common(objects, DOCUMENT).object_type = Some(format!("{OBJECT_TYPE_PREFIX}ExtrinsicObject"));
    });
}

#[test]
fn v2_folder_title() {
    assert_broken(Rule::V2, FOLDER, "Folder.title: required, and missing", |objects| {
        common(objects, FOLDER).name.clear()
    });
    assert_broken(Rule::V2, FOLDER, "Folder.title: required, and missing", |objects| {
        common(objects, FOLDER).name[0].value.clear();
    });
}

#[test]
fn v2_a_slot_without_values_and_an_empty_identifier_count_as_missing() {
    assert_broken(Rule::V2, DOCUMENT, "DocumentEntry.hash: required, and missing", |objects| {
        let slots = &mut common(objects, DOCUMENT).slots;
        slots.iter_mut().find(|slot| slot.name == "hash").unwrap().values.clear();
    });
    assert_broken(Rule::V2, SET, "SubmissionSet.sourceId: required, and missing", |objects| {
        let identifiers = &mut common(objects, SET).external_identifiers;
        let of_source =
            |e: &&mut crate::ebxml::ExternalIdentifier| e.identification_scheme == SUBMISSION_SET_SOURCE_ID;
        identifiers.iter_mut().find(of_source).unwrap().value.clear();
    });
}

#[test]
fn v2_what_is_optional_may_be_missing() {
    let submission = assert_accepted(|objects| {
        let entry = common(objects, DOCUMENT);
        for name in ["serviceStartTime", "serviceStopTime", "legalAuthenticator", "URI", "sourcePatientInfo"]
        {
            no_slot(entry, name);
        }
        no_slot(entry, REFERENCE_ID_LIST);
        no_code(entry, DOCUMENT_ENTRY_AUTHOR);
        no_code(entry, DOCUMENT_ENTRY_EVENT_CODE);
        (entry.home, entry.name, entry.description) = (None, Vec::new(), Vec::new());
        let set = common(objects, SET);
        no_slot(set, "intendedRecipient");
        no_code(set, SUBMISSION_SET_AUTHOR);
        (set.name, set.description) = (Vec::new(), Vec::new());
    });
    let entry = &submission.documents[0];
    assert_eq!((&entry.title, &entry.comments, &entry.uri), (&None, &None, &None));
    assert!(entry.authors.is_empty() && entry.event_codes.is_empty() && entry.reference_ids.is_empty());
}
