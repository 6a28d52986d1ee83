//! What the records of one client must show.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Act, Digest};

/// One version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub unique_id: String,
    pub title: String,
    pub approved: bool,
}

/// What a record shows to a reader who asks for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// By logical id and version.
    pub documents: BTreeMap<(Uuid, u32), Document>,
    /// uniqueIds of SubmissionSets.
    pub sets: BTreeSet<String>,
    /// Associations whose ids the client chose.
    pub links: BTreeSet<Uuid>,
    /// What can be retrieved, by uniqueId.
    pub octets: BTreeMap<String, Digest>,
}

/// Open records by patient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World(pub BTreeMap<String, Record>);

impl World {
    /// Carries out an act. One about a patient that is not open changes nothing: the server was to refuse it, and shows
    /// by what it keeps that it did not.
    pub fn apply(&mut self, act: &Act) {
        match act {
            Act::Open { patient, .. } => drop(self.0.entry(patient.clone()).or_default()),
            Act::Merge { subsumed, surviving, .. } => {
                let Some(from) = self.0.remove(subsumed) else { return };
                let into = self.0.entry(surviving.clone()).or_default();
                into.documents.extend(from.documents);
                into.sets.extend(from.sets);
                into.links.extend(from.links);
                into.octets.extend(from.octets);
            }
            Act::Submit { patient, .. }
            | Act::Update { patient, .. }
            | Act::RemoveMetadata { patient, .. }
            | Act::RemoveDocument { patient, .. } => {
                if let Some(record) = self.0.get_mut(patient) {
                    record.apply(act);
                }
            }
            Act::Find { .. } | Act::Get { .. } | Act::Audit { .. } => {}
        }
    }

    /// Whether an act has to be refused here.
    pub fn refuses(&self, act: &Act) -> bool {
        let open = |patient: &String| self.0.contains_key(patient);
        let approved = |patient, document: Uuid, version| {
            let document = self.0.get(patient).and_then(|record| record.documents.get(&(document, version)));
            document.is_some_and(|document| document.approved)
        };
        match act {
            Act::Submit { patient, replaced, .. } => {
                !open(patient) || replaced.is_some_and(|old| !approved(patient, old, 1))
            }
            Act::Update { patient, document, from, .. } => !approved(patient, *document, *from),
            Act::RemoveMetadata { patient, set, .. } => {
                !self.0.get(patient).is_some_and(|record| record.sets.contains(set))
            }
            Act::RemoveDocument { unique_id, .. } | Act::Get { unique_id } => {
                !self.0.values().any(|record| record.octets.contains_key(unique_id))
            }
            Act::Merge { subsumed, surviving, .. } => !open(subsumed) || !open(surviving),
            Act::Find { patient } => !open(patient),
            Act::Open { .. } | Act::Audit { .. } => false,
        }
    }
}

impl Record {
    fn apply(&mut self, act: &Act) {
        match act {
            Act::Submit { set, documents, links, replaced, .. } => {
                self.sets.insert(set.clone());
                self.links.extend(links);
                for sent in documents {
                    let (unique_id, title) = (sent.unique_id.clone(), sent.title.clone());
                    self.octets.insert(unique_id.clone(), sent.digest);
                    self.documents.insert((sent.id, 1), Document { unique_id, title, approved: true });
                }
                if let Some(old) = replaced.and_then(|id| self.documents.get_mut(&(id, 1))) {
                    old.approved = false;
                }
            }
            Act::Update { set, document, from, title, .. } => {
                let Some(old) = self.documents.get_mut(&(*document, *from)) else { return };
                old.approved = false;
                let new = Document { title: title.clone(), approved: true, ..old.clone() };
                self.documents.insert((*document, from + 1), new);
                self.sets.insert(set.clone());
            }
            Act::RemoveMetadata { set, documents, links, .. } => {
                self.sets.remove(set);
                for link in links {
                    self.links.remove(link);
                }
                for document in documents {
                    if let Some(gone) = self.documents.remove(&(*document, 1)) {
                        self.octets.remove(&gone.unique_id);
                    }
                }
            }
            Act::RemoveDocument { unique_id, .. } => drop(self.octets.remove(unique_id)),
            Act::Open { .. } | Act::Merge { .. } | Act::Find { .. } | Act::Get { .. } | Act::Audit { .. } => {
            }
        }
    }
}
