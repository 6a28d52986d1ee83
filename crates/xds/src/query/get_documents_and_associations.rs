//! GetDocumentsAndAssociations (TF-2 §3.18.4.1.2.3.7.8).

use super::object_ids::read_many;
use super::parameter::{Parameters, Reported};
use super::{ObjectIds, Status, get_documents};

/// The documents, and the Associations that have one of them as an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetDocumentsAndAssociations {
    pub documents: ObjectIds,
    /// `None`: as the level says.
    pub association_status: Option<Vec<Status>>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetDocumentsAndAssociations, Reported> {
    let documents = read_many(p, &get_documents::DOCUMENT);
    let association_status = p.association_status();
    Ok(GetDocumentsAndAssociations { documents: documents?, association_status })
}
