//! GetFoldersForDocument (TF-2 §3.18.4.1.2.3.7.12).

use super::object_ids::read_one;
use super::parameter::{Parameters, Reported};
use super::{ObjectIds, Status, get_documents};

/// The Folders that hold a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetFoldersForDocument {
    pub document: ObjectIds,
    /// `None`: as the level says.
    pub association_status: Option<Vec<Status>>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetFoldersForDocument, Reported> {
    let document = read_one(p, &get_documents::DOCUMENT);
    let association_status = p.association_status();
    Ok(GetFoldersForDocument { document: document?, association_status })
}
