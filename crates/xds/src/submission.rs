//! From what was sent to what can be registered (TF-3 §4.1.4, §4.2.1.5; TF-2 §3.42.4.1.3).

use uuid::Uuid;

use crate::ebxml::SubmitObjects;
use crate::error::Finding;
use crate::metadata::{Association, DocumentEntry, Folder, SubmissionSet};

/// What the sender's metadata are held against.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Refuse extra metadata Slots whose name is not a URN (TF-3 §4.2.3.1.6). Off: older senders use plain names.
    pub strict_slot_names: bool,
}

/// A submission that obeys every rule that can be checked without knowing the registry's state. Every id is a UUID:
/// symbolic ids have been replaced, the same one everywhere it was used.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidSubmission {
    pub submission_set: SubmissionSet,
    pub documents: Vec<DocumentEntry>,
    pub folders: Vec<Folder>,
    pub associations: Vec<Association>,
    /// Warnings that go into a successful answer.
    pub warnings: Vec<Finding>,
    /// The wire form with the same ids, for the fragments.
    objects: SubmitObjects,
    /// New UUID → id as submitted, so that a later finding can name the object as its sender does.
    submitted_ids: Vec<(Uuid, String)>,
}

impl ValidSubmission {
    /// Checks everything and reports everything: the error holds each finding, not just the first.
    ///
    /// `fresh` gives a new random UUID at each call.
    pub fn check(
        _sent: SubmitObjects,
        _rules: &Rules,
        _fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<ValidSubmission, Vec<Finding>> {
        todo!()
    }

    /// The id under which the sender knows the object.
    pub fn submitted_id(&self, id: Uuid) -> String {
        self.submitted_ids
            .iter()
            .find(|(uuid, _)| *uuid == id)
            .map_or_else(|| crate::value::uuid_urn(id), |(_, submitted)| submitted.clone())
    }

    pub fn objects(&self) -> &SubmitObjects {
        &self.objects
    }
}
