//! How one exchange goes on: when octets last moved, and how many of documents have.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::Progress;

pub(crate) struct Meter {
    moved: Cell<Instant>,
    documents: Cell<u64>,
    progress: Option<Progress>,
}

impl Meter {
    pub fn new(progress: Option<Progress>) -> Self {
        Meter { moved: Cell::new(Instant::now()), documents: Cell::new(0), progress }
    }

    /// Octets have gone or come.
    pub fn beat(&self) {
        self.moved.set(Instant::now());
    }

    /// So many octets of a document have gone or come.
    pub fn document(&self, octets: usize) {
        self.documents.set(self.documents.get() + octets as u64);
        if let Some(progress) = &self.progress {
            progress(self.documents.get());
        }
    }

    /// Does `work`; `None` when no octet has moved for `limit`. A transfer may last as long as it moves.
    pub async fn watch<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        self.beat();
        loop {
            let deadline = self.moved.get() + limit;
            match timeout_at(deadline, work.as_mut()).await {
                Ok(done) => return Some(done),
                Err(_) if self.moved.get() + limit > deadline => {}
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn work_that_moves_octets_may_last_longer_than_the_limit() {
        let meter = Meter::new(None);
        let work = async {
            for _ in 0..100 {
                sleep(LIMIT / 2).await;
                meter.beat();
            }
            "done"
        };
        assert_eq!(meter.watch(LIMIT, work).await, Some("done"));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_falls_silent_is_ended_when_the_limit_has_passed_since() {
        let meter = Meter::new(None);
        let began = Instant::now();
        let work = async {
            sleep(LIMIT / 2).await;
            meter.beat();
            std::future::pending::<()>().await;
        };
        assert_eq!(meter.watch(LIMIT, work).await, None);
        assert_eq!(began.elapsed().as_secs(), (LIMIT * 3 / 2).as_secs());
    }

    #[test]
    fn progress_counts_all_documents_together() {
        let told = Rc::new(Cell::new(0));
        let meter = Meter::new(Some(Rc::new({
            let told = told.clone();
            move |octets| told.set(octets)
        })));
        meter.document(3);
        meter.document(4);
        assert_eq!(told.get(), 7);
    }
}
