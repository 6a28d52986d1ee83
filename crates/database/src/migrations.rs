//! The tables, brought up to date by one server at a time.

use tokio_postgres::{Client, NoTls};

use crate::{Database, Error};

mod embedded {
    refinery::embed_migrations!("../../schemas/migrations");
}

/// Servers that start together take turns under this lock: the migration library itself does not lock.
const LOCK: &str = "select pg_advisory_lock(7305419824)";
const UNLOCK: &str = "select pg_advisory_unlock(7305419824)";
const APPLIED: &str = "select max(version) from refinery_schema_history";
const HAS_HISTORY: &str = "select to_regclass('refinery_schema_history') is not null";

impl Database {
    /// Brings the tables up to date. Refuses a database that a newer version has changed.
    pub async fn migrate(&self) -> Result<(), Error> {
        // A connection of its own: waiting for the lock and a long migration are not bound by the pool's time limits.
        let (mut client, connection) = self.config.connect(NoTls).await?;
        let driver = tokio::spawn(connection);
        client.query(LOCK, &[]).await?;
        let result = bring_up_to_date(&mut client).await;
        client.query(UNLOCK, &[]).await?;
        drop(client);
        driver.abort();
        result
    }
}

async fn bring_up_to_date(client: &mut Client) -> Result<(), Error> {
    let runner = embedded::migrations::runner();
    let known = runner.get_migrations().iter().map(|m| m.version()).max().unwrap_or_default();
    let has_history: bool = client.query_one(HAS_HISTORY, &[]).await?.try_get(0)?;
    if has_history {
        let found: Option<i32> = client.query_one(APPLIED, &[]).await?.try_get(0)?;
        if let Some(found) = found.filter(|found| *found > known as i32) {
            return Err(Error::Newer { found, known: known as i32 });
        }
    }
    let report = runner.run_async(client).await.map_err(|error| Error::Migration(error.to_string()))?;
    for migration in report.applied_migrations() {
        tracing::info!("tables brought up to date: {}", migration.name());
    }
    Ok(())
}
