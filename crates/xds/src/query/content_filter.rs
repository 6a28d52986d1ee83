//! Which DocumentEntries a query for everything, or for the content of something, returns.

use super::AnyOf;
use super::document_filter::{CONFIDENTIALITY_CODE, FORMAT_CODE, TYPE};
use super::parameter::Parameters;
use crate::metadata::DocumentType;

/// An empty list puts no condition; there is always a document type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentFilter {
    pub document_types: Vec<DocumentType>,
    pub format_code: AnyOf,
    /// All groups must match; within a group, any value.
    pub confidentiality_codes: Vec<AnyOf>,
}

pub(super) fn read(p: &mut Parameters<'_>) -> ContentFilter {
    ContentFilter {
        document_types: p.document_types(TYPE),
        format_code: p.codes(FORMAT_CODE),
        confidentiality_codes: p.code_groups(CONFIDENTIALITY_CODE),
    }
}
