//! Rounds of `kill -9` under load: of the server, or of its PostgreSQL.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::Utc;
use client::{Client, Endpoints};
use fastrand::Rng;
use indicatif::ProgressBar;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::ledger::{Answer, Ledger, Record, Seen, judge, judge_records};
use crate::report::Row;
use crate::server::Server;
use crate::source::{Source, TIMEOUTS};
use crate::{checks, readback};

/// The load goes on for at most so long before the kill, in milliseconds.
const LONGEST: u64 = 1_500;
const SHORTEST: u64 = 50;
/// How long it goes on once the database is back.
const AFTERWARDS: Duration = Duration::from_millis(300);
/// Faults that are told in full.
const TOLD: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Server,
    Database,
}

#[derive(Debug, Default)]
struct Tally {
    acknowledged: usize,
    refused: usize,
    took_effect: usize,
    absent: usize,
    /// Reads without an answer.
    open_reads: usize,
    /// From the kill until the server was ready again.
    away: Vec<Duration>,
    faults: Vec<String>,
}

/// All rounds, each with patients of its own, on one server whose data stay.
pub async fn rounds(
    server: &mut Server,
    victim: Victim,
    count: usize,
    clients: usize,
    rng: &mut Rng,
    bar: &ProgressBar,
) -> anyhow::Result<Row> {
    let mut tally = Tally::default();
    let mut ledgers = Vec::new();
    for number in 1..=count {
        let fresh = round(server, victim, clients, rng, &mut tally).await.with_context(|| {
            format!("round {number} (kill of the {})\n{}", victim.name(), server.log_tail())
        })?;
        ledgers.extend(fresh);
        bar.inc(1);
        if !tally.faults.is_empty() {
            break;
        }
    }
    // What earlier rounds left has lived through all later crashes.
    for ledger in &ledgers {
        tally.faults.extend(judge_records(ledger, &records(server, ledger).await?));
    }
    tally.faults.extend(checks::all(server).await?);
    Ok(tally.row(victim, count))
}

async fn round(
    server: &mut Server,
    victim: Victim,
    clients: usize,
    rng: &mut Rng,
    tally: &mut Tally,
) -> anyhow::Result<Vec<Ledger>> {
    let since = Utc::now();
    let stop = Rc::new(Cell::new(false));
    let ledgers: Vec<Rc<RefCell<Ledger>>> = (0..clients).map(|_| Rc::default()).collect();
    let moment = Duration::from_millis(rng.u64(SHORTEST..LONGEST));
    let mut running = Vec::new();
    for ledger in &ledgers {
        let source = Source::new(rng.u64(..), &server.addresses, server.scratch()?, ledger.clone());
        let faults = source.faults.clone();
        running.push((spawn_local(source.run(stop.clone())), faults));
    }
    sleep(moment).await;
    let killed = Instant::now();
    let mut away = match victim {
        Victim::Server => {
            server.end(Signal::SIGKILL).await?;
            Duration::ZERO
        }
        Victim::Database => {
            server.kill_database()?;
            server.until_ready().await?;
            let away = killed.elapsed();
            sleep(AFTERWARDS).await;
            away
        }
    };
    stop.set(true);
    for (task, found) in running {
        task.await?;
        tally.faults.append(&mut found.borrow_mut());
    }
    if victim == Victim::Server {
        server.start().await?;
        away = killed.elapsed();
    }
    tally.away.push(away);
    // Before anything is read back, which leaves traces itself.
    let traces = readback::traces(&server.database().await?, since).await?;
    let mut settled = Vec::new();
    for ledger in ledgers {
        let mut ledger = ledger.take();
        let seen = Seen { records: records(server, &ledger).await?, traces: traces.clone() };
        let verdict = judge(&ledger, &seen);
        tally.count(&ledger, verdict.took_effect);
        tally.faults.extend(verdict.faults);
        ledger.settle(verdict.took_effect);
        settled.push(ledger);
    }
    tally.faults.extend(checks::audit(server).await?);
    Ok(settled)
}

async fn records(server: &Server, ledger: &Ledger) -> anyhow::Result<BTreeMap<String, Record>> {
    let client = Client::with_timeouts(Endpoints::of_server(&server.addresses.url), TIMEOUTS);
    let scratch = server.scratch()?;
    readback::records(&client, ledger, &scratch).await
}

impl Victim {
    fn name(self) -> &'static str {
        match self {
            Victim::Server => "server",
            Victim::Database => "database",
        }
    }
}

impl Tally {
    fn count(&mut self, ledger: &Ledger, took_effect: Option<bool>) {
        self.acknowledged += ledger.count(|answer| *answer == Answer::Acknowledged);
        self.refused += ledger.count(|answer| matches!(answer, Answer::Refused(_)));
        let open = ledger.count(|answer| *answer == Answer::Open);
        self.open_reads += open - usize::from(ledger.open_change().is_some());
        self.took_effect += usize::from(took_effect == Some(true));
        self.absent += usize::from(took_effect == Some(false));
    }

    fn row(mut self, victim: Victim, rounds: usize) -> Row {
        self.away.sort();
        let seconds = |share: usize| {
            let index = (self.away.len().saturating_sub(1)) * share / 100;
            self.away.get(index).map(Duration::as_secs_f64).unwrap_or_default()
        };
        let (median, longest) = (seconds(50), seconds(100));
        let result = format!(
            "{} acts acknowledged, {} refused; without an answer: {} changes whole, {} absent, {} reads; ready again after \
             {median:.1} s (longest {longest:.1} s)",
            self.acknowledged, self.refused, self.took_effect, self.absent, self.open_reads
        );
        let numbers = json!({
            "rounds": self.away.len(),
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "open_whole": self.took_effect,
            "open_absent": self.absent,
            "open_reads": self.open_reads,
            "ready_again_median_s": median,
            "ready_again_longest_s": longest,
        });
        self.faults.truncate(TOLD);
        Row {
            scenario: format!("kill -9 of the {}", victim.name()),
            done: format!("{rounds} rounds"),
            result,
            faults: self.faults,
            numbers,
        }
    }
}
