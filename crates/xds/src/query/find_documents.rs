use super::parameter::{Parameters, Reported};
use super::{AnyOf, Status, Window};
use crate::metadata::DocumentType;
use crate::value::Cx;

pub(super) const PATIENT_ID: &str = "$XDSDocumentEntryPatientId";
pub(super) const STATUS: &str = "$XDSDocumentEntryStatus";

/// FindDocuments (TF-2 §3.18.4.1.2.3.7.1). An empty list puts no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindDocuments {
    pub patient_id: Cx,
    pub status: Vec<Status>,
    pub document_types: Vec<DocumentType>,
    pub class_code: AnyOf,
    pub type_code: AnyOf,
    pub practice_setting_code: AnyOf,
    pub healthcare_facility_type_code: AnyOf,
    pub format_code: AnyOf,
    /// All groups must match; within a group, any value.
    pub event_codes: Vec<AnyOf>,
    /// All groups must match; within a group, any value.
    pub confidentiality_codes: Vec<AnyOf>,
    /// SQL LIKE patterns with `%` and `_`, no escape character.
    pub author_person: AnyOf,
    pub creation_time: Window,
    pub service_start_time: Window,
    pub service_stop_time: Window,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindDocuments, Reported> {
    let patient_id = p.required_patient_id(PATIENT_ID);
    Ok(FindDocuments {
        status: p.required_status(STATUS),
        document_types: p.document_types("$XDSDocumentEntryType"),
        class_code: p.codes("$XDSDocumentEntryClassCode"),
        type_code: p.codes("$XDSDocumentEntryTypeCode"),
        practice_setting_code: p.codes("$XDSDocumentEntryPracticeSettingCode"),
        healthcare_facility_type_code: p.codes("$XDSDocumentEntryHealthcareFacilityTypeCode"),
        format_code: p.codes("$XDSDocumentEntryFormatCode"),
        event_codes: p.code_groups("$XDSDocumentEntryEventCodeList"),
        confidentiality_codes: p.code_groups("$XDSDocumentEntryConfidentialityCode"),
        author_person: p.strings("$XDSDocumentEntryAuthorPerson"),
        creation_time: p.window("$XDSDocumentEntryCreationTime"),
        service_start_time: p.window("$XDSDocumentEntryServiceStartTime"),
        service_stop_time: p.window("$XDSDocumentEntryServiceStopTime"),
        // Last: what follows would not be read when it is missing.
        patient_id: patient_id?,
    })
}
