//! The thread that owns the server: starts it, starts it again if it ends by itself, stops it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::account::Account;
use crate::folder::Folders;
use crate::server::PAUSE;
use crate::{Error, Options, predecessor, program};

/// Between a server that ended by itself and the next attempt; doubled each time, up to the longest.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(2);
/// How often the length of the log is looked at.
const LOG_CHECK: Duration = Duration::from_secs(60);
/// What the server says, in the language it is started in, while sessions of a killed one still hold its memory.
const MEMORY_IN_USE: &str = "pre-existing shared memory block";

pub(crate) type Ready = oneshot::Sender<Result<(), Error>>;
pub(crate) type Orders = mpsc::Receiver<oneshot::Sender<bool>>;

pub(crate) struct Keeper {
    pub account: Account,
    pub binaries: PathBuf,
    pub folders: Folders,
    pub options: Options,
    /// Held as long as the server runs.
    pub _lock: File,
}

impl Keeper {
    /// `ready` is told once, when the server takes connections for the first time or cannot be started. An order is to
    /// stop, and so is the end of orders.
    pub fn run(self, ready: Ready, orders: Orders) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.keep(ready, orders)),
            Err(error) => {
                let _ = ready.send(Err(Error::io("tokio")(error)));
            }
        }
    }

    async fn keep(self, ready: Ready, mut orders: Orders) {
        let mut ready = Some(ready);
        let mut rest = FIRST_REST;
        loop {
            let started = Instant::now();
            let mut child = None;
            let error = tokio::select! {
                order = orders.recv() => return self.obey(order, &mut child).await,
                error = self.until_it_ends(&mut child, &mut ready) => error,
            };
            // One that is not ready in time must make room for the next.
            self.end(&mut child).await;
            if let Some(ready) = ready.take() {
                let _ = ready.send(Err(error));
                return;
            }
            if started.elapsed() > LONGEST_REST {
                rest = FIRST_REST;
            }
            tracing::error!("PostgreSQL is started again in {} ms: {error}", rest.as_millis());
            tokio::select! {
                order = orders.recv() => return self.obey(order, &mut None).await,
                () = sleep(rest) => {}
            }
            rest = (rest * 2).min(LONGEST_REST);
        }
    }

    async fn obey(&self, order: Option<oneshot::Sender<bool>>, child: &mut Option<Child>) {
        let ended = self.end(child).await;
        if let Some(done) = order {
            let _ = done.send(ended);
        }
    }

    /// One life of the server, and why it is over. `child` is there as soon as there is a process to stop.
    async fn until_it_ends(&self, child: &mut Option<Child>, ready: &mut Option<Ready>) -> Error {
        match self.live(child, ready).await {
            Ok(()) => Error::Ended { log: self.folders.log_tail() },
            Err(error) => error,
        }
    }

    async fn live(&self, child: &mut Option<Child>, ready: &mut Option<Ready>) -> Result<(), Error> {
        predecessor::make_way(&self.folders, self.options.stop_timeout).await?;
        if !self.folders.is_initialised() {
            program::initialise(&self.binaries, &self.folders, &self.account).await?;
        }
        let child = self.launch(child).await?;
        if let Some(ready) = ready.take() {
            let _ = ready.send(Ok(()));
        }
        let mut log_check = interval(LOG_CHECK);
        log_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                status = child.wait() => return status.map(drop).map_err(Error::io("postgres")),
                _ = log_check.tick() => {
                    if let Err(error) = self.folders.bound_log() {
                        tracing::warn!("the log of PostgreSQL cannot be bounded: {error}");
                    }
                }
            }
        }
    }

    /// Starts the server and waits until it takes connections. Sessions of a server that was killed may hold its
    /// memory for a while, and nothing can be started meanwhile.
    async fn launch<'a>(&self, child: &'a mut Option<Child>) -> Result<&'a mut Child, Error> {
        let started = Instant::now();
        loop {
            let server = program::server(&self.binaries, &self.folders, &self.account, &self.options)?;
            match self.wait_until_ready(child.insert(server)).await {
                Err(Error::Ended { log })
                    if log.contains(MEMORY_IN_USE) && started.elapsed() < self.options.stop_timeout => {}
                other => {
                    other?;
                    return child.as_mut().ok_or(Error::Ended { log: String::new() });
                }
            }
            sleep(FIRST_REST).await;
        }
    }

    async fn wait_until_ready(&self, child: &mut Child) -> Result<(), Error> {
        let started = Instant::now();
        while !self.is_ready(child) {
            if child.try_wait().map_err(Error::io("postgres"))?.is_some() {
                return Err(Error::Ended { log: self.folders.log_tail() });
            }
            if started.elapsed() > self.options.start_timeout {
                let seconds = self.options.start_timeout.as_secs();
                return Err(Error::NotReady { seconds, log: self.folders.log_tail() });
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The server says in its pid file when it takes connections; a socket alone is there earlier.
    fn is_ready(&self, child: &Child) -> bool {
        let Ok(text) = fs::read_to_string(self.folders.data.join("postmaster.pid")) else { return false };
        let mut lines = text.lines().map(str::trim);
        let pid = lines.next().and_then(|pid| pid.parse().ok());
        pid.is_some() && pid == child.id() && lines.nth(6) == Some("ready")
    }

    /// Fast shutdown; false when the server does not end in time.
    async fn end(&self, child: &mut Option<Child>) -> bool {
        let Some(child) = child else { return true };
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
        timeout(self.options.stop_timeout, child.wait()).await.is_ok()
    }
}
