//! The MLLP listener: connections stay open for many messages, each answered before the next.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use access::Requester;
use actix_web::rt::task::JoinHandle;
use hl7v2::{Frame, Framer, wrap};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Feed;
use crate::tls::{PeerCertificate, Tls};

/// After an error of the system, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// A listener that answers until it is stopped.
pub struct Listener {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    connections: Arc<Semaphore>,
    permits: u32,
}

impl Listener {
    /// With `tls` every connection is encrypted.
    pub fn start(listener: TcpListener, feed: Arc<Feed>, tls: Option<Arc<Tls>>) -> io::Result<Listener> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let permits = u32::try_from(feed.settings.connections).unwrap_or(u32::MAX).min(1 << 20);
        let connections = Arc::new(Semaphore::new(permits as usize));
        let (stop, stopped) = watch::channel(false);
        let accepting = actix_web::rt::spawn(accept(listener, feed, tls, connections.clone(), stopped));
        Ok(Listener { address, stop, accepting, connections, permits })
    }

    /// Takes no more messages; those that have begun are finished, for `patience` at most.
    pub async fn stop(self, patience: Duration) {
        let _ = self.stop.send(true);
        let _ = self.accepting.await;
        if tokio::time::timeout(patience, self.connections.acquire_many(self.permits)).await.is_err() {
            tracing::warn!("MLLP connections did not end in time");
        }
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    feed: Arc<Feed>,
    tls: Option<Arc<Tls>>,
    connections: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match (accepted, connections.clone().try_acquire_owned()) {
            (Ok((stream, peer)), Ok(permit)) => {
                actix_web::rt::spawn(connection(
                    stream,
                    peer,
                    feed.clone(),
                    tls.clone(),
                    stopped.clone(),
                    permit,
                ));
            }
            (Ok(_), Err(_)) => {
                tracing::warn!("an MLLP connection was closed: feed.connections are open already");
            }
            (Err(error), _) => {
                tracing::warn!("an MLLP connection could not be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    feed: Arc<Feed>,
    tls: Option<Arc<Tls>>,
    stopped: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    if !feed.allows_address(Some(peer.ip())) {
        let requester = Requester::remote(Some(peer.ip()), "MLLP");
        let traced = feed.trace_stranger(&requester, "the address is not in feed.senders").await;
        if let Err(failure) = traced
            && !feed.database.is_away()
        {
            tracing::error!("the trace of a refused sender cannot be written: {failure}");
        }
        tracing::warn!(%peer, "an MLLP connection was closed: the address is not in feed.senders");
        return;
    }
    let _ = stream.set_nodelay(true);
    let address = peer.ip();
    let ended = match tls {
        None => converse(stream, Peer { address, certificate: None }, &feed, stopped).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => {
                let certificate = PeerCertificate::of(stream.ssl());
                converse(stream, Peer { address, certificate }, &feed, stopped).await
            }
            Err(error) => Err(error),
        },
    };
    if let Err(error) = ended {
        tracing::info!(%peer, "an MLLP connection ended: {error}");
    }
}

/// Who is at the other end of a connection.
pub struct Peer {
    pub address: IpAddr,
    pub certificate: Option<PeerCertificate>,
}

/// Over a plain stream or one that encrypts.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    feed: &Feed,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let idle = feed.settings.idle;
    let mut framer = Framer::new(usize::try_from(feed.settings.message).unwrap_or(usize::MAX));
    let mut octets = vec![0; 8192];
    loop {
        let length = tokio::select! {
            biased;
            _ = stopped.changed(), if framer.is_idle() => return Ok(()),
            read = within(idle, stream.read(&mut octets)) => read?,
        };
        if length == 0 {
            return Ok(());
        }
        for frame in framer.push(octets.get(..length).unwrap_or_default()) {
            match frame {
                Frame::Message(message) => {
                    let answer = feed.answer(&message, &peer).await;
                    within(idle, stream.write_all(&wrap(&answer))).await?;
                }
                Frame::TooLong(head) => {
                    tracing::info!(peer = %peer.address, "an MLLP message was longer than feed.message");
                    let answer = feed.too_long(&head, &peer).await;
                    within(idle, stream.write_all(&wrap(&answer))).await?;
                }
                Frame::Unfinished => {
                    tracing::info!(peer = %peer.address, "an MLLP message was not ended before the next one; it was dropped");
                }
            }
        }
        within(idle, stream.flush()).await?;
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
