//! Objects ready to be sent: ebXML with holes for what can change after registration.
//!
//! A fragment holds everything that was submitted plus what the registry assigned for good. The holes are marked by
//! control characters that XML cannot contain, so no content can be mistaken for one.

use uuid::Uuid;

use crate::submission::ValidSubmission;

/// A registry object as ebXML text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment(String);

/// What goes into the holes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fill<'a> {
    /// `@status`, a full URN.
    pub status: &'a str,
    /// The patientId to show, in CX form; ignored by objects that have none.
    pub patient_id: &'a str,
    /// `Folder.lastUpdateTime`, 14 digits; ignored by other objects.
    pub last_update_time: &'a str,
    /// `documentAvailability` as URN; empty: the Slot is left out.
    pub availability: &'a str,
}

impl Fragment {
    /// A fragment that was stored by [`Fragment::as_str`].
    pub fn from_stored(text: String) -> Self {
        Fragment(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The complete object, appended to `out`.
    pub fn fill(&self, _fill: &Fill<'_>, _out: &mut String) {
        todo!()
    }

    /// A registry-made HasMember association (folder membership of a replacement, TF-2 §3.42.4.1.3.5).
    pub fn has_member(_id: Uuid, _source: Uuid, _target: Uuid) -> Fragment {
        todo!()
    }
}

impl ValidSubmission {
    /// The fragment of the object `id`, with `lid` = `id` and version 1; `None` when it is not of this submission.
    pub fn fragment(&self, _id: Uuid) -> Option<Fragment> {
        todo!()
    }
}
