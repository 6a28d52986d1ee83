//! GetRelatedDocuments (TF-2 §3.18.4.1.2.3.7.13).

use super::document_filter::TYPE;
use super::object_ids::read_one;
use super::parameter::{Parameters, Reported};
use super::{AnyOf, ContentFilter, ObjectIds, Status, get_documents};

pub const ASSOCIATION_TYPES: &str = "$AssociationTypes";

/// A document, the documents that Associations of these types join it with, and those Associations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetRelatedDocuments {
    pub document: ObjectIds,
    /// URNs. One that no Association has is no error.
    pub association_types: AnyOf,
    pub documents: ContentFilter,
    /// `None`: as the level says.
    pub association_status: Option<Vec<Status>>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> Result<GetRelatedDocuments, Reported> {
    let document = read_one(p, &get_documents::DOCUMENT);
    let association_types = p.required_strings(ASSOCIATION_TYPES);
    let documents = ContentFilter { document_types: p.document_types(TYPE), ..ContentFilter::default() };
    let association_status = p.association_status();
    Ok(GetRelatedDocuments {
        document: document?,
        association_types: association_types?,
        documents,
        association_status,
    })
}
