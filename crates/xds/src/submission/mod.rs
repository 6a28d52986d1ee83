//! From what was sent to what can be registered (TF-3 §4.1.4, §4.2.1.5; TF-2 §3.42.4.1.3).
//!
//! [`ids`] gives every object a UUID, [`limits`] looks at the wire form, [`structure`] at the objects together. Findings
//! carry the id that the sender knows. The rules' numbers are those of ARCHITECTURE.md.

mod ids;
mod limits;
mod structure;

use uuid::Uuid;

use crate::constants::{FOLDER_NODE, SUBMISSION_SET_NODE};
use crate::ebxml::{RegistryPackage, SubmitObjects};
use crate::error::{ErrorCode, Finding};
use crate::metadata::{Association, DocumentEntry, Folder, SubmissionSet};
use crate::value::uuid_urn;

use ids::Ids;

/// What the sender's metadata are held against.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Refuse extra metadata Slots whose name is not a URN, or is a URN of IHE that is not known (TF-3 §4.2.3.1.6).
    /// Off: older senders use plain names.
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
    ids: Ids,
}

impl ValidSubmission {
    /// Checks everything and reports everything: the error holds each finding, not just the first.
    ///
    /// `fresh` gives a new random UUID at each call.
    pub fn check(
        sent: SubmitObjects,
        rules: &Rules,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<ValidSubmission, Vec<Finding>> {
        let mut findings = sent.findings.clone();
        findings.extend(limits::check(&sent, rules));
        let (objects, ids) = ids::resolve(sent, fresh, &mut findings);
        let mut found = Found::default();
        for object in &objects.extrinsic_objects {
            found
                .documents
                .extend(keep(DocumentEntry::read(object, &ids.submitted(&object.common.id)), &mut findings));
        }
        for package in &objects.packages {
            let location = ids.submitted(&package.common.id);
            match role(package) {
                Some(Role::SubmissionSet) => {
                    found.set_ids.extend(crate::value::parse_uuid_urn(&package.common.id));
                    found.sets.extend(keep(SubmissionSet::read(package, &location), &mut findings));
                }
                Some(Role::Folder) => {
                    found.folders.extend(keep(Folder::read(package, &location), &mut findings))
                }
                None => findings.push(Finding::error(
                    ErrorCode::XDSRegistryMetadataError,
                    Some(&location),
                    "RegistryPackage: needs one Classification that marks it as SubmissionSet or as Folder",
                )),
            }
        }
        for object in &objects.associations {
            found
                .associations
                .extend(keep(Association::read(object, &ids.submitted(&object.common.id)), &mut findings));
        }
        findings.extend(structure::check(&objects, &found, &ids));
        match found.sets.into_iter().next() {
            Some(submission_set) if findings.is_empty() => Ok(ValidSubmission {
                submission_set,
                documents: found.documents,
                folders: found.folders,
                associations: found.associations,
                warnings: Vec::new(),
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

    pub fn objects(&self) -> &SubmitObjects {
        &self.objects
    }
}

/// The objects that could be read.
#[derive(Default)]
struct Found {
    sets: Vec<SubmissionSet>,
    /// Of every SubmissionSet, those that could not be read included.
    set_ids: Vec<Uuid>,
    documents: Vec<DocumentEntry>,
    folders: Vec<Folder>,
    associations: Vec<Association>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    SubmissionSet,
    Folder,
}

/// What a package is marked as; `None` when it is marked as neither or as both.
fn role(package: &RegistryPackage) -> Option<Role> {
    let marked = |node| package.common.is_classified_as(node);
    match (marked(SUBMISSION_SET_NODE), marked(FOLDER_NODE)) {
        (true, false) => Some(Role::SubmissionSet),
        (false, true) => Some(Role::Folder),
        _ => None,
    }
}

fn keep<T>(read: Result<T, Vec<Finding>>, findings: &mut Vec<Finding>) -> Option<T> {
    match read {
        Ok(object) => Some(object),
        Err(found) => {
            findings.extend(found);
            None
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
