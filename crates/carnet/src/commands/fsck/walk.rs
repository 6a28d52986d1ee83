//! From check to check. Each step is a batch of its own, so memory does not follow what is stored.

use std::path::{Path, PathBuf};
use std::time::Duration;

use atna::log::Verification;
use blob::LocalStore;
use database::Database;
use indicatif::ProgressBar;
use registry::check::Entry;
use repository::check::{Claim, Depth};
use uuid::Uuid;

use super::Finding;
use super::state::{Counts, Place, State};
use crate::audit::{Files, keys};
use crate::belonging::{Bond, bond};
use crate::config::{Config, Role};

/// Records that are read at a time.
const RECORDS: i64 = 64;
/// Keys that are read at a time.
const KEYS: i64 = 4096;
/// Documents that are read at a time.
const DOCUMENTS: i64 = 256;

pub struct Walk<'a> {
    database: &'a Database,
    blobs: LocalStore,
    role: Role,
    repository: &'a str,
    /// What a sweep takes after this time need not be gone before.
    sweep_age: Duration,
    files: Files,
    depth: Depth,
    bar: &'a ProgressBar,
}

impl<'a> Walk<'a> {
    pub fn new(
        config: &'a Config,
        database: &'a Database,
        folder: &Path,
        depth: Depth,
        bar: &'a ProgressBar,
    ) -> Walk<'a> {
        Walk {
            database,
            blobs: LocalStore::existing(&folder.join("documents")),
            role: config.server.role,
            repository: &config.repository.unique_id,
            sweep_age: config.repository.sweep_age,
            files: Files::new(config, folder),
            depth,
            bar,
        }
    }

    /// Does what is next. None: everything was checked.
    pub async fn step(&self, state: &mut State) -> anyhow::Result<Option<Vec<Finding>>> {
        let counts = &mut state.counts;
        let (next, findings) = match &state.place {
            Place::Records(_) if !self.role.is_registry() => (Place::Documents(0), Vec::new()),
            Place::Documents(_) if !self.role.is_repository() => (Place::Audit, Vec::new()),
            Place::Records(after) => self.records(*after, counts).await?,
            Place::Objects(after) => self.objects(*after, counts).await?,
            Place::UniqueIds(value, id) => self.unique_ids((value, *id), counts).await?,
            Place::Documents(after) => self.documents(*after, counts).await?,
            Place::Octets(part) => self.octets(*part, counts).await?,
            Place::Audit => self.audit(counts).await?,
            Place::End => return Ok(None),
        };
        state.place = next;
        Ok(Some(findings))
    }

    async fn records(&self, after: i64, counts: &mut Counts) -> anyhow::Result<(Place, Vec<Finding>)> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        registry::check::steady(&transaction).await?;
        let batch = registry::check::records(&transaction, after, RECORDS).await?;
        self.show("records", after as u64, registry::check::last_record(&transaction).await? as u64);
        counts.objects += batch.objects;
        let claims: Vec<Claim> =
            batch.entries.into_iter().filter_map(|entry| self.claim(entry, counts)).collect();
        let claims = repository::check::claims(&transaction, &claims).await?;
        counts.entries_held += claims.held;
        counts.entries_removed += claims.removed;
        counts.entries_awaited += claims.awaited;
        let mut findings = all(batch.findings)?;
        findings.extend(all(claims.findings)?);
        Ok((batch.last.map_or(Place::Objects(Uuid::nil()), Place::Records), findings))
    }

    /// What an entry says of this repository.
    fn claim(&self, entry: Entry, counts: &mut Counts) -> Option<Claim> {
        let Entry { id, unique_id, repository_unique_id, hash, size, is_on_demand, is_offline } = entry;
        let is_here = self.role.is_repository() && repository_unique_id.as_deref() == Some(self.repository);
        counts.entries_on_demand += u64::from(is_on_demand);
        counts.entries_elsewhere += u64::from(!is_on_demand && !is_here);
        (is_here && !is_on_demand).then_some(Claim { entry: id, unique_id, hash, size, is_offline })
    }

    async fn objects(&self, after: Uuid, counts: &mut Counts) -> anyhow::Result<(Place, Vec<Finding>)> {
        let (first, ..) = after.as_fields();
        self.show("ids", first.into(), u32::MAX.into());
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        registry::check::steady(&transaction).await?;
        let keys = registry::check::objects(&transaction, after, KEYS).await?;
        counts.keys += keys.count;
        let next = keys.next.map_or_else(|| Place::UniqueIds(String::new(), Uuid::nil()), Place::Objects);
        Ok((next, all(keys.findings)?))
    }

    async fn unique_ids(
        &self,
        after: (&str, Uuid),
        counts: &mut Counts,
    ) -> anyhow::Result<(Place, Vec<Finding>)> {
        // How many there are is not known; not more than objects.
        self.show("uniqueIds", counts.keys.saturating_sub(counts.objects), counts.objects);
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        registry::check::steady(&transaction).await?;
        let keys = registry::check::unique_ids(&transaction, after, KEYS).await?;
        counts.keys += keys.count;
        let next = keys.next.map_or(Place::Documents(0), |(value, id)| Place::UniqueIds(value, id));
        Ok((next, all(keys.findings)?))
    }

    async fn documents(&self, after: i64, counts: &mut Counts) -> anyhow::Result<(Place, Vec<Finding>)> {
        self.show("documents", after as u64, repository::check::last_document(self.database).await? as u64);
        let batch = (after, DOCUMENTS);
        let documents =
            repository::check::documents(self.database, &self.blobs, self.depth, batch, self.sweep_age)
                .await?;
        counts.documents += documents.kept;
        counts.documents_removed += documents.removed;
        counts.octets += documents.octets;
        Ok((documents.next.map_or(Place::Octets(0), Place::Documents), all(documents.findings)?))
    }

    async fn octets(&self, part: u8, counts: &mut Counts) -> anyhow::Result<(Place, Vec<Finding>)> {
        self.show("document store", part.into(), u8::MAX.into());
        let blobs = repository::check::unreferenced(self.database, &self.blobs, part, self.sweep_age).await?;
        counts.blobs += blobs.count;
        let mut findings = all(blobs.findings)?;
        // Once, and not for each part.
        if part == 0
            && let Bond::Foreign(foreign) = bond(self.database, &self.blobs).await?
        {
            findings.insert(0, Finding::new(foreign)?);
        }
        Ok((part.checked_add(1).map_or(Place::Audit, Place::Octets), findings))
    }

    async fn audit(&self, counts: &mut Counts) -> anyhow::Result<(Place, Vec<Finding>)> {
        let file: Option<PathBuf> =
            Some(self.files.checkpoints.path().to_owned()).filter(|path| path.exists());
        // Where there is no key nothing is signed, or what is signed cannot be believed.
        let keys = match self.files.verifier.exists() {
            true => keys(&self.files, None)?,
            false => Vec::new(),
        };
        let verification = Verification { keys, checkpoints: file, since: None };
        let report = verification.run(self.database, |done, whole| self.show("traces", done, whole)).await?;
        counts.traces = report.events;
        counts.traces_waiting = u64::try_from(report.waiting).unwrap_or_default();
        Ok((Place::End, all(report.finding)?))
    }

    fn show(&self, what: &'static str, done: u64, whole: u64) {
        self.bar.set_message(what);
        self.bar.set_length(whole);
        self.bar.set_position(done);
    }
}

fn all(
    findings: impl IntoIterator<Item = impl serde::Serialize + std::fmt::Display>,
) -> anyhow::Result<Vec<Finding>> {
    findings.into_iter().map(Finding::new).collect()
}
