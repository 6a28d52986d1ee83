//! Carnet as the Audit Record Repository of other nodes (ITI-20): syslog over TLS and over UDP.
//!
//! Every message becomes an entry of the same log as this node's own events. Syslog has no answers: what is not an audit
//! message is kept apart with the reason, and a connection whose frames cannot be understood is closed. All of it runs on a
//! thread of its own. Between the sockets and the database is room for a number of octets: when it is full, connections
//! are not read from, and datagrams are dropped and counted.

mod datagram;
mod read;
mod store;
mod stream;

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::LocalSet;

use crate::config::{self, Transport};
use crate::metrics::{self, Metrics};
use crate::tls::Tls;
pub use store::{Log, Store};

/// Octets that may wait for the database, beside one message of the largest size.
const ROOM: usize = 16 << 20;
/// Messages that may wait for the database.
const QUEUE: usize = 4096;
/// How long connections may take to end when the server stops, and the database to take what has come.
const FAREWELL: Duration = Duration::from_secs(5);

/// Addresses that are listened on, bound before anything else is started.
pub struct Sockets {
    tls: Option<TcpListener>,
    udp: Option<UdpSocket>,
}

impl Sockets {
    pub fn bind(settings: &config::Receive) -> anyhow::Result<Sockets> {
        let tls = settings.tls.map(|address| {
            TcpListener::bind(address)
                .with_context(|| format!("audit.receive_tls = {address} cannot be listened on"))
        });
        let udp = settings.udp.map(|address| {
            UdpSocket::bind(address)
                .with_context(|| format!("audit.receive_udp = {address} cannot be listened on"))
        });
        Ok(Sockets { tls: tls.transpose()?, udp: udp.transpose()? })
    }
}

/// The thread that receives.
pub struct Receivers {
    pub tls: Option<SocketAddr>,
    pub udp: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Receivers {
    /// `None` when nothing is listened on.
    pub fn start(
        sockets: Sockets,
        settings: &config::Receive,
        tls: Option<Arc<Tls>>,
        store: impl Store + Send + 'static,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Option<Receivers>> {
        let addresses = (
            sockets.tls.as_ref().map(TcpListener::local_addr).transpose()?,
            sockets.udp.as_ref().map(UdpSocket::local_addr).transpose()?,
        );
        if let (None, None) = addresses {
            return Ok(None);
        }
        metrics.set(&metrics::RECEIVE_CONNECTIONS, "", 0);
        let (stop, stopped) = watch::channel(false);
        let settings = settings.clone();
        let thread = std::thread::Builder::new()
            .name("audit-receive".to_owned())
            .spawn(move || run(sockets, settings, tls, store, metrics, stopped))?;
        Ok(Some(Receivers { tls: addresses.0, udp: addresses.1, stop, thread }))
    }

    /// Takes no more messages; those that have come are stored.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

fn run(
    sockets: Sockets,
    settings: config::Receive,
    tls: Option<Arc<Tls>>,
    store: impl Store + 'static,
    metrics: Arc<Metrics>,
    mut stopped: watch::Receiver<bool>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!("audit messages of other nodes cannot be received: {error}"),
    };
    let message = usize::try_from(settings.message).unwrap_or(usize::MAX);
    let room = ROOM.saturating_add(message).min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
    let (queue, arrivals) = mpsc::channel(QUEUE);
    let inbox = Inbox { queue, room: Arc::new(Semaphore::new(room)), metrics };
    let local = LocalSet::new();
    let storing = local.spawn_local(store::run(store, message, arrivals, inbox.metrics.clone()));
    local.block_on(&runtime, async move {
        if let (Some(listener), Some(tls)) = (sockets.tls, tls) {
            let settings = stream::Listener { settings, tls, inbox: inbox.clone(), stopped: stopped.clone() };
            tokio::task::spawn_local(stream::run(listener, settings));
        }
        if let Some(socket) = sockets.udp {
            tokio::task::spawn_local(datagram::run(socket, inbox.clone(), stopped.clone()));
        }
        drop(inbox);
        let _ = stopped.changed().await;
        // It ends when the last connection has handed over what it had.
        if tokio::time::timeout(FAREWELL, storing).await.is_err() {
            tracing::error!("audit messages of other nodes that had come could not be stored before the end");
        }
    });
}

/// The way to the database.
#[derive(Clone)]
struct Inbox {
    queue: mpsc::Sender<Arrival>,
    /// A permit for each octet.
    room: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// Something that came.
struct Arrival {
    at: DateTime<Utc>,
    /// Its address and, when it showed one, the subject of its certificate.
    peer: String,
    transport: Transport,
    /// The octets of a message, or why there is none.
    message: Result<Vec<u8>, String>,
    _room: OwnedSemaphorePermit,
}

impl Arrival {
    fn new(
        peer: &str,
        transport: Transport,
        message: Result<Vec<u8>, String>,
        room: OwnedSemaphorePermit,
    ) -> Arrival {
        Arrival { at: Utc::now(), peer: peer.to_owned(), transport, message, _room: room }
    }
}

impl Inbox {
    /// Of a stream: waits until there is room.
    async fn put(&self, peer: &str, message: Result<Vec<u8>, String>) {
        let length = message.as_ref().map_or(1, Vec::len);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let Ok(room) = self.room.clone().acquire_many_owned(length).await else { return };
        // The receiving end is there as long as this one.
        let _ = self.queue.send(Arrival::new(peer, Transport::Tls, message, room)).await;
    }

    /// Of a datagram, whose sender cannot be made to wait.
    fn put_or_drop(&self, peer: IpAddr, octets: &[u8]) {
        let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        let is_in = self.room.clone().try_acquire_many_owned(length).is_ok_and(|room| {
            let arrival = Arrival::new(&peer.to_string(), Transport::Udp, Ok(octets.to_vec()), room);
            self.queue.try_send(arrival).is_ok()
        });
        if !is_in {
            self.metrics.add(&metrics::RECEIVE_DROPPED, "", 1);
        }
    }
}

#[cfg(test)]
mod tests;
