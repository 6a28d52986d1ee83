use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::rows;

/// Two transactions that carry a common uniqueId run one after the other, so that the later one sees the earlier.
const LOCK_UNIQUE_IDS: &str = "
    select pg_advisory_xact_lock(key)
    from (select distinct hashtextextended(value, 0) as key from unnest($1::text[]) as value order by key) as keys";

/// Of the versions of one document only the newest counts.
const OBJECTS_WITH_UNIQUE_IDS: &str = "
    select unique_id.value, unique_id.kind, document_entry.hash, document_entry.size,
        coalesce(document_entry.document_type = 'OnDemand', false), document_entry.logical_id
    from unique_id left join document_entry
        on document_entry.record = unique_id.record and document_entry.entry_uuid = unique_id.entry_uuid
    where unique_id.value = any($1) and not exists (
        select from document_entry as later
        where later.logical_id = document_entry.logical_id and later.version > document_entry.version)";

const OBJECTS: &str = "select entry_uuid, record, kind from object where entry_uuid = any($1)";

/// In the order of their ids, so that two transactions cannot wait for each other.
const LOCK_DOCUMENT_ENTRIES: &str = "
    select entry_uuid, status, document_type from document_entry
    where record = any($1) and entry_uuid = any($2) order by entry_uuid for update";

const LOCK_FOLDERS: &str = "
    select entry_uuid, status from folder
    where record = any($1) and entry_uuid = any($2) order by entry_uuid for update";

/// Addenda to a document and transformations of it, one level (TF-2 §3.42.4.1.3.5).
const RELATIVES: &str = "
    select association.source, association.record from association
        join document_entry on document_entry.record = association.record
            and document_entry.entry_uuid = association.source
    where association.target = $1 and association.association_type = any($2)
        and association.status = 'Approved' and document_entry.status = 'Approved'
    order by association.source";

/// Locked, so that a folder that gains a document cannot be removed meanwhile.
const MEMBERSHIPS: &str = "
    select folder.entry_uuid, folder.record from association
        join folder on folder.record = association.record and folder.entry_uuid = association.source
    where association.target = $1 and association.association_type = $2
        and association.status = 'Approved' and folder.status = 'Approved'
    order by folder.entry_uuid for update of folder";

const REGISTERED_SUBMISSION: &str =
    "select entry_uuid from unique_id where value = $1 and kind = 'SubmissionSet'";

pub async fn lock_unique_ids<C: GenericClient>(client: &C, unique_ids: &[&str]) -> Result<(), Error> {
    rows(client, LOCK_UNIQUE_IDS, &[&unique_ids]).await.map(|_| ())
}

/// An object of the registry that carries a uniqueId of the submission.
#[derive(Debug, Clone)]
pub struct EqualId {
    pub unique_id: String,
    pub is_document: bool,
    pub on_demand: bool,
    pub hash: Option<String>,
    pub size: Option<i64>,
    /// Of a document.
    pub logical_id: Option<Uuid>,
}

pub async fn objects_with_unique_ids<C: GenericClient>(
    client: &C,
    unique_ids: &[&str],
) -> Result<Vec<EqualId>, Error> {
    let found = rows(client, OBJECTS_WITH_UNIQUE_IDS, &[&unique_ids]).await?;
    found
        .iter()
        .map(|row| {
            let kind: &str = row.try_get(1)?;
            Ok(EqualId {
                unique_id: row.try_get(0)?,
                is_document: kind == "DocumentEntry",
                hash: row.try_get(2)?,
                size: row.try_get(3)?,
                on_demand: row.try_get(4)?,
                logical_id: row.try_get(5)?,
            })
        })
        .collect()
}

/// An object that the submission refers to.
#[derive(Debug, Clone)]
pub struct Existing {
    pub entry_uuid: Uuid,
    /// Where its rows are.
    pub record: i64,
    pub detail: ExistingDetail,
}

#[derive(Debug, Clone)]
pub enum ExistingDetail {
    DocumentEntry { approved: bool, on_demand: bool },
    Folder { approved: bool },
    SubmissionSet,
    Association,
}

/// Finds the objects and locks the documents and folders among them until the transaction ends.
pub async fn existing_objects<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<Vec<Existing>, Error> {
    let mut found = Vec::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let objects = rows(client, OBJECTS, &[&ids]).await?;
    if objects.is_empty() {
        return Ok(found);
    }
    let mut records: Vec<i64> = Vec::new();
    for row in &objects {
        let (entry_uuid, record, kind) = (row.try_get(0)?, row.try_get(1)?, row.try_get::<_, &str>(2)?);
        records.push(record);
        let detail = match kind {
            "SubmissionSet" => ExistingDetail::SubmissionSet,
            "Association" => ExistingDetail::Association,
            _ => continue,
        };
        found.push(Existing { entry_uuid, record, detail });
    }
    let home = |id: Uuid| -> i64 {
        let of = |row: &Row| (row.get::<_, Uuid>(0), row.get::<_, i64>(1));
        objects.iter().map(of).find(|(uuid, _)| *uuid == id).map_or(0, |(_, record)| record)
    };
    for row in rows(client, LOCK_DOCUMENT_ENTRIES, &[&records, &ids]).await? {
        let entry_uuid = row.try_get(0)?;
        let detail = ExistingDetail::DocumentEntry {
            approved: row.try_get::<_, &str>(1)? == "Approved",
            on_demand: row.try_get::<_, &str>(2)? == "OnDemand",
        };
        found.push(Existing { entry_uuid, record: home(entry_uuid), detail });
    }
    for row in rows(client, LOCK_FOLDERS, &[&records, &ids]).await? {
        let entry_uuid = row.try_get(0)?;
        let detail = ExistingDetail::Folder { approved: row.try_get::<_, &str>(1)? == "Approved" };
        found.push(Existing { entry_uuid, record: home(entry_uuid), detail });
    }
    Ok(found)
}

/// The approved documents that are an addendum to `target` or a transformation of it, with their records.
pub async fn relatives_of<C: GenericClient>(
    client: &C,
    target: Uuid,
    association_types: &[&str],
) -> Result<Vec<(Uuid, i64)>, Error> {
    let found = rows(client, RELATIVES, &[&target, &association_types]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// An approved folder that holds a document by an approved HasMember.
#[derive(Debug, Clone, Copy)]
pub struct Membership {
    pub folder: Uuid,
    pub record: i64,
}

pub async fn memberships_of<C: GenericClient>(
    client: &C,
    document: Uuid,
    has_member: &str,
) -> Result<Vec<Membership>, Error> {
    rows(client, MEMBERSHIPS, &[&document, &has_member])
        .await?
        .iter()
        .map(|row| Ok(Membership { folder: row.try_get(0)?, record: row.try_get(1)? }))
        .collect()
}

/// The entryUUID of the SubmissionSet with that uniqueId.
pub async fn registered_submission<C: GenericClient>(
    client: &C,
    unique_id: &str,
) -> Result<Option<Uuid>, Error> {
    rows(client, REGISTERED_SUBMISSION, &[&unique_id]).await?.first().map(|row| row.try_get(0)).transpose()
}
