//! What is registered of everything that an update is about, locked until its transaction ends.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::update::ValidUpdate;

use crate::Failure;
use crate::sql::{self, Detail, Newest, Stored};

pub(crate) struct State {
    stored: HashMap<Uuid, Stored>,
    /// By logical id.
    newest: HashMap<Uuid, Newest>,
}

impl State {
    pub async fn load(transaction: &Transaction<'_>, update: &ValidUpdate) -> Result<State, Failure> {
        let named: Vec<Uuid> = logical_ids(update).chain(referenced(update)).collect();
        let newest = sql::lock_versions(transaction, &named).await?;
        let own = update.associations.iter().map(|a| a.entry_uuid);
        let own = own
            .chain(update.documents.iter().map(|v| v.object.entry_uuid))
            .chain(update.folders.iter().map(|v| v.object.entry_uuid))
            .chain(std::iter::once(update.submission_set.entry_uuid));
        let current = newest.iter().map(|n| n.entry_uuid);
        let ids: Vec<Uuid> = named.iter().copied().chain(own).chain(current).collect();
        let mut state = State {
            stored: HashMap::new(),
            newest: newest.into_iter().map(|newest| (newest.logical_id, newest)).collect(),
        };
        state.add(transaction, &ids).await?;
        // An association whose status changes is judged by what it joins.
        let ends: Vec<Uuid> = update.statuses.iter().flat_map(|s| state.ends(s.target)).collect();
        state.add(transaction, &ends).await?;
        Ok(state)
    }

    /// Objects without a look at their other versions.
    pub async fn read(transaction: &Transaction<'_>, ids: &[Uuid]) -> Result<State, Failure> {
        let mut state = State { stored: HashMap::new(), newest: HashMap::new() };
        state.add(transaction, ids).await?;
        Ok(state)
    }

    async fn add(&mut self, transaction: &Transaction<'_>, ids: &[Uuid]) -> Result<(), Failure> {
        let found = sql::stored(transaction, ids).await?;
        self.stored.extend(found.into_iter().map(|stored| (stored.entry_uuid, stored)));
        Ok(())
    }

    #[cfg(test)]
    pub fn of(stored: Vec<Stored>) -> State {
        let mut newest: HashMap<Uuid, Newest> = HashMap::new();
        for object in &stored {
            let Some(version) = object.version() else { continue };
            let known = newest.get(&version.logical_id).map_or(0, |n| n.number);
            if version.number > known {
                let (logical_id, number) = (version.logical_id, version.number);
                newest.insert(logical_id, Newest { logical_id, number, entry_uuid: object.entry_uuid });
            }
        }
        State { stored: stored.into_iter().map(|s| (s.entry_uuid, s)).collect(), newest }
    }

    pub fn get(&self, id: Uuid) -> Option<&Stored> {
        self.stored.get(&id)
    }

    /// The newest version of a logical object.
    pub fn current(&self, logical_id: Uuid) -> Option<&Stored> {
        self.get(self.newest.get(&logical_id)?.entry_uuid)
    }

    pub fn current_document(&self, logical_id: Uuid) -> Option<&Stored> {
        self.current(logical_id).filter(|stored| stored.is_document())
    }

    pub fn current_folder(&self, logical_id: Uuid) -> Option<&Stored> {
        self.current(logical_id).filter(|stored| stored.is_folder())
    }

    /// The number of the version that comes after all that there are.
    pub fn next_number(&self, logical_id: Uuid) -> i32 {
        self.newest.get(&logical_id).map_or(1, |newest| newest.number.saturating_add(1))
    }

    pub fn is_newest(&self, stored: &Stored) -> bool {
        stored.version().is_none_or(|version| {
            self.newest.get(&version.logical_id).map(|n| n.entry_uuid) == Some(stored.entry_uuid)
        })
    }

    /// The patients whose objects the update is about, as the registry knows them.
    pub fn patients(&self, update: &ValidUpdate) -> BTreeSet<String> {
        let previous = logical_ids(update).filter_map(|id| self.current(id));
        let referenced = referenced(update).filter_map(|id| self.get(id));
        let ends = update.statuses.iter().flat_map(|s| self.ends(s.target)).filter_map(|id| self.get(id));
        previous
            .chain(referenced)
            .chain(ends)
            .filter_map(|stored| stored.patient_id().map(str::to_owned))
            .collect()
    }

    /// What an association joins; nothing for other objects.
    fn ends(&self, id: Uuid) -> Vec<Uuid> {
        match self.get(id).map(|stored| &stored.detail) {
            Some(Detail::Association { source, target, .. }) => vec![*source, *target],
            _ => Vec::new(),
        }
    }
}

fn logical_ids(update: &ValidUpdate) -> impl Iterator<Item = Uuid> {
    let documents = update.documents.iter().map(|v| v.logical_id);
    documents.chain(update.folders.iter().map(|v| v.logical_id))
}

/// Objects of the registry that the update refers to by their ids.
fn referenced(update: &ValidUpdate) -> impl Iterator<Item = Uuid> {
    let targets = update.statuses.iter().map(|s| s.target).filter(|id| !update.is_own(*id));
    targets.chain(update.additions.iter().flat_map(|a| [a.source, a.target]))
}
