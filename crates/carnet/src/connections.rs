//! How many connections to PostgreSQL a process may come to hold, and that it can have them.

use anyhow::{Context, bail};
use database::Database;

use crate::config::Config;

/// Of one thread, if there may be so many at all: some slow requests must not hold up all others of the thread.
const LEAST: usize = 4;
/// Of one thread in any case: some read by one what they write, or hold a moment, by another.
const FEWEST: usize = 2;
/// Beside those of the threads: months of traces that go take two, and tables are brought up to date by one.
const BESIDE: usize = 3;
/// In a private PostgreSQL, for commands beside the server, and those that PostgreSQL keeps for its administrators.
const OTHERS: usize = 23;
/// What PostgreSQL would choose by itself.
const USUAL: usize = 100;

/// Of each thread.
pub fn of_thread(config: &Config) -> usize {
    let all = config.database.pool;
    all.div_ceil(config.workers()).max(all.clamp(FEWEST, LEAST))
}

/// Those that answer requests, and the one on which everything else runs.
fn threads(config: &Config) -> usize {
    config.workers() + 1
}

/// Those that no thread of requests has: each that traces are forwarded to has one of its own, and so has receiving.
fn apart(config: &Config) -> usize {
    let audit = &config.audit;
    let receives = audit.receive.tls.is_some() || audit.receive.udp.is_some();
    BESIDE + audit.forward.targets.len() + usize::from(receives)
}

/// All of a server. Each thread has one more, for its traces.
fn of_server(config: &Config, of_thread: usize) -> usize {
    threads(config) * (of_thread + 1) + apart(config)
}

/// What a private PostgreSQL must take.
pub fn of_private_postgres(config: &Config) -> usize {
    (of_server(config, of_thread(config)) + OTHERS).max(USUAL)
}

/// The database with as many connections as PostgreSQL allows. Refuses one that would refuse connections at the first load.
pub async fn fit(config: &Config, database: Database) -> anyhow::Result<Database> {
    let room = database.room().await.context("how many connections PostgreSQL takes cannot be found out")?;
    let wanted = of_thread(config);
    let whole = of_server(config, wanted);
    let most = (room.saturating_sub(apart(config)) / threads(config)).saturating_sub(1);
    if most >= wanted {
        return Ok(database);
    }
    if most < FEWEST {
        bail!(
            "PostgreSQL takes {room} connections of this account, and {} threads (server.workers) need {} at least: set \
             max_connections of PostgreSQL so that there are {whole}, or server.workers to a smaller number",
            config.workers(),
            of_server(config, FEWEST)
        );
    }
    tracing::warn!(
        "PostgreSQL takes {room} connections of this account, and the server could come to need {whole}: each thread gets {most} \
         instead of {wanted}. Set max_connections of PostgreSQL so that there are {whole}, or server.workers or database.pool to \
         a smaller number"
    );
    database.close();
    Ok(database.apart(most))
}
