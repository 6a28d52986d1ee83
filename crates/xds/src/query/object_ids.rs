//! Objects by one kind of id: the alternatives of which a query takes exactly one.

use uuid::Uuid;

use super::parameter::{Parameters, Reported};
use crate::error::ErrorCode;

/// The objects that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectIds {
    EntryUuids(Vec<Uuid>),
    UniqueIds(Vec<String>),
    /// Of all versions that share the logicalID.
    LogicalIds(Vec<Uuid>),
}

/// The names of the parameters.
pub(super) struct Names {
    pub entry_uuid: &'static str,
    pub unique_id: &'static str,
    /// Where the query takes one.
    pub logical_id: Option<&'static str>,
}

pub(super) fn read_many(p: &mut Parameters<'_>, names: &Names) -> Result<ObjectIds, Reported> {
    read(p, names, false)
}

/// Of one object, or of the several that share its uniqueId.
pub(super) fn read_one(p: &mut Parameters<'_>, names: &Names) -> Result<ObjectIds, Reported> {
    read(p, names, true)
}

fn read(p: &mut Parameters<'_>, names: &Names, single: bool) -> Result<ObjectIds, Reported> {
    let all: Vec<&'static str> =
        [names.entry_uuid, names.unique_id].into_iter().chain(names.logical_id).collect();
    let given: Vec<&'static str> = all.iter().copied().filter(|name| p.has(name)).collect();
    let [name] = given.as_slice() else {
        return Err(match given.is_empty() {
            true => p.report(ErrorCode::XDSStoredQueryMissingParam, &all.join(", "), "give one of them"),
            false => p.report(
                ErrorCode::XDSStoredQueryParamNumber,
                &given.join(", "),
                "these are alternatives; give only one of them",
            ),
        });
    };
    let ids = match *name {
        name if name == names.unique_id => ObjectIds::UniqueIds(p.try_strings(name)?),
        name if name == names.entry_uuid => ObjectIds::EntryUuids(p.uuids(name)?),
        name => ObjectIds::LogicalIds(p.uuids(name)?),
    };
    if single && ids.len() > 1 {
        return Err(p.too_many(name));
    }
    Ok(ids)
}

impl ObjectIds {
    fn len(&self) -> usize {
        match self {
            ObjectIds::EntryUuids(ids) | ObjectIds::LogicalIds(ids) => ids.len(),
            ObjectIds::UniqueIds(ids) => ids.len(),
        }
    }
}
