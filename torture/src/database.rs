//! A database that cuts connections, that stands still, that is slow, and that fails over to its standby.

use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::sleep;

use crate::checks;
use crate::ledger::answers::{BUSY, Excuses, NONE, busy, late, longest};
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
/// For the clients: seconds, not minutes. So long may an act take, and so long after the trouble began (or, if it lasted, after
/// it was over) may somebody be told that the server is busy.
const LONGEST_AWAY: Duration = Duration::from_secs(15);
/// Before each answer of a slow database, and of a very slow one.
const LATE: Duration = Duration::from_millis(50);
const VERY_LATE: Duration = Duration::from_millis(500);
/// Of each thread.
const FEW_CONNECTIONS: &str = "database.pool = 2\n";
/// So many times the clients use them up.
const CROWD: usize = 2;
const SLOW: Duration = Duration::from_secs(10);
/// However slow the database is: waiting for a connection has an end.
const LONGEST_SLOW: Duration = Duration::from_secs(45);
const SOCKET: &str = ".s.PGSQL.5432";
/// Ends all connections of the server; of each, whether it was in the middle of something.
const CUT: &str = "select state <> 'idle' and pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'carnet' and backend_type = 'client backend'";

/// What the clients may have seen of the trouble.
struct Bounds {
    excuses: Excuses,
    longest: Duration,
    /// Nobody is told after this moment that the server is busy.
    over: Instant,
}

pub async fn cut(binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut server = Server::new(binary)?;
    server.start().await?;
    let load = Load::start(&server, clients, rng)?;
    let own = server.database().await?;
    let (mut at_work, mut faults) = (0, Vec::new());
    for number in 1..=CUTS {
        sleep(PAUSE).await;
        let ended = own.query(CUT, &[]).await?;
        if ended.is_empty() {
            faults.push(format!("cut {number} met no connection"));
        }
        for row in ended {
            at_work += usize::from(row.try_get::<_, Option<bool>>(0)?.unwrap_or_default());
        }
    }
    if at_work == 0 {
        faults.push("no connection was cut in the middle of anything".to_owned());
    }
    let last = Instant::now();
    sleep(PAUSE).await;
    let bounds = Bounds { excuses: BUSY, longest: LONGEST_AWAY, over: last + LONGEST_AWAY };
    let row = end(server, load.stop().await?, clients, rng, bounds).await?;
    Ok(Row {
        scenario: "database cuts connections".to_owned(),
        done: format!("all of them, {CUTS} times, {at_work} in the middle of something"),
        faults: [faults, row.faults].concat(),
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
    sleep(PAUSE).await;
    let bounds = Bounds { excuses: BUSY, longest: LONGEST_AWAY, over: going + LONGEST_AWAY };
    let done = load.stop().await?;
    // Whoever was told nothing meanwhile has waited.
    let noticed = longest(done.entries()) >= STILL / 2 || !busy(done.entries()).is_empty();
    let mut row = end(server, done, clients, rng, bounds).await?;
    if !noticed {
        row.faults.push("nobody noticed".to_owned());
    }
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
    sleep(AFTERWARDS).await;
    let bounds = Bounds { excuses: BUSY, longest: LONGEST_AWAY, over: killed + LONGEST_AWAY };
    let row = end(server, load.stop().await?, clients, rng, bounds).await?;
    second.kill().await?;
    Ok(Row {
        scenario: "failover to a standby".to_owned(),
        done: "once, replicated synchronously".to_owned(),
        ..row
    })
}

/// How slow a database is that is slow all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slowness {
    /// All is done as ever.
    Bearable,
    /// Few connections, which are all in use: what cannot wait for one is refused as busy.
    Unbearable,
}

/// Each answer of the database comes late.
pub async fn slow(slowness: Slowness, binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let (delay, more, excuses, crowd) = match slowness {
        Slowness::Bearable => (LATE, "", NONE, clients),
        Slowness::Unbearable => (VERY_LATE, FEW_CONNECTIONS, BUSY, CROWD * clients),
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
    let load = Load::start(&server, crowd, rng)?;
    sleep(SLOW).await;
    let bounds = Bounds { excuses, longest: LONGEST_SLOW, over: Instant::now() + LONGEST_SLOW };
    let done = load.stop().await?;
    delays.back.set(Duration::ZERO);
    server.until_ready().await?;
    let mut faults = Vec::new();
    if slowness == Slowness::Unbearable && busy(done.entries()).is_empty() {
        faults.push("the connections were never used up".to_owned());
    }
    if !done.entries().any(|entry| entry.answer == Answer::Acknowledged) {
        faults.push("nothing was done".to_owned());
    }
    let row = end(server, done, clients, rng, bounds).await?;
    let scenario = match slowness {
        Slowness::Bearable => "slow database",
        Slowness::Unbearable => "slow database, few connections",
    };
    let done = format!("{} ms before each answer, for {} s", delay.as_millis(), SLOW.as_secs());
    postgres.kill().await?;
    Ok(Row { scenario: scenario.to_owned(), done, faults: [faults, row.faults].concat(), ..row })
}

impl Bounds {
    /// The longest act, how long clients were told that the server is busy, and what was out of bounds.
    fn hold(&self, entries: Vec<&Entry>) -> (Duration, Duration, Vec<String>) {
        let entries = || entries.iter().copied();
        let (mut faults, busy) = (late(entries(), self.longest), busy(entries()));
        let lasted = match (busy.iter().min(), busy.iter().max()) {
            (Some(first), Some(last)) => {
                if *last > self.over {
                    let too_late = last.duration_since(self.over);
                    faults.push(format!("somebody was told {too_late:?} too late that the server is busy"));
                }
                last.duration_since(*first)
            }
            _ => Duration::ZERO,
        };
        (longest(entries()), lasted, faults)
    }
}

/// Everybody had an answer in time, what was acknowledged is there, and there is work again that nobody is turned away from.
async fn end(
    mut server: Server,
    done: Done,
    clients: usize,
    rng: &mut Rng,
    bounds: Bounds,
) -> anyhow::Result<Row> {
    let (longest, lasted, faults) = bounds.hold(done.entries().collect());
    let mut tally = Tally { faults, ..Tally::default() };
    done.judge(&server, bounds.excuses, &mut tally).await?;
    // Clients that may change something again: those of before can have an open question.
    let afterwards = Load::start(&server, clients, rng)?;
    sleep(AFTERWARDS).await;
    let afterwards = afterwards.stop().await?;
    let is_done = |entry: &Entry| entry.act.is_change() && entry.answer == Answer::Acknowledged;
    if !afterwards.entries().any(is_done) {
        tally.faults.push("nothing is done afterwards".to_owned());
    }
    afterwards.judge(&server, NONE, &mut tally).await?;
    tally.faults.extend(checks::all(&server).await?);
    server.end(Signal::SIGTERM).await?;
    Ok(Row {
        scenario: String::new(),
        done: String::new(),
        result: format!(
            "{}; the longest act took {:.1} s; busy for {:.1} s",
            tally.sentence(),
            longest.as_secs_f64(),
            lasted.as_secs_f64()
        ),
        numbers: json!({
            "acknowledged": tally.acknowledged,
            "refused": tally.refused,
            "busy": tally.busy,
            "open_whole": tally.whole,
            "open_absent": tally.absent,
            "longest_act_s": longest.as_secs_f64(),
            "busy_for_s": lasted.as_secs_f64(),
        }),
        faults: tally.faults,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Act;

    #[test]
    fn trouble_that_clients_notice_for_too_long_is_out_of_bounds() {
        let mut entry = Entry::new(Act::Find { patient: "p".to_owned() });
        entry.answered(Answer::Refused("XDSRegistryBusy later".to_owned()));
        let began = entry.began;
        let bounds = Bounds { excuses: BUSY, longest: LONGEST_AWAY, over: began + Duration::from_secs(5) };
        let faults = |seconds| {
            let mut entry = entry.clone();
            entry.ended = Some(began + Duration::from_secs(seconds));
            bounds.hold(vec![&entry]).2.len()
        };
        assert_eq!((faults(1), faults(6), faults(16)), (0, 1, 2));
    }
}
