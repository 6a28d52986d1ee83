//! The task that signs the log.

use std::time::Duration;

use actix_web::rt::spawn;
use actix_web::rt::task::JoinHandle;
use atna::log::Sequencer;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often: an event is covered by a checkpoint after a little more than this.
const INTERVAL: Duration = Duration::from_secs(2);
/// What is wrong and stays wrong is told again after this time.
const REMINDER: Duration = Duration::from_secs(600);

/// The log in the database beside the file of checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They were not compared yet.
    Unknown,
    /// The one goes on from the other.
    Agrees,
    /// The database was set back, or is another one. Until the server is started anew this stays so.
    Differs,
}

/// Signs until it is stopped.
pub struct Signing {
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
    standing: watch::Receiver<Standing>,
}

impl Signing {
    pub fn start(sequencer: Sequencer) -> Signing {
        let (stop, stopped) = oneshot::channel();
        let (tell, standing) = watch::channel(Standing::Unknown);
        Signing { stop, done: spawn(sign(sequencer, stopped, tell)), standing }
    }

    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Signs what there is and ends.
    pub async fn stop(self, patience: Duration) {
        let _ = self.stop.send(());
        let _ = timeout(patience, self.done).await;
    }
}

async fn sign(
    mut sequencer: Sequencer,
    mut stopped: oneshot::Receiver<()>,
    standing: watch::Sender<Standing>,
) {
    let mut timer = interval(INTERVAL);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<(String, Instant)> = None;
    loop {
        let last = tokio::select! {
            _ = timer.tick() => false,
            _ = &mut stopped => true,
        };
        let done = sequencer.round().await;
        let found = match &done {
            Err(error) if error.is_other_log() => Standing::Differs,
            Ok(_) if sequencer.agrees_with_file() => Standing::Agrees,
            _ => Standing::Unknown,
        };
        standing.send_if_modified(|before| {
            let is_news = *before != found && *before != Standing::Differs;
            if is_news {
                *before = found;
            }
            is_news
        });
        match done {
            Ok(_) if told.take().is_some() => tracing::info!("the audit log is signed again"),
            Ok(_) => {}
            Err(error) => {
                let text = error.to_string();
                if told.as_ref().is_none_or(|(before, at)| *before != text || at.elapsed() > REMINDER) {
                    tracing::error!("the audit log is not signed now; its events are kept: {text}");
                    told = Some((text, Instant::now()));
                }
            }
        }
        if last {
            return;
        }
    }
}
