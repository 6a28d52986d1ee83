//! HTTP: one port, the SOAP services under two base paths, and the pages for people and monitors.

mod body;
mod compression;
mod exchange;
mod fhir;
mod home;
mod iti18;
mod iti41;
mod iti42;
mod iti43;
mod iti44;
mod iti51;
mod iti57;
mod iti61;
mod iti62;
mod iti86;
mod iti92;
mod measure;
mod refusal;
mod registry_service;
mod reply;
mod repository_service;
mod wsdl;

pub use compression::pack_answer;
pub use fhir::Doors;
pub use reply::retrieve_later;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::web;
use atna::TraceWriter;
use blob::{BlobStore, LocalStore};
use database::Database;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpUserTimeout;
use registry::Registry;
use repository::Repository;

use crate::config::{Limits, Peers, Role};
use crate::feed::Feed;
use crate::metrics::{HTTP_CONNECTIONS, Metrics};
use crate::outbox::Outbox;
use crate::registry_link::RegistryLink;
use crate::shared::Shared;
use crate::tls::PeerCertificate;

/// What every request can reach.
pub struct App {
    pub registry: Registry,
    pub repository: Repository<RegistryLink, LocalStore>,
    pub feed: Arc<Feed>,
    pub outbox: Outbox,
    pub role: Role,
    /// Who may register metadata (ITI-42).
    pub sources: Peers,
    pub database: Database,
    /// Traces of what goes with no change of the database.
    pub traces: TraceWriter,
    pub source: atna::Source,
    pub blobs: LocalStore,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
    /// Whether this server is ready, or why not.
    pub ready: Shared<Result<(), &'static str>>,
    /// The events that wait for the log, if that can be found out.
    pub inbox: Shared<Option<u64>>,
    /// Scheme, host and port as others see them, without a trailing slash.
    pub public_url: String,
    pub repository_unique_id: String,
    /// The audit over HTTP, unless that is switched off.
    pub audit: Option<Arc<Doors>>,
}

/// The SOAP services with their paths. The DMP's base path leads to the same services.
const REGISTRY_PATHS: [&str; 2] = ["/services/registry", "/si-dmp-server/v2/services/registry"];
const REPOSITORY_PATHS: [&str; 2] = ["/services/repository", "/si-dmp-server/v2/services/repository"];

/// All routes.
pub fn routes(app: Arc<App>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let role = app.role;
        if let Some(doors) = &app.audit {
            config.configure(fhir::routes(doors.clone()));
        }
        config
            .app_data(web::Data::from(app))
            .route("/", web::get().to(home::home))
            .route("/health", web::get().to(home::health))
            .route("/ready", web::get().to(home::ready))
            .route("/metrics", web::get().to(home::metrics));
        for path in REGISTRY_PATHS.into_iter().filter(|_| role.is_registry()) {
            config.service(
                web::resource(with_slash(path))
                    .route(web::post().to(registry_service::answer))
                    .route(web::get().to(wsdl::registry)),
            );
        }
        for path in REPOSITORY_PATHS.into_iter().filter(|_| role.is_repository()) {
            config.service(
                web::resource(with_slash(path))
                    .route(web::post().to(repository_service::answer))
                    .route(web::get().to(wsdl::repository)),
            );
        }
    }
}

/// Some clients put a slash behind an address.
fn with_slash(path: &str) -> [String; 2] {
    [path.to_owned(), format!("{path}/")]
}

/// Counts connections, and keeps the peer's certificate beside each. One whose peer takes nothing of an answer for `patience` is
/// cut by the operating system: an answer that nobody reads holds memory.
pub fn note_connection(
    metrics: Arc<Metrics>,
    patience: Duration,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync {
    let patience = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    move |connection, data| {
        data.insert(OpenConnection::new(metrics.clone()));
        let secured = connection.downcast_ref::<TlsStream<TcpStream>>();
        let stream =
            secured.map(|stream| stream.get_ref()).or_else(|| connection.downcast_ref::<TcpStream>());
        if let Some(Err(error)) = stream.map(|stream| setsockopt(stream, TcpUserTimeout, &patience)) {
            tracing::warn!("a connection has no limit for answers that nobody takes: {error}");
        }
        if let Some(certificate) = secured.and_then(|stream| PeerCertificate::of(stream.ssl())) {
            data.insert(certificate);
        }
    }
}

/// Goes with its connection.
struct OpenConnection(Arc<Metrics>);

impl OpenConnection {
    fn new(metrics: Arc<Metrics>) -> OpenConnection {
        metrics.add(&HTTP_CONNECTIONS, "", 1);
        OpenConnection(metrics)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.subtract(&HTTP_CONNECTIONS, "", 1);
    }
}

impl App {
    /// Why documents cannot be filed and read now, in words without details of the installation. It takes a write to find
    /// out, so that callers of about a second share one.
    pub async fn readiness(&self) -> Result<(), &'static str> {
        self.ready.get(self.find_out_readiness()).await
    }

    async fn find_out_readiness(&self) -> Result<(), &'static str> {
        let ask = async {
            let mut client = self.database.get().await.map_err(|_| "the database cannot be reached")?;
            let written = async {
                let transaction = client.transaction().await?;
                atna::probe(&*transaction).await?;
                Ok::<_, atna::Error>(transaction.commit().await?)
            };
            written.await.map_err(|_| "traces cannot be written, so nothing may be read or filed")
        };
        match tokio::time::timeout(Duration::from_secs(3), ask).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err("the database does not answer"),
        }
        if !self.role.is_repository() {
            return Ok(());
        }
        match self.blobs.check().await {
            Ok(()) => Ok(()),
            Err(_) => Err("the document store cannot be written"),
        }
    }
}
