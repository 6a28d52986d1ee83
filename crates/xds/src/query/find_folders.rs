//! FindFolders (TF-2 §3.18.4.1.2.3.7.3).

use super::parameter::{Parameters, Reported};
use super::{AnyOf, Status, Window};
use crate::value::Cx;

pub const PATIENT_ID: &str = "$XDSFolderPatientId";
pub const LAST_UPDATE_TIME_FROM: &str = "$XDSFolderLastUpdateTimeFrom";
pub const LAST_UPDATE_TIME_TO: &str = "$XDSFolderLastUpdateTimeTo";
pub const CODE_LIST: &str = "$XDSFolderCodeList";
pub const STATUS: &str = "$XDSFolderStatus";

/// The Folders of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindFolders {
    pub patient_id: Cx,
    pub filter: FolderFilter,
}

/// An empty list puts no condition, except that there is always a status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderFilter {
    pub last_update_time: Window,
    /// All groups must match; within a group, any value.
    pub codes: Vec<AnyOf>,
    pub status: Vec<Status>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindFolders, Reported> {
    let patient_id = p.required_patient_id(PATIENT_ID);
    let filter = filter(p);
    Ok(FindFolders { patient_id: patient_id?, filter })
}

pub(super) fn filter(p: &mut Parameters<'_>) -> FolderFilter {
    FolderFilter {
        last_update_time: p.window(LAST_UPDATE_TIME_FROM, LAST_UPDATE_TIME_TO),
        codes: p.code_groups(CODE_LIST),
        status: p.required_status(STATUS),
    }
}
