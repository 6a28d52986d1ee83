//! The connection to one repository.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use client::Identity;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio_openssl::SslStream;

use crate::config::{Target, Transport};

/// Octets that are written before the clock begins anew.
const PORTION: usize = 64 << 10;
/// The longest datagram of UDP over IPv4.
const DATAGRAM: usize = 65_507;
/// So many datagrams, and then a pause: a receiver has nothing else that slows its sender down.
const SALVO: usize = 20;
const PAUSE: Duration = Duration::from_millis(2);
/// How long the other side may take to hear that this one ends.
const GOODBYE: Duration = Duration::from_secs(1);

pub enum Link {
    Tls {
        reader: ReadHalf<SslStream<TcpStream>>,
        writer: Box<WriteHalf<SslStream<TcpStream>>>,
        timeout: Duration,
    },
    Udp(UdpSocket),
}

/// What became of messages that were to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// From the first on.
    pub done: usize,
    /// Of these, the numbers of those that no datagram is large enough for.
    pub oversize: Vec<usize>,
}

impl Link {
    /// Connects. The files of `identity` are read each time, so that renewed ones are used.
    pub async fn open(target: &Target, identity: &Identity, timeout: Duration) -> io::Result<Link> {
        match target.transport {
            Transport::Tls => within(timeout, tls(target, identity, timeout)).await,
            Transport::Udp => within(timeout, udp(target)).await,
        }
    }

    /// Writes messages in their order; the error tells of the first that was not. Over TLS the other side may end the
    /// connection while this side writes.
    pub async fn write(&mut self, messages: &[String]) -> (Written, io::Result<()>) {
        match self {
            Link::Udp(socket) => datagrams(socket, messages).await,
            Link::Tls { reader, writer, timeout } => {
                let mut frames = Vec::with_capacity(messages.iter().map(|message| message.len() + 8).sum());
                messages.iter().for_each(|message| syslog::frame(message, &mut frames));
                let outcome = tokio::select! {
                    biased;
                    ended = end(reader) => Err(ended),
                    outcome = portions(writer, &frames, *timeout) => outcome,
                };
                let done = if outcome.is_ok() { messages.len() } else { 0 };
                (Written { done, oversize: Vec::new() }, outcome)
            }
        }
    }

    /// Waits for the other side to end the connection.
    pub async fn ended(&mut self) -> io::Error {
        match self {
            Link::Tls { reader, .. } => end(reader).await,
            Link::Udp(_) => std::future::pending().await,
        }
    }

    /// Ends the connection in peace.
    pub async fn close(self) {
        if let Link::Tls { mut writer, .. } = self {
            let _ = tokio::time::timeout(GOODBYE, writer.shutdown()).await;
        }
    }
}

/// A repository says nothing; what it says all the same is not listened to.
async fn end(reader: &mut ReadHalf<SslStream<TcpStream>>) -> io::Error {
    let mut octets = [0; 256];
    loop {
        match reader.read(&mut octets).await {
            Ok(0) => {
                return io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "the other side ended the connection",
                );
            }
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

async fn portions(
    writer: &mut WriteHalf<SslStream<TcpStream>>,
    octets: &[u8],
    timeout: Duration,
) -> io::Result<()> {
    for portion in octets.chunks(PORTION) {
        within(timeout, writer.write_all(portion)).await?;
    }
    within(timeout, writer.flush()).await
}

async fn tls(target: &Target, identity: &Identity, timeout: Duration) -> io::Result<Link> {
    let connector = identity.connector().map_err(io::Error::other)?;
    let ssl = connector.configure().and_then(|tls| tls.into_ssl(&target.host)).map_err(io::Error::other)?;
    let stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
    let _ = stream.set_nodelay(true);
    // What the other side's system does not confirm for so long counts as lost.
    let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    setsockopt(&stream, sockopt::TcpUserTimeout, &milliseconds)?;
    setsockopt(&stream, sockopt::KeepAlive, &true)?;
    setsockopt(&stream, sockopt::TcpKeepIdle, &u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX))?;
    let mut stream = SslStream::new(ssl, stream).map_err(io::Error::other)?;
    Pin::new(&mut stream).connect().await.map_err(io::Error::other)?;
    let (reader, writer) = tokio::io::split(stream);
    Ok(Link::Tls { reader, writer: Box::new(writer), timeout })
}

async fn udp(target: &Target) -> io::Result<Link> {
    let mut error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in lookup_host((target.host.as_str(), target.port)).await? {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        match socket.connect(address).await {
            Ok(()) => return Ok(Link::Udp(socket)),
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

async fn datagrams(socket: &UdpSocket, messages: &[String]) -> (Written, io::Result<()>) {
    let mut written = Written::default();
    for (number, message) in messages.iter().enumerate() {
        if message.len() > DATAGRAM {
            written.oversize.push(number);
        } else if let Err(error) = socket.send(message.as_bytes()).await {
            return (written, Err(error));
        }
        written.done += 1;
        if number % SALVO == SALVO - 1 {
            tokio::time::sleep(PAUSE).await;
        }
    }
    (written, Ok(()))
}

async fn within<T>(time: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
