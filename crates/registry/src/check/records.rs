//! The objects of records: their keys, versions, associations, and their columns beside their fragments.

use std::collections::HashMap;
use std::pin::pin;

use database::Error;
use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use tokio_postgres::Row;
use uuid::Uuid;
use xds::fragment::{Fill, Fragment, Numbered};
use xds::value::Cx;

use super::{Finding, Kind};
use crate::sql::{self, AssociationColumns, DocumentColumns, FolderColumns, Range, SubmissionSetColumns};

/// For holes of fragments whose content is not compared.
const ANYBODY: Fill<'_> =
    Fill { status: "", patient_id: "1^^^&1.2.3&ISO", last_update_time: "20260101000000" };

/// Some records.
#[derive(Debug, Default)]
pub struct Batch {
    /// The last of them; none: there are no more behind these.
    pub last: Option<i64>,
    pub objects: u64,
    /// What the newest version of each document says of its octets.
    pub entries: Vec<Entry>,
    pub findings: Vec<Finding>,
}

/// What an entry says of its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: Uuid,
    pub unique_id: String,
    pub repository_unique_id: Option<String>,
    pub hash: Option<String>,
    pub size: Option<i64>,
    pub is_on_demand: bool,
    pub is_offline: bool,
}

/// Checks up to `limit` records behind `after`, with all that lies in them. Memory follows the longest record.
pub async fn records(transaction: &Transaction<'_>, after: i64, limit: i64) -> Result<Batch, Error> {
    let (last, count) = sql::next_records(transaction, after, limit).await?;
    let last = last.filter(|_| count == limit);
    let range = (after, last.unwrap_or(i64::MAX));
    let identifiers = sql::identifiers_of(transaction, range).await?.into_iter().collect();
    let batch = Batch { last, ..Batch::default() };
    let mut check = Check { transaction, range, identifiers, batch };
    check.records().await?;
    check.documents().await?;
    check.folders().await?;
    check.submission_sets().await?;
    check.associations().await?;
    Ok(check.batch)
}

struct Check<'a> {
    transaction: &'a Transaction<'a>,
    range: Range,
    /// The record of each (authority, id).
    identifiers: HashMap<(String, String), i64>,
    batch: Batch,
}

impl Check<'_> {
    async fn records(&mut self) -> Result<(), Error> {
        let circles = sql::merge_cycles(self.transaction, self.range).await?;
        self.found(circles.into_iter().map(|record| Finding::MergeCircle { record }));
        let facts = sql::facts_of_nothing(self.transaction, self.range).await?;
        self.found(facts.into_iter().map(|id| Finding::HeaderFacts { id }));
        Ok(())
    }

    async fn documents(&mut self) -> Result<(), Error> {
        let kind = Kind::DocumentEntry;
        let mut rows = pin!(sql::documents_of(self.transaction, self.range).await?);
        while let Some(row) = rows.try_next().await? {
            let stored = DocumentColumns::read(&row)?;
            let id = stored.entry_uuid;
            self.key(&row, kind, id)?;
            self.version(&row, kind, id)?;
            self.patient(&row, kind, id)?;
            self.set(&row, kind, id)?;
            match fragment(&row)?.and_then(|fragment| fragment.document_entry(&ANYBODY)) {
                Some((entry, numbered)) => {
                    self.columns(kind, id, DocumentColumns::of(&entry).differing(&stored));
                    self.numbered(&row, kind, id, numbered)?;
                }
                None => self.found([Finding::Fragment { kind, id }]),
            }
            // Of the versions of a document the newest tells which octets it has.
            if !row.try_get::<_, bool>("is_superseded")? {
                self.batch.entries.push(Entry {
                    id,
                    unique_id: stored.unique_id,
                    repository_unique_id: stored.repository_unique_id,
                    hash: stored.hash,
                    size: stored.size,
                    is_on_demand: stored.document_type == "OnDemand",
                    is_offline: stored.availability == "Offline",
                });
            }
        }
        Ok(())
    }

    async fn folders(&mut self) -> Result<(), Error> {
        let kind = Kind::Folder;
        let mut rows = pin!(sql::folders_of(self.transaction, self.range).await?);
        while let Some(row) = rows.try_next().await? {
            let stored = FolderColumns::read(&row)?;
            let id = stored.entry_uuid;
            self.key(&row, kind, id)?;
            self.version(&row, kind, id)?;
            self.patient(&row, kind, id)?;
            self.set(&row, kind, id)?;
            match fragment(&row)?.and_then(|fragment| fragment.folder(&ANYBODY)) {
                Some((folder, numbered)) => {
                    self.columns(kind, id, FolderColumns::of(&folder).differing(&stored));
                    self.numbered(&row, kind, id, numbered)?;
                }
                None => self.found([Finding::Fragment { kind, id }]),
            }
        }
        Ok(())
    }

    async fn submission_sets(&mut self) -> Result<(), Error> {
        let kind = Kind::SubmissionSet;
        let mut rows = pin!(sql::submission_sets_of(self.transaction, self.range).await?);
        while let Some(row) = rows.try_next().await? {
            let stored = SubmissionSetColumns::read(&row)?;
            let id = stored.entry_uuid;
            self.key(&row, kind, id)?;
            self.patient(&row, kind, id)?;
            match fragment(&row)?.and_then(|fragment| fragment.submission_set(&ANYBODY)) {
                Some(set) => self.columns(kind, id, SubmissionSetColumns::of(&set).differing(&stored)),
                None => self.found([Finding::Fragment { kind, id }]),
            }
        }
        Ok(())
    }

    async fn associations(&mut self) -> Result<(), Error> {
        let kind = Kind::Association;
        let mut rows = pin!(sql::associations_in(self.transaction, self.range).await?);
        while let Some(row) = rows.try_next().await? {
            let stored = AssociationColumns::read(&row)?;
            let id = stored.entry_uuid;
            self.key(&row, kind, id)?;
            self.set(&row, kind, id)?;
            for (end, is_there, missing) in
                [("sourceObject", "has_source", stored.source), ("targetObject", "has_target", stored.target)]
            {
                if !row.try_get::<_, bool>(is_there)? {
                    self.found([Finding::NoEnd { id, end, missing }]);
                }
            }
            match fragment(&row)?.and_then(|fragment| fragment.association()) {
                Some(association) => {
                    self.columns(kind, id, AssociationColumns::of(&association).differing(&stored));
                }
                None => self.found([Finding::Fragment { kind, id }]),
            }
        }
        Ok(())
    }

    /// The global keys of an object.
    fn key(&mut self, row: &Row, kind: Kind, id: Uuid) -> Result<(), Error> {
        self.batch.objects += 1;
        if !row.try_get::<_, bool>("has_key")? {
            self.found([Finding::NoKey { kind, id }]);
        }
        if kind != Kind::Association && !row.try_get::<_, bool>("has_unique_id")? {
            self.found([Finding::NoUniqueId { kind, id }]);
        }
        Ok(())
    }

    /// What documents and folders have: versions, and a SubmissionSet.
    fn version(&mut self, row: &Row, kind: Kind, id: Uuid) -> Result<(), Error> {
        if !row.try_get::<_, bool>("is_held")? {
            self.found([Finding::NotHeld { kind, id }]);
        }
        let status: &str = row.try_get("status")?;
        if row.try_get::<_, bool>("is_superseded")? && status != "Deprecated" {
            self.found([Finding::OldVersion { kind, id, status: status.to_owned() }]);
        }
        if row.try_get::<_, bool>("is_mixed")? {
            self.found([Finding::VersionOfAnother { kind, id }]);
        }
        // A version may be missing, also the first: ITI-62 removes any of them and leaves the numbers of the others.
        let (logical_id, version): (Uuid, i32) = (row.try_get("logical_id")?, row.try_get("version")?);
        if version < 1 || (version == 1) != (logical_id == id) {
            self.found([Finding::VersionNumber { kind, id, version }]);
        }
        Ok(())
    }

    /// A new object came with the SubmissionSet that leads to it as its own, an association with the one that it leads from.
    /// Where ITI-62 has removed those, nothing says any more what an object came with.
    fn set(&mut self, row: &Row, kind: Kind, id: Uuid) -> Result<(), Error> {
        if row.try_get("is_of_another_set")? {
            self.columns(kind, id, vec!["submission_set"]);
        }
        Ok(())
    }

    fn numbered(&mut self, row: &Row, kind: Kind, id: Uuid, said: Numbered) -> Result<(), Error> {
        let logical_id = (said.logical_id != row.try_get::<_, Uuid>("logical_id")?).then_some("logical_id");
        let version = (said.version != row.try_get::<_, i32>("version")?).then_some("version");
        self.columns(kind, id, logical_id.into_iter().chain(version).collect());
        Ok(())
    }

    fn patient(&mut self, row: &Row, kind: Kind, id: Uuid) -> Result<(), Error> {
        let (record, text): (i64, &str) = (row.try_get("record")?, row.try_get("patient_id")?);
        let leads_to = Cx::parse(text).ok().and_then(|cx| self.identifiers.get(&(cx.authority, cx.id)));
        if leads_to != Some(&record) {
            self.found([Finding::Patient { kind, id }]);
        }
        Ok(())
    }

    fn columns(&mut self, kind: Kind, id: Uuid, differing: Vec<&'static str>) {
        self.found(differing.into_iter().map(|column| Finding::Column { kind, id, column }));
    }

    fn found(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.batch.findings.extend(findings);
    }
}

/// None: what is stored is damaged.
fn fragment(row: &Row) -> Result<Option<Fragment>, Error> {
    Ok(Fragment::from_stored(row.try_get("fragment")?).ok())
}
