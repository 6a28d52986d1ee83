//! The patient identity feed: what both its doors share, and MLLP. The door of ITI-44 is `http::iti44`.

mod failure;
mod iti8;
mod mllp;

use std::net::IpAddr;
use std::sync::Arc;

use access::Requester;
use atna::{Act, Event, Outcome};
use database::Database;
use hl7v2::adt::Identifier;
use registry::Failure;
use xds::value::Cx;

use crate::config::{self, Sender};
use crate::metrics::Metrics;

pub use failure::sentence;
pub use mllp::Listener;

/// The domain whose patients are fed, and who may feed them.
pub struct Feed {
    pub database: Database,
    pub source: atna::Source,
    metrics: Arc<Metrics>,
    settings: config::Feed,
}

impl Feed {
    pub fn new(
        database: Database,
        source: atna::Source,
        metrics: Arc<Metrics>,
        settings: config::Feed,
    ) -> Self {
        Feed { database, source, metrics, settings }
    }

    /// Whether ITI-44 is offered.
    pub fn takes_iti44(&self) -> bool {
        self.settings.iti44
    }

    /// The identifier, if it is of this domain. Without an OID the namespace tells; without either it is.
    fn of_this_domain(&self, identifier: &Identifier) -> Option<Cx> {
        let config::Feed { authority, namespaces, .. } = &self.settings;
        let named = match (identifier.universal_id.as_str(), identifier.namespace.as_str()) {
            ("", "") => true,
            ("", namespace) => namespaces.iter().any(|(name, oid)| name == namespace && oid == authority),
            (oid, _) => oid == authority && matches!(identifier.universal_id_type.as_str(), "ISO" | ""),
        };
        named.then(|| Cx::new(&identifier.id, authority))
    }

    /// The II as a patient of this domain.
    pub fn patient(&self, root: &str, extension: &str) -> Option<Cx> {
        (root == self.settings.authority).then(|| Cx::new(extension, root))
    }

    /// Of the senders that are listed by the same kind of name, one must be this.
    fn allows(&self, comparable: impl Fn(&Sender) -> Option<bool>) -> bool {
        let mut comparisons = self.settings.senders.iter().filter_map(comparable).peekable();
        comparisons.peek().is_none() || comparisons.any(|equal| equal)
    }

    pub fn allows_address(&self, peer: Option<IpAddr>) -> bool {
        self.allows(|sender| match sender {
            Sender::Address(address) => Some(peer == Some(*address)),
            _ => None,
        })
    }

    pub fn allows_device(&self, root: &str) -> bool {
        self.allows(|sender| match sender {
            Sender::Device(device) => Some(device == root),
            _ => None,
        })
    }

    fn allows_application(&self, sending: (&str, &str)) -> bool {
        self.allows(|sender| match sender {
            Sender::Application { application, facility } => Some(sending == (application, facility)),
            _ => None,
        })
    }

    /// What went wrong here and not with the sender, unless the log has said already that the database is away.
    pub fn log_failed(&self, transaction: &str, failure: &Failure) {
        if !self.database.is_away() {
            tracing::error!(transaction, "{failure}");
        }
    }

    /// Writes the trace of a sender that is not in the list.
    pub async fn trace_stranger(&self, requester: &Requester, reason: &str) -> Result<(), Failure> {
        self.trace(Act::NodeRefused, requester, reason).await
    }

    /// Writes the trace of a message that cannot be read, or asks for what is not offered.
    pub async fn trace_unread(&self, requester: &Requester, codes: &str) -> Result<(), Failure> {
        self.trace(Act::RequestRefused, requester, codes).await
    }

    async fn trace(&self, act: Act, requester: &Requester, reason: &str) -> Result<(), Failure> {
        let event = Event::new(act, Outcome::MinorFailure, requester, &self.source);
        let client = self.database.get().await?;
        Ok(atna::record(&client, &[event.described(reason)]).await?)
    }
}
