//! From a queue of events to one repository, over one connection after the other.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atna::Entry;
use client::Identity;
use tokio::sync::watch;
use uuid::Uuid;

use super::link::Link;
use super::message::message;
use super::replay::Replay;
use crate::config::{Forward, Target};
use crate::metrics::{self, Metrics};

/// How often a queue that was empty is looked at.
const POLL: Duration = Duration::from_secs(1);
/// The wait after the first failure; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// A connection that held for so long was a good one.
const LASTING: Duration = Duration::from_secs(10);

/// Events in their order, each at its position.
pub trait Queue {
    type Error: std::fmt::Display;
    /// The position behind the last event.
    async fn size(&mut self) -> Result<u64, Self::Error>;
    /// Some of the events from a position on; none only when there are none any more up to [`Queue::size`].
    async fn read(&mut self, from: u64) -> Result<Vec<(u64, Entry)>, Self::Error>;
    /// Where to go on after a break, or in another process.
    async fn position(&mut self) -> Result<u64, Self::Error>;
    async fn advance(&mut self, position: u64) -> Result<(), Self::Error>;
}

/// How to reach one repository.
pub struct Pump {
    pub target: Target,
    pub name: String,
    pub settings: Forward,
    pub identity: Identity,
    pub hostname: String,
    pub metrics: Arc<Metrics>,
    pub stopped: watch::Receiver<bool>,
}

enum Broken<E> {
    Stopped,
    Link(io::Error),
    Queue(E),
}

impl<E> From<io::Error> for Broken<E> {
    fn from(error: io::Error) -> Self {
        Broken::Link(error)
    }
}

impl Pump {
    /// Sends what there is and what comes, as often as it takes, until it is stopped. The error is that of the queue.
    pub async fn run<Q: Queue>(&self, queue: &mut Q) -> Result<(), Q::Error> {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let error = match self.connection(queue).await {
                Broken::Stopped => return Ok(()),
                Broken::Queue(error) => return Err(error),
                Broken::Link(error) => error,
            };
            failures = if began.elapsed() < LASTING { failures + 1 } else { 1 };
            self.metrics.add(&metrics::FORWARD_RECONNECTS, &self.name, 1);
            let wait = wait(failures, self.settings.retry);
            let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(target = self.name, ms, "no audit record repository for the moment: {error}");
            tokio::select! {
                () = self.stopped() => return Ok(()),
                passed = self.pass(queue, wait) => passed?,
            }
        }
    }

    pub async fn stopped(&self) {
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    /// One connection, until it breaks.
    async fn connection<Q: Queue>(&self, queue: &mut Q) -> Broken<Q::Error> {
        let mut link = match Link::open(&self.target, &self.identity, self.settings.timeout).await {
            Ok(link) => link,
            Err(error) => return error.into(),
        };
        tracing::info!(target = self.name, "connected to an audit record repository");
        let Err(broken) = self.send(queue, &mut link).await;
        link.close().await;
        broken
    }

    async fn send<Q: Queue>(
        &self,
        queue: &mut Q,
        link: &mut Link,
    ) -> Result<std::convert::Infallible, Broken<Q::Error>> {
        let mut replay = match link {
            Link::Tls { .. } => Some(Replay::new(self.settings.replay)),
            Link::Udp(_) => None,
        };
        let mut next = queue.position().await.map_err(Broken::Queue)?;
        while !*self.stopped.borrow() {
            if let Some(settled) = replay.as_mut().and_then(|replay| replay.settled(Instant::now())) {
                queue.advance(settled).await.map_err(Broken::Queue)?;
            }
            let size = queue.size().await.map_err(Broken::Queue)?;
            self.tell_backlog(size, next);
            if next >= size {
                tokio::select! {
                    error = link.ended() => return Err(error.into()),
                    () = self.stopped() => return Err(Broken::Stopped),
                    () = tokio::time::sleep(POLL) => continue,
                }
            }
            let entries = queue.read(next).await.map_err(Broken::Queue)?;
            let after = entries.last().map_or(size, |(position, _)| position + 1);
            let gone = after.saturating_sub(next).saturating_sub(entries.len() as u64);
            self.metrics.add(
                &metrics::FORWARD_SKIPPED,
                &self.name,
                usize::try_from(gone).unwrap_or(usize::MAX),
            );
            let (unsent, outcome) = self.batch(link, &entries).await;
            next = unsent.unwrap_or(after);
            match &mut replay {
                Some(replay) => replay.sent(next, Instant::now()),
                None => queue.advance(next).await.map_err(Broken::Queue)?,
            }
            outcome?;
        }
        Err(Broken::Stopped)
    }

    /// Sends these; the position of the first that was not sent, if one was not.
    async fn batch(&self, link: &mut Link, entries: &[(u64, Entry)]) -> (Option<u64>, io::Result<()>) {
        let of_entry = |(position, entry): &(u64, Entry)| {
            let text = message(entry, &self.hostname, self.settings.received)?;
            Some((*position, entry.id(), text))
        };
        let mut places: Vec<(u64, Uuid)> = Vec::with_capacity(entries.len());
        let mut texts: Vec<String> = Vec::with_capacity(entries.len());
        for (position, id, text) in entries.iter().filter_map(of_entry) {
            places.push((position, id));
            texts.push(text);
        }
        let (written, outcome) = link.write(&texts).await;
        self.metrics.add(&metrics::FORWARDED, &self.name, written.done - written.oversize.len());
        for number in written.oversize {
            self.metrics.add(&metrics::FORWARD_OVERSIZE, &self.name, 1);
            if let Some((_, id)) = places.get(number) {
                tracing::error!(target = self.name, %id, "an event is too long for a datagram and was not sent");
            }
        }
        (places.get(written.done).map(|(position, _)| *position), outcome)
    }

    fn tell_backlog(&self, size: u64, next: u64) {
        self.metrics.set(&metrics::FORWARD_BACKLOG, &self.name, size.saturating_sub(next));
    }

    /// Lets time go by, in which the backlog is told.
    async fn pass<Q: Queue>(&self, queue: &mut Q, wait: Duration) -> Result<(), Q::Error> {
        let until = tokio::time::Instant::now() + wait;
        loop {
            let (size, next) = (queue.size().await?, queue.position().await?);
            self.tell_backlog(size, next);
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(POLL)).await;
        }
    }
}

/// Doubles with each failure up to the longest wait; half of it is chance, so that servers do not come back together.
fn wait(failures: u32, longest: Duration) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << (failures - 1).min(20)).min(longest);
    let [chance, ..] = Uuid::new_v4().into_bytes();
    full / 2 + full.mul_f64(f64::from(chance) / 512.0)
}

#[cfg(test)]
mod tests;
