//! Syslog over TLS (RFC 5425).

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::Inbox;
use crate::config;
use crate::metrics;
use crate::tls::{PeerCertificate, Tls};

/// After an error of the system, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

pub struct Listener {
    pub settings: config::Receive,
    pub tls: Arc<Tls>,
    pub inbox: Inbox,
    pub stopped: watch::Receiver<bool>,
}

/// Accepts until it is stopped.
pub async fn run(listener: std::net::TcpListener, this: Listener) {
    let listener = match listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("audit messages cannot be received over TLS: {error}"),
    };
    let permits = Arc::new(Semaphore::new(this.settings.connections));
    let this = Rc::new(this);
    let mut stopped = this.stopped.clone();
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match (accepted, permits.clone().try_acquire_owned()) {
            (Ok((stream, peer)), Ok(permit)) => {
                let this = this.clone();
                tokio::task::spawn_local(async move {
                    this.inbox.metrics.add(&metrics::RECEIVE_CONNECTIONS, "", 1);
                    if let Err(error) = this.connection(stream, peer).await {
                        tracing::info!(%peer, "a connection for audit messages ended: {error}");
                    }
                    this.inbox.metrics.subtract(&metrics::RECEIVE_CONNECTIONS, "", 1);
                    drop(permit);
                });
            }
            (Ok((_, peer)), Err(_)) => {
                tracing::warn!(%peer, "a connection was closed: audit.receive_connections are open already");
            }
            (Err(error), _) => {
                tracing::warn!("a connection for audit messages could not be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Listener {
    async fn connection(&self, stream: TcpStream, address: SocketAddr) -> io::Result<()> {
        let mut stream = self.tls.accept(stream).await?;
        let certificate = PeerCertificate::of(stream.ssl());
        let peer = match certificate.filter(|certificate| !certificate.subject.is_empty()) {
            Some(certificate) => format!("{} {}", address.ip(), certificate.subject),
            None => address.ip().to_string(),
        };
        let mut framer = syslog::Framer::new(usize::try_from(self.settings.message).unwrap_or(usize::MAX));
        let (mut octets, mut stopped) = (vec![0; 16 << 10], self.stopped.clone());
        loop {
            let read = tokio::time::timeout(self.settings.idle, stream.read(&mut octets));
            let length = tokio::select! {
                biased;
                _ = stopped.changed() => return Ok(()),
                read = read => read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?,
            };
            if length == 0 {
                if !framer.is_idle() {
                    let cut = "the connection ended in the middle of a message".to_owned();
                    self.inbox.put(&peer, Err(cut)).await;
                }
                return Ok(());
            }
            let mut portion = octets.get(..length).unwrap_or_default();
            loop {
                match framer.next(&mut portion) {
                    Ok(Some(message)) => self.inbox.put(&peer, Ok(message)).await,
                    Ok(None) => break,
                    Err(error) => {
                        self.inbox.put(&peer, Err(error.to_string())).await;
                        return Err(io::Error::other(error));
                    }
                }
            }
        }
    }
}
