use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    DocumentEntry,
    SubmissionSet,
    Folder,
    Association,
}

impl Kind {
    pub(super) fn of(name: &str) -> Kind {
        match name {
            "DocumentEntry" => Kind::DocumentEntry,
            "SubmissionSet" => Kind::SubmissionSet,
            "Folder" => Kind::Folder,
            _ => Kind::Association,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Something that is wrong in the tables of the registry. Objects are named by their entryUUIDs; nothing here tells of a
/// patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// The object has no row in `object`, or one of another record or kind.
    NoKey { kind: Kind, id: Uuid },
    /// A row of `object` without the object.
    KeyOfNothing { kind: Kind, id: Uuid },
    /// The object's uniqueId is not in `unique_id`.
    NoUniqueId { kind: Kind, id: Uuid },
    /// A row of `unique_id` without an object that has this uniqueId.
    UniqueIdOfNothing { kind: Kind, id: Uuid },
    /// No SubmissionSet holds the object.
    NotHeld { kind: Kind, id: Uuid },
    /// What an association leads from or to is not there.
    NoEnd { id: Uuid, end: &'static str, missing: Uuid },
    /// There is a later version, and this one is not deprecated.
    OldVersion { kind: Kind, id: Uuid, status: String },
    /// Its number and its logical id contradict each other: the first version has the logical id as its own.
    VersionNumber { kind: Kind, id: Uuid, version: i32 },
    /// An earlier version has another uniqueId.
    VersionOfAnother { kind: Kind, id: Uuid },
    /// The fragment cannot be read as an object of this kind.
    Fragment { kind: Kind, id: Uuid },
    /// A column does not say what the fragment says.
    Column { kind: Kind, id: Uuid, column: &'static str },
    /// Its patientId does not lead to the record that it lies in.
    Patient { kind: Kind, id: Uuid },
    /// Facts of a CDA header without their document.
    HeaderFacts { id: Uuid },
    /// The merges of a record lead in a circle.
    MergeCircle { record: i64 },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NoKey { kind, id } => write!(
                f,
                "{kind} {id}: the table object has no row of this kind and record for it, so references to it lead nowhere"
            ),
            Finding::KeyOfNothing { kind, id } => {
                write!(f, "{kind} {id}: has a row in the table object and is not there itself")
            }
            Finding::NoUniqueId { kind, id } => {
                write!(
                    f,
                    "{kind} {id}: the table unique_id does not have its uniqueId, so it cannot be found by it"
                )
            }
            Finding::UniqueIdOfNothing { kind, id } => {
                write!(
                    f,
                    "{kind} {id}: the table unique_id has a uniqueId for it that is not its own, or it is not there"
                )
            }
            Finding::NotHeld { kind, id } => write!(f, "{kind} {id}: no SubmissionSet holds it"),
            Finding::NoEnd { id, end, missing } => {
                write!(f, "Association {id}: its {end} {missing} is not there")
            }
            Finding::OldVersion { kind, id, status } => {
                write!(f, "{kind} {id}: is {status} although there is a later version of it")
            }
            Finding::VersionNumber { kind, id, version } => {
                write!(f, "{kind} {id}: its version {version} and its logical id contradict each other")
            }
            Finding::VersionOfAnother { kind, id } => {
                write!(f, "{kind} {id}: an earlier version of it has another uniqueId")
            }
            Finding::Fragment { kind, id } => {
                write!(f, "{kind} {id}: what was submitted cannot be read any more (column fragment)")
            }
            Finding::Column { kind, id, column } => {
                write!(f, "{kind} {id}: its column {column} does not say what was submitted")
            }
            Finding::Patient { kind, id } => {
                write!(f, "{kind} {id}: its patientId is none of the record in which it lies")
            }
            Finding::HeaderFacts { id } => {
                write!(f, "DocumentEntry {id}: is not there, and facts of its CDA header are")
            }
            Finding::MergeCircle { record } => {
                write!(f, "record {record}: its merges lead in a circle, so none survives")
            }
        }
    }
}
