//! A database that cuts connections, that stands still, and that fails over to its standby.

use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::sleep;

use crate::checks;
use crate::ledger::{Answer, Entry};
use crate::load::{Done, Load, Tally};
use crate::pair::Postgres;
use crate::relay::{Delays, Relay, Target};
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
/// Before each answer of a slow database, and of a very slow one.
const LATE: Duration = Duration::from_millis(50);
const VERY_LATE: Duration = Duration::from_millis(500);
/// Fewer than clients.
const FEW_CONNECTIONS: &str = "database.pool = 2\n";
const SLOW: Duration = Duration::from_secs(10);
/// However slow the database is: waiting for a connection has an end.
const LONGEST_ACT: Duration = Duration::from_secs(45);
const SOCKET: &str = ".s.PGSQL.5432";
/// What is said to come again later, over SOAP and over MLLP.
const BUSY: [&str; 3] = ["XDSRegistryBusy", "XDSRegistryNotAvailable", "send the message again later"];
/// Words that tell the other side nothing.
const INTERNAL: &str = "nternal error";
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
    let row = end(server, load.stop().await?, clients, rng, Duration::ZERO).await?;
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
    let row = end(server, load.stop().await?, clients, rng, away).await?;
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
    let mut server = Server::on(binary, &url, "")?;
    server.start().await?;
    let load = Load::start(&server, clients, rng)?;
    sleep(BEFORE).await;
    let killed = Instant::now();
    first.kill().await?;
    second.promote().await?;
    server.until_ready().await?;
    let away = killed.elapsed();
    let mut row = end(server, load.stop().await?, clients, rng, away).await?;
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

/// How slow a database is that is slow all the time.
pub enum Slowness {
    /// All is done as ever.
    Bearable,
    /// Few connections, which are all in use: what cannot wait for one is refused as busy.
    Unbearable,
}

/// Each answer of the database comes late.
pub async fn slow(slowness: Slowness, binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let (delay, more) = match slowness {
        Slowness::Bearable => (LATE, ""),
        Slowness::Unbearable => (VERY_LATE, FEW_CONNECTIONS),
    };
    let folder = Server::folder()?;
    let postgres = Postgres::first(&folder.path().join("a")).await?;
    let delays = Delays::default();
    let relay = Relay::start(Target::Unix(postgres.socket().join(SOCKET)), delays.clone()).await?;
    let address = relay.address;
    let url = format!("host={} port={} user=carnet dbname=postgres", address.ip(), address.port());
    let mut server = Server::on(binary, &url, more)?;
    server.start().await?;
    delays.back.set(delay);
    let load = Load::start(&server, clients, rng)?;
    sleep(SLOW).await;
    let asked = Instant::now();
    let mut done = load.stop().await?;
    let last = asked.elapsed();
    delays.back.set(Duration::ZERO);
    server.until_ready().await?;
    done.faults.extend(late(&slowness, done.ledgers.iter().flat_map(|ledger| &ledger.0), last));
    let row = end(server, done, clients, rng, Duration::ZERO).await?;
    let scenario = match slowness {
        Slowness::Bearable => "slow database",
        Slowness::Unbearable => "slow database, few connections",
    };
    let done = format!("{} ms before each answer, for {} s", delay.as_millis(), SLOW.as_secs());
    postgres.kill().await?;
    Ok(Row { scenario: scenario.to_owned(), done, ..row })
}

/// Nobody waits for ever, everybody gets an answer, and who is refused is told to come again.
fn late<'a>(slowness: &Slowness, entries: impl Iterator<Item = &'a Entry>, last: Duration) -> Vec<String> {
    let (mut faults, mut busy, mut done) = (Vec::new(), 0, 0);
    for entry in entries {
        match &entry.answer {
            Answer::Acknowledged => done += 1,
            Answer::Open => faults.push(format!("no answer to {:?}", entry.act)),
            Answer::Refused(reason) if BUSY.iter().any(|word| reason.contains(word)) => busy += 1,
            Answer::Refused(reason) if reason.contains(INTERNAL) => {
                faults.push(format!("no clear error: {reason}"));
            }
            // What has to be refused at any time.
            Answer::Refused(_) => {}
        }
    }
    match slowness {
        Slowness::Bearable if busy > 0 => faults.push(format!("{busy} acts were refused as busy")),
        Slowness::Unbearable if busy == 0 => faults.push("the connections were never used up".to_owned()),
        _ => {}
    }
    if done == 0 {
        faults.push("nothing was done".to_owned());
    }
    if last > LONGEST_ACT {
        faults.push(format!("an act took {last:?}"));
    }
    faults
}

/// What was acknowledged is there, and there is work again.
async fn end(
    mut server: Server,
    done: Done,
    clients: usize,
    rng: &mut Rng,
    away: Duration,
) -> anyhow::Result<Row> {
    let mut tally = Tally::default();
    done.judge(&server, &mut tally).await?;
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
