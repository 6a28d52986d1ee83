use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, RowStream};

/// In the order of the folders of a document store.
const LIST: &str = "
    select blob, size, sha256 from document where state <> 'removed' order by blob collate \"C\"";

const NOW_REMOVED: &str = "select blob from document where blob = any($1) and state = 'removed'";

const IS_KEPT: &str = "select exists (select from document where blob = $1 and state <> 'removed')";

const REMOVE: &str = "
    update document set state = 'removed', removed_at = now(), purged_at = now(), filing = null
    where blob = any($1) and state <> 'removed'";

/// (blob, size, SHA-256)
pub async fn list_documents<C: GenericClient>(client: &C) -> Result<RowStream, Error> {
    client.query_raw(LIST, std::iter::empty::<i64>()).await
}

/// Those of the blobs whose document is removed.
pub async fn now_removed<C: GenericClient>(client: &C, blobs: &[String]) -> Result<Vec<String>, Error> {
    client.query(NOW_REMOVED, &[&blobs]).await?.iter().map(|row| row.try_get(0)).collect()
}

pub async fn remove_blobs<C: GenericClient>(client: &C, blobs: &[String]) -> Result<u64, Error> {
    client.execute(REMOVE, &[&blobs]).await
}

/// Whether there is a document with this blob that is not removed.
pub async fn is_kept<C: GenericClient>(client: &C, blob: &str) -> Result<bool, Error> {
    client.query_one(IS_KEPT, &[&blob]).await?.try_get(0)
}
