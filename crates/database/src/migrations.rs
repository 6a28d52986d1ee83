//! The tables, brought up to date by one server at a time.

use tokio_postgres::{Client, NoTls};

use crate::{Database, Error};

mod embedded {
    refinery::embed_migrations!("../../schemas/migrations");
}

/// Servers that start together take turns under this lock: the migration library itself does not lock.
const LOCK: &str = "select pg_advisory_lock(7305419824)";
/// For another server that is bringing the tables up to date, and for a table that is in use.
const LONGEST_WAIT: &str = "set lock_timeout = '10min'";
const APPLIED: &str = "select max(version) from refinery_schema_history";
const HAS_HISTORY: &str = "select to_regclass('refinery_schema_history') is not null";

/// The version of the tables that this program makes.
pub fn known_version() -> i32 {
    let known = embedded::migrations::runner();
    known.get_migrations().iter().map(|migration| migration.version()).max().unwrap_or_default()
}

impl Database {
    /// Brings the tables up to date. Refuses a database that a newer version has changed.
    pub async fn migrate(&self) -> Result<(), Error> {
        // A connection of its own: a long migration is not bound by the time limits of the pool's.
        let (mut client, connection) = self.config.connect(NoTls).await?;
        let driver = tokio::spawn(connection);
        client.batch_execute(LONGEST_WAIT).await?;
        client.query(LOCK, &[]).await?;
        let result = bring_up_to_date(&mut client).await;
        // The lock goes with the session, also when this future is dropped.
        drop(client);
        let _ = driver.await;
        result
    }

    /// Refuses tables that are not of the version that this program makes. Changes nothing.
    pub async fn check_version(&self) -> Result<(), Error> {
        let client = self.get().await?;
        let known = known_version();
        match applied(&client).await? {
            None => Err(Error::NoTables),
            Some(found) if found > known => Err(Error::Newer { found, known }),
            Some(found) if found < known => Err(Error::Older { found, known }),
            Some(_) => Ok(()),
        }
    }
}

/// The version of the tables, if there are any.
async fn applied(client: &Client) -> Result<Option<i32>, Error> {
    let has_history: bool = client.query_one(HAS_HISTORY, &[]).await?.try_get(0)?;
    if !has_history {
        return Ok(None);
    }
    Ok(client.query_one(APPLIED, &[]).await?.try_get(0)?)
}

async fn bring_up_to_date(client: &mut Client) -> Result<(), Error> {
    let runner = embedded::migrations::runner();
    let known = known_version();
    if let Some(found) = applied(client).await?.filter(|found| *found > known) {
        return Err(Error::Newer { found, known });
    }
    let report = runner.run_async(client).await.map_err(|error| Error::Migration(error.to_string()))?;
    for migration in report.applied_migrations() {
        tracing::info!("tables brought up to date: {}", migration.name());
    }
    Ok(())
}
