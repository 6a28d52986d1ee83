//! What everything that carries metadata goes through: ids, the wire form, each object by itself.

use uuid::Uuid;

use super::ids::{self, Ids};
use super::{Rules, ci_sis, limits};
use crate::affinity::Profile;
use crate::constants::{FOLDER_NODE, SUBMISSION_SET_NODE};
use crate::ebxml::{RegistryPackage, SubmitObjects};
use crate::error::Finding;
use crate::metadata::{Association, DocumentEntry, Folder, SubmissionSet};
use crate::rules::Rule;
use crate::value::parse_uuid_urn;

/// What metadata are sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Submission,
    Update,
}

/// Metadata as far as they can be read, and everything that is wrong with single objects.
pub(crate) struct Reading {
    pub found: Found,
    /// The wire form, every id a UUID.
    pub objects: SubmitObjects,
    pub ids: Ids,
    pub findings: Vec<Finding>,
}

/// The objects that could be read.
#[derive(Default)]
pub(crate) struct Found {
    pub sets: Vec<SubmissionSet>,
    /// Of every SubmissionSet, those that could not be read included.
    pub set_ids: Vec<Uuid>,
    pub documents: Vec<DocumentEntry>,
    pub folders: Vec<Folder>,
    pub associations: Vec<Association>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    SubmissionSet,
    Folder,
}

impl Reading {
    pub fn of(
        sent: SubmitObjects,
        rules: &Rules,
        purpose: Purpose,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Reading {
        let mut findings = sent.findings.clone();
        findings.extend(limits::check(&sent, rules));
        let (objects, ids) = ids::resolve(sent, fresh, &mut findings);
        findings.extend(rules.affinity.check(&objects, &ids));
        if rules.affinity.profile == Profile::CiSis {
            findings.extend(ci_sis::check(&objects, &ids));
        }
        let mut found = Found::default();
        for object in &objects.extrinsic_objects {
            let read = DocumentEntry::read(object, &ids.submitted(&object.common.id));
            found.documents.extend(keep(read, &mut findings));
        }
        for package in &objects.packages {
            let location = ids.submitted(&package.common.id);
            match role(package) {
                Some(Role::SubmissionSet) => {
                    found.set_ids.extend(parse_uuid_urn(&package.common.id));
                    found.sets.extend(keep(SubmissionSet::read(package, &location), &mut findings));
                }
                Some(Role::Folder) => {
                    found.folders.extend(keep(Folder::read(package, &location), &mut findings))
                }
                None => findings.push(Rule::V1.broken(
                    Some(&location),
                    "RegistryPackage: needs one Classification that marks it as SubmissionSet or as Folder",
                )),
            }
        }
        for object in &objects.associations {
            let read = Association::read(object, &ids.submitted(&object.common.id), purpose);
            found.associations.extend(keep(read, &mut findings));
        }
        Reading { found, objects, ids, findings }
    }
}

/// What a package is marked as; `None` when it is marked as neither or as both.
pub(crate) fn role(package: &RegistryPackage) -> Option<Role> {
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
