//! Syslog over UDP (RFC 5426): a message in each datagram.

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::Inbox;

/// The longest datagram there is.
const LONGEST: usize = 65_535;

/// Receives until it is stopped.
pub async fn run(socket: std::net::UdpSocket, inbox: Inbox, mut stopped: watch::Receiver<bool>) {
    let socket = match socket.set_nonblocking(true).and_then(|()| UdpSocket::from_std(socket)) {
        Ok(socket) => socket,
        Err(error) => return tracing::error!("audit messages cannot be received over UDP: {error}"),
    };
    let mut octets = vec![0; LONGEST];
    loop {
        let received = tokio::select! {
            biased;
            _ = stopped.changed() => return,
            received = socket.recv_from(&mut octets) => received,
        };
        match received {
            Ok((length, peer)) => {
                inbox.put_or_drop(peer.ip(), octets.get(..length).unwrap_or_default());
            }
            Err(error) => tracing::warn!("a datagram could not be received: {error}"),
        }
    }
}
