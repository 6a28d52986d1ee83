//! Whether the tables of the registry agree with each other and with what was submitted. Reads only.
//!
//! A batch is read from one moment, so a server that writes meanwhile leaves nothing half done to be found.

mod finding;
mod records;

use database::Error;
use deadpool_postgres::Transaction;
use uuid::Uuid;

use crate::sql;
pub use finding::{Finding, Kind};
pub use records::{Batch, Entry, records};

/// Makes a transaction see one moment and write nothing; to be called before anything else in it.
pub async fn steady(transaction: &Transaction<'_>) -> Result<(), Error> {
    Ok(sql::steady(transaction).await?)
}

/// The highest number of a record, for those who show progress.
pub async fn last_record(transaction: &Transaction<'_>) -> Result<i64, Error> {
    Ok(sql::last_record(transaction).await?)
}

/// Some global keys and where the next begin; no place: these were the last.
pub struct Keys<P> {
    pub next: Option<P>,
    pub count: u64,
    pub findings: Vec<Finding>,
}

/// Checks the next rows of `object`: each has its object.
pub async fn objects(transaction: &Transaction<'_>, after: Uuid, limit: i64) -> Result<Keys<Uuid>, Error> {
    let rows = sql::next_objects(transaction, after, limit).await?;
    let mut findings = Vec::new();
    for row in &rows {
        let (id, kind, is_there): (_, &str, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !is_there {
            findings.push(Finding::KeyOfNothing { kind: Kind::of(kind), id });
        }
    }
    let next = rows.last().map(|row| row.try_get(0)).transpose()?;
    Ok(Keys { next, count: rows.len() as u64, findings })
}

/// Checks the next rows of `unique_id`: each is that of its object.
pub async fn unique_ids(
    transaction: &Transaction<'_>,
    after: (&str, Uuid),
    limit: i64,
) -> Result<Keys<(String, Uuid)>, Error> {
    let rows = sql::next_unique_ids(transaction, after, limit).await?;
    let mut findings = Vec::new();
    for row in &rows {
        let (id, kind, is_there): (_, &str, bool) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        if !is_there {
            findings.push(Finding::UniqueIdOfNothing { kind: Kind::of(kind), id });
        }
    }
    let next = rows.last().map(|row| Ok::<_, Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
    Ok(Keys { next, count: rows.len() as u64, findings })
}
