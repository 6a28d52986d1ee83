//! TLS of the server: one certificate and one list of trust for every listener, read again when the files change.

mod files;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use access::Requester;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use atna::Outcome;
use client::SslConnector;
use openssl::hash::MessageDigest;
use openssl::ssl::{Ssl, SslAcceptorBuilder, SslContext, SslRef};
use openssl::x509::X509NameRef;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_openssl::SslStream;

use crate::config;
use crate::digest::hexadecimal;
use files::Stamps;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long a peer may take to show who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Reasons that wait for their trace; more in a burst are only counted by the log.
const PENDING: usize = 64;

/// The contexts of the moment.
pub struct Tls {
    settings: config::Tls,
    check_host: bool,
    server: ArcSwap<SslContext>,
    client: ArcSwap<SslConnector>,
    refused: mpsc::Sender<String>,
}

/// Why peers were refused, for their traces.
pub type Refused = mpsc::Receiver<String>;

impl Tls {
    /// Reads the files.
    pub fn load(settings: &config::Tls, check_host: bool) -> anyhow::Result<(Arc<Tls>, Refused)> {
        let (refused, reasons) = mpsc::channel(PENDING);
        let server = files::acceptor(settings, &refused)?.build().into_context();
        let client = settings.identity(check_host).connector()?;
        let tls = Tls {
            settings: settings.clone(),
            check_host,
            server: ArcSwap::from_pointee(server),
            client: ArcSwap::from_pointee(client),
            refused,
        };
        Ok((Arc::new(tls), reasons))
    }

    /// For a listener that asks anew at each connection.
    pub fn context(&self) -> Arc<SslContext> {
        self.server.load_full()
    }

    /// The server's side of a handshake, with the certificate of the moment.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
        let ssl = Ssl::new(&self.context()).map_err(io::Error::other)?;
        let mut stream = SslStream::new(ssl, stream).map_err(io::Error::other)?;
        match tokio::time::timeout(HANDSHAKE, Pin::new(&mut stream).accept()).await {
            Ok(Ok(())) => Ok(stream),
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// For connections of this server to others, as of now.
    pub fn connector(&self) -> Arc<SslConnector> {
        self.client.load_full()
    }

    /// For a listener that is given its settings once: each handshake goes on with the context of the moment. The callback
    /// is called whether the peer names a server or not.
    pub fn acceptor(self: &Arc<Self>) -> anyhow::Result<SslAcceptorBuilder> {
        let mut builder = files::acceptor(&self.settings, &self.refused)?;
        let tls = self.clone();
        builder.set_servername_callback(move |ssl, _| {
            ssl.set_ssl_context(&tls.context()).map_err(|_| openssl::ssl::SniError::ALERT_FATAL)
        });
        Ok(builder)
    }

    /// Looks at the files for ever, and reads them again when one has changed. What cannot be used changes nothing.
    /// `told` hears of each change, for its trace.
    pub async fn watch(self: Arc<Self>, mut told: impl AsyncFnMut(Outcome, &'static str)) {
        let mut seen = Stamps::of(&self.settings);
        let mut timer = tokio::time::interval(INTERVAL);
        loop {
            timer.tick().await;
            let now = Stamps::of(&self.settings);
            if now == seen {
                continue;
            }
            seen = now;
            match self.reload() {
                Ok(()) => {
                    tracing::info!("the TLS files have changed: new connections use the new ones");
                    told(Outcome::Success, "the TLS files have changed").await;
                }
                Err(error) => {
                    tracing::error!(
                        "the TLS files have changed and cannot be used, the old ones stay: {error:#}"
                    );
                    told(Outcome::MinorFailure, "the TLS files have changed and cannot be used").await;
                }
            }
        }
    }

    fn reload(&self) -> anyhow::Result<()> {
        let server = files::acceptor(&self.settings, &self.refused)?.build().into_context();
        let client = self.settings.identity(self.check_host).connector().context("tls")?;
        self.server.store(Arc::new(server));
        self.client.store(Arc::new(client));
        Ok(())
    }
}

/// The certificate that a peer showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256, in lower-case hexadecimal.
    pub fingerprint: String,
    /// `CN=gateway, O=hospital`.
    pub subject: String,
}

impl PeerCertificate {
    pub fn of(ssl: &SslRef) -> Option<PeerCertificate> {
        let certificate = ssl.peer_certificate()?;
        let digest = certificate.digest(MessageDigest::sha256()).ok()?;
        let fingerprint = hexadecimal(&digest);
        Some(PeerCertificate { fingerprint, subject: subject(certificate.subject_name()) })
    }

    /// Tells the trace of it.
    pub fn note(&self, requester: &mut Requester) {
        requester.certificate_fingerprint = Some(self.fingerprint.clone());
        requester.certificate_subject = Some(self.subject.clone()).filter(|subject| !subject.is_empty());
    }
}

fn subject(name: &X509NameRef) -> String {
    let parts = name.entries().filter_map(|entry| {
        let value = entry.data().to_string().ok()?.replace(char::is_control, " ");
        Some(format!("{}={value}", entry.object().nid().short_name().unwrap_or("OID")))
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
