//! What may be removed (RMD supplement, TF-2 §3.62.4.1.3), by the state that the request would leave behind.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::metadata::AssociationType;
use xds::value::uuid_urn;

use super::unresolved;
use crate::Failure;
use crate::sql::{self, Link, Removable, What};

/// Everything that speaks against removing `ids`, of which `objects` are known.
pub async fn check(
    transaction: &Transaction<'_>,
    ids: &[Uuid],
    objects: &[Removable],
) -> Result<Vec<Finding>, Failure> {
    let unknown = ids.iter().filter(|id| !objects.iter().any(|object| object.entry_uuid == **id));
    let mut findings: Vec<Finding> = unknown.map(|id| unresolved(&uuid_urn(*id))).collect();
    for reference in sql::references_to(transaction, ids).await? {
        findings.extend(still_referenced(ids, &reference));
    }
    let candidates = ends_that_stay(ids, objects);
    let has_member = AssociationType::HasMember.urn();
    for (id, kind) in sql::left_alone(transaction, &candidates, ids, has_member).await? {
        let urn = uuid_urn(id);
        let context = format!("{urn}: this {kind} would stay without a SubmissionSet that holds it");
        findings.push(Finding::error(ErrorCode::XDSUnreferencedObjectException, Some(&urn), context));
    }
    Ok(findings)
}

/// One finding for each object of the request that an association which stays refers to.
fn still_referenced(ids: &[Uuid], reference: &Link) -> Vec<Finding> {
    let name = reference.association_type.rsplit(':').next().unwrap_or_default();
    let by = uuid_urn(reference.entry_uuid);
    let ends: BTreeSet<Uuid> = [reference.source, reference.target].into_iter().collect();
    ends.into_iter()
        .filter(|end| ids.contains(end))
        .map(|end| {
            let urn = uuid_urn(end);
            let context = format!("{urn}: the association {by} ({name}) refers to it and is not removed");
            Finding::error(ErrorCode::ReferencesExistException, Some(&urn), context)
        })
        .collect()
}

/// What the removed associations lead to and the request does not remove.
fn ends_that_stay(ids: &[Uuid], objects: &[Removable]) -> Vec<Uuid> {
    let links = objects.iter().filter_map(|object| match &object.what {
        What::Association(link) => Some(link),
        _ => None,
    });
    let ends: BTreeSet<Uuid> = links.flat_map(|link| [link.source, link.target]).collect();
    ends.into_iter().filter(|end| !ids.contains(end)).collect()
}
