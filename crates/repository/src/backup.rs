//! What a backup needs to know of documents.

use database::{Database, Error};
use deadpool_postgres::GenericClient;
use futures_util::{Stream, TryStreamExt};

use crate::sql;

/// Octets that a document has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub blob: String,
    pub size: u64,
    /// Hexadecimal, lower case.
    pub sha256: String,
}

/// The octets of all documents that were not removed, in the order of their keys.
pub async fn list<C: GenericClient>(client: &C) -> Result<impl Stream<Item = Result<Listed, Error>>, Error> {
    let rows = sql::list_documents(client).await?;
    Ok(rows.map_err(Error::from).and_then(|row| {
        let listed = || {
            let size = u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or_default();
            Ok(Listed { blob: row.try_get(0)?, size, sha256: row.try_get(2)? })
        };
        std::future::ready(listed())
    }))
}

/// Whether a document with these octets is filed still: it may have been removed, or forgotten.
pub async fn is_kept(database: &Database, blob: &str) -> Result<bool, Error> {
    let client = database.get().await?;
    Ok(sql::is_kept(&client, blob).await?)
}

/// Those of the blobs whose document was removed.
pub async fn removed(database: &Database, blobs: &[String]) -> Result<Vec<String>, Error> {
    let client = database.get().await?;
    Ok(sql::now_removed(&client, blobs).await?)
}

/// Makes documents removed ones, whose octets are gone: they were removed while the backup was taken.
pub async fn remove(database: &Database, blobs: &[String]) -> Result<(), Error> {
    let client = database.get().await?;
    sql::remove_blobs(&client, blobs).await?;
    Ok(())
}
