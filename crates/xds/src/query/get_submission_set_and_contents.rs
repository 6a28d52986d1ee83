//! GetSubmissionSetAndContents (TF-2 §3.18.4.1.2.3.7.10).

use super::object_ids::{Names, read_one};
use super::parameter::{Parameters, Reported};
use super::{ContentFilter, ObjectIds, content_filter};

pub const ENTRY_UUID: &str = "$XDSSubmissionSetEntryUUID";
pub const UNIQUE_ID: &str = "$XDSSubmissionSetUniqueId";

const NAMES: Names = Names { entry_uuid: ENTRY_UUID, unique_id: UNIQUE_ID, logical_id: None };

/// A SubmissionSet and what it holds, documents as far as they pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSubmissionSetAndContents {
    pub submission_set: ObjectIds,
    pub documents: ContentFilter,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetSubmissionSetAndContents, Reported> {
    let submission_set = read_one(p, &NAMES);
    let documents = content_filter::read(p);
    Ok(GetSubmissionSetAndContents { submission_set: submission_set?, documents })
}
