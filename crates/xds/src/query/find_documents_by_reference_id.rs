//! FindDocumentsByReferenceId (TF-2 §3.18.4.1.2.3.7.14): FindDocuments with reference ids, which are required.

use super::FindDocuments;
use super::find_documents;
use super::parameter::{Parameters, Reported};

pub const REFERENCE_ID_LIST: &str = "$XDSDocumentEntryReferenceIdList";

pub(super) fn read(p: &mut Parameters<'_>) -> Result<FindDocuments, Reported> {
    let find = find_documents::read(p);
    let reference_ids = p.string_groups(REFERENCE_ID_LIST);
    if !p.has(REFERENCE_ID_LIST) {
        return Err(p.missing(REFERENCE_ID_LIST));
    }
    let mut find = find?;
    find.filter.reference_ids = reference_ids;
    Ok(find)
}
