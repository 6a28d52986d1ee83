//! GetAll (TF-2 §3.18.4.1.2.3.7.4): everything in a record.

use super::parameter::{Parameters, Reported};
use super::{ContentFilter, Status, content_filter, find_documents, find_folders, find_submission_sets};
use crate::value::Cx;

pub const PATIENT_ID: &str = "$patientId";

/// SubmissionSets, DocumentEntries and Folders of a patient, each of these statuses, and the Associations at them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetAll {
    pub patient_id: Cx,
    pub document_status: Vec<Status>,
    pub submission_set_status: Vec<Status>,
    pub folder_status: Vec<Status>,
    pub documents: ContentFilter,
    /// `None`: as the level says.
    pub association_status: Option<Vec<Status>>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetAll, Reported> {
    let patient_id = p.required_patient_id(PATIENT_ID);
    let document_status = p.required_status(find_documents::STATUS);
    let submission_set_status = p.required_status(find_submission_sets::STATUS);
    let folder_status = p.required_status(find_folders::STATUS);
    let documents = content_filter::read(p);
    let association_status = p.association_status();
    Ok(GetAll {
        patient_id: patient_id?,
        document_status,
        submission_set_status,
        folder_status,
        documents,
        association_status,
    })
}
