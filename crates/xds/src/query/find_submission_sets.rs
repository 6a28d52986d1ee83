//! FindSubmissionSets (TF-2 §3.18.4.1.2.3.7.2). It knows no `$MetadataLevel`: SubmissionSets have no versions.

use super::parameter::{Parameters, Reported};
use super::{AnyOf, Status, Window};
use crate::value::Cx;

pub const PATIENT_ID: &str = "$XDSSubmissionSetPatientId";
pub const SOURCE_ID: &str = "$XDSSubmissionSetSourceId";
pub const SUBMISSION_TIME_FROM: &str = "$XDSSubmissionSetSubmissionTimeFrom";
pub const SUBMISSION_TIME_TO: &str = "$XDSSubmissionSetSubmissionTimeTo";
pub const AUTHOR_PERSON: &str = "$XDSSubmissionSetAuthorPerson";
pub const CONTENT_TYPE: &str = "$XDSSubmissionSetContentType";
pub const STATUS: &str = "$XDSSubmissionSetStatus";

/// The SubmissionSets of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindSubmissionSets {
    pub patient_id: Cx,
    pub filter: SubmissionSetFilter,
}

/// An empty list puts no condition, except that there is always a status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubmissionSetFilter {
    pub source_id: AnyOf,
    pub submission_time: Window,
    /// A SQL LIKE pattern.
    pub author_person: Option<String>,
    pub content_type: AnyOf,
    pub status: Vec<Status>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindSubmissionSets, Reported> {
    let patient_id = p.required_patient_id(PATIENT_ID);
    let filter = SubmissionSetFilter {
        source_id: p.strings(SOURCE_ID),
        submission_time: p.window(SUBMISSION_TIME_FROM, SUBMISSION_TIME_TO),
        author_person: p.single_string(AUTHOR_PERSON),
        content_type: p.codes(CONTENT_TYPE),
        status: p.required_status(STATUS),
    };
    Ok(FindSubmissionSets { patient_id: patient_id?, filter })
}
