//! Every event, to every audit record repository that the configuration lists (ITI-20).
//!
//! The log itself is the queue: for each target the database keeps how far it is. One server per database sends to a target
//! at a time. All of it runs on a thread of its own, so that a repository that is slow, away or catching up costs the
//! requests nothing; what is in memory is one batch for each target.

mod link;
mod message;
mod pump;
mod replay;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use atna::{Entry, forward as log};
use database::Database;
use deadpool_postgres::{ClientWrapper, Object};
use tokio::sync::watch;

use crate::config::{Config, Target};
use crate::metrics::Metrics;
pub use message::message;
use pump::{Pump, Queue};

/// When the database was away, or another server sends to the target.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long connections may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// Events and octets of one batch.
const BATCH: i64 = 500;
const BATCH_OCTETS: i64 = 4 << 20;

/// What this machine is called in syslog messages.
pub fn hostname() -> anyhow::Result<String> {
    Ok(nix::unistd::gethostname()?.to_string_lossy().into_owned())
}

/// The thread that sends.
pub struct Forwarders {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Forwarders {
    /// Makes every target known, so that what happens from now on is for it, and begins to send.
    pub async fn start(
        config: &Config,
        database: &Database,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Option<Forwarders>> {
        let settings = &config.audit.forward;
        if settings.targets.is_empty() {
            return Ok(None);
        }
        let identity = settings.identity(config.outgoing_identity());
        let hostname = hostname()?;
        let client = database.get().await?;
        let (stop, stopped) = watch::channel(false);
        let mut pumps = Vec::new();
        for target in &settings.targets {
            let name = target.to_string();
            log::register(&**client, &name).await?;
            pumps.push(Pump {
                target: target.clone(),
                name,
                settings: settings.clone(),
                identity: identity.clone(),
                hostname: hostname.clone(),
                metrics: metrics.clone(),
                stopped: stopped.clone(),
            });
        }
        let database = database.clone();
        let thread = std::thread::Builder::new()
            .name("audit-forward".to_owned())
            .spawn(move || run(&pumps, &database, stopped))?;
        Ok(Some(Forwarders { stop, thread }))
    }

    /// Ends the connections.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

fn run(pumps: &[Pump], database: &Database, mut stopped: watch::Receiver<bool>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!("traces cannot be sent on: {error}"),
    };
    runtime.block_on(async {
        let all = futures_util::future::join_all(pumps.iter().map(|pump| forward(pump, database)));
        let patience = async {
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            _ = all => {}
            () = patience => {}
        }
    });
}

/// Sends to one target whenever it is this server's turn, until it is stopped.
async fn forward(pump: &Pump, database: &Database) {
    loop {
        let outcome = match Turn::take(database, &pump.target).await {
            Ok(None) => Ok(()),
            Ok(Some(mut turn)) => pump.run(&mut turn).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::warn!(target = pump.name, "the log cannot be read to send it on: {error}");
        }
        tokio::select! {
            () = pump.stopped() => return,
            () = tokio::time::sleep(PATIENCE) => {}
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Log(#[from] atna::Error),
}

/// The right to send to a target: a session of the database that holds its lock. What is read and written goes through this
/// session, so it fails when the lock is lost.
struct Turn {
    client: ClientWrapper,
    target: String,
}

impl Turn {
    /// `None` while another server sends.
    async fn take(database: &Database, target: &Target) -> Result<Option<Turn>, Error> {
        // Not a session of the pool: the lock ends with it.
        let client = Object::take(database.get().await?);
        let target = target.to_string();
        if !log::take_turn(&*client, &target).await? {
            return Ok(None);
        }
        log::hurry(&*client).await?;
        Ok(Some(Turn { client, target }))
    }
}

impl Queue for Turn {
    type Error = atna::Error;

    async fn size(&mut self) -> Result<u64, atna::Error> {
        Ok(u64::try_from(atna::log::signed(&*self.client).await?).unwrap_or_default())
    }

    async fn read(&mut self, from: u64) -> Result<Vec<(u64, Entry)>, atna::Error> {
        log::read(&*self.client, from, BATCH, BATCH_OCTETS).await
    }

    async fn position(&mut self) -> Result<u64, atna::Error> {
        log::position(&*self.client, &self.target).await
    }

    async fn advance(&mut self, position: u64) -> Result<(), atna::Error> {
        log::advance(&*self.client, &self.target, position).await
    }
}
