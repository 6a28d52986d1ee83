//! Rules about the objects together: one SubmissionSet, one patient, associations that fit (V1, V9, V14, V17, V20 to V25).

use uuid::Uuid;

use super::ids::Ids;
use super::{Found, Role, Rules, Transaction, role};
use crate::affinity::Profile;
use crate::constants::*;
use crate::ebxml::{Common, SubmitObjects};
use crate::error::Finding;
use crate::metadata::{Association, AssociationType, SubmissionSetStatus};
use crate::rules::Rule;
use crate::value::{Cx, parse_uuid_urn, uuid_urn};

/// V25, of an attribute that is sent.
pub fn made_too_early(attribute: &str) -> String {
    format!("DocumentEntry.{attribute}: not for an On-Demand document, which is made when it is retrieved")
}

pub fn check(
    objects: &SubmitObjects,
    found: &Found,
    ids: &Ids,
    transaction: Transaction,
    rules: &Rules,
) -> Vec<Finding> {
    let mut structure = Structure { objects, found, ids, rules, findings: Vec::new() };
    structure.one_set();
    structure.one_patient();
    structure.findings.extend(repeated_unique_ids(objects, ids));
    match transaction {
        Transaction::Iti42 => structure.stable(),
        Transaction::Iti61 => structure.on_demand(),
    }
    structure.first_versions();
    for association in &found.associations {
        structure.association(association);
    }
    structure.membership();
    structure.findings
}

/// What an association leads to, as far as the submission knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Set,
    Folder,
    Document,
    Association,
    /// Not of this submission: the registry looks.
    Outside,
}

/// An object with what identifies it and its patient.
struct Identified<'a> {
    kind: &'static str,
    common: &'a Common,
    patient_id: Option<&'a str>,
    unique_id: Option<&'a str>,
}

/// Each object with its kind and the schemes of its identifiers. On the wire form: what else is wrong with an object must
/// not hide what it has in common with others.
fn identified(objects: &SubmitObjects) -> Vec<Identified<'_>> {
    let documents = objects.extrinsic_objects.iter().map(|o| Identified {
        kind: "DocumentEntry",
        common: &o.common,
        patient_id: o.common.external_identifier(DOCUMENT_ENTRY_PATIENT_ID),
        unique_id: o.common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID),
    });
    let packages = objects.packages.iter().filter_map(|p| {
        let (kind, patient_id, unique_id) = match role(p)? {
            Role::SubmissionSet => ("SubmissionSet", SUBMISSION_SET_PATIENT_ID, SUBMISSION_SET_UNIQUE_ID),
            Role::Folder => ("Folder", FOLDER_PATIENT_ID, FOLDER_UNIQUE_ID),
        };
        Some(Identified {
            kind,
            common: &p.common,
            patient_id: p.common.external_identifier(patient_id),
            unique_id: p.common.external_identifier(unique_id),
        })
    });
    packages.chain(documents).filter(|object| !object.common.id.is_empty()).collect()
}

/// V14.
pub(crate) fn repeated_unique_ids(objects: &SubmitObjects, ids: &Ids) -> Vec<Finding> {
    let identified = identified(objects);
    let all: Vec<(&str, &str)> = identified
        .iter()
        .filter_map(|object| {
            let unique_id = object.unique_id.filter(|unique_id| !unique_id.is_empty())?;
            Some((object.common.id.as_str(), unique_id))
        })
        .collect();
    all.iter()
        .enumerate()
        .filter(|(number, (_, unique_id))| all.iter().take(*number).any(|(_, earlier)| earlier == unique_id))
        .map(|(_, (urn, unique_id))| {
            let context = format!("the uniqueId {unique_id} is there twice");
            Rule::V14.broken(Some(&ids.submitted(urn)), context)
        })
        .collect()
}

struct Structure<'a> {
    objects: &'a SubmitObjects,
    found: &'a Found,
    ids: &'a Ids,
    rules: &'a Rules,
    findings: Vec<Finding>,
}

impl Structure<'_> {
    fn wrong(&mut self, rule: Rule, object: Option<&str>, context: impl Into<String>) {
        let location = object.map(|urn| self.ids.submitted(urn));
        self.findings.push(rule.broken(location.as_deref(), context));
    }

    fn kind(&self, id: Uuid) -> Kind {
        let urn = uuid_urn(id);
        if let Some(package) = self.objects.packages.iter().find(|p| p.common.id == urn) {
            return match role(package) {
                Some(Role::Folder) => Kind::Folder,
                _ => Kind::Set,
            };
        }
        if self.objects.extrinsic_objects.iter().any(|o| o.common.id == urn) {
            return Kind::Document;
        }
        match self.ids.is_own(id) {
            true => Kind::Association,
            false => Kind::Outside,
        }
    }

    /// V1, and that a submission submits something (TF-3 §4.1.4).
    fn one_set(&mut self) {
        let sets = self.objects.packages.iter().filter(|p| role(p) == Some(Role::SubmissionSet)).count();
        if sets != 1 {
            let context = format!("a submission has exactly one SubmissionSet, this one has {sets}");
            self.wrong(Rule::V1, None, context);
        }
        let folders = self.objects.packages.iter().any(|p| role(p) == Some(Role::Folder));
        let adds = self.found.associations.iter().any(|a| self.adds_to_folder(a));
        if self.objects.extrinsic_objects.is_empty()
            && !folders
            && !adds
            && self.found.associations.len() == self.objects.associations.len()
        {
            let context =
                "nothing is submitted: neither a document, nor a folder, nor a document for a folder";
            self.wrong(Rule::S2, None, context);
        }
    }

    /// V9.
    fn one_patient(&mut self) {
        let objects = identified(self.objects);
        let patient = |object: &Identified<'_>| object.patient_id.and_then(|text| Cx::parse(text).ok());
        let Some(expected) = objects.iter().find(|o| o.kind == "SubmissionSet").and_then(patient) else {
            return;
        };
        let others: Vec<(String, String)> = objects
            .iter()
            .filter_map(|object| {
                let other = patient(object).filter(|other| *other != expected)?;
                let (kind, other, expected) = (object.kind, &other.text, &expected.text);
                let context =
                    format!("{kind}.patientId {other} is not that of the SubmissionSet, {expected}");
                Some((object.common.id.clone(), context))
            })
            .collect();
        for (urn, context) in others {
            self.wrong(Rule::V9, Some(&urn), context);
        }
    }

    /// The ids of the documents of that type.
    fn documents_of_type(&self, object_type: &str) -> Vec<String> {
        self.objects
            .extrinsic_objects
            .iter()
            .filter(|object| object.common.object_type.as_deref() == Some(object_type))
            .map(|object| object.common.id.clone())
            .collect()
    }

    /// V24.
    fn stable(&mut self) {
        for urn in self.documents_of_type(DOCUMENT_ENTRY_ON_DEMAND) {
            let context = "DocumentEntry.objectType: an On-Demand document is registered by ITI-61";
            self.wrong(Rule::V24, Some(&urn), context);
        }
    }

    /// V24 and V25: what is made later has neither time nor digest now.
    fn on_demand(&mut self) {
        for urn in self.documents_of_type(DOCUMENT_ENTRY_STABLE) {
            let context = "DocumentEntry.objectType: ITI-61 takes On-Demand documents only; a Stable one is registered by ITI-42";
            self.wrong(Rule::V24, Some(&urn), context);
        }
        let sent: Vec<(String, String)> = self
            .objects
            .extrinsic_objects
            .iter()
            .flat_map(|object| {
                let names = ["creationTime", "hash", "size"].into_iter();
                let sent = names.filter(|name| !object.common.slot(name).is_empty());
                sent.map(|name| (object.common.id.clone(), made_too_early(name)))
            })
            .collect();
        for (urn, context) in sent {
            self.wrong(Rule::V25, Some(&urn), context);
        }
    }

    /// V21 as far as it is about versions.
    fn first_versions(&mut self) {
        let documents = self.objects.extrinsic_objects.iter().map(|o| &o.common);
        let packages = self.objects.packages.iter().map(|o| &o.common);
        let versions: Vec<String> = documents
            .chain(packages)
            .filter(|common| {
                common
                    .lid
                    .as_deref()
                    .is_some_and(|lid| !lid.is_empty() && parse_uuid_urn(lid) != parse_uuid_urn(&common.id))
            })
            .map(|common| common.id.clone())
            .collect();
        for urn in versions {
            let context =
                "logicalID: differs from the id, so it is a new version, which is submitted by ITI-57";
            self.wrong(Rule::V21, Some(&urn), context);
        }
    }

    fn association(&mut self, a: &Association) {
        let urn = uuid_urn(a.entry_uuid);
        if a.association_type == AssociationType::HasMember {
            return self.has_member(a, &urn);
        }
        let name = a.association_type.urn().rsplit(':').next().unwrap_or_default();
        if self.kind(a.source) != Kind::Document {
            let context = format!("{name}: sourceObject must be a document of this submission");
            self.wrong(Rule::V17, Some(&urn), context);
        }
        if a.source == a.target && self.kind(a.source) == Kind::Document {
            self.wrong(
                Rule::V21,
                Some(&urn),
                format!("{name}: a document has no such relationship to itself"),
            );
        }
        let on_demand = self.documents_of_type(DOCUMENT_ENTRY_ON_DEMAND);
        if a.association_type == AssociationType::IsSnapshotOf && on_demand.contains(&uuid_urn(a.source)) {
            let context = "IsSnapshotOf: sourceObject must be a Stable document";
            self.wrong(Rule::V20, Some(&urn), context);
        }
        let only_existing =
            a.association_type.replaces() || a.association_type == AssociationType::IsSnapshotOf;
        match self.kind(a.target) {
            Kind::Outside => {}
            Kind::Document if !only_existing => {}
            // The signature document of the shared record signs the whole SubmissionSet.
            Kind::Set
                if a.association_type == AssociationType::Signs
                    && self.rules.affinity.profile == Profile::CiSis => {}
            Kind::Document => {
                let context = format!("{name}: targetObject must be a document that is registered already");
                self.wrong(Rule::V17, Some(&urn), context);
            }
            _ => {
                let context = format!("{name}: targetObject must be a document");
                self.wrong(Rule::V17, Some(&urn), context);
            }
        }
    }

    fn has_member(&mut self, a: &Association, urn: &str) {
        if a.documentation.is_some() {
            self.wrong(Rule::V22, Some(urn), "HasMember: takes no association documentation");
        }
        match (self.kind(a.source), self.kind(a.target)) {
            (Kind::Set, Kind::Document) => match a.submission_set_status {
                Some(SubmissionSetStatus::Original) => {}
                Some(SubmissionSetStatus::Reference) => {
                    let context = "SubmissionSetStatus: Reference, but the document is in this submission";
                    self.wrong(Rule::V23, Some(urn), context);
                }
                None => self.wrong(Rule::V23, Some(urn), "SubmissionSetStatus: required, and missing"),
            },
            (Kind::Set, Kind::Outside) if a.submission_set_status.is_none() => {
                self.wrong(Rule::V23, Some(urn), "SubmissionSetStatus: required, and missing");
            }
            (Kind::Set, Kind::Outside | Kind::Folder) => {}
            (Kind::Set, Kind::Association) => {
                let target = self.found.associations.iter().find(|other| other.entry_uuid == a.target);
                if target.is_some_and(|target| !self.adds_to_folder(target)) {
                    let context = "HasMember: of the associations, a SubmissionSet holds only those of a Folder to its document";
                    self.wrong(Rule::V21, Some(urn), context);
                }
            }
            (Kind::Folder | Kind::Outside, Kind::Document | Kind::Outside) => {}
            _ => self.wrong(Rule::V21, Some(urn), "HasMember: wrong kind of object at one of its ends"),
        }
    }

    /// HasMember from a Folder, new or existing, to a document, new or existing.
    fn adds_to_folder(&self, a: &Association) -> bool {
        a.association_type == AssociationType::HasMember
            && matches!(self.kind(a.source), Kind::Folder | Kind::Outside)
            && matches!(self.kind(a.target), Kind::Document | Kind::Outside)
    }

    /// Exactly one HasMember from the SubmissionSet to each new document, folder and folder membership.
    fn membership(&mut self) {
        let [set] = self.found.set_ids.as_slice() else { return };
        let documents = self.objects.extrinsic_objects.iter().map(|o| ("DocumentEntry", o.common.id.clone()));
        let folders = self
            .objects
            .packages
            .iter()
            .filter(|p| role(p) == Some(Role::Folder))
            .map(|p| ("Folder", p.common.id.clone()));
        let memberships = self
            .found
            .associations
            .iter()
            .filter(|a| self.adds_to_folder(a))
            .map(|a| ("HasMember of a Folder", uuid_urn(a.entry_uuid)));
        let expected: Vec<(&str, String)> = documents.chain(folders).chain(memberships).collect();
        let set = uuid_urn(*set);
        for (kind, urn) in expected {
            // Counted on the wire form: an association with another defect is there all the same.
            let holds = self
                .objects
                .associations
                .iter()
                .filter(|a| {
                    a.association_type == AssociationType::HasMember.urn()
                        && a.source_object == set
                        && a.target_object == urn
                })
                .count();
            if holds != 1 {
                let context =
                    format!("{kind}: needs exactly one HasMember from the SubmissionSet, has {holds}");
                self.wrong(Rule::S3, Some(&urn), context);
            }
        }
    }
}
