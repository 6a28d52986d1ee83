//! FindDocumentsForMultiplePatients (ITI-51, TF-2 §3.51.4.1.2.3).

use super::document_filter::{
    self, CLASS_CODE, DocumentFilter, EVENT_CODE_LIST, HEALTHCARE_FACILITY_TYPE_CODE,
};
use super::find_documents::PATIENT_ID;
use super::parameter::{Parameters, Reported};
use crate::value::Cx;

/// Documents of these patients, or of all. Without patients there is a condition on classCode, eventCodeList or
/// healthcareFacilityTypeCode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindDocumentsForMultiplePatients {
    pub patient_ids: Vec<Cx>,
    pub filter: DocumentFilter,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindDocumentsForMultiplePatients, Reported> {
    let one_of = p.required_one_of(&[PATIENT_ID, CLASS_CODE, EVENT_CODE_LIST, HEALTHCARE_FACILITY_TYPE_CODE]);
    let patient_ids = p.patient_ids(PATIENT_ID);
    let filter = document_filter::read(p);
    one_of?;
    Ok(FindDocumentsForMultiplePatients { patient_ids: patient_ids?, filter })
}
