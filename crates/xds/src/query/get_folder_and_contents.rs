//! GetFolderAndContents (TF-2 §3.18.4.1.2.3.7.11).

use super::object_ids::read_one;
use super::parameter::{Parameters, Reported};
use super::{ContentFilter, ObjectIds, Status, content_filter, get_folders};

/// A Folder and the documents in it, as far as they pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetFolderAndContents {
    pub folder: ObjectIds,
    pub documents: ContentFilter,
    /// `None`: as the level says.
    pub association_status: Option<Vec<Status>>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetFolderAndContents, Reported> {
    let folder = read_one(p, &get_folders::FOLDER);
    let documents = content_filter::read(p);
    let association_status = p.association_status();
    Ok(GetFolderAndContents { folder: folder?, documents, association_status })
}
