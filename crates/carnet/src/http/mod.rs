//! HTTP: one port, the SOAP services under two base paths, and the pages for people and monitors.

mod body;
mod home;
mod registry_service;
mod repository_service;
mod wsdl;

use std::sync::Arc;
use std::time::{Duration, Instant};

use access::{Authentication, Requester};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use blob::{BlobStore, LocalStore};
use database::Database;
use registry::Registry;
use repository::Repository;
use soap::{Encoding, Fault, Message};
use xds::error::Finding;
use xds::message::RegistryResponse;

use crate::config::Limits;
use crate::in_process::InProcess;

/// What every request can reach.
pub struct App {
    pub registry: Registry,
    pub repository: Repository<InProcess, LocalStore>,
    pub database: Database,
    pub blobs: LocalStore,
    pub limits: Limits,
    /// Scheme, host and port as others see them, without a trailing slash.
    pub public_url: String,
    pub repository_unique_id: String,
}

/// The SOAP services with their paths. The DMP's base path leads to the same services.
const REGISTRY_PATHS: [&str; 2] = ["/services/registry", "/si-dmp-server/v2/services/registry"];
const REPOSITORY_PATHS: [&str; 2] = ["/services/repository", "/si-dmp-server/v2/services/repository"];

/// All routes.
pub fn routes(app: Arc<App>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::from(app))
            .route("/", web::get().to(home::home))
            .route("/health", web::get().to(home::health))
            .route("/ready", web::get().to(home::ready));
        for path in REGISTRY_PATHS {
            config.service(
                web::resource(path)
                    .route(web::post().to(registry_service::answer))
                    .route(web::get().to(wsdl::registry)),
            );
        }
        for path in REPOSITORY_PATHS {
            config.service(
                web::resource(path)
                    .route(web::post().to(repository_service::answer))
                    .route(web::get().to(wsdl::repository)),
            );
        }
    }
}

impl App {
    /// Why documents cannot be filed and read now, in words without details of the installation.
    pub async fn readiness(&self) -> Result<(), &'static str> {
        let ask = async {
            let client = self.database.get().await.ok()?;
            client.simple_query("select 1 from audit_event limit 1").await.ok()
        };
        match tokio::time::timeout(Duration::from_secs(3), ask).await {
            Ok(Some(_)) => {}
            _ => return Err("the database cannot be reached"),
        }
        match self.blobs.check().await {
            Ok(()) => Ok(()),
            Err(_) => Err("the document store cannot be written"),
        }
    }

    /// The caller as far as the connection and the SOAP header tell. Nothing in a security header is believed yet.
    fn requester(&self, request: &HttpRequest, message: &Message<'_>) -> Requester {
        let endpoint = format!("{}{}", self.public_url, request.path());
        let mut requester = Requester::remote(request.peer_addr().map(|address| address.ip()), &endpoint);
        requester.reply_to = message.reply_to.clone();
        if message.security.is_some() {
            requester.authentication = Authentication::Unverified;
        }
        requester
    }
}

/// Parses an envelope within the limits; what is wrong with it becomes a fault that says where.
fn parse<'a>(app: &App, text: &'a str) -> Result<xml::Document<'a>, Fault> {
    let limits = xml::Limits { bytes: usize::MAX, depth: app.limits.xml_depth };
    xml::Document::parse(text, &limits).map_err(|error| Fault::sender(error.to_string()))
}

/// wsa:Action, if sent, must be that of the body (WS-Addressing 1.0 SOAP Binding §6).
fn check_action(message: &Message<'_>, expected: &str) -> Result<(), (Fault, Option<String>)> {
    match message.action.as_deref() {
        None => Ok(()),
        Some(action) if action == expected => Ok(()),
        Some(action) => Err((
            Fault::action_mismatch(format!(
                "wsa:Action is \"{action}\", but the body is a {}, whose action is \"{expected}\"",
                message.body.name()
            )),
            message.message_id.clone(),
        )),
    }
}

fn unknown_body(message: &Message<'_>) -> (Fault, Option<String>) {
    let reason = format!(
        "this service does not know the request {{{}}}{} (line {}), action \"{}\"",
        message.body.namespace(),
        message.body.name(),
        message.body.line(),
        message.action.as_deref().unwrap_or("")
    );
    (Fault::action_not_supported(reason), message.message_id.clone())
}

fn unsupported_media_type() -> HttpResponse {
    HttpResponse::UnsupportedMediaType().content_type("text/plain; charset=utf-8").body(
        "Content-Type must be application/soap+xml (SOAP 1.2) or multipart/related with type application/xop+xml (MTOM).\n",
    )
}

fn registry_response(
    encoding: Encoding,
    action: &str,
    relates_to: Option<&str>,
    findings: Vec<Finding>,
) -> HttpResponse {
    let action = format!("{action}Response");
    let response = RegistryResponse::of(findings);
    let envelope = soap::write(&soap::Header::response(&action, relates_to), |w| response.write(w));
    body::reply(encoding, StatusCode::OK, &action, envelope)
}

/// One line for each transaction: ids and duration, no patient data. `failure`: was it a refusal, codes, the error.
fn log(
    transaction: &str,
    id: &str,
    started: Instant,
    failure: Option<(bool, String, &dyn std::error::Error)>,
) {
    let ms = started.elapsed().as_millis() as u64;
    match failure {
        None => tracing::info!(transaction, id, ms, outcome = "success"),
        Some((true, codes, _)) => tracing::info!(transaction, id, ms, outcome = "refused", codes),
        Some((false, codes, error)) => {
            tracing::error!(transaction, id, ms, outcome = "failed", codes, "{error}")
        }
    }
}
