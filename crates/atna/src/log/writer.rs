//! Traces that go with no effect in the database: of reads and of refusals. They share commits: while one group is made
//! durable, the events that arrive meanwhile wait and become the next.

use std::sync::{Arc, Mutex, PoisonError};

use database::Database;
use thread_local::ThreadLocal;
use tokio::sync::{mpsc, oneshot};

use super::record::{incoming, own};
use super::sql::{self, Incoming};
use crate::{Entry, Error, Event};

/// Events of one commit at most, so that no access waits for a large one.
const GROUP: usize = 512;
/// Accesses that may wait; more wait for a place.
const QUEUE: usize = 1024;

/// Writes events durably. Each thread has a queue, and a connection that requests do not take. Cheap to clone; the writing
/// ends when the last clone is gone.
#[derive(Clone)]
pub struct TraceWriter {
    database: Database,
    queues: Arc<ThreadLocal<Mutex<mpsc::Sender<Job>>>>,
}

/// The events of one access.
struct Job {
    events: Vec<Incoming>,
    done: oneshot::Sender<Result<(), Failed>>,
}

/// One failure for all of a group.
#[derive(Debug, Clone)]
struct Failed {
    reason: String,
    unavailable: bool,
}

impl TraceWriter {
    pub fn new(database: &Database) -> TraceWriter {
        TraceWriter { database: database.apart(1), queues: Arc::default() }
    }

    /// The queue of this thread. What writes from it runs on the runtime that asks first; if that has ended, on this one.
    fn queue(&self) -> mpsc::Sender<Job> {
        let queue = self.queues.get_or(|| Mutex::new(self.start()));
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.is_closed() {
            *queue = self.start();
        }
        queue.clone()
    }

    fn start(&self) -> mpsc::Sender<Job> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(write(self.database.clone(), jobs));
        queue
    }

    /// How many accesses wait for the next commit.
    pub fn waiting(&self) -> usize {
        let waiting = |queue: &Mutex<mpsc::Sender<Job>>| {
            let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.max_capacity() - queue.capacity()
        };
        self.queues.iter().map(waiting).sum()
    }

    /// Returns when the events are durable. On an error none of them is in the log, unless the connection broke during the
    /// commit.
    pub async fn record(&self, events: &[Event]) -> Result<(), Error> {
        if crate::WITHOUT_TRACES {
            return Ok(());
        }
        self.hand_over(own(events)?).await
    }

    /// The same for entries of any origin.
    pub async fn record_entries(&self, entries: &[Entry]) -> Result<(), Error> {
        let events = entries.iter().map(incoming).collect::<Result<Vec<_>, _>>()?;
        self.hand_over(events).await
    }

    async fn hand_over(&self, events: Vec<Incoming>) -> Result<(), Error> {
        let stopped =
            || Error::NotWritten { reason: "the writing of traces has ended".to_owned(), unavailable: true };
        let (done, outcome) = oneshot::channel();
        self.queue().send(Job { events, done }).await.map_err(|_| stopped())?;
        let outcome = outcome.await.map_err(|_| stopped())?;
        outcome.map_err(|Failed { reason, unavailable }| Error::NotWritten { reason, unavailable })
    }
}

async fn write(database: Database, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::new();
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        let outcome = together(&database, &group).await;
        match outcome {
            // One event that cannot be written must not take the others with it.
            Err(failed) if group.len() > 1 && !failed.unavailable => {
                for job in group.drain(..) {
                    let alone = [job];
                    let outcome = together(&database, &alone).await;
                    let [job] = alone;
                    let _ = job.done.send(outcome);
                }
            }
            outcome => group.drain(..).for_each(|job| {
                // Whoever asked may have gone away without an answer; the event stays.
                let _ = job.done.send(outcome.clone());
            }),
        }
    }
}

/// All events of the group in one statement, which is one commit.
async fn together(database: &Database, group: &[Job]) -> Result<(), Failed> {
    let written = async {
        let client = database.get().await?;
        let events: Vec<&Incoming> = group.iter().flat_map(|job| &job.events).collect();
        sql::record(&client, &events).await?;
        Ok::<_, Error>(())
    };
    written.await.map_err(|error| Failed { reason: error.to_string(), unavailable: error.is_unavailable() })
}
