//! What one client sent and what it was told, and whether the server shows exactly that.
//!
//! A client keeps to patients of its own and does one thing after another, so what was acknowledged says what its records
//! must show: [`World`]. At most one change is left without an answer, which makes two worlds that
//! are right, and no third.

pub mod answers;
mod judge;
mod world;

use std::time::{Duration, Instant};

pub use judge::{Seen, Traces, judge, judge_records};
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
    /// An AuditEvent of another node, by the SHA-256 of its octets (ITI-20).
    Audit {
        digest: String,
    },
}

/// What the client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Acknowledged,
    /// With these codes; the first word of each is a standard code.
    Refused(String),
    /// That the outcome is not known.
    NotKnown,
    /// Nothing.
    Open,
}

impl Answer {
    /// Whether the client cannot tell what became of the act.
    pub fn is_open(&self) -> bool {
        matches!(self, Answer::NotKnown | Answer::Open)
    }
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub act: Act,
    pub answer: Answer,
    pub began: Instant,
    /// When the answer came, or the end of the connection.
    pub ended: Option<Instant>,
}

/// In the order of sending.
#[derive(Debug, Clone, Default)]
pub struct Ledger(pub Vec<Entry>);

impl Entry {
    /// What is about to be sent.
    pub fn new(act: Act) -> Entry {
        Entry { act, answer: Answer::Open, began: Instant::now(), ended: None }
    }

    pub fn answered(&mut self, answer: Answer) {
        (self.answer, self.ended) = (answer, Some(Instant::now()));
    }

    pub fn took(&self) -> Option<Duration> {
        self.ended.map(|ended| ended.duration_since(self.began))
    }
}

/// By what a trace is known: the act, and what it names.
pub fn key(act: Traced, name: &str) -> String {
    format!("{act:?} {name}")
}

/// The same of an event of another node.
pub fn key_of_received(digest: &str) -> String {
    format!("Iti20 {digest}")
}

impl Act {
    /// Of records.
    pub fn is_change(&self) -> bool {
        !matches!(self, Act::Find { .. } | Act::Get { .. } | Act::Audit { .. })
    }

    /// The traces that it must leave: what was done, and by what it is known there.
    pub fn traces(&self) -> Vec<String> {
        match self {
            Act::Open { control_id, .. } => vec![key(Traced::Iti8Added, control_id)],
            Act::Submit { set, .. } => {
                vec![key(Traced::Iti41Repository, set), key(Traced::Iti42Registry, set)]
            }
            Act::Update { set, .. } => vec![key(Traced::Iti57Registry, set)],
            Act::RemoveMetadata { set_id, documents, links, .. } => {
                let all = documents.iter().chain(links).chain([set_id]);
                all.map(|id| key(Traced::Iti62Registry, &xds::value::uuid_urn(*id))).collect()
            }
            Act::RemoveDocument { unique_id, .. } => vec![key(Traced::Iti86Repository, unique_id)],
            Act::Merge { control_id, .. } => {
                vec![key(Traced::Iti8Survived, control_id), key(Traced::Iti8Subsumed, control_id)]
            }
            Act::Find { patient } => vec![key(Traced::Iti18Registry, patient)],
            Act::Get { unique_id } => vec![key(Traced::Iti43Repository, unique_id)],
            Act::Audit { digest } => vec![key_of_received(digest)],
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
        self.0.iter().position(|entry| entry.act.is_change() && entry.answer.is_open())
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
