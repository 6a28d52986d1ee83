//! From what was sent to what can be registered (TF-3 §4.1.4, §4.2.1.5; TF-2 §3.42.4.1.3).
//!
//! [`ids`] gives every object a UUID, [`limits`] looks at the wire form, [`structure`] at the objects together. Findings
//! carry the id that the sender knows. The rules are those of [`crate::rules`].
//!
//! [`reading`] is what a submission shares with a metadata update.

mod ci_sis;
mod claims;
mod ids;
mod limits;
mod reading;
mod structure;

use std::sync::Arc;

use uuid::Uuid;

use crate::affinity::AffinityDomain;
use crate::ebxml::SubmitObjects;
use crate::error::Finding;
use crate::metadata::{Association, DocumentEntry, Folder, SubmissionSet};

pub use claims::{Claim, ClaimKind, Claims};
pub(crate) use ids::Ids;
pub(crate) use reading::{Found, Purpose, Reading, Role, role};
pub use structure::made_too_early;
pub(crate) use structure::repeated_unique_ids;

/// The transaction that brings a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// Register Document Set-b: documents that exist, which are Stable.
    Iti42,
    /// Register On-Demand Document Entry: documents that are made when they are retrieved.
    Iti61,
}

/// What the sender's metadata are held against.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub affinity: Arc<AffinityDomain>,
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
    claims: Claims,
}

/// A submission that breaks rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub findings: Vec<Finding>,
    /// What is left to be judged.
    pub claims: Box<Claims>,
}

impl ValidSubmission {
    /// Checks everything and reports everything: the error holds each finding, not just the first, and what the
    /// registry's state has still to judge.
    ///
    /// `fresh` gives a new random UUID at each call.
    pub fn check(
        sent: SubmitObjects,
        transaction: Transaction,
        rules: &Rules,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<ValidSubmission, Refused> {
        let Reading { found, objects, ids, mut findings } =
            Reading::of(sent, rules, Purpose::Submission, fresh);
        findings.extend(structure::check(&objects, &found, &ids, transaction, rules));
        let claims = Claims::of(&objects, &found, &ids);
        match found.sets.into_iter().next() {
            Some(submission_set) if findings.is_empty() => Ok(ValidSubmission {
                submission_set,
                documents: found.documents,
                folders: found.folders,
                associations: found.associations,
                warnings: Vec::new(),
                objects,
                claims,
            }),
            _ => Err(Refused { findings, claims: Box::new(claims) }),
        }
    }

    /// The id under which the sender knows the object.
    pub fn submitted_id(&self, id: Uuid) -> String {
        self.claims.submitted_id(id)
    }

    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    pub fn objects(&self) -> &SubmitObjects {
        &self.objects
    }
}

#[cfg(test)]
pub(crate) mod tests;
