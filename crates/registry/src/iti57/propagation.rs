//! Which associations of a previous version its new version gets too (XDS Metadata Update §3.57.4.1.3.4). Planned as a whole,
//! so that an association whose both ends are renewed is copied once, between the two new versions.

use std::collections::HashMap;

use uuid::Uuid;
use xds::metadata::{AssociationType, AvailabilityStatus};

use super::State;
use crate::sql::{Joining, Stored};

/// A version and the one that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    pub previous: Uuid,
    pub new: Uuid,
    pub propagate: bool,
}

/// An association to be copied, with its new ends.
#[derive(Debug, Clone)]
pub struct Copy<'a> {
    pub of: &'a Joining,
    pub source: Uuid,
    pub target: Uuid,
}

/// A link whose two renewals disagree on its propagation: the new versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disagreement {
    pub source: Uuid,
    pub target: Uuid,
}

pub fn plan<'a>(
    links: &'a [Joining],
    renewals: &[Renewal],
    state: &State,
) -> Result<Vec<Copy<'a>>, Vec<Disagreement>> {
    let renewal = |id: Uuid| renewals.iter().find(|renewal| renewal.previous == id);
    let (mut copies, mut disagreements) = (Vec::new(), Vec::new());
    // One copy for each other object: to the newest of its versions that is linked.
    let mut newest: HashMap<(AssociationType, Uuid, Uuid, bool), (i32, usize)> = HashMap::new();
    for link in links {
        let (Some(source), Some(target)) = (state.get(link.source), state.get(link.target)) else { continue };
        let (at_source, at_target) = (renewal(link.source), renewal(link.target));
        if !is_propagated(link.association_type, (source, at_source), (target, at_target)) {
            continue;
        }
        match (at_source, at_target) {
            (Some(one), Some(other)) if one.propagate != other.propagate => {
                disagreements.push(Disagreement { source: one.new, target: other.new });
            }
            (Some(one), Some(other)) if one.propagate => {
                copies.push(Copy { of: link, source: one.new, target: other.new });
            }
            (Some(one), None) if one.propagate => {
                let copy = Copy { of: link, source: one.new, target: link.target };
                put(&mut copies, &mut newest, copy, (one.new, target, true));
            }
            (None, Some(other)) if other.propagate => {
                let copy = Copy { of: link, source: link.source, target: other.new };
                put(&mut copies, &mut newest, copy, (other.new, source, false));
            }
            _ => {}
        }
    }
    match disagreements.is_empty() {
        true => Ok(copies),
        false => Err(disagreements),
    }
}

fn put<'a>(
    copies: &mut Vec<Copy<'a>>,
    newest: &mut HashMap<(AssociationType, Uuid, Uuid, bool), (i32, usize)>,
    copy: Copy<'a>,
    (new, other, forward): (Uuid, &Stored, bool),
) {
    let (logical_id, number) = other.version().map_or((other.entry_uuid, 1), |v| (v.logical_id, v.number));
    let key = (copy.of.association_type, new, logical_id, forward);
    match newest.get(&key).copied() {
        Some((known, _)) if known >= number => {}
        Some((_, place)) => {
            newest.insert(key, (number, place));
            copies.splice(place..=place, [copy]);
        }
        None => {
            newest.insert(key, (number, copies.len()));
            copies.push(copy);
        }
    }
}

/// Memberships in folders, and relationships. An approved member stays with an approved folder.
fn is_propagated(
    kind: AssociationType,
    (source, at_source): (&Stored, Option<&Renewal>),
    (target, at_target): (&Stored, Option<&Renewal>),
) -> bool {
    let approved = |stored: &Stored| stored.status == AvailabilityStatus::Approved;
    match kind {
        AssociationType::HasMember => {
            source.is_folder()
                && target.is_document()
                && (at_source.is_some() || approved(source))
                && (at_target.is_some() || approved(target))
        }
        kind => kind.is_relationship(),
    }
}

#[cfg(test)]
mod tests;
