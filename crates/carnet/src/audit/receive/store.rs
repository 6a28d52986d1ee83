//! From the queue to the log, many messages in one commit.

use std::time::Duration;

use atna::Entry;
use atna::rejected::{self, Rejected};
use database::Database;
use tokio::sync::mpsc;

use super::{Arrival, read};
use crate::config::Transport;
use crate::metrics::{self, Metrics};

/// Messages of one commit.
const GROUP: usize = 256;
/// Between two attempts while the database is away.
const PAUSE: Duration = Duration::from_secs(1);

/// The first of so many attempts is told.
const TOLD: u64 = 60;

/// Where messages are kept.
pub trait Store {
    /// All of it durably, or nothing.
    fn store(
        &mut self,
        entries: &[Entry],
        rejected: &[Rejected],
    ) -> impl Future<Output = Result<(), Failure>>;
}

#[derive(Debug)]
pub struct Failure {
    pub reason: String,
    /// It may be possible later.
    pub unavailable: bool,
}

/// What became of an arrival.
type Read = Result<Entry, Rejected>;

/// Stores what comes until nothing can come any more.
pub async fn run(
    mut store: impl Store,
    limit: usize,
    mut arrivals: mpsc::Receiver<Arrival>,
    metrics: std::sync::Arc<Metrics>,
) {
    let mut group = Vec::new();
    while arrivals.recv_many(&mut group, GROUP).await > 0 {
        let all: Vec<(Transport, Read)> =
            group.iter().map(|arrival| (arrival.transport, read(arrival, limit))).collect();
        keep(&mut store, &all, &metrics).await;
        // What it took up is free for others now.
        group.clear();
    }
}

fn read(arrival: &Arrival, limit: usize) -> Read {
    let Arrival { at, peer, transport, message, .. } = arrival;
    let rejected = |reason: &str, octets: &[u8]| {
        tracing::debug!(peer, transport = transport.name(), "no audit message: {reason}");
        Err(Rejected {
            received_at: *at,
            peer: peer.clone(),
            transport: transport.name(),
            reason: reason.to_owned(),
            octets: octets.to_vec(),
        })
    };
    match message {
        Ok(octets) => match read::read(octets, limit, *at, peer) {
            Ok(received) => Ok(Entry::Received(received)),
            Err(reason) => rejected(&reason, octets),
        },
        Err(reason) => rejected(reason, &[]),
    }
}

/// As long as it takes. One that can never be stored does not take the others with it.
async fn keep(store: &mut impl Store, all: &[(Transport, Read)], metrics: &Metrics) {
    match attempt(store, all).await {
        Ok(()) => count(all, metrics),
        Err(reason) if all.len() == 1 => {
            tracing::error!("an audit message of another node is lost: {reason}")
        }
        Err(_) => {
            for one in all.chunks(1) {
                match attempt(store, one).await {
                    Ok(()) => count(one, metrics),
                    Err(reason) => tracing::error!("an audit message of another node is lost: {reason}"),
                }
            }
        }
    }
}

/// Waits while the database is away; the error is one that waiting does not help.
async fn attempt(store: &mut impl Store, all: &[(Transport, Read)]) -> Result<(), String> {
    let mut entries = Vec::new();
    let mut rejected = Vec::new();
    for (_, read) in all {
        match read {
            Ok(entry) => entries.push(entry.clone()),
            Err(one) => rejected.push(one.clone()),
        }
    }
    let mut attempts: u64 = 0;
    loop {
        match store.store(&entries, &rejected).await {
            Ok(()) => return Ok(()),
            Err(Failure { reason, unavailable: true }) => {
                if attempts.is_multiple_of(TOLD) {
                    tracing::warn!("audit messages of other nodes wait for the database: {reason}");
                }
                attempts += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(Failure { reason, unavailable: false }) => return Err(reason),
        }
    }
}

fn count(all: &[(Transport, Read)], metrics: &Metrics) {
    for (transport, read) in all {
        let metric = match read {
            Ok(_) => &metrics::RECEIVED,
            Err(_) => &metrics::REJECTED,
        };
        metrics.add(metric, transport.name(), 1);
    }
}

/// The log of this node.
pub struct Log(pub Database);

impl Store for Log {
    async fn store(&mut self, entries: &[Entry], rejected: &[Rejected]) -> Result<(), Failure> {
        let unavailable = |error: database::Error| Failure {
            unavailable: error.is_unavailable(),
            reason: error.to_string(),
        };
        let failed =
            |error: atna::Error| Failure { unavailable: error.is_unavailable(), reason: error.to_string() };
        let refused = |error: tokio_postgres::Error| unavailable(error.into());
        let mut client = self.0.get().await.map_err(unavailable)?;
        let transaction = client.transaction().await.map_err(refused)?;
        if !entries.is_empty() {
            atna::log::record_entries(&transaction, entries).await.map_err(failed)?;
        }
        if !rejected.is_empty() {
            rejected::keep(&*transaction, rejected).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(refused)
    }
}
