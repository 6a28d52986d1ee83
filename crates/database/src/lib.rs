//! The way to PostgreSQL: a pool of connections, the tables, and which errors mean "not now".
//!
//! No statement of an actor is here; each actor keeps its own.

mod dump;
mod error;
mod migrations;
mod outage;
mod pools;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, PoolError, TimeoutType};
use tokio_postgres::Config;

use outage::Outage;
use pools::Pools;

pub use dump::export;
pub use error::{Error, describe, is_conflict, is_unavailable};
pub use migrations::known_version;
pub use pools::Connections;

/// Limits of connections and statements.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections of each thread.
    pub pool: usize,
    /// How long a request waits for a connection.
    pub wait: Duration,
    pub connect_timeout: Duration,
    /// A connection that was not used for so long must answer within `connect_timeout` before it is given out.
    pub probe_after: Duration,
    pub statement_timeout: Duration,
    pub lock_timeout: Duration,
    /// A transaction in which nothing happens is ended.
    pub idle_in_transaction_timeout: Duration,
    /// The database refuses whatever would change it.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            pool: 16,
            wait: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            probe_after: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(20),
            idle_in_transaction_timeout: Duration::from_secs(60),
            read_only: false,
        }
    }
}

/// A statement that is prepared is planned once for whatever values it gets, since planning takes longer than running it;
/// for the same reason nothing is compiled. Where an index leads to the rows it is used, even while the tables of a new
/// installation are so small that reading them whole looks cheaper: the plan stays when they have grown.
const PLANS: &str = " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off";

/// What statements need that are fast only when they are planned for their values, for the rest of a transaction.
pub const PLAN_FOR_VALUES: &str =
    "set local plan_cache_mode = force_custom_plan; set local enable_seqscan = on";

/// Pools of connections to one database, one for each thread that asks. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pools: Arc<Pools>,
    /// Without the limits of the pool's sessions.
    config: Arc<Config>,
    outage: Arc<Outage>,
}

impl Database {
    /// Prepares the pools; connections are made when they are needed, and made again when the server was away.
    ///
    /// `url`: `postgres://…` or `host=… user=…`.
    pub fn connect(url: &str, options: &Options) -> Result<Database, Error> {
        let mut config: Config = url.parse().map_err(|_| Error::Url)?;
        config.connect_timeout(options.connect_timeout);
        config.application_name("carnet");
        let pools = Arc::new(Pools::new(with_limits(&config, options), options.clone()));
        Ok(Database { pools, config: config.into(), outage: Arc::default() })
    }

    /// The same database by other connections, so many on each thread: for those who must not wait for requests, nor
    /// requests for them.
    pub fn apart(&self, pool: usize) -> Database {
        Database { pools: Arc::new(self.pools.of_size(pool)), ..self.clone() }
    }

    /// A connection, for as long as it is held.
    pub async fn get(&self) -> Result<Object, Error> {
        match self.pools.here()?.get().await {
            Ok(client) => {
                self.outage.over();
                Ok(client)
            }
            // This process has closed it, or all are in use: the database is there.
            Err(error @ (PoolError::Closed | PoolError::Timeout(TimeoutType::Wait))) => Err(error.into()),
            Err(error) => {
                let error = Error::from(error);
                self.outage.begun(&error);
                Err(error)
            }
        }
    }

    /// Whether the last that asked for a connection got none. The log has said so already.
    pub fn is_away(&self) -> bool {
        self.outage.is_on()
    }

    /// How many connections PostgreSQL takes of this account: those that are kept for others are not among them.
    pub async fn room(&self) -> Result<usize, Error> {
        const ROOM: &str = "
            select least(
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                    - coalesce(current_setting('reserved_connections', true)::int, 0),
                (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
                (select nullif(datconnlimit, -1) from pg_database where datname = current_database()))";
        let room: i32 = self.get().await?.query_one(ROOM, &[]).await?.try_get(0)?;
        Ok(usize::try_from(room).unwrap_or_default())
    }

    /// How many connections there are now.
    pub fn connections(&self) -> Connections {
        self.pools.connections()
    }

    /// Closes idle connections and refuses new ones.
    pub fn close(&self) {
        self.pools.close();
    }

    /// Holds a value that may not change once there are data: the first call writes it, later ones compare.
    pub async fn pin(&self, name: &str, value: &str) -> Result<(), Error> {
        const PIN: &str = "insert into setting (name, value) values ($1, $2) on conflict do nothing";
        self.get().await?.execute(PIN, &[&name, &value]).await?;
        self.check_pinned(name, value).await
    }

    /// Compares a value with the one that is held, if there is one.
    pub async fn check_pinned(&self, name: &str, value: &str) -> Result<(), Error> {
        const PINNED: &str = "select value from setting where name = $1";
        let row = self.get().await?.query_opt(PINNED, &[&name]).await?;
        let stored: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        match stored.filter(|stored| stored != value) {
            None => Ok(()),
            Some(stored) => Err(Error::Changed { name: name.to_owned(), stored, given: value.to_owned() }),
        }
    }
}

/// Writes down a value; the one that was there before.
pub async fn remember(
    transaction: &tokio_postgres::Transaction<'_>,
    name: &str,
    value: &str,
) -> Result<Option<String>, Error> {
    const BEFORE: &str = "select value from setting where name = $1 for update";
    const WRITE: &str = "
        insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
    let before = transaction.query_opt(BEFORE, &[&name]).await?;
    transaction.execute(WRITE, &[&name, &value]).await?;
    before.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// A value that was written down. Who asks for it meanwhile by this way waits until the transaction has ended.
pub async fn recall(
    transaction: &tokio_postgres::Transaction<'_>,
    name: &str,
) -> Result<Option<String>, Error> {
    const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended('setting ' || $1, 0))";
    const VALUE: &str = "select value from setting where name = $1";
    transaction.execute(LOCK, &[&name]).await?;
    let row = transaction.query_opt(VALUE, &[&name]).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Limits are settings of the session, so that they hold whatever the server's own are.
fn with_limits(config: &Config, options: &Options) -> Config {
    let mut settings = config.get_options().unwrap_or_default().to_owned();
    settings.push_str(PLANS);
    for (name, limit) in [
        ("statement_timeout", options.statement_timeout),
        ("lock_timeout", options.lock_timeout),
        ("idle_in_transaction_session_timeout", options.idle_in_transaction_timeout),
    ] {
        settings.push_str(&format!(" -c {name}={}", limit.as_millis()));
    }
    let mut config = config.clone();
    config.options(settings);
    config
}
