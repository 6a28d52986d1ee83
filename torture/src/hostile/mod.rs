//! Clients that mean ill, or are merely very slow: what is left to all others meanwhile, and what memory it takes.

mod bodies;
mod connections;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use client::{Client, Endpoints};
use fastrand::Rng;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::time::sleep;

use crate::ledger::answers::NONE;
use crate::ledger::{Answer, Ledger};
use crate::load::{Load, Tally};
use crate::message;
use crate::report::Row;
use crate::server::Server;
use crate::source::{Source, TIMEOUTS};

/// Undisturbed and disturbed windows take turns: whatever else the machine does hits both.
pub const PAIRS: usize = 3;
const WINDOW: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);
/// Of the throughput, in the same run.
const LEAST_SHARE: f64 = 0.8;
/// Of the server, in MiB.
const MOST_MEMORY: u64 = 256;

/// A document for those who read it slowly.
const LARGE: usize = 32 << 20;
/// Until a nuisance is there.
const PATIENCE: Duration = Duration::from_secs(30);
/// What [`Scene::there`] says before.
const NOT_YET: usize = usize::MAX;

/// Where a nuisance takes place.
pub struct Scene {
    address: String,
    /// The uniqueId of a large document.
    document: String,
    over: AtomicBool,
    /// Connections of the nuisance, all of which are there.
    there: AtomicUsize,
}

impl Scene {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// All of the nuisance is there, with so many connections that stay.
    fn is_set(&self, connections: usize) {
        self.there.store(connections, Ordering::SeqCst);
    }
}

/// A way to be a nuisance, on a thread of its own until all is over. Says in a few words what it did; connections that the
/// server closed before are a fault: without them there was no nuisance.
pub struct Nuisance {
    pub scenario: &'static str,
    pub run: fn(&Scene) -> anyhow::Result<String>,
}

pub const ALL: [Nuisance; 6] = [
    Nuisance { scenario: "slow clients", run: connections::slow },
    Nuisance { scenario: "slow readers", run: connections::slow_readers },
    Nuisance { scenario: "idle connections", run: connections::idle },
    Nuisance { scenario: "half heads", run: connections::half_heads },
    Nuisance { scenario: "gzip bombs", run: bodies::bombs },
    Nuisance { scenario: "10,000 parts", run: bodies::parts },
];

struct Begun {
    scene: Arc<Scene>,
    thread: JoinHandle<anyhow::Result<String>>,
}

impl Nuisance {
    /// Returns when all of it is there.
    async fn begin(&self, server: &Server, document: &str) -> anyhow::Result<Begun> {
        let scene = Arc::new(Scene {
            address: server.host().to_owned(),
            document: document.to_owned(),
            over: AtomicBool::new(false),
            there: AtomicUsize::new(NOT_YET),
        });
        let (run, own) = (self.run, scene.clone());
        let begun = Begun { thread: std::thread::spawn(move || run(&own)), scene };
        let started = Instant::now();
        loop {
            let there = begun.scene.there.load(Ordering::SeqCst);
            // The server has them, not merely the queue of its system.
            if there != NOT_YET && server.sockets()? >= there {
                return Ok(begun);
            }
            if begun.thread.is_finished() || started.elapsed() > PATIENCE {
                begun.end().await?;
                anyhow::bail!("{} did not come about: {there} connections", self.scenario);
            }
            sleep(PAUSE).await;
        }
    }

    /// Measures.
    pub async fn hold(
        &self,
        server: &Server,
        document: &str,
        clients: usize,
        (rng, bar): (&mut Rng, &ProgressBar),
    ) -> anyhow::Result<Row> {
        let mut tally = Tally::default();
        let (mut alone, mut beside, mut did) = (0.0, 0.0, String::new());
        window(server, clients, rng, &mut tally).await?;
        server.forget_peak_memory()?;
        for _ in 0..PAIRS {
            alone += window(server, clients, rng, &mut tally).await?;
            let begun = self.begin(server, document).await?;
            beside += window(server, clients, rng, &mut tally).await?;
            match begun.end().await {
                Ok(told) => did = told,
                Err(error) => tally.faults.push(format!("{error:#}")),
            }
            bar.inc(1);
        }
        let (share, memory) = (beside / alone, server.peak_memory()?);
        if share < LEAST_SHARE {
            tally.faults.push(format!("less than {:.0} % of the throughput is left", LEAST_SHARE * 100.0));
        }
        if memory > MOST_MEMORY {
            tally.faults.push(format!("the server took more than {MOST_MEMORY} MiB"));
        }
        let per_window = |sum: f64| sum / PAIRS as f64;
        Ok(Row {
            scenario: self.scenario.to_owned(),
            done: did,
            result: format!(
                "{:.0} % of the others' throughput ({:.0} acts/s of {:.0}); at most {memory} MiB resident",
                share * 100.0,
                per_window(beside),
                per_window(alone)
            ),
            numbers: json!({
                "share": share,
                "acts_per_s_alone": per_window(alone),
                "acts_per_s_beside": per_window(beside),
                "peak_memory_mib": memory,
            }),
            faults: tally.faults,
        })
    }
}

impl Begun {
    /// What it did.
    async fn end(self) -> anyhow::Result<String> {
        self.scene.over.store(true, Ordering::SeqCst);
        while !self.thread.is_finished() {
            sleep(PAUSE).await;
        }
        self.thread.join().map_err(|_| anyhow!("it panicked"))?
    }
}

/// Files the document that slow readers ask for.
pub async fn large_document(server: &Server, rng: &mut Rng) -> anyhow::Result<String> {
    let patient = message::patient(rng);
    Source::open_record(&server.addresses, rng, &patient).await?;
    let client = Client::with_timeouts(Endpoints::of_server(&server.addresses.url), TIMEOUTS);
    let filed = Ledger(vec![Source::file(&client, rng, &patient, &[LARGE]).await]);
    ensure!(filed.0.iter().all(|entry| entry.answer == Answer::Acknowledged), "{:?}", filed.0);
    filed.unique_ids().next().map(str::to_owned).context("no document was sent")
}

/// Acknowledged acts in a second of the ordinary mix, whose outcome is held against the ledgers as ever.
async fn window(server: &Server, clients: usize, rng: &mut Rng, tally: &mut Tally) -> anyhow::Result<f64> {
    let load = Load::start(server, clients, rng)?;
    let started = Instant::now();
    sleep(WINDOW).await;
    let rate = load.acknowledged() as f64 / started.elapsed().as_secs_f64();
    load.stop().await?.judge(server, NONE, tally).await?;
    Ok(rate)
}
