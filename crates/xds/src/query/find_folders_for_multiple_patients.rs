//! FindFoldersForMultiplePatients (ITI-51, TF-2 §3.51.4.1.2.3).

use super::find_folders::{self, CODE_LIST, FolderFilter, PATIENT_ID};
use super::parameter::{Parameters, Reported};
use crate::value::Cx;

/// Folders of these patients, or of all. Without patients there is a condition on codeList.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindFoldersForMultiplePatients {
    pub patient_ids: Vec<Cx>,
    pub filter: FolderFilter,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindFoldersForMultiplePatients, Reported> {
    let one_of = p.required_one_of(&[PATIENT_ID, CODE_LIST]);
    let patient_ids = p.patient_ids(PATIENT_ID);
    let filter = find_folders::filter(p);
    one_of?;
    Ok(FindFoldersForMultiplePatients { patient_ids: patient_ids?, filter })
}
