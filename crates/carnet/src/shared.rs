//! What is found out once for all who ask in the same moment.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// An outcome that is kept for a moment. Who asks meanwhile gets it, and who asks while it is found out waits for it.
pub struct Shared<T> {
    keep: Duration,
    last: Mutex<Option<(Instant, T)>>,
}

impl<T: Clone> Shared<T> {
    pub fn new(keep: Duration) -> Shared<T> {
        Shared { keep, last: Mutex::new(None) }
    }

    pub async fn get(&self, find_out: impl Future<Output = T>) -> T {
        let mut last = self.last.lock().await;
        if let Some((at, outcome)) = &*last
            && at.elapsed() < self.keep
        {
            return outcome.clone();
        }
        let outcome = find_out.await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn callers_of_one_moment_share_an_outcome() {
        let asked = Cell::new(0);
        let find_out = async || {
            tokio::task::yield_now().await;
            asked.set(asked.get() + 1);
            asked.get()
        };
        let shared = Shared::new(Duration::from_secs(3600));
        let at_once = tokio::join!(shared.get(find_out()), shared.get(find_out()), shared.get(find_out()));
        assert_eq!(at_once, (1, 1, 1));
        assert_eq!(shared.get(find_out()).await, 1);
        let over_at_once = Shared::new(Duration::ZERO);
        assert_eq!((over_at_once.get(find_out()).await, over_at_once.get(find_out()).await), (2, 3));
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_keep_others_waiting() {
        let shared = Shared::new(Duration::from_secs(3600));
        assert_eq!(shared.get(std::future::pending()).now_or_never(), None);
        assert_eq!(shared.get(async { 7 }).await, 7);
    }
}
