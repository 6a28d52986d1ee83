//! SIGTERM under load: what is under way is finished.

use std::time::{Duration, Instant};

use anyhow::Context;
use client::{Client, Encoding, Endpoints};
use fastrand::Rng;
use nix::sys::signal::Signal;
use openssl::sha::sha256;
use serde_json::json;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::sleep;

use crate::ledger::answers::AWAY;
use crate::ledger::{Act, Answer, Digest, Entry};
use crate::load::{Load, Tally};
use crate::relay::{Delays, Relay, Target};
use crate::report::Row;
use crate::server::Server;
use crate::source::{Source, TIMEOUTS};
use crate::{checks, message};

/// Submissions that are in the middle of their way at the signal.
const UNDER_WAY: usize = 4;
/// Of each. They need about three seconds for it, at 16 KiB in each of these.
const SIZES: [usize; 4] = [30_000; 4];
const SLOW: Duration = Duration::from_millis(400);
const BEFORE: Duration = Duration::from_secs(1);
/// A document that is being read: more than what is on the wire, in the buffers of both sides, when the signal comes.
const LARGE: usize = 32 << 20;
/// So long after the signal its reader goes on as slowly; then he hurries.
const STILL_SLOW: Duration = Duration::from_secs(1);
/// A request that the server had begun is not forgotten. A connection may be closed just when another is sent on it; of that
/// the client hears at once.
const AT_ONCE: Duration = Duration::from_millis(250);

pub async fn hold(server: &mut Server, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut tally = Tally::default();
    let load = Load::start(server, clients, rng)?;
    // What is under way is of a patient whose record, and whose large document, came over a fast wire.
    let patient = message::patient(rng);
    let mut ledger = Source::open_record(&server.addresses, rng, &patient).await?;
    let fast = Client::with_timeouts(Endpoints::of_server(&server.addresses.url), TIMEOUTS);
    let large = Source::file(&fast, rng, &patient, &[LARGE]).await;
    let there = Wire::to(server, |delays| &delays.there).await?;
    let back = Wire::to(server, |delays| &delays.back).await?;
    let reading = read(server, &back, &large)?;
    ledger.0.push(large);
    let mut filing = Vec::new();
    for _ in 0..UNDER_WAY {
        let (client, mut rng, patient) = (there.client(), rng.fork(), patient.clone());
        filing.push(spawn_local(async move { Source::file(&client, &mut rng, &patient, &SIZES).await }));
    }
    sleep(BEFORE).await;
    let half_sent = there.count(|there, _| (1..SIZES.iter().sum()).contains(&there));
    let half_read = back.count(|_, back| (1..LARGE / 2).contains(&back));
    if (half_sent, half_read) != (UNDER_WAY, 1) {
        tally
            .faults
            .push(format!("at the signal {half_sent} submissions and {half_read} readings were half done"));
    }
    let told = Instant::now();
    server.signal(Signal::SIGTERM)?;
    let hurry = back.delays.clone();
    spawn_local(async move {
        sleep(STILL_SLOW).await;
        hurry.back.set(Duration::ZERO);
    });
    let code = server.ended().await?;
    let took = told.elapsed();
    let mut done = load.stop().await?;
    let silent = silence(done.entries(), &mut tally.faults);
    for task in filing {
        let entry = task.await?;
        if entry.answer != Answer::Acknowledged {
            tally.faults.push(format!("a submission under way ended with {:?}", entry.answer));
        }
        ledger.0.push(entry);
    }
    if let Err(error) = reading.await? {
        tally.faults.push(format!("a document that was being read: {error:#}"));
    }
    let finished = ledger.count(|answer| *answer == Answer::Acknowledged) - 2;
    done.ledgers.push(ledger);
    if code != Some(0) {
        tally.faults.push(format!("the server ended with {code:?}"));
    }
    if took < STILL_SLOW {
        tally.faults.push("the server did not wait".to_owned());
    }
    server.start().await?;
    done.judge(server, AWAY, &mut tally).await?;
    if tally.whole > 0 {
        tally.faults.push(format!("{} changes were made and not answered", tally.whole));
    }
    tally.faults.extend(checks::all(server).await?);
    Ok(Row {
        scenario: "SIGTERM under load".to_owned(),
        done: format!(
            "{half_sent} submissions half sent, {half_read} document of {} MiB half read, {clients} clients at work",
            LARGE >> 20
        ),
        result: format!(
            "{finished} of {UNDER_WAY} submissions acknowledged, the document read to its end; ended after {:.1} s; \
             {silent} requests came when their connection was being closed; {}",
            took.as_secs_f64(),
            tally.sentence()
        ),
        numbers: json!({
            "half_sent": half_sent,
            "half_read": half_read,
            "finished": finished,
            "silent": silent,
            "ended_after_s": took.as_secs_f64(),
        }),
        faults: tally.faults,
    })
}

/// How many acts had no answer; each must have met the end of its connection.
fn silence<'a>(entries: impl Iterator<Item = &'a Entry>, faults: &mut Vec<String>) -> usize {
    let silent: Vec<&Entry> = entries.filter(|entry| entry.answer.is_open()).collect();
    for entry in &silent {
        if entry.answer != Answer::Open || entry.took().is_none_or(|took| took > AT_ONCE) {
            faults.push(format!(
                "begun and not answered, {:?} after {:?}: {:?}",
                entry.answer,
                entry.took(),
                entry.act
            ));
        }
    }
    silent.len()
}

/// A slow one.
struct Wire {
    relay: Relay,
    delays: Delays,
}

impl Wire {
    /// Slow in one direction.
    async fn to(server: &Server, slow: fn(&Delays) -> &std::cell::Cell<Duration>) -> anyhow::Result<Wire> {
        let delays = Delays::default();
        slow(&delays).set(SLOW);
        let relay = Relay::start(Target::Tcp(server.host().to_owned()), delays.clone()).await?;
        Ok(Wire { relay, delays })
    }

    fn client(&self) -> Client {
        let url = format!("http://{}", self.relay.address);
        Client::with_timeouts(Endpoints::of_server(&url), TIMEOUTS)
    }

    /// Of how many connections this is true, by the octets that went there and came back.
    fn count(&self, is: impl Fn(usize, usize) -> bool) -> usize {
        let passed = self.relay.passed.borrow();
        passed.iter().filter(|passed| is(passed.there.get(), passed.back.get())).count()
    }
}

/// Reads the document of a submission over that wire.
fn read(server: &Server, wire: &Wire, filed: &Entry) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let Act::Submit { documents, .. } = &filed.act else { anyhow::bail!("no submission") };
    let document = documents.first().context("the large document was not sent")?;
    let (unique_id, digest): (String, Digest) = (document.unique_id.clone(), document.digest);
    let (client, scratch) = (wire.client(), server.scratch()?);
    Ok(spawn_local(async move {
        let answer = client.retrieve(&[message::retrieval(&unique_id)], Encoding::Mtom, &scratch).await?;
        let document = answer.documents.first().with_context(|| format!("{:?}", answer.response))?;
        let octets = tokio::fs::read(&document.path).await?;
        tokio::fs::remove_file(&document.path).await?;
        anyhow::ensure!(sha256(&octets) == digest, "it has other octets");
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_was_begun_and_forgotten_is_noticed() {
        let after = |answer, took| {
            let mut entry = Entry::new(Act::Find { patient: "p".to_owned() });
            entry.answered(answer);
            entry.ended = Some(entry.began + took);
            let mut faults = Vec::new();
            (silence([&entry].into_iter(), &mut faults), faults.len())
        };
        assert_eq!(after(Answer::Acknowledged, AT_ONCE * 2), (0, 0));
        assert_eq!(after(Answer::Open, AT_ONCE / 2), (1, 0));
        assert_eq!(after(Answer::Open, AT_ONCE * 2), (1, 1));
        assert_eq!(after(Answer::NotKnown, AT_ONCE / 2), (1, 1));
    }
}
