//! Whether every entry has its octets, and all octets their document. Reads only.
//!
//! Documents are filed and removed meanwhile: octets are looked at without a lock, so whatever seems wrong with them is
//! held against the table once more before it is told.

mod finding;
mod octets;

use std::time::{Duration, SystemTime};

use blob::BlobStore;
use database::Database;
use deadpool_postgres::GenericClient;
use futures_util::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::Failure;
use crate::sql::{self, Filed, Standing};
pub use finding::Finding;

/// Documents that are read at the same time.
const AT_ONCE: usize = 4;

/// What an entry of a registry says of its octets.
#[derive(Debug, Clone)]
pub struct Claim {
    pub entry: Uuid,
    pub unique_id: String,
    pub hash: Option<String>,
    pub size: Option<i64>,
    /// Nobody can retrieve the document now, so it need not be here.
    pub is_offline: bool,
}

/// What became of claims.
#[derive(Debug, Default)]
pub struct Claims {
    /// They have their document.
    pub held: u64,
    /// Their document was removed.
    pub removed: u64,
    /// Nobody can retrieve their document, and it is not here.
    pub awaited: u64,
    pub findings: Vec<Finding>,
}

/// Holds entries that name this repository against its documents. `client` sees both at the same moment.
pub async fn claims<C: GenericClient>(client: &C, claims: &[Claim]) -> Result<Claims, Failure> {
    let ids: Vec<&str> = claims.iter().map(|claim| claim.unique_id.as_str()).collect();
    let held = sql::held(client, &ids).await?;
    let mut result = Claims::default();
    for Claim { entry, unique_id, hash, size, is_offline } in claims {
        let documents = held.get(unique_id).map_or(&[][..], Vec::as_slice);
        let fits = |d: &&sql::Held| hash.as_deref() == Some(&*d.sha1) && *size == Some(d.size);
        let (entry, unique_id) = (*entry, unique_id.clone());
        if documents.iter().filter(|d| !d.is_removed).any(|d| fits(&d)) {
            result.held += 1;
        } else if documents.iter().any(|d| d.is_removed && fits(&d)) {
            result.removed += 1;
        } else if !documents.is_empty() {
            result.findings.push(Finding::OtherDocument { entry, unique_id });
        } else if *is_offline {
            // Size 0 says nothing: where documents are made later (Delayed Document Assembly), their repository is another,
            // and a document of this one may be empty.
            result.awaited += 1;
        } else {
            result.findings.push(Finding::NoDocument { entry, unique_id });
        }
    }
    Ok(result)
}

/// How octets are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Whether they are there, and as long as they should be.
    Length,
    /// Every octet is read and hashed.
    Octets,
}

/// Some documents with their octets.
#[derive(Debug, Default)]
pub struct Documents {
    /// Where the next begin; none: these were the last.
    pub next: Option<i64>,
    pub kept: u64,
    pub removed: u64,
    pub octets: u64,
    pub findings: Vec<Finding>,
}

/// The highest number of a document, for those who show progress.
pub async fn last_document(database: &Database) -> Result<i64, Failure> {
    let client = database.get().await?;
    Ok(sql::last_document(&client).await?)
}

/// Checks the next documents and their octets. Those of a removed document may be there for `age`, until a sweep has
/// taken them.
pub async fn documents<B: BlobStore>(
    database: &Database,
    blobs: &B,
    depth: Depth,
    (after, limit): (i64, i64),
    age: Duration,
) -> Result<Documents, Failure> {
    let filed = {
        let client = database.get().await?;
        sql::next_documents(&client, after, limit).await?
    };
    let mut result = Documents { next: filed.last().map(|d| d.number), ..Documents::default() };
    for document in &filed {
        match document.standing {
            Standing::Kept => (result.kept, result.octets) = (result.kept + 1, result.octets + document.size),
            Standing::Removed | Standing::Purged => result.removed += 1,
        }
    }
    let looks = filed.iter().map(|document| look(database, blobs, depth, document, age));
    let findings: Vec<Option<Finding>> =
        futures_util::stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
    result.findings = findings.into_iter().flatten().collect();
    Ok(result)
}

async fn look<B: BlobStore>(
    database: &Database,
    blobs: &B,
    depth: Depth,
    document: &Filed,
    age: Duration,
) -> Result<Option<Finding>, Failure> {
    let found = match document.standing {
        Standing::Kept => octets::kept(blobs, depth, document).await,
        // The sweep has its time.
        Standing::Removed if document.removed_for.is_some_and(|seconds| seconds < age.as_secs_f64()) => None,
        Standing::Removed | Standing::Purged => octets::gone(blobs, document).await,
    };
    let Some(finding) = found else { return Ok(None) };
    let client = database.get().await?;
    let now = sql::standing_of(&client, document.number).await?;
    Ok((now == Some(document.standing)).then_some(finding))
}

/// Some blobs.
#[derive(Debug, Default)]
pub struct Blobs {
    pub count: u64,
    pub findings: Vec<Finding>,
}

/// Checks that the blobs in a part of the store belong to documents. Those that are younger than `age` may be of a
/// submission that is under way.
pub async fn unreferenced<B: BlobStore>(
    database: &Database,
    blobs: &B,
    part: u8,
    age: Duration,
) -> Result<Blobs, Failure> {
    let limit = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
    let found = blobs.part(part).await?;
    let mut result = Blobs { count: found.len() as u64, ..Blobs::default() };
    let old: Vec<String> =
        found.into_iter().filter(|(_, stored)| *stored <= limit).map(|(key, _)| key).collect();
    for keys in old.chunks(1000) {
        let known = {
            let client = database.get().await?;
            sql::belonging(&client, keys).await?
        };
        for key in keys.iter().filter(|key| !known.contains(key)) {
            // The sweep may have come by.
            if octets::is_there(blobs, key).await {
                result.findings.push(Finding::Unreferenced { blob: key.clone() });
            }
        }
    }
    Ok(result)
}
