//! Slots of associations that say how an update is meant.

use crate::affinity::Profile;
use crate::ebxml::Common;
use crate::metadata::{ANNOTATIONS, AvailabilityStatus};

const PREVIOUS_VERSION: &str = "PreviousVersion";
const ASSOCIATION_PROPAGATION: &str = "AssociationPropagation";
const ORIGINAL_STATUS: &str = "OriginalStatus";
const NEW_STATUS: &str = "NewStatus";

/// What the HasMember of a new version says.
pub struct OfVersion {
    pub previous_version: u32,
    pub propagate: bool,
}

/// What an UpdateAvailabilityStatus says.
pub struct OfStatus {
    pub original: AvailabilityStatus,
    pub new: AvailabilityStatus,
}

/// Everything that is wrong, in sentences.
type Wrong = Vec<String>;

pub fn of_version(common: &Common) -> Result<OfVersion, Wrong> {
    let mut wrong = not_allowed(common, &[PREVIOUS_VERSION, ASSOCIATION_PROPAGATION]);
    let previous_version = one(common, PREVIOUS_VERSION, &mut wrong).and_then(|text| {
        let number = text.parse().ok().filter(|number| *number > 0);
        if number.is_none() {
            wrong.push(format!("{PREVIOUS_VERSION}: must be the number of a version"));
        }
        number
    });
    let propagate = match common.slot(ASSOCIATION_PROPAGATION) {
        [] => Some(true),
        [word] if word == "yes" => Some(true),
        [word] if word == "no" => Some(false),
        _ => {
            wrong.push(format!("{ASSOCIATION_PROPAGATION}: must be yes or no"));
            None
        }
    };
    match (previous_version, propagate) {
        (Some(previous_version), Some(propagate)) if wrong.is_empty() => {
            Ok(OfVersion { previous_version, propagate })
        }
        _ => Err(wrong),
    }
}

pub fn of_status(common: &Common, profile: Profile) -> Result<OfStatus, Wrong> {
    let mut wrong = not_allowed(common, &[ORIGINAL_STATUS, NEW_STATUS]);
    let mut status = |name: &str| {
        let text = one(common, name, &mut wrong)?;
        let status = AvailabilityStatus::from_urn(text).filter(|status| profile.knows(*status));
        if status.is_none() {
            wrong.push(format!("{name}: \"{text}\" is not the URN of a status that an object can have"));
        }
        status
    };
    let (original, new) = (status(ORIGINAL_STATUS), status(NEW_STATUS));
    if original.is_some() && original == new {
        wrong.push(format!("{NEW_STATUS}: is the same as {ORIGINAL_STATUS}"));
    }
    match (original, new) {
        (Some(original), Some(new)) if wrong.is_empty() => Ok(OfStatus { original, new }),
        _ => Err(wrong),
    }
}

/// For associations that take no annotation.
pub fn none(common: &Common) -> Wrong {
    not_allowed(common, &[])
}

fn one<'a>(common: &'a Common, name: &str, wrong: &mut Wrong) -> Option<&'a str> {
    match common.slot(name) {
        [value] => Some(value.as_str()),
        values => {
            wrong.push(format!("{name}: needs one value, {} were sent", values.len()));
            None
        }
    }
}

fn not_allowed(common: &Common, allowed: &[&str]) -> Wrong {
    ANNOTATIONS
        .iter()
        .filter(|name| !allowed.contains(name) && !common.slot(name).is_empty())
        .map(|name| format!("{name}: does not belong on this association"))
        .collect()
}
