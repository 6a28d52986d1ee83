//! Clients that mean ill, or are merely very slow: what is left to all others meanwhile, and what memory it takes.

mod bodies;
mod connections;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use fastrand::Rng;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::time::sleep;

use crate::load::{Load, Tally};
use crate::report::Row;
use crate::server::Server;

/// Undisturbed and disturbed windows take turns: whatever else the machine does hits both.
pub const PAIRS: usize = 3;
const WINDOW: Duration = Duration::from_secs(2);
/// Of the throughput, in the same run.
const LEAST_SHARE: f64 = 0.8;
/// Of the server, in MiB.
const MOST_MEMORY: u64 = 256;

/// A way to be a nuisance, on a thread of its own until `stop`. Says in a few words what it did.
pub struct Nuisance {
    pub scenario: &'static str,
    pub run: fn(address: String, stop: Arc<AtomicBool>) -> anyhow::Result<String>,
}

pub const ALL: [Nuisance; 5] = [
    Nuisance { scenario: "slow clients", run: connections::slow },
    Nuisance { scenario: "idle connections", run: connections::idle },
    Nuisance { scenario: "half heads", run: connections::half_heads },
    Nuisance { scenario: "gzip bombs", run: bodies::bombs },
    Nuisance { scenario: "10,000 parts", run: bodies::parts },
];

struct Begun {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<String>>,
}

impl Nuisance {
    fn begin(&self, server: &Server) -> Begun {
        let address = server.host().to_owned();
        let (stop, run) = (Arc::new(AtomicBool::new(false)), self.run);
        let told = stop.clone();
        Begun { stop, thread: std::thread::spawn(move || run(address, told)) }
    }

    /// Measures.
    pub async fn hold(
        &self,
        server: &Server,
        clients: usize,
        rng: &mut Rng,
        bar: &ProgressBar,
    ) -> anyhow::Result<Row> {
        let mut tally = Tally::default();
        let (mut alone, mut beside, mut did) = (0.0, 0.0, String::new());
        window(server, clients, rng, &mut tally).await?;
        server.forget_peak_memory()?;
        for _ in 0..PAIRS {
            alone += window(server, clients, rng, &mut tally).await?;
            let begun = self.begin(server);
            // Until all of it is there.
            sleep(WINDOW / 2).await;
            beside += window(server, clients, rng, &mut tally).await?;
            begun.stop.store(true, Ordering::SeqCst);
            while !begun.thread.is_finished() {
                sleep(Duration::from_millis(10)).await;
            }
            let ended = begun.thread.join().map_err(|_| anyhow!("it panicked"))?;
            did = ended.with_context(|| self.scenario)?;
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

/// Acknowledged acts in a second of the ordinary mix, whose outcome is held against the ledgers as ever.
async fn window(server: &Server, clients: usize, rng: &mut Rng, tally: &mut Tally) -> anyhow::Result<f64> {
    let load = Load::start(server, clients, rng)?;
    let started = Instant::now();
    sleep(WINDOW).await;
    let rate = load.acknowledged() as f64 / started.elapsed().as_secs_f64();
    load.stop().await?.judge(server, tally).await?;
    Ok(rate)
}
