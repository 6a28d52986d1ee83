//! Every SQL statement of the repository. Values are always parameters.

mod backup;
mod check;
mod pending;

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::on_demand::Identity;

pub use backup::{is_kept, list_documents, now_removed, remove_blobs};
pub use check::{Filed, Held, Standing, belonging, held, last_document, next_documents, standing_of};
pub use pending::{
    Unsettled, add_stored_document, begin_filing, end_filing, forget_documents, has_filing,
    register_documents, unsettled,
};

const ADD: &str = "
    insert into document (unique_id, blob, mime_type, size, sha1, sha256, patient_id, state)
    values ($1, $2, $3, $4, $5, $6, $7, 'registered')";

const BY_UNIQUE_ID: &str = "
    select unique_id, blob, mime_type, size, sha1, state = 'registered' from document
    where unique_id = any($1) and state <> 'removed'
    order by document";

const KNOWN_BLOBS: &str = "select blob from document where blob = any($1) and state <> 'removed'";

const HAS_DOCUMENTS: &str = "select exists (select from document where state <> 'removed')";

const REMOVE: &str = "
    update document set state = 'removed', removed_at = now()
    where unique_id = any($1) and state = 'registered'
    returning unique_id, blob, patient_id";

const UNPURGED: &str = "select blob from document where state = 'removed' and purged_at is null";

const PURGED: &str = "update document set purged_at = now() where blob = $1 and state = 'removed'";

const ADD_IDENTITY: &str = "
    insert into made_document (on_demand_id, content, unique_id, made_at) values ($1, $2, $3, $4)
    on conflict (on_demand_id, content) do nothing";

const IDENTITY: &str =
    "select unique_id, made_at from made_document where on_demand_id = $1 and content = $2";

const MADE_HERE: &str = "select unique_id from made_document where unique_id = any($1)";

/// A document to be filed.
#[derive(Debug, Clone)]
pub struct NewDocument {
    pub unique_id: String,
    pub blob: String,
    pub mime_type: String,
    pub size: u64,
    pub sha1: String,
    pub sha256: String,
    /// CX as submitted.
    pub patient_id: Option<String>,
}

/// A document that is stored.
#[derive(Debug, Clone)]
pub struct StoredDocument {
    pub unique_id: String,
    pub blob: String,
    pub mime_type: String,
    pub size: u64,
    pub sha1: String,
    /// The registry is known to have it.
    pub is_registered: bool,
}

pub async fn add_document<C: GenericClient>(client: &C, document: &NewDocument) -> Result<(), Error> {
    let statement = client.prepare_cached(ADD).await?;
    let size = i64::try_from(document.size).unwrap_or(i64::MAX);
    let NewDocument { unique_id, blob, mime_type, sha1, sha256, patient_id, .. } = document;
    client
        .execute(&statement, &[unique_id, blob, mime_type, &size, sha1, sha256, patient_id])
        .await
        .map(|_| ())
}

/// Oldest first. Several documents may share a uniqueId; their octets are the same.
pub async fn by_unique_id<C: GenericClient>(
    client: &C,
    unique_ids: &[String],
) -> Result<Vec<StoredDocument>, Error> {
    let statement = client.prepare_cached(BY_UNIQUE_ID).await?;
    client
        .query(&statement, &[&unique_ids])
        .await?
        .iter()
        .map(|row| {
            Ok(StoredDocument {
                unique_id: row.try_get(0)?,
                blob: row.try_get(1)?,
                mime_type: row.try_get(2)?,
                size: u64::try_from(row.try_get::<_, i64>(3)?).unwrap_or_default(),
                sha1: row.try_get(4)?,
                is_registered: row.try_get(5)?,
            })
        })
        .collect()
}

/// Those of `blobs` that belong to a document.
pub async fn known_blobs<C: GenericClient>(client: &C, blobs: &[String]) -> Result<Vec<String>, Error> {
    let statement = client.prepare_cached(KNOWN_BLOBS).await?;
    client.query(&statement, &[&blobs]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Whether there is any document that has octets.
pub async fn has_documents<C: GenericClient>(client: &C) -> Result<bool, Error> {
    client.query_one(HAS_DOCUMENTS, &[]).await?.try_get(0)
}

/// A copy of a document that is removed now.
#[derive(Debug, Clone)]
pub struct RemovedDocument {
    pub unique_id: String,
    pub blob: String,
    /// CX, if it was known when the document was filed.
    pub patient_id: Option<String>,
}

/// Marks every copy as removed; the octets are still there. In the order of the uniqueIds.
pub async fn remove_documents<C: GenericClient>(
    client: &C,
    unique_ids: &[String],
) -> Result<Vec<RemovedDocument>, Error> {
    let statement = client.prepare_cached(REMOVE).await?;
    let rows = client.query(&statement, &[&unique_ids]).await?;
    let mut removed = rows
        .iter()
        .map(|row| {
            Ok(RemovedDocument {
                unique_id: row.try_get(0)?,
                blob: row.try_get(1)?,
                patient_id: row.try_get(2)?,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    removed.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    Ok(removed)
}

/// Blobs of removed documents whose octets may still be there.
pub async fn unpurged_blobs<C: GenericClient>(client: &C) -> Result<Vec<String>, Error> {
    let statement = client.prepare_cached(UNPURGED).await?;
    client.query(&statement, &[]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// The octets of a removed document are gone.
pub async fn purged<C: GenericClient>(client: &C, blob: &str) -> Result<(), Error> {
    let statement = client.prepare_cached(PURGED).await?;
    client.execute(&statement, &[&blob]).await.map(|_| ())
}

/// The identity of the content; `fresh` when it has none yet.
pub async fn identity_of<C: GenericClient>(
    client: &C,
    on_demand_id: &str,
    content: &str,
    fresh: &Identity,
) -> Result<Option<Identity>, Error> {
    let statement = client.prepare_cached(ADD_IDENTITY).await?;
    client.execute(&statement, &[&on_demand_id, &content, &fresh.unique_id, &fresh.made_at]).await?;
    let statement = client.prepare_cached(IDENTITY).await?;
    let row = client.query_opt(&statement, &[&on_demand_id, &content]).await?;
    row.map(|row| Ok(Identity { unique_id: row.try_get(0)?, made_at: row.try_get(1)? })).transpose()
}

/// Those of the uniqueIds that were given to documents made here.
pub async fn made_here<C: GenericClient>(client: &C, unique_ids: &[&str]) -> Result<Vec<String>, Error> {
    let statement = client.prepare_cached(MADE_HERE).await?;
    client.query(&statement, &[&unique_ids]).await?.iter().map(|row| row.try_get(0)).collect()
}
