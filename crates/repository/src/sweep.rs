//! Octets without a document: what a crash leaves behind between storing and registering, or between the removal of a
//! document and that of its octets.

use std::time::Duration;

use blob::BlobStore;
use database::Database;

use crate::{Failure, Repository, port, sql};

/// Whether database and document store look as if they belonged together: the database knows octets of the store, or
/// neither has any.
pub async fn are_related(database: &Database, blobs: &impl BlobStore) -> Result<bool, Failure> {
    let mut is_empty = true;
    for part in 0..=u8::MAX {
        let keys: Vec<String> = blobs.part(part).await?.into_iter().map(|(key, _)| key).collect();
        is_empty &= keys.is_empty();
        if !keys.is_empty() && !sql::known_blobs(&database.get().await?, &keys).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(is_empty && !sql::has_documents(&database.get().await?).await?)
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// Removes octets of removed documents. Returns how many.
    pub async fn purge_removed(&self) -> Result<usize, Failure> {
        let unpurged = {
            let client = self.database.get().await?;
            sql::unpurged_blobs(&client).await?
        };
        for blob in &unpurged {
            self.purge(blob).await?;
        }
        Ok(unpurged.len())
    }

    /// Removes octets that are older than `age` and belong to no document. Returns how many.
    ///
    /// `age` must be longer than any submission takes: its octets are stored before its document is known. And the database
    /// must be the one of the document store as it is now: what another does not know would be lost.
    pub async fn sweep(&self, age: Duration) -> Result<usize, Failure> {
        let mut removed = 0;
        let old = self.blobs.older_than(age).await?;
        for keys in old.chunks(1000) {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let known = {
                let client = self.database.get().await?;
                sql::known_blobs(&client, &keys).await?
            };
            for key in keys.iter().filter(|key| !known.contains(key)) {
                self.blobs.delete(key).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
