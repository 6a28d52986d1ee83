//! What a submission says that only the registry's state can judge.

use uuid::Uuid;

use super::{Found, Ids, Role, role};
use crate::constants::*;
use crate::ebxml::{Common, SubmitObjects};
use crate::metadata::Association;
use crate::value::{Cx, parse_uuid_urn, uuid_urn};

/// Read from the wire form, so that a defect somewhere hides nothing else: a refused submission has claims too, and is
/// told everything that is wrong with it at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claims {
    /// Every different patient, the SubmissionSet's first.
    pub patients: Vec<Cx>,
    pub objects: Vec<Claim>,
    /// Those that could be read.
    pub associations: Vec<Association>,
    ids: Ids,
}

/// A new object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub entry_uuid: Uuid,
    pub kind: ClaimKind,
    pub unique_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimKind {
    SubmissionSet,
    Folder,
    DocumentEntry { on_demand: bool, hash: Option<String>, size: Option<u64> },
    Association,
}

impl Claims {
    pub(super) fn of(objects: &SubmitObjects, found: &Found, ids: &Ids) -> Claims {
        let claim = |common: &Common, kind: ClaimKind, scheme: &str| {
            Some(Claim {
                entry_uuid: parse_uuid_urn(&common.id)?,
                kind,
                unique_id: common
                    .external_identifier(scheme)
                    .filter(|value| !value.is_empty())
                    .map(str::to_owned),
            })
        };
        let packages = objects.packages.iter().filter_map(|p| match role(p)? {
            Role::SubmissionSet => claim(&p.common, ClaimKind::SubmissionSet, SUBMISSION_SET_UNIQUE_ID),
            Role::Folder => claim(&p.common, ClaimKind::Folder, FOLDER_UNIQUE_ID),
        });
        let documents = objects.extrinsic_objects.iter().filter_map(|o| {
            let hash = o.common.slot_value("hash").map(str::to_owned);
            let size = o.common.slot_value("size").and_then(|size| size.parse().ok());
            let on_demand = o.common.object_type.as_deref() == Some(DOCUMENT_ENTRY_ON_DEMAND);
            claim(&o.common, ClaimKind::DocumentEntry { on_demand, hash, size }, DOCUMENT_ENTRY_UNIQUE_ID)
        });
        let associations = objects.associations.iter().filter_map(|a| {
            let entry_uuid = parse_uuid_urn(&a.common.id)?;
            Some(Claim { entry_uuid, kind: ClaimKind::Association, unique_id: None })
        });
        let mut patients: Vec<Cx> = Vec::new();
        for patient in objects.patient_ids().into_iter().filter_map(|text| Cx::parse(text).ok()) {
            if !patients.contains(&patient) {
                patients.push(patient);
            }
        }
        Claims {
            patients,
            objects: packages.chain(documents).chain(associations).collect(),
            associations: found.associations.clone(),
            ids: ids.clone(),
        }
    }

    /// True for an object of this submission, whatever is wrong with it.
    pub fn is_own(&self, id: Uuid) -> bool {
        self.ids.is_own(id)
    }

    pub fn is_submission_set(&self, id: Uuid) -> bool {
        self.objects.iter().any(|o| o.entry_uuid == id && o.kind == ClaimKind::SubmissionSet)
    }

    /// The id under which the sender knows the object.
    pub fn submitted_id(&self, id: Uuid) -> String {
        self.ids.submitted(&uuid_urn(id))
    }
}
