//! FindDocuments (TF-2 §3.18.4.1.2.3.7.1): its parameters by name, and what they say.

pub use super::document_filter::*;
use super::parameter::{Parameters, Reported};
use crate::value::Cx;

pub const PATIENT_ID: &str = "$XDSDocumentEntryPatientId";

/// The documents of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindDocuments {
    pub patient_id: Cx,
    pub filter: DocumentFilter,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindDocuments, Reported> {
    let patient_id = p.required_patient_id(PATIENT_ID);
    let filter = super::document_filter::read(p);
    Ok(FindDocuments { patient_id: patient_id?, filter })
}
