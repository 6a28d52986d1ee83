//! GetDocuments (TF-2 §3.18.4.1.2.3.7.5).

use super::ObjectIds;
use super::object_ids::{Names, read_many};
use super::parameter::{Parameters, Reported};

pub const ENTRY_UUID: &str = "$XDSDocumentEntryEntryUUID";
pub const UNIQUE_ID: &str = "$XDSDocumentEntryUniqueId";
pub const LOGICAL_ID: &str = "$XDSDocumentEntryLogicalID";

const NAMES: Names = Names { entry_uuid: ENTRY_UUID, unique_id: UNIQUE_ID, logical_id: Some(LOGICAL_ID) };
/// How the other queries by document name them.
pub(super) const DOCUMENT: Names = Names { logical_id: None, ..NAMES };

pub(super) fn read(p: &mut Parameters<'_>) -> Result<ObjectIds, Reported> {
    read_many(p, &NAMES)
}
