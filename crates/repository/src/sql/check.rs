//! Statements that look for what the table of documents should not hold.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

const LAST: &str = "select coalesce(max(document), 0) from document";

const NEXT: &str = "
    select document, unique_id, blob, size, sha1, sha256, state, purged_at is not null,
        extract(epoch from now() - removed_at)::float8
    from document where document > $1 order by document limit $2";

const STATE: &str = "select state, purged_at is not null from document where document = $1";

const HELD: &str = "select unique_id, sha1, size, state = 'removed' from document where unique_id = any($1)";

const BELONGING: &str = "select blob from document where blob = any($1)";

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Filed {
    pub number: i64,
    pub unique_id: String,
    pub blob: String,
    pub size: u64,
    pub sha1: String,
    pub sha256: String,
    pub standing: Standing,
    /// How long ago it was removed, in seconds.
    pub removed_for: Option<f64>,
}

/// What is true of the octets of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Kept,
    /// Removed, and the octets may be there until the next sweep.
    Removed,
    Purged,
}

/// A document that is held, or was until it was removed.
#[derive(Debug, Clone)]
pub struct Held {
    pub sha1: String,
    pub size: i64,
    pub is_removed: bool,
}

pub async fn last_document<C: GenericClient>(client: &C) -> Result<i64, Error> {
    client.query_one(LAST, &[]).await?.try_get(0)
}

pub async fn next_documents<C: GenericClient>(
    client: &C,
    after: i64,
    limit: i64,
) -> Result<Vec<Filed>, Error> {
    let rows = client.query(NEXT, &[&after, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Filed {
                number: row.try_get(0)?,
                unique_id: row.try_get(1)?,
                blob: row.try_get(2)?,
                size: u64::try_from(row.try_get::<_, i64>(3)?).unwrap_or_default(),
                sha1: row.try_get(4)?,
                sha256: row.try_get(5)?,
                standing: standing(row, 6)?,
                removed_for: row.try_get(8)?,
            })
        })
        .collect()
}

/// How a document stands now; nothing when it is there no more.
pub async fn standing_of<C: GenericClient>(client: &C, document: i64) -> Result<Option<Standing>, Error> {
    client.query_opt(STATE, &[&document]).await?.map(|row| standing(&row, 0)).transpose()
}

fn standing(row: &Row, first: usize) -> Result<Standing, Error> {
    Ok(match (row.try_get::<_, &str>(first)?, row.try_get(first + 1)?) {
        ("removed", true) => Standing::Purged,
        ("removed", false) => Standing::Removed,
        _ => Standing::Kept,
    })
}

/// The documents of each uniqueId.
pub async fn held<C: GenericClient>(
    client: &C,
    unique_ids: &[&str],
) -> Result<HashMap<String, Vec<Held>>, Error> {
    let mut found: HashMap<String, Vec<Held>> = HashMap::new();
    for row in client.query(HELD, &[&unique_ids]).await? {
        let held = Held { sha1: row.try_get(1)?, size: row.try_get(2)?, is_removed: row.try_get(3)? };
        found.entry(row.try_get(0)?).or_default().push(held);
    }
    Ok(found)
}

/// Those of the blobs that a document has or had.
pub async fn belonging<C: GenericClient>(client: &C, blobs: &[String]) -> Result<Vec<String>, Error> {
    client.query(BELONGING, &[&blobs]).await?.iter().map(|row| row.try_get(0)).collect()
}
