//! SIGTERM under load: what is under way is finished.

use std::time::{Duration, Instant};

use client::{Client, Encoding, Endpoints};
use fastrand::Rng;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::answer::of_response;
use crate::ledger::Answer;
use crate::load::{Load, Tally};
use crate::relay::{Delays, Relay, Target};
use crate::report::Row;
use crate::server::{Addresses, Server};
use crate::source::{Source, TIMEOUTS};
use crate::{checks, message};

/// Submissions that are in the middle of their way at the signal.
const UNDER_WAY: usize = 4;
/// They need about two seconds for their documents, at 16 KiB in each of these.
const SLOW: Duration = Duration::from_millis(400);
const BEFORE: Duration = Duration::from_secs(1);

pub async fn hold(server: &mut Server, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut tally = Tally::default();
    let delays = Delays::default();
    delays.there.set(SLOW);
    delays.back.set(SLOW);
    let relay = Relay::start(Target::Tcp(server.host().to_owned()), delays).await?;
    let load = Load::start(server, clients, rng)?;
    // Their patient is opened over a fast wire.
    let patient = message::patient(rng);
    Source::open_record(&server.addresses, rng, &patient).await?;
    let slow = Addresses { url: format!("http://{}", relay.address), feed: server.addresses.feed.clone() };
    let mut under_way = Vec::new();
    for _ in 0..UNDER_WAY {
        let (_, objects, documents) = message::submission(rng, &patient, 4, None);
        let client = Client::with_timeouts(Endpoints::of_server(&slow.url), TIMEOUTS);
        under_way.push(spawn_local(async move {
            let response = client.provide_and_register(objects, documents, Encoding::Mtom).await;
            of_response(response.as_ref())
        }));
    }
    sleep(BEFORE).await;
    let unfinished = under_way.iter().filter(|task| !task.is_finished()).count();
    let told = Instant::now();
    let code = server.end(Signal::SIGTERM).await?;
    let took = told.elapsed();
    let done = load.stop().await?;
    let mut finished = 0;
    for task in under_way {
        match task.await? {
            Answer::Acknowledged => finished += 1,
            other => tally.faults.push(format!("a submission under way ended with {other:?}")),
        }
    }
    if code != Some(0) {
        tally.faults.push(format!("the server ended with {code:?}"));
    }
    server.start().await?;
    done.judge(server, &mut tally).await?;
    tally.faults.extend(checks::all(server).await?);
    Ok(Row {
        scenario: "SIGTERM under load".to_owned(),
        done: format!("{unfinished} submissions half sent, {clients} clients at work"),
        result: format!(
            "{finished} of {UNDER_WAY} submissions acknowledged; ended after {:.1} s; {}",
            took.as_secs_f64(),
            tally.sentence()
        ),
        numbers: json!({ "under_way": unfinished, "finished": finished, "ended_after_s": took.as_secs_f64() }),
        faults: tally.faults,
    })
}
