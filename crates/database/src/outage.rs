//! A database that is away is told once when it goes, once when it is back, and now and then in between: what asks for it
//! meanwhile need not say so each time.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines that say that it is away.
const REMINDER: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub struct Outage {
    away: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When it went, if it is away.
    since: Option<Instant>,
    /// When that was last told.
    told: Option<Instant>,
    /// What asked for it in vain since it was last told to be back.
    refused: u64,
}

impl Outage {
    pub fn is_on(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Somebody asked in vain.
    pub fn begun(&self, reason: &dyn Display) {
        self.away.store(true, Ordering::Relaxed);
        match self.state().refused_at(Instant::now()) {
            Some(1) => tracing::error!("the database is away, and what needs it is refused: {reason}"),
            Some(refused) => tracing::error!(refused, "the database is still away: {reason}"),
            None => {}
        }
    }

    /// Somebody was given a connection that works as far as is known.
    pub fn over(&self) {
        if !self.is_on() {
            return;
        }
        self.away.store(false, Ordering::Relaxed);
        if let Some((refused, away)) = self.state().back_at(Instant::now()) {
            let ms = u64::try_from(away.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(refused, ms, "the database is back");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many were refused until now, if that is to be told.
    fn refused_at(&mut self, now: Instant) -> Option<u64> {
        self.refused += 1;
        self.since.get_or_insert(now);
        let is_due = self.told.is_none_or(|told| now.duration_since(told) >= REMINDER);
        is_due.then(|| {
            self.told = Some(now);
            self.refused
        })
    }

    /// How many were refused, and for how long, if it was told that it went. A database that comes and goes is not told each
    /// time; what it refused is counted in the next line.
    fn back_at(&mut self, now: Instant) -> Option<(u64, Duration)> {
        let since = self.since.take()?;
        self.told.filter(|told| *told >= since)?;
        Some((std::mem::take(&mut self.refused), now.duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_now_and_then_and_when_it_ends() {
        let mut state = State::default();
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        assert_eq!(state.back_at(at(0)), None);
        let told: Vec<(u64, u64)> =
            (0..1000).filter_map(|n| Some((n, state.refused_at(at(n * 70))?))).collect();
        assert_eq!(told, [(0, 1), (429, 430), (858, 859)], "each 30 seconds");
        assert_eq!(state.back_at(at(70_000)), Some((1000, Duration::from_millis(70_000))));
        assert_eq!(state.back_at(at(70_001)), None);
        assert_eq!(state.refused_at(at(200_000)), Some(1), "the next one is told at once");
    }

    #[test]
    fn a_database_that_comes_and_goes_is_told_of_twice_in_half_a_minute_and_every_refusal_counts() {
        let mut state = State::default();
        let began = Instant::now();
        let (mut lines, mut counted) = (0, 0);
        for second in 0..300 {
            let now = began + Duration::from_secs(second);
            lines += usize::from(state.refused_at(now).is_some());
            if let Some((refused, _)) = state.back_at(now + Duration::from_millis(500)) {
                lines += 1;
                counted += refused;
            }
        }
        assert_eq!(lines, 20);
        assert_eq!(counted + state.refused, 300);
    }
}
