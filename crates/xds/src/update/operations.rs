//! Which operation each object of an update triggers: one, and not two.

use uuid::Uuid;

use super::annotations::{self, OfVersion};
use super::{NewVersion, StatusChange};
use crate::affinity::Profile;
use crate::ebxml::{self, Common};
use crate::error::{ErrorCode, Finding};
use crate::metadata::{Association, AssociationType, DocumentEntry, Folder, SubmissionSetStatus};
use crate::submission::{Reading, Role, role};
use crate::value::{parse_uuid_urn, uuid_urn};

use ErrorCode::XDSMetadataUpdateError as Refused;
use ErrorCode::XDSMetadataUpdateOperationError as Undecodable;
use ErrorCode::XDSRegistryMetadataError as Wrong;

#[derive(Default)]
pub struct Operations {
    pub documents: Vec<NewVersion<DocumentEntry>>,
    pub folders: Vec<NewVersion<Folder>>,
    pub statuses: Vec<StatusChange>,
    pub additions: Vec<Association>,
}

/// `None` when there is not exactly one SubmissionSet to tell them from.
pub fn find(reading: &Reading, profile: Profile, findings: &mut Vec<Finding>) -> Option<Operations> {
    let [set] = reading.found.set_ids.as_slice() else {
        let sets = reading.found.set_ids.len();
        let context = format!("an update has exactly one SubmissionSet, this one has {sets}");
        findings.push(Finding::error(Wrong, None, context));
        return None;
    };
    let mut finder = Finder { reading, profile, set: *set, findings };
    let operations = finder.find();
    finder.each_once(&operations);
    let nothing = reading.objects.extrinsic_objects.is_empty()
        && reading.objects.packages.len() == 1
        && reading.objects.associations.is_empty();
    if nothing {
        finder.wrong(Undecodable, *set, "nothing is updated: there is no object beside the SubmissionSet");
    }
    Some(operations)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Set,
    Folder,
    Document,
    Association,
    Outside,
}

struct Finder<'a> {
    reading: &'a Reading,
    profile: Profile,
    set: Uuid,
    findings: &'a mut Vec<Finding>,
}

impl Finder<'_> {
    fn wrong(&mut self, code: ErrorCode, object: Uuid, context: impl Into<String>) {
        let location = self.reading.ids.submitted(&uuid_urn(object));
        self.findings.push(Finding::error(code, Some(&location), context));
    }

    fn kind(&self, id: Uuid) -> Kind {
        let (objects, urn) = (&self.reading.objects, uuid_urn(id));
        if let Some(package) = objects.packages.iter().find(|p| p.common.id == urn) {
            return match role(package) {
                Some(Role::Folder) => Kind::Folder,
                _ => Kind::Set,
            };
        }
        if objects.extrinsic_objects.iter().any(|o| o.common.id == urn) {
            return Kind::Document;
        }
        match self.reading.ids.is_own(id) {
            true => Kind::Association,
            false => Kind::Outside,
        }
    }

    fn wire(&self, id: Uuid) -> Option<&ebxml::Association> {
        let urn = uuid_urn(id);
        self.reading.objects.associations.iter().find(|a| a.common.id == urn)
    }

    fn find(&mut self) -> Operations {
        let reading = self.reading;
        let mut operations = Operations::default();
        // On the wire form, so that another defect of an object does not hide what is wrong with its version.
        for object in &reading.objects.extrinsic_objects {
            let version = self.version("DocumentEntry", &object.common);
            let entry = reading.found.documents.iter().find(|d| uuid_urn(d.entry_uuid) == object.common.id);
            operations.documents.extend(version.zip(entry).map(new_version));
        }
        for package in reading.objects.packages.iter().filter(|p| role(p) == Some(Role::Folder)) {
            let version = self.version("Folder", &package.common);
            let folder = reading.found.folders.iter().find(|f| uuid_urn(f.entry_uuid) == package.common.id);
            operations.folders.extend(version.zip(folder).map(new_version));
        }
        for association in &reading.found.associations {
            match association.association_type {
                AssociationType::UpdateAvailabilityStatus => {
                    operations.statuses.extend(self.status(association))
                }
                AssociationType::SubmitAssociation => self.submission(association),
                AssociationType::HasMember if association.source == self.set => self.member(association),
                _ => operations.additions.extend(self.addition(association)),
            }
        }
        operations
    }

    /// The logical id of a new version and what its HasMember says.
    fn version(&mut self, kind: &str, common: &Common) -> Option<(Uuid, OfVersion)> {
        let id = parse_uuid_urn(&common.id)?;
        let logical_id = match common.lid.as_deref() {
            None | Some("") => None,
            Some(lid) => match parse_uuid_urn(lid) {
                Some(lid) => Some(lid).filter(|lid| *lid != id),
                None => {
                    let context = format!("{kind}.logicalID: \"{lid}\" is not urn:uuid: and a UUID together");
                    self.wrong(Undecodable, id, context);
                    return None;
                }
            },
        };
        let Some(logical_id) = logical_id else {
            let context = format!(
                "{kind}: without a logicalID (lid) of its own it is a first version, which is submitted by ITI-41 or ITI-42"
            );
            self.wrong(ErrorCode::XDSInvalidRequestException, id, context);
            return None;
        };
        let (set, has_member) = (uuid_urn(self.set), AssociationType::HasMember.urn());
        let members: Vec<&ebxml::Association> = self
            .reading
            .objects
            .associations
            .iter()
            .filter(|a| {
                a.association_type == has_member && a.source_object == set && a.target_object == common.id
            })
            .collect();
        let [member] = members.as_slice() else {
            let count = members.len();
            let context = format!(
                "{kind}: needs exactly one HasMember from the SubmissionSet, with PreviousVersion; has {count}"
            );
            self.wrong(Undecodable, id, context);
            return None;
        };
        match annotations::of_version(&member.common) {
            Ok(said) => Some((logical_id, said)),
            Err(wrong) => {
                let location = parse_uuid_urn(&member.common.id).unwrap_or(id);
                wrong.into_iter().for_each(|context| self.wrong(Undecodable, location, context));
                None
            }
        }
    }

    /// A HasMember of the SubmissionSet. Its annotations are read with the version that it leads to.
    fn member(&mut self, a: &Association) {
        if a.documentation.is_some() {
            self.wrong(Wrong, a.entry_uuid, "HasMember: takes no association documentation");
        }
        match self.kind(a.target) {
            Kind::Document => {
                if a.submission_set_status != Some(SubmissionSetStatus::Original) {
                    let context = "SubmissionSetStatus: must be Original, for a new version of a document";
                    self.wrong(Wrong, a.entry_uuid, context);
                }
            }
            Kind::Folder => {}
            Kind::Association if self.submissions_of(a.target) > 0 => self.unannotated(a),
            _ => {
                let context = "HasMember: from the SubmissionSet of an update it leads to a new version in the same update";
                self.wrong(Undecodable, a.entry_uuid, context);
            }
        }
    }

    fn status(&mut self, a: &Association) -> Option<StatusChange> {
        let said = self.wire(a.entry_uuid).map(|wire| annotations::of_status(&wire.common, self.profile))?;
        self.comes_from_set(a);
        if !matches!(self.kind(a.target), Kind::Document | Kind::Folder | Kind::Outside) {
            let context =
                "UpdateAvailabilityStatus: targetObject must be a registered document, folder or association";
            self.wrong(Undecodable, a.entry_uuid, context);
        }
        match said {
            Ok(said) => Some(StatusChange {
                asked_by: a.entry_uuid,
                target: a.target,
                original: said.original,
                new: said.new,
            }),
            Err(wrong) => {
                wrong.into_iter().for_each(|context| self.wrong(Undecodable, a.entry_uuid, context));
                None
            }
        }
    }

    /// A SubmitAssociation: it leads to an association of this update.
    fn submission(&mut self, a: &Association) {
        self.comes_from_set(a);
        self.unannotated(a);
        let target = self.wire(a.target).and_then(|wire| AssociationType::from_urn(&wire.association_type));
        let own = self.kind(a.target) == Kind::Association;
        if !own || target.is_some_and(AssociationType::is_of_update) {
            let context = "SubmitAssociation: targetObject must be a new association in the same update";
            self.wrong(Undecodable, a.entry_uuid, context);
        }
    }

    fn addition(&mut self, a: &Association) -> Option<Association> {
        let name = a.association_type.name();
        let submissions = self.submissions_of(a.entry_uuid);
        if submissions != 1 {
            let context = format!(
                "{name}: in an update it needs exactly one SubmitAssociation that leads to it, has {submissions}"
            );
            self.wrong(Undecodable, a.entry_uuid, context);
            return None;
        }
        self.unannotated(a);
        if a.association_type == AssociationType::HasMember && a.documentation.is_some() {
            self.wrong(Wrong, a.entry_uuid, "HasMember: takes no association documentation");
        }
        if a.source == a.target {
            self.wrong(Refused, a.entry_uuid, format!("{name}: joins an object to itself"));
        }
        let own: Vec<Uuid> =
            [a.source, a.target].into_iter().filter(|end| self.kind(*end) != Kind::Outside).collect();
        for end in &own {
            let id = self.reading.ids.submitted(&uuid_urn(*end));
            let context = format!("{name}: both its ends must be registered already, {id} is new");
            self.wrong(Refused, a.entry_uuid, context);
        }
        own.is_empty().then(|| a.clone())
    }

    fn submissions_of(&self, association: Uuid) -> usize {
        let urn = uuid_urn(association);
        let kind = AssociationType::SubmitAssociation.urn();
        let associations = self.reading.objects.associations.iter();
        associations.filter(|a| a.association_type == kind && a.target_object == urn).count()
    }

    fn comes_from_set(&mut self, a: &Association) {
        if a.source != self.set {
            let context = format!(
                "{}: sourceObject must be the SubmissionSet of the update",
                a.association_type.name()
            );
            self.wrong(Undecodable, a.entry_uuid, context);
        }
    }

    fn unannotated(&mut self, a: &Association) {
        let wrong = self.wire(a.entry_uuid).map(|wire| annotations::none(&wire.common)).unwrap_or_default();
        wrong.into_iter().for_each(|context| self.wrong(Undecodable, a.entry_uuid, context));
    }

    /// No logical object gets two new versions, no object two statuses.
    fn each_once(&mut self, operations: &Operations) {
        let documents = operations.documents.iter().map(|v| (v.object.entry_uuid, v.logical_id));
        let folders = operations.folders.iter().map(|v| (v.object.entry_uuid, v.logical_id));
        let versions: Vec<(Uuid, Uuid)> = documents.chain(folders).collect();
        for id in repeated(&versions) {
            self.wrong(Refused, id, "a second new version of the same logical object in one update");
        }
        let statuses: Vec<(Uuid, Uuid)> =
            operations.statuses.iter().map(|s| (s.asked_by, s.target)).collect();
        for id in repeated(&statuses) {
            self.wrong(Refused, id, "a second change of status of the same object in one update");
        }
    }
}

fn new_version<T: Clone>(((logical_id, said), object): ((Uuid, OfVersion), &T)) -> NewVersion<T> {
    NewVersion {
        object: object.clone(),
        logical_id,
        previous_version: said.previous_version,
        propagate: said.propagate,
    }
}

/// The first of each pair whose second has been there before.
fn repeated(pairs: &[(Uuid, Uuid)]) -> Vec<Uuid> {
    pairs
        .iter()
        .enumerate()
        .filter(|(number, (_, key))| pairs.iter().take(*number).any(|(_, earlier)| earlier == key))
        .map(|(_, (id, _))| *id)
        .collect()
}
