//! What DocumentEntries are asked to be like: the parameters that the queries for documents share (TF-2 §3.18.4.1.2.3.7.1).

use super::parameter::Parameters;
use super::{AnyOf, Status, Window};
use crate::metadata::{Availability, DocumentType};

pub const STATUS: &str = "$XDSDocumentEntryStatus";
pub const TYPE: &str = "$XDSDocumentEntryType";
pub const CLASS_CODE: &str = "$XDSDocumentEntryClassCode";
pub const TYPE_CODE: &str = "$XDSDocumentEntryTypeCode";
pub const PRACTICE_SETTING_CODE: &str = "$XDSDocumentEntryPracticeSettingCode";
pub const HEALTHCARE_FACILITY_TYPE_CODE: &str = "$XDSDocumentEntryHealthcareFacilityTypeCode";
pub const FORMAT_CODE: &str = "$XDSDocumentEntryFormatCode";
pub const EVENT_CODE_LIST: &str = "$XDSDocumentEntryEventCodeList";
pub const CONFIDENTIALITY_CODE: &str = "$XDSDocumentEntryConfidentialityCode";
pub const AUTHOR_PERSON: &str = "$XDSDocumentEntryAuthorPerson";
pub const CREATION_TIME_FROM: &str = "$XDSDocumentEntryCreationTimeFrom";
pub const CREATION_TIME_TO: &str = "$XDSDocumentEntryCreationTimeTo";
pub const SERVICE_START_TIME_FROM: &str = "$XDSDocumentEntryServiceStartTimeFrom";
pub const SERVICE_START_TIME_TO: &str = "$XDSDocumentEntryServiceStartTimeTo";
pub const SERVICE_STOP_TIME_FROM: &str = "$XDSDocumentEntryServiceStopTimeFrom";
pub const SERVICE_STOP_TIME_TO: &str = "$XDSDocumentEntryServiceStopTimeTo";
pub const AVAILABILITY: &str = "$XDSDocumentEntryDocumentAvailability";

/// An empty list puts no condition, except that there is always a status and a document type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentFilter {
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
    pub availability: Vec<Availability>,
    /// All groups must match; within a group, any value. LIKE patterns, as for the author.
    pub reference_ids: Vec<AnyOf>,
}

/// Everything but reference ids.
pub(super) fn read(p: &mut Parameters<'_>) -> DocumentFilter {
    DocumentFilter {
        status: p.required_status(STATUS),
        document_types: p.document_types(TYPE),
        class_code: p.codes(CLASS_CODE),
        type_code: p.codes(TYPE_CODE),
        practice_setting_code: p.codes(PRACTICE_SETTING_CODE),
        healthcare_facility_type_code: p.codes(HEALTHCARE_FACILITY_TYPE_CODE),
        format_code: p.codes(FORMAT_CODE),
        event_codes: p.code_groups(EVENT_CODE_LIST),
        confidentiality_codes: p.code_groups(CONFIDENTIALITY_CODE),
        author_person: p.strings(AUTHOR_PERSON),
        creation_time: p.window(CREATION_TIME_FROM, CREATION_TIME_TO),
        service_start_time: p.window(SERVICE_START_TIME_FROM, SERVICE_START_TIME_TO),
        service_stop_time: p.window(SERVICE_STOP_TIME_FROM, SERVICE_STOP_TIME_TO),
        availability: p.availabilities(AVAILABILITY),
        reference_ids: Vec::new(),
    }
}
