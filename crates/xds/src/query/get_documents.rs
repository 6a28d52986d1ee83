//! GetDocuments (TF-2 §3.18.4.1.2.3.7.5): its parameters by name, and what they say.

use uuid::Uuid;

use super::parameter::{Parameters, Reported};
use crate::error::ErrorCode;

pub const ENTRY_UUID: &str = "$XDSDocumentEntryEntryUUID";
pub const UNIQUE_ID: &str = "$XDSDocumentEntryUniqueId";

/// The documents that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentIds {
    EntryUuids(Vec<Uuid>),
    UniqueIds(Vec<String>),
}

/// Exactly one of the two parameters.
pub(super) fn read(p: &mut Parameters<'_>) -> Result<DocumentIds, Reported> {
    let both = format!("{ENTRY_UUID}, {UNIQUE_ID}");
    match (p.has(ENTRY_UUID), p.has(UNIQUE_ID)) {
        (true, false) => p.uuids(ENTRY_UUID).map(DocumentIds::EntryUuids),
        (false, true) => Ok(DocumentIds::UniqueIds(p.strings(UNIQUE_ID))),
        (true, true) => {
            Err(p.report(ErrorCode::XDSStoredQueryParamNumber, &both, "give one of the two, not both"))
        }
        (false, false) => Err(p.report(ErrorCode::XDSStoredQueryMissingParam, &both, "give one of the two")),
    }
}
