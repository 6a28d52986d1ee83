//! How far a check is, and what it has counted: kept in a file, it can go on after it was cut off.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is checked next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Records behind this one.
    Records(i64),
    /// Global keys behind this one.
    Objects(Uuid),
    /// UniqueIds behind this one.
    UniqueIds(String, Uuid),
    /// Documents behind this one.
    Documents(i64),
    /// This part of the document store.
    Octets(u8),
    Audit,
    End,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    pub objects: u64,
    pub entries_held: u64,
    pub entries_on_demand: u64,
    pub entries_elsewhere: u64,
    pub entries_removed: u64,
    pub entries_awaited: u64,
    pub keys: u64,
    pub documents: u64,
    pub documents_removed: u64,
    pub octets: u64,
    pub blobs: u64,
    pub traces: u64,
    pub traces_waiting: u64,
}

impl Counts {
    /// For people.
    pub fn rows(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("objects of the registry", self.objects),
            ("entries with their document", self.entries_held),
            ("entries on demand", self.entries_on_demand),
            ("entries of other repositories", self.entries_elsewhere),
            ("entries whose document was removed", self.entries_removed),
            ("entries that are offline, without a document", self.entries_awaited),
            ("ids and uniqueIds", self.keys),
            ("documents", self.documents),
            ("documents that were removed", self.documents_removed),
            ("octets of documents", self.octets),
            ("blobs in the document store", self.blobs),
            ("traces as they were signed", self.traces),
            ("traces that wait to be signed", self.traces_waiting),
        ]
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    pub place: Place,
    pub counts: Counts,
    /// How many of each name.
    pub findings: BTreeMap<String, u64>,
}

impl State {
    pub fn begin() -> State {
        State { place: Place::Records(0), counts: Counts::default(), findings: BTreeMap::new() }
    }

    /// The state in the file; the beginning when there is none.
    pub fn load(file: Option<&Path>) -> anyhow::Result<State> {
        let Some(path) = file else { return Ok(State::begin()) };
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is not the state of a check", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(State::begin()),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// Whole, or as it was before.
    pub fn save(&self, file: Option<&Path>) -> anyhow::Result<()> {
        let Some(path) = file else { return Ok(()) };
        let write = || {
            let new = path.with_added_extension("new");
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The next check begins anew.
    pub fn finish(&self, file: Option<&Path>) -> anyhow::Result<()> {
        let Some(path) = file else { return Ok(()) };
        fs::remove_file(path).with_context(|| format!("{} cannot be removed", path.display()))
    }

    pub fn add(&mut self, finding: &str) {
        *self.findings.entry(finding.to_owned()).or_default() += 1;
    }

    pub fn found(&self) -> u64 {
        self.findings.values().sum()
    }

    pub fn is_good(&self) -> bool {
        self.found() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_goes_on_where_it_was_with_what_it_had_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state");
        let mut state = State::load(Some(&file)).unwrap();
        assert_eq!(state.place, Place::Records(0));
        state.place = Place::UniqueIds("1.2.3".to_owned(), Uuid::nil());
        state.counts.objects = 7;
        state.add("no-key");
        state.save(Some(&file)).unwrap();
        let again = State::load(Some(&file)).unwrap();
        assert_eq!((again.place, again.counts.objects), (state.place.clone(), 7));
        assert_eq!(again.findings, state.findings);
        state.finish(Some(&file)).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(&file, "{").unwrap();
        assert!(State::load(Some(&file)).unwrap_err().to_string().contains("not the state of a check"));
    }
}
