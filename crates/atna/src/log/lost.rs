//! A commit whose answer was lost: the events that were a part of it tell whether it was done.

use database::Database;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::sql;
use crate::Error;

/// For a transaction that writes this event: whoever asks [`committed`] about it waits until it has ended.
pub async fn claim<C: GenericClient + Sync>(transaction: &C, event: Uuid) -> Result<(), Error> {
    Ok(sql::lock_event(transaction, event).await?)
}

/// Whether the transaction that has [`claim`]ed this event, and written it, was committed.
pub async fn committed(database: &Database, event: Uuid) -> Result<bool, Error> {
    let mut client = database.get().await?;
    let transaction = client.transaction().await?;
    sql::lock_event(&*transaction, event).await?;
    let is_there = sql::has_event(&*transaction, event).await?;
    transaction.rollback().await?;
    Ok(is_there)
}
