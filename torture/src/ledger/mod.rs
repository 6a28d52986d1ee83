//! What one client sent and what it was told, and whether the server shows exactly that.
//!
//! A client keeps to patients of its own and does one thing after another, so what was acknowledged says what its records
//! must show, to the last attribute: [`World`]. At most one change is left without an answer, which makes two worlds that
//! are right, and no third.

mod judge;
mod world;

pub use judge::{Seen, judge, judge_records, key};
pub use world::{Document, Record, World};

use atna::Act as Traced;
use uuid::Uuid;

/// SHA-256 of octets.
pub type Digest = [u8; 32];

/// A document as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// entryUUID and logical id.
    pub id: Uuid,
    pub unique_id: String,
    pub title: String,
    pub digest: Digest,
}

/// What a client asked for. Patients are CX texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Open {
        patient: String,
        control_id: String,
    },
    Submit {
        patient: String,
        set: String,
        set_id: Uuid,
        documents: Vec<Sent>,
        links: Vec<Uuid>,
        replaced: Option<Uuid>,
    },
    /// A new title for version `from`.
    Update {
        patient: String,
        set: String,
        document: Uuid,
        from: u32,
        title: String,
    },
    /// A whole submission, from the registry (ITI-62).
    RemoveMetadata {
        patient: String,
        set: String,
        set_id: Uuid,
        documents: Vec<Uuid>,
        links: Vec<Uuid>,
    },
    /// The octets of a document (ITI-86).
    RemoveDocument {
        patient: String,
        unique_id: String,
    },
    Merge {
        subsumed: String,
        surviving: String,
        control_id: String,
    },
    Find {
        patient: String,
    },
    Get {
        unique_id: String,
    },
}

/// What the client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Acknowledged,
    /// With these codes; the first word of each is a standard code.
    Refused(String),
    /// Nothing, or that the outcome is not known.
    Open,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub act: Act,
    pub answer: Answer,
}

/// In the order of sending.
#[derive(Debug, Clone, Default)]
pub struct Ledger(pub Vec<Entry>);

impl Act {
    pub fn is_change(&self) -> bool {
        !matches!(self, Act::Find { .. } | Act::Get { .. })
    }

    /// The traces that it must leave: what was done, and by what it is known there.
    pub fn traces(&self) -> Vec<(Traced, String)> {
        match self {
            Act::Open { control_id, .. } => vec![(Traced::Iti8Added, control_id.clone())],
            Act::Submit { set, .. } => {
                vec![(Traced::Iti41Repository, set.clone()), (Traced::Iti42Registry, set.clone())]
            }
            Act::Update { set, .. } => vec![(Traced::Iti57Registry, set.clone())],
            Act::RemoveMetadata { set_id, documents, links, .. } => {
                let all = documents.iter().chain(links).chain([set_id]);
                all.map(|id| (Traced::Iti62Registry, xds::value::uuid_urn(*id))).collect()
            }
            Act::RemoveDocument { unique_id, .. } => vec![(Traced::Iti86Repository, unique_id.clone())],
            Act::Merge { control_id, .. } => {
                vec![(Traced::Iti8Survived, control_id.clone()), (Traced::Iti8Subsumed, control_id.clone())]
            }
            Act::Find { patient } => vec![(Traced::Iti18Registry, patient.clone())],
            Act::Get { unique_id } => vec![(Traced::Iti43Repository, unique_id.clone())],
        }
    }
}

impl Ledger {
    /// What was acknowledged, carried out.
    pub fn world(&self) -> World {
        let mut world = World::default();
        for entry in self.0.iter().filter(|entry| entry.answer == Answer::Acknowledged) {
            world.apply(&entry.act);
        }
        world
    }

    /// The change whose outcome the client does not know. It sends no other after it.
    pub fn open_change(&self) -> Option<usize> {
        self.0.iter().position(|entry| entry.act.is_change() && entry.answer == Answer::Open)
    }

    /// Every uniqueId of a document that was ever sent, refused or not.
    pub fn unique_ids(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|entry| match &entry.act {
                Act::Submit { documents, .. } => documents.as_slice(),
                _ => &[],
            })
            .map(|document| document.unique_id.as_str())
    }

    /// Every patient that was ever named.
    pub fn patients(&self) -> std::collections::BTreeSet<&str> {
        self.0
            .iter()
            .filter_map(|entry| match &entry.act {
                Act::Open { patient, .. } | Act::Submit { patient, .. } => Some(patient.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Writes down what is known by now about the change without an answer.
    pub fn settle(&mut self, took_effect: Option<bool>) {
        let Some(entry) = self.open_change().and_then(|index| self.0.get_mut(index)) else { return };
        entry.answer = match took_effect {
            Some(true) => Answer::Acknowledged,
            _ => Answer::Refused("without an answer, and without effect".to_owned()),
        };
    }

    pub fn count(&self, is: impl Fn(&Answer) -> bool) -> usize {
        self.0.iter().filter(|entry| is(&entry.answer)).count()
    }
}
