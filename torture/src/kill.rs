//! Rounds of `kill -9` under load: of the server, or of its PostgreSQL.

use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use indicatif::ProgressBar;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::sleep;

use crate::checks;
use crate::ledger::answers::{AWAY, BUSY};
use crate::ledger::{Ledger, judge_records};
use crate::load::{Load, Tally, records};
use crate::report::Row;
use crate::server::Server;

/// The load goes on for at most so long before the kill, in milliseconds.
const LONGEST: u64 = 1_500;
const SHORTEST: u64 = 50;
/// How long it goes on once the database is back.
const AFTERWARDS: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Server,
    Database,
}

/// All rounds, each with patients of its own, on one server whose data stay. `kept` are the ledgers of all rounds so far.
pub async fn rounds(
    server: &mut Server,
    victim: Victim,
    count: usize,
    clients: usize,
    rng: &mut Rng,
    (kept, bar): (&mut Vec<Ledger>, &ProgressBar),
) -> anyhow::Result<Row> {
    let (mut tally, mut away) = (Tally::default(), Vec::new());
    for number in 1..=count {
        let (fresh, time) = round(server, victim, clients, rng, &mut tally).await.with_context(|| {
            format!("round {number} (kill of the {})\n{}", victim.name(), server.log_tail())
        })?;
        kept.extend(fresh);
        away.push(time);
        bar.inc(1);
        if !tally.faults.is_empty() {
            break;
        }
    }
    // What earlier rounds left, those of another victim too, has lived through all later crashes.
    for ledger in kept.iter() {
        tally.faults.extend(judge_records(ledger, &records(server, ledger).await?));
    }
    tally.faults.extend(checks::all(server).await?);
    Ok(row(victim, tally, away))
}

/// The settled ledgers, and from the kill until the server was ready again.
async fn round(
    server: &mut Server,
    victim: Victim,
    clients: usize,
    rng: &mut Rng,
    tally: &mut Tally,
) -> anyhow::Result<(Vec<Ledger>, Duration)> {
    let load = Load::start(server, clients, rng)?;
    sleep(Duration::from_millis(rng.u64(SHORTEST..LONGEST))).await;
    let killed = Instant::now();
    let (done, away) = match victim {
        Victim::Server => {
            server.end(Signal::SIGKILL).await?;
            let done = load.stop().await?;
            server.start().await?;
            (done, killed.elapsed())
        }
        Victim::Database => {
            server.signal_database(Signal::SIGKILL)?;
            server.until_ready().await?;
            let away = killed.elapsed();
            sleep(AFTERWARDS).await;
            (load.stop().await?, away)
        }
    };
    let excuses = match victim {
        Victim::Server => AWAY,
        Victim::Database => BUSY,
    };
    let settled = done.judge(server, excuses, tally).await?;
    tally.faults.extend(checks::quick(server).await?);
    Ok((settled, away))
}

fn row(victim: Victim, tally: Tally, mut away: Vec<Duration>) -> Row {
    away.sort();
    let seconds = |index: usize| away.get(index).map(Duration::as_secs_f64).unwrap_or_default();
    let (median, longest) = (seconds(away.len() / 2), seconds(away.len().saturating_sub(1)));
    Row {
        scenario: format!("kill -9 of the {}", victim.name()),
        done: format!("{} rounds", away.len()),
        result: format!("{}; ready again after {median:.1} s (longest {longest:.1} s)", tally.sentence()),
        numbers: json!({
            "rounds": away.len(),
            "acknowledged": tally.acknowledged,
            "refused": tally.refused,
            "open_whole": tally.whole,
            "open_absent": tally.absent,
            "open_others": tally.open_others,
            "ready_again_median_s": median,
            "ready_again_longest_s": longest,
        }),
        faults: tally.faults,
    }
}

impl Victim {
    fn name(self) -> &'static str {
        match self {
            Victim::Server => "server",
            Victim::Database => "database",
        }
    }
}
