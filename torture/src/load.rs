//! Several clients at work, from start to verdict.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use client::{Client, Endpoints};
use fastrand::Rng;
use tokio::task::{JoinHandle, spawn_local};

use crate::ledger::answers::{BUSY, Excuses, is_excused, refusals};
use crate::ledger::{Answer, Entry, Ledger, Record, Seen, judge};
use crate::readback;
use crate::server::Server;
use crate::source::{Source, TIMEOUTS};

/// Clients that run.
pub struct Load {
    since: DateTime<Utc>,
    stop: Rc<Cell<bool>>,
    clients: Vec<Running>,
}

struct Running {
    task: JoinHandle<()>,
    ledger: Rc<RefCell<Ledger>>,
    faults: Rc<RefCell<Vec<String>>>,
}

/// What they did.
#[derive(Clone)]
pub struct Done {
    pub since: DateTime<Utc>,
    pub ledgers: Vec<Ledger>,
    pub faults: Vec<String>,
}

/// What became of it: the faults, and how many acts ended how.
#[derive(Debug, Default)]
pub struct Tally {
    pub acknowledged: usize,
    pub refused: usize,
    /// Of those, because the database was away.
    pub busy: usize,
    /// Changes without an answer that took effect.
    pub whole: usize,
    /// And those that did not.
    pub absent: usize,
    /// Reads and events of other nodes without an answer.
    pub open_others: usize,
    pub faults: Vec<String>,
}

impl Load {
    pub fn start(server: &Server, clients: usize, rng: &mut Rng) -> anyhow::Result<Load> {
        let (since, stop, scratch) = (Utc::now(), Rc::new(Cell::new(false)), server.scratch()?);
        let clients = (0..clients).map(|_| {
            let ledger: Rc<RefCell<Ledger>> = Rc::default();
            let source = Source::new(rng.u64(..), &server.addresses, scratch.clone(), ledger.clone());
            let faults = source.faults.clone();
            Running { task: spawn_local(source.run(stop.clone())), ledger, faults }
        });
        Ok(Load { since, clients: clients.collect(), stop })
    }

    /// Acts that were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        let done = |answer: &Answer| *answer == Answer::Acknowledged;
        self.clients.iter().map(|client| client.ledger.borrow().count(done)).sum()
    }

    /// Lets every client finish what it is doing.
    pub async fn stop(self) -> anyhow::Result<Done> {
        self.stop.set(true);
        let mut done = Done { since: self.since, ledgers: vec![], faults: vec![] };
        for Running { task, ledger, faults } in self.clients {
            task.await?;
            done.ledgers.push(ledger.take());
            done.faults.append(&mut faults.borrow_mut());
        }
        Ok(done)
    }
}

impl Done {
    /// The lines of all ledgers.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.ledgers.iter().flat_map(|ledger| &ledger.0)
    }

    /// Reads everything back and compares; what was refused was due, or is excused. The ledgers that come back know what
    /// became of changes without an answer.
    pub async fn judge(
        self,
        server: &Server,
        excuses: Excuses,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<Ledger>> {
        tally.faults.extend(self.faults);
        tally.faults.extend(self.ledgers.iter().flat_map(|ledger| refusals(ledger, excuses)));
        // Before anything is read back, which leaves traces itself.
        let traces = readback::traces(&server.database().await?, self.since).await?;
        let mut settled = Vec::new();
        for mut ledger in self.ledgers {
            let seen = Seen { records: records(server, &ledger).await?, traces: traces.clone() };
            let verdict = judge(&ledger, &seen);
            tally.count(&ledger, verdict.took_effect);
            tally.faults.extend(verdict.faults);
            ledger.settle(verdict.took_effect);
            settled.push(ledger);
        }
        Ok(settled)
    }
}

/// The records of the patients of a ledger, through the endpoints.
pub async fn records(server: &Server, ledger: &Ledger) -> anyhow::Result<BTreeMap<String, Record>> {
    let client = Client::with_timeouts(Endpoints::of_server(&server.addresses.url), TIMEOUTS);
    readback::records(&client, ledger, &server.scratch()?).await
}

impl Tally {
    fn count(&mut self, ledger: &Ledger, took_effect: Option<bool>) {
        self.acknowledged += ledger.count(|answer| *answer == Answer::Acknowledged);
        self.refused += ledger.count(|answer| matches!(answer, Answer::Refused(_)));
        self.busy += ledger.count(|answer| is_excused(answer, BUSY));
        self.open_others += ledger.count(Answer::is_open) - usize::from(ledger.open_change().is_some());
        self.whole += usize::from(took_effect == Some(true));
        self.absent += usize::from(took_effect == Some(false));
    }

    pub fn sentence(&self) -> String {
        format!(
            "{} acts acknowledged, {} refused ({} as busy); outcome not known: {} changes whole, {} absent, {} other acts",
            self.acknowledged, self.refused, self.busy, self.whole, self.absent, self.open_others
        )
    }
}
