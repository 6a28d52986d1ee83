use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// Something that is wrong with documents. They are named by their uniqueIds and the keys of their blobs; nothing here
/// tells of a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// An entry names this repository, which has no such document.
    NoDocument { entry: Uuid, unique_id: String },
    /// The document that an entry leads to has other octets than the entry says.
    OtherDocument { entry: Uuid, unique_id: String },
    /// The octets of a document are not in the document store.
    NoOctets { unique_id: String, blob: String },
    /// The octets of a document are damaged from this chunk on (of 1 MiB, the first is 0).
    Damaged { unique_id: String, blob: String, chunk: u64 },
    /// The octets are whole and not those that were filed.
    OtherOctets { unique_id: String, blob: String },
    /// The octets cannot be read: the disk does not give them.
    Unreadable { unique_id: String, blob: String },
    /// The document was removed, and its octets are still there.
    NotPurged { unique_id: String, blob: String },
    /// Octets that belong to no document, and that no sweep has removed.
    Unreferenced { blob: String },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NoDocument { entry, unique_id } => {
                write!(f, "DocumentEntry {entry}: the repository that it names has no document {unique_id}")
            }
            Finding::OtherDocument { entry, unique_id } => write!(
                f,
                "DocumentEntry {entry}: its hash and size are not those of the document {unique_id}"
            ),
            Finding::NoOctets { unique_id, blob } => {
                write!(f, "document {unique_id}: its octets are not in the document store ({blob})")
            }
            Finding::Damaged { unique_id, blob, chunk } => write!(
                f,
                "document {unique_id}: its octets are damaged from MiB {chunk} on; it is not given out ({blob})"
            ),
            Finding::OtherOctets { unique_id, blob } => {
                write!(f, "document {unique_id}: its octets are not those that were filed ({blob})")
            }
            Finding::Unreadable { unique_id, blob } => {
                write!(f, "document {unique_id}: its octets cannot be read from the disk ({blob})")
            }
            Finding::NotPurged { unique_id, blob } => {
                write!(f, "document {unique_id}: was removed, and its octets are still there ({blob})")
            }
            Finding::Unreferenced { blob } => {
                write!(f, "octets {blob}: belong to no document, and no sweep has removed them")
            }
        }
    }
}
