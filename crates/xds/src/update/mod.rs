//! From what was sent as a metadata update to the operations that it means (ITI-57, ITI-92; XDS Metadata Update).
//!
//! Objects are read as those of a submission are; [`operations`] finds out what each of them asks for, [`annotations`]
//! reads the Slots that say so. What depends on the registry's state is not decided here.

mod annotations;
mod operations;

use uuid::Uuid;

use crate::ebxml::SubmitObjects;
use crate::error::{ErrorCode, Finding};
use crate::fragment::{self, Fragment};
use crate::metadata::{Association, AvailabilityStatus, DocumentEntry, Folder, SubmissionSet};
use crate::submission::{Ids, Purpose, Reading, Rules, repeated_unique_ids};
use crate::value::uuid_urn;

/// An update that obeys every rule that can be checked without knowing the registry's state. Every id is a UUID.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidUpdate {
    pub submission_set: SubmissionSet,
    pub documents: Vec<NewVersion<DocumentEntry>>,
    pub folders: Vec<NewVersion<Folder>>,
    pub statuses: Vec<StatusChange>,
    /// Associations between objects that are registered already.
    pub additions: Vec<Association>,
    /// Every association as sent: those of the SubmissionSet and those that are added.
    pub associations: Vec<Association>,
    objects: SubmitObjects,
    ids: Ids,
}

/// A complete new version of a document's or a folder's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion<T> {
    pub object: T,
    pub logical_id: Uuid,
    /// The version that this one is to follow.
    pub previous_version: u32,
    /// Whether folders and relationships of the previous version are also those of this one.
    pub propagate: bool,
}

/// Another availabilityStatus for a document, a folder or an association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The association that asks for it.
    pub asked_by: Uuid,
    /// An object of the registry, or a new version of this update.
    pub target: Uuid,
    pub original: AvailabilityStatus,
    pub new: AvailabilityStatus,
}

impl ValidUpdate {
    /// Checks everything and reports everything. `fresh` gives a new random UUID at each call.
    pub fn check(
        sent: SubmitObjects,
        rules: &Rules,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<ValidUpdate, Vec<Finding>> {
        let mut findings = without_ids(&sent);
        let reading = Reading::of(sent, rules, Purpose::Update, fresh);
        findings.extend(reading.findings.iter().cloned());
        findings.extend(repeated_unique_ids(&reading.objects, &reading.ids));
        let operations = operations::find(&reading, rules.affinity.profile, &mut findings);
        let Reading { found, objects, ids, .. } = reading;
        let associations = found.associations;
        match (found.sets.into_iter().next(), operations) {
            (Some(submission_set), Some(operations)) if findings.is_empty() => Ok(ValidUpdate {
                submission_set,
                documents: operations.documents,
                folders: operations.folders,
                statuses: operations.statuses,
                additions: operations.additions,
                associations,
                objects,
                ids,
            }),
            _ => Err(findings),
        }
    }

    /// The id under which the sender knows the object.
    pub fn submitted_id(&self, id: Uuid) -> String {
        self.ids.submitted(&uuid_urn(id))
    }

    /// True for objects of this update.
    pub fn is_own(&self, id: Uuid) -> bool {
        self.ids.is_own(id)
    }

    /// The logical id of a new version by its own id.
    pub fn logical_id_of(&self, id: Uuid) -> Option<Uuid> {
        let documents = self.documents.iter().map(|v| (v.object.entry_uuid, v.logical_id));
        let folders = self.folders.iter().map(|v| (v.object.entry_uuid, v.logical_id));
        documents.chain(folders).find(|(own, _)| *own == id).map(|(_, logical_id)| logical_id)
    }

    /// True when the logical object gets a new version.
    pub fn renews(&self, logical_id: Uuid) -> bool {
        self.documents.iter().any(|v| v.logical_id == logical_id)
            || self.folders.iter().any(|v| v.logical_id == logical_id)
    }

    pub fn objects(&self) -> &SubmitObjects {
        &self.objects
    }

    /// The fragment of the object `id` as that version of it; `None` when it is not of this update.
    pub fn fragment(&self, id: Uuid, version: u32) -> Option<Fragment> {
        fragment::of_object(&self.objects, id, version)
    }
}

/// Errors are told by the id of the object, so each object of an update has one.
fn without_ids(sent: &SubmitObjects) -> Vec<Finding> {
    sent.associations
        .iter()
        .filter(|association| association.common.id.is_empty())
        .map(|association| {
            let kind = association.association_type.rsplit(':').next().unwrap_or_default();
            let (source, target) = (&association.source_object, &association.target_object);
            let context = format!("the Association {kind} from {source} to {target} has no id");
            Finding::error(ErrorCode::XDSRegistryMetadataError, None, context)
        })
        .collect()
}

#[cfg(test)]
mod tests;
