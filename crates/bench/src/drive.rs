//! The load generator: clients that each send one request after the other over connections that are kept.
//!
//! It shares the machine with the server, so it does little: requests are prebuilt, an answer is read through and
//! looked at for its status, never parsed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use awc::http::StatusCode;
use awc::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use tokio::task::LocalSet;

/// How much of an answer is looked at for its status.
const HEAD: usize = 16 << 10;
/// Threads of the generator.
const THREADS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);
/// A connection that was not used for longer may be about to be closed by the server: a new one is made instead.
pub const KEPT: Duration = Duration::from_secs(3);

/// One request.
pub struct Shot {
    pub url: Arc<str>,
    /// None: a GET without a body.
    pub post: Option<(Arc<str>, Bytes)>,
    /// What a good answer has near its beginning.
    pub says: &'static [u8],
    /// Octets of a good answer at least.
    pub at_least: u64,
}

/// What is to be sent, over and over.
pub trait Work: Send + Sync {
    /// None: there is no more.
    fn next(&self, rng: &mut fastrand::Rng) -> Option<Shot>;
}

/// Things that are sent once.
pub struct Once(Mutex<Vec<Shot>>);

impl Once {
    pub fn new(shots: Vec<Shot>) -> Once {
        Once(Mutex::new(shots))
    }
}

impl Work for Once {
    fn next(&self, _: &mut fastrand::Rng) -> Option<Shot> {
        self.0.lock().ok()?.pop()
    }
}

/// How hard.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub clients: usize,
    pub time: Duration,
    /// Requests a second of all clients together; without it, each client sends as fast as it is answered. A request
    /// that could not be sent when it was due counts as late from then on.
    pub rate: Option<f64>,
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub requests: u64,
    /// Answers that were no success, and connections that broke.
    pub failures: u64,
    pub first_failure: Option<String>,
    pub seconds: f64,
    /// A second.
    pub rate: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    /// Milliseconds until the first octet of an answer's body.
    pub first_octet_p95: f64,
    /// Octets received.
    pub octets: u64,
}

/// What one thread saw; times in microseconds.
#[derive(Default)]
struct Seen {
    whole: Vec<u32>,
    first: Vec<u32>,
    failures: u64,
    first_failure: Option<String>,
    octets: u64,
}

/// The time begins when every thread is ready to send.
struct Start {
    ready: Barrier,
    began: OnceLock<Instant>,
}

impl Start {
    fn of(threads: usize) -> Start {
        Start { ready: Barrier::new(threads), began: OnceLock::new() }
    }

    fn when_all_are_ready(&self) -> Instant {
        self.ready.wait();
        self.together()
    }

    fn together(&self) -> Instant {
        *self.began.get_or_init(Instant::now)
    }
}

/// Sends until the time is over; requests that are under way then are waited for, and counted.
pub fn drive(work: Arc<dyn Work>, load: Load) -> anyhow::Result<Outcome> {
    let threads = THREADS.min(load.clients).max(1);
    let start = Arc::new(Start::of(threads));
    let sent = Arc::new(AtomicU64::new(0));
    let handles: Vec<_> = (0..threads)
        .map(|thread| {
            let clients: Vec<usize> = (thread..load.clients).step_by(threads).collect();
            let (work, sent, start) = (work.clone(), sent.clone(), start.clone());
            std::thread::Builder::new()
                .name("load".to_owned())
                .spawn(move || run(&clients, &*work, load, &start, &sent))
        })
        .collect::<Result<_, _>>()?;
    let mut all = Seen::default();
    for handle in handles {
        let seen = handle.join().map_err(|_| anyhow!("the load generator failed"))??;
        all.whole.extend(seen.whole);
        all.first.extend(seen.first);
        all.failures += seen.failures;
        all.first_failure = all.first_failure.or(seen.first_failure);
        all.octets += seen.octets;
    }
    Ok(outcome(all, start.together().elapsed()))
}

fn outcome(mut all: Seen, took: Duration) -> Outcome {
    all.whole.sort_unstable();
    all.first.sort_unstable();
    let requests = all.whole.len() as u64;
    let seconds = took.as_secs_f64();
    Outcome {
        requests,
        failures: all.failures,
        first_failure: all.first_failure,
        seconds,
        rate: requests as f64 / seconds,
        p50: percentile(&all.whole, 0.5),
        p95: percentile(&all.whole, 0.95),
        p99: percentile(&all.whole, 0.99),
        first_octet_p95: percentile(&all.first, 0.95),
        octets: all.octets,
    }
}

/// Of sorted microseconds, in milliseconds.
fn percentile(sorted: &[u32], part: f64) -> f64 {
    let index = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(index.saturating_sub(1)).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
}

fn run(
    clients: &[usize],
    work: &dyn Work,
    load: Load,
    start: &Start,
    sent: &AtomicU64,
) -> anyhow::Result<Seen> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // The other threads wait for this one.
            start.when_all_are_ready();
            return Err(error.into());
        }
    };
    LocalSet::new().block_on(&runtime, async {
        let connector = awc::Connector::new().limit(0).conn_keep_alive(KEPT).timeout(Duration::from_secs(5));
        let http = awc::Client::builder().connector(connector).timeout(PATIENCE).disable_redirects().finish();
        let began = start.when_all_are_ready();
        let each = clients.iter().map(|client| one_client(&http, *client, work, load, began, sent));
        let mut all = Seen::default();
        for seen in join_all(each).await {
            all.whole.extend(seen.whole);
            all.first.extend(seen.first);
            all.failures += seen.failures;
            all.first_failure = all.first_failure.or(seen.first_failure);
            all.octets += seen.octets;
        }
        Ok(all)
    })
}

async fn one_client(
    http: &awc::Client,
    client: usize,
    work: &dyn Work,
    load: Load,
    began: Instant,
    sent: &AtomicU64,
) -> Seen {
    let mut rng = fastrand::Rng::with_seed(load.seed.wrapping_mul(1_000_003).wrapping_add(client as u64));
    let mut seen = Seen::default();
    loop {
        let due = match load.rate {
            None => Instant::now(),
            Some(rate) => began + Duration::from_secs_f64(sent.fetch_add(1, Ordering::Relaxed) as f64 / rate),
        };
        if due.duration_since(began) >= load.time || began.elapsed() >= load.time {
            return seen;
        }
        let mut start = due;
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
            // The timer's own lateness is not the server's.
            start = Instant::now();
        }
        let Some(shot) = work.next(&mut rng) else { return seen };
        match fire(http, shot).await {
            Ok((first, octets)) => {
                seen.whole.push(micros(start.elapsed()));
                seen.first.push(micros(first.duration_since(start)));
                seen.octets += octets;
            }
            Err(error) => {
                seen.failures += 1;
                seen.first_failure.get_or_insert_with(|| format!("{error:#}"));
                // A server that refuses at once must not be asked in a tight circle.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// Sends a request and reads its answer through: when the first octet came, and how many there were.
async fn fire(http: &awc::Client, shot: Shot) -> anyhow::Result<(Instant, u64)> {
    let sending = match shot.post {
        None => http.get(&*shot.url).send(),
        Some((content_type, body)) => {
            http.post(&*shot.url).insert_header((CONTENT_TYPE, &*content_type)).send_body(body)
        }
    };
    let mut answer = sending.await.map_err(|error| anyhow!("{error}"))?;
    let status = answer.status();
    let (mut first, mut octets, mut head) = (None, 0_u64, Vec::new());
    let mut said = shot.says.is_empty();
    while let Some(chunk) = answer.next().await {
        let chunk = chunk.map_err(|error| anyhow!("{error}")).context("the answer broke off")?;
        first.get_or_insert_with(Instant::now);
        octets += chunk.len() as u64;
        if !said && head.len() < HEAD {
            head.extend_from_slice(chunk.get(..HEAD.min(chunk.len())).unwrap_or_default());
            said = memmem::find(&head, shot.says).is_some();
        }
    }
    if status != StatusCode::OK || !said {
        bail!("HTTP {status}: {}", told(&head));
    }
    if octets < shot.at_least {
        bail!("an answer of {octets} octets, {} at least were expected", shot.at_least);
    }
    Ok((first.unwrap_or_else(Instant::now), octets))
}

/// The reason in an answer, without the envelope around it.
fn told(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let reason = ["codeContext=\"", "Text xml:lang=\"en\">"].iter().find_map(|mark| {
        let rest = text.split(mark).nth(1)?;
        rest.split(['"', '<']).next()
    });
    reason.unwrap_or(text.get(..200.min(text.len())).unwrap_or_default()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let sorted: Vec<u32> = (1..=100).map(|ms| ms * 1000).collect();
        assert_eq!(percentile(&sorted, 0.5), 50.0);
        assert_eq!(percentile(&sorted, 0.99), 99.0);
        assert_eq!(percentile(&[7000], 0.99), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
