//! A Patient Identity Source: HL7 v2 messages over MLLP (ITI-8), one answer for each.

use std::collections::VecDeque;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use hl7v2::{Frame, Framer};
use openssl::ssl::SslConnector;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use crate::{Error, Timeouts};

/// Octets of one answer.
const ANSWER_LIMIT: usize = 1 << 20;

/// A connection that stays open for many messages.
pub struct Connection<S = TcpStream> {
    stream: S,
    framer: Framer,
    frames: VecDeque<Frame>,
    address: String,
    timeout: Duration,
}

/// What an acknowledgement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// MSA-1: AA, AE or AR (CA, CE or CR in enhanced mode).
    pub code: String,
    /// MSA-2: MSH-10 of the message.
    pub control_id: String,
    /// ERR-3.1 of each ERR.
    pub errors: Vec<String>,
    /// ERR-8 of each ERR that has one.
    pub texts: Vec<String>,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub async fn open(address: &str, timeouts: &Timeouts) -> Result<Self, Error> {
        let connected = within(address, timeouts.connect, TcpStream::connect(address)).await?;
        let stream = connected
            .map_err(|error| Error::Connect { url: address.to_owned(), reason: error.to_string() })?;
        Ok(Connection::over(stream, address, timeouts))
    }

    /// Whether the other side has closed the connection, as one that stops does with those that are idle. A message that is
    /// sent on it would have no answer.
    pub fn is_closed(&self) -> bool {
        // Nobody waits for an answer: whatever is there to be read is the end, or makes no sense.
        !self.stream.try_read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

impl Connection<SslStream<TcpStream>> {
    /// Connects to `HOST:PORT` with TLS.
    pub async fn open_encrypted(
        address: &str,
        timeouts: &Timeouts,
        tls: &SslConnector,
    ) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Connect { url: address.to_owned(), reason };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let ssl = tls.configure().and_then(|tls| tls.into_ssl(host));
        let ssl = ssl.map_err(|error| unusable(error.to_string()))?;
        let connected = within(address, timeouts.connect, async {
            let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            let mut stream = SslStream::new(ssl, stream).map_err(|error| error.to_string())?;
            Pin::new(&mut stream).connect().await.map_err(|error| error.to_string())?;
            Ok(stream)
        });
        Ok(Connection::over(connected.await?.map_err(unusable)?, address, timeouts))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Over a stream that is connected already.
    pub fn over(stream: S, address: &str, timeouts: &Timeouts) -> Self {
        Connection {
            stream,
            framer: Framer::new(ANSWER_LIMIT),
            frames: VecDeque::new(),
            address: address.to_owned(),
            timeout: timeouts.answer,
        }
    }

    /// Sends a message and waits for its answer, which may be anything.
    pub async fn exchange(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.send(&hl7v2::wrap(message)).await?;
        self.receive().await
    }

    /// Sends a message and reads the acknowledgement.
    pub async fn acknowledged(&mut self, message: &[u8]) -> Result<Acknowledgement, Error> {
        Acknowledgement::read(&self.exchange(message).await?)
    }

    /// Sends octets as they are, frame or not.
    pub async fn send(&mut self, octets: &[u8]) -> Result<(), Error> {
        let sent = within(&self.address, self.timeout, async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        })
        .await?;
        sent.map_err(|error| self.interrupted(&error))
    }

    /// The next message from the other side.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        loop {
            match self.frames.pop_front() {
                Some(Frame::Message(message)) => return Ok(message),
                Some(Frame::TooLong(_)) => return Err(Error::answer("it is longer than a client takes")),
                Some(Frame::Unfinished) => return Err(Error::answer("it was not ended (MLLP)")),
                None => {}
            }
            let mut octets = [0; 4096];
            let read = within(&self.address, self.timeout, self.stream.read(&mut octets)).await?;
            match read.map_err(|error| self.interrupted(&error))? {
                0 => return Err(self.interrupted(&"closed")),
                length => self.frames.extend(self.framer.push(octets.get(..length).unwrap_or_default())),
            }
        }
    }

    fn interrupted(&self, reason: &impl ToString) -> Error {
        Error::Interrupted { url: self.address.clone(), reason: reason.to_string() }
    }
}

async fn within<T>(address: &str, after: Duration, work: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(after, work).await.map_err(|_| Error::Timeout { url: address.to_owned(), after })
}

impl Acknowledgement {
    pub fn read(octets: &[u8]) -> Result<Acknowledgement, Error> {
        let message = hl7v2::Message::parse(octets).map_err(Error::answer)?;
        let msa = message.segment("MSA").ok_or_else(|| Error::answer("it has no segment MSA"))?;
        let errors = || message.segments().filter(|segment| segment.name == "ERR");
        Ok(Acknowledgement {
            code: msa.field(1).get().into_owned(),
            control_id: msa.field(2).get().into_owned(),
            errors: errors().map(|err| err.field(3).component(1).get().into_owned()).collect(),
            texts: errors()
                .map(|err| err.field(8).get().into_owned())
                .filter(|text| !text.is_empty())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use hl7v2::adt::{self, Identifier};
    use hl7v2::{Ack, Problem, ProblemCode};

    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_whatever_the_portions_it_comes_in() {
        let (here, mut there) = tokio::io::duplex(64);
        let mut connection = Connection::over(here, "test", &Timeouts::default());
        let message = adt::add("A01", "42", &[Identifier::new("1", "1.2")]);
        let header = hl7v2::Message::parse(message.as_bytes()).unwrap().header();
        let problem = Problem::new("PID^1^3", ProblemCode::UnknownKey, "no such patient");
        let answer = hl7v2::wrap(&Ack::error(problem).write(&header, "20260102030405", "9"));
        let other_side = async move {
            let mut received = Vec::new();
            while !received.ends_with(b"\x1C\r") {
                there.read_buf(&mut received).await.unwrap();
            }
            for octet in answer {
                there.write_all(&[octet]).await.unwrap();
            }
        };
        let (answer, ()) = tokio::join!(connection.acknowledged(message.as_bytes()), other_side);
        let answer = answer.unwrap();
        assert_eq!((answer.code.as_str(), answer.control_id.as_str()), ("AE", "42"));
        assert_eq!(
            (answer.errors, answer.texts),
            (vec!["204".to_owned()], vec!["no such patient".to_owned()])
        );
        assert!(matches!(connection.receive().await, Err(Error::Interrupted { .. })));
    }

    #[tokio::test]
    async fn a_connection_that_the_other_side_has_closed_is_known_before_anything_is_sent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connection = Connection::open(&address, &Timeouts::default()).await.unwrap();
        let (there, _) = listener.accept().await.unwrap();
        assert!(!connection.is_closed());
        drop(there);
        connection.stream.readable().await.unwrap();
        assert!(connection.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_not_waited_for_without_end() {
        let (here, _there) = tokio::io::duplex(64);
        let mut connection = Connection::over(here, "test", &Timeouts::default());
        assert!(matches!(connection.receive().await, Err(Error::Timeout { .. })));
    }
}
