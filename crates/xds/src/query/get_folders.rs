//! GetFolders (TF-2 §3.18.4.1.2.3.7.6).

use super::ObjectIds;
use super::object_ids::{Names, read_many};
use super::parameter::{Parameters, Reported};

pub const ENTRY_UUID: &str = "$XDSFolderEntryUUID";
pub const UNIQUE_ID: &str = "$XDSFolderUniqueId";
pub const LOGICAL_ID: &str = "$XDSFolderLogicalID";

const NAMES: Names = Names { entry_uuid: ENTRY_UUID, unique_id: UNIQUE_ID, logical_id: Some(LOGICAL_ID) };
/// How GetFolderAndContents names it.
pub(super) const FOLDER: Names = Names { logical_id: None, ..NAMES };

pub(super) fn read(p: &mut Parameters<'_>) -> Result<ObjectIds, Reported> {
    read_many(p, &NAMES)
}
