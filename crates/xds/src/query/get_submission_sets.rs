//! GetSubmissionSets (TF-2 §3.18.4.1.2.3.7.9).

use uuid::Uuid;

use super::parameter::{Parameters, Reported};

pub const UUID: &str = "$uuid";

/// The documents and Folders whose SubmissionSets are asked for.
pub(super) fn read(p: &mut Parameters<'_>) -> Result<Vec<Uuid>, Reported> {
    p.required_uuids(UUID)
}
