//! What programs of PostgreSQL need that copy a whole database.

use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::{NoTls, Transaction};

use crate::{Database, Error};

/// The copy may take as long as it takes; meanwhile this transaction holds its moment.
const HOLD: &str = "
    set transaction isolation level repeatable read, read only;
    set local idle_in_transaction_session_timeout = 0;
    set local statement_timeout = 0";
const EXPORT: &str = "select pg_export_snapshot()";

/// Anything at all in the schema where the tables would be.
const IS_EMPTY: &str =
    "select not exists (select from pg_class where relnamespace = current_schema()::regnamespace)";
const VERSION: &str = "select max(version) from refinery_schema_history";

/// The name under which others see the moment that this transaction sees, as long as it is open. To be called first in it.
pub async fn export(transaction: &Transaction<'_>) -> Result<String, Error> {
    transaction.batch_execute(HOLD).await?;
    Ok(transaction.query_one(EXPORT, &[]).await?.try_get(0)?)
}

impl Database {
    /// How to connect, as environment variables of libpq: a password has no place on a command line.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let config = &self.config;
        let host = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        let list = |values: Vec<String>| Some(values.join(",")).filter(|list| !list.is_empty());
        let session = match config.get_target_session_attrs() {
            TargetSessionAttrs::ReadWrite => Some("read-write".to_owned()),
            TargetSessionAttrs::ReadOnly => Some("read-only".to_owned()),
            _ => None,
        };
        [
            ("PGHOST", list(config.get_hosts().iter().map(host).collect())),
            ("PGHOSTADDR", list(config.get_hostaddrs().iter().map(ToString::to_string).collect())),
            ("PGPORT", list(config.get_ports().iter().map(ToString::to_string).collect())),
            ("PGUSER", config.get_user().map(str::to_owned)),
            ("PGPASSWORD", config.get_password().map(|word| String::from_utf8_lossy(word).into_owned())),
            ("PGDATABASE", config.get_dbname().or(config.get_user()).map(str::to_owned)),
            ("PGOPTIONS", config.get_options().map(str::to_owned)),
            ("PGTARGETSESSIONATTRS", session),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// Whether there are no tables yet, of ours or of others.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.get().await?.query_one(IS_EMPTY, &[]).await?.try_get(0)?)
    }

    /// Tells the planner what the tables hold, which a dump does not.
    pub async fn analyze(&self) -> Result<(), Error> {
        // A connection of its own: it is not bound by the time limits of the pool's.
        let (client, connection) = self.config.connect(NoTls).await?;
        let driver = tokio::spawn(connection);
        let result = client.batch_execute("analyze").await;
        drop(client);
        let _ = driver.await;
        Ok(result?)
    }

    /// The version of the tables.
    pub async fn version(&self) -> Result<i32, Error> {
        Ok(self.get().await?.query_one(VERSION, &[]).await?.try_get(0)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, Options};

    #[tokio::test]
    async fn the_environment_says_what_the_address_says() {
        let of = |url: &str| Database::connect(url, &Options::default()).unwrap().environment();
        let pairs = |list: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            list.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        assert_eq!(
            of("postgres://carnet:a%20b@one:5433,two:5434/dmp?target_session_attrs=read-write"),
            pairs(&[
                ("PGHOST", "one,two"),
                ("PGPORT", "5433,5434"),
                ("PGUSER", "carnet"),
                ("PGPASSWORD", "a b"),
                ("PGDATABASE", "dmp"),
                ("PGTARGETSESSIONATTRS", "read-write"),
            ])
        );
        assert_eq!(
            of("host=/run/carnet port=5432 user=carnet"),
            pairs(&[
                ("PGHOST", "/run/carnet"),
                ("PGPORT", "5432"),
                ("PGUSER", "carnet"),
                ("PGDATABASE", "carnet"),
            ])
        );
    }
}
