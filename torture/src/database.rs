//! A database that cuts connections, that stands still, and that fails over to its standby.

use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::sleep;

use crate::checks;
use crate::ledger::Answer;
use crate::load::{Load, Tally};
use crate::pair::Postgres;
use crate::report::Row;
use crate::server::Server;

const BEFORE: Duration = Duration::from_secs(2);
const AFTERWARDS: Duration = Duration::from_secs(2);
/// All connections, so many times, with a pause after each.
const CUTS: usize = 10;
const PAUSE: Duration = Duration::from_millis(300);
const STILL: Duration = Duration::from_secs(5);
/// Of a failover, for the clients: seconds, not minutes.
const LONGEST_AWAY: Duration = Duration::from_secs(15);
const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'carnet'";

pub async fn cut(binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut server = Server::new(binary)?;
    server.start().await?;
    let load = Load::start(&server, clients, rng)?;
    let own = server.database().await?;
    for _ in 0..CUTS {
        sleep(PAUSE).await;
        own.query(CUT, &[]).await?;
    }
    let row = end(server, load, clients, rng, Duration::ZERO).await?;
    Ok(Row {
        scenario: "database cuts connections".to_owned(),
        done: format!("all of them, {CUTS} times"),
        ..row
    })
}

pub async fn stand_still(binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut server = Server::new(binary)?;
    server.start().await?;
    let load = Load::start(&server, clients, rng)?;
    sleep(BEFORE).await;
    server.signal_database(Signal::SIGSTOP)?;
    sleep(STILL).await;
    server.signal_database(Signal::SIGCONT)?;
    let going = Instant::now();
    server.until_ready().await?;
    let away = going.elapsed();
    let row = end(server, load, clients, rng, away).await?;
    Ok(Row { scenario: "database stands still".to_owned(), done: format!("{} s", STILL.as_secs()), ..row })
}

pub async fn fail_over(binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let folder = Server::folder()?;
    let first = Postgres::first(&folder.path().join("a")).await?;
    let second = Postgres::second(&folder.path().join("b"), &first).await?;
    let url = format!(
        "host={},{} port=5432,5432 user=carnet dbname=postgres target_session_attrs=read-write",
        first.socket().display(),
        second.socket().display()
    );
    let mut server = Server::on(binary, &url)?;
    server.start().await?;
    let load = Load::start(&server, clients, rng)?;
    sleep(BEFORE).await;
    let killed = Instant::now();
    first.kill().await?;
    second.promote().await?;
    server.until_ready().await?;
    let away = killed.elapsed();
    let mut row = end(server, load, clients, rng, away).await?;
    if away > LONGEST_AWAY {
        row.faults.push(format!("away for {away:?}"));
    }
    second.kill().await?;
    Ok(Row {
        scenario: "failover to a standby".to_owned(),
        done: "once, replicated synchronously".to_owned(),
        ..row
    })
}

/// What was acknowledged is there, and there is work again.
async fn end(
    mut server: Server,
    load: Load,
    clients: usize,
    rng: &mut Rng,
    away: Duration,
) -> anyhow::Result<Row> {
    let mut tally = Tally::default();
    load.stop().await?.judge(&server, &mut tally).await?;
    // Clients that may change something again: those of before can have an open question.
    let afterwards = Load::start(&server, clients, rng)?;
    sleep(AFTERWARDS).await;
    let afterwards = afterwards.stop().await?;
    let changes =
        afterwards.ledgers.iter().flat_map(|ledger| &ledger.0).filter(|entry| entry.act.is_change());
    if !changes.into_iter().any(|entry| entry.answer == Answer::Acknowledged) {
        tally.faults.push("nothing is done afterwards".to_owned());
    }
    afterwards.judge(&server, &mut tally).await?;
    tally.faults.extend(checks::all(&server).await?);
    server.end(Signal::SIGTERM).await?;
    Ok(Row {
        scenario: String::new(),
        done: String::new(),
        result: format!("{}; ready again after {:.1} s", tally.sentence(), away.as_secs_f64()),
        numbers: json!({
            "acknowledged": tally.acknowledged,
            "refused": tally.refused,
            "open_whole": tally.whole,
            "open_absent": tally.absent,
            "ready_again_s": away.as_secs_f64(),
        }),
        faults: tally.faults,
    })
}
