//! An XDS.b client: Document Source and Document Consumer over SOAP, Patient Identity Source over MLLP ([`mllp`]). It speaks
//! to any server; the command line, the tests and load tools use it.
//!
//! Documents stream from and to files: memory does not follow their size. Nothing is sent twice: whoever calls knows
//! whether a second submission would be harmful.

mod error;
mod exchange;
mod identity_feed;
mod meter;
pub mod mllp;
mod parts;
mod tls;
mod transactions;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use xds::ebxml::{Association, ExtrinsicObject, RegistryPackage};
use xds::message::{DocumentRequest, Made, ReceivedResponse};

pub use error::Error;
pub use identity_feed::FeedAnswer;
pub use openssl::ssl::SslConnector;
pub use soap::Encoding;
pub use tls::Identity;

/// Where the two services of a server are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub registry: String,
    pub repository: String,
}

impl Endpoints {
    /// The services of a Carnet server, from its base address.
    pub fn of_server(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        Endpoints {
            registry: format!("{base}/services/registry"),
            repository: format!("{base}/services/repository"),
        }
    }
}

/// What a client waits for.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// Without an octet going or coming, from the first octet of a request to the last of its answer. A transfer may last
    /// as long as it moves.
    pub answer: Duration,
    /// How long a connection is kept for the next exchange. Zero: each exchange has its own, so that a connection that
    /// cannot be made is sure to have carried nothing.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(60),
            idle: Duration::from_secs(15),
        }
    }
}

/// Called with the octets that have gone or come so far in one exchange, all documents together. Documents inside an
/// envelope are not counted.
pub type Progress = Rc<dyn Fn(u64)>;

/// A client of one server. Cheap to clone; stays on its thread.
#[derive(Clone)]
pub struct Client {
    http: awc::Client,
    endpoints: Endpoints,
    timeouts: Timeouts,
    progress: Option<Progress>,
}

/// A document to be filed.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// `Document/@id`: the id of its ExtrinsicObject.
    pub id: String,
    pub mime_type: String,
    pub content: Source,
}

#[derive(Debug, Clone)]
pub enum Source {
    Bytes(Bytes),
    File(PathBuf),
}

impl Outgoing {
    pub fn file(id: &str, mime_type: &str, path: &Path) -> Self {
        Outgoing {
            id: id.to_owned(),
            mime_type: mime_type.to_owned(),
            content: Source::File(path.to_owned()),
        }
    }

    pub fn bytes(id: &str, mime_type: &str, bytes: impl Into<Bytes>) -> Self {
        Outgoing { id: id.to_owned(), mime_type: mime_type.to_owned(), content: Source::Bytes(bytes.into()) }
    }
}

/// The answer to a stored query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryAnswer {
    pub response: ReceivedResponse,
    pub documents: Vec<ExtrinsicObject>,
    pub packages: Vec<RegistryPackage>,
    pub associations: Vec<Association>,
    pub object_refs: Vec<String>,
}

/// The answer to a retrieval.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieved {
    pub response: ReceivedResponse,
    pub documents: Vec<RetrievedDocument>,
}

/// A document in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrievedDocument {
    pub request: DocumentRequest,
    /// Of a document that was made when it was asked for.
    pub made: Option<Made>,
    pub mime_type: String,
    pub path: PathBuf,
    /// In octets.
    pub size: u64,
}

/// An answer as it came, for tests that look at the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct RawAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Client {
    pub fn new(endpoints: Endpoints) -> Self {
        Self::with_timeouts(endpoints, Timeouts::default())
    }

    pub fn with_timeouts(endpoints: Endpoints, timeouts: Timeouts) -> Self {
        Self::build(endpoints, timeouts, None)
    }

    /// A client with TLS settings of its own; see [`Identity`].
    pub fn with_tls(endpoints: Endpoints, timeouts: Timeouts, tls: SslConnector) -> Self {
        Self::build(endpoints, timeouts, Some(tls))
    }

    fn build(endpoints: Endpoints, timeouts: Timeouts, tls: Option<SslConnector>) -> Self {
        let connector = awc::Connector::new()
            .timeout(timeouts.connect)
            .handshake_timeout(timeouts.connect)
            .conn_keep_alive(timeouts.idle);
        let connector = match tls {
            Some(tls) => connector.openssl(tls),
            None => connector,
        };
        let http = awc::Client::builder().connector(connector).disable_timeout().disable_redirects().finish();
        Client { http, endpoints, timeouts, progress: None }
    }

    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Client { progress: Some(progress), ..self }
    }

    /// The same client, connections included, for another server.
    #[must_use]
    pub fn with_endpoints(&self, endpoints: Endpoints) -> Self {
        Client { endpoints, ..self.clone() }
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }
}
