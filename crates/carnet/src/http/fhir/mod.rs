//! The audit over HTTP: AuditEvents of FHIR R4 are searched (ITI-81) and taken (ITI-20, FHIR Feed), syslog messages are
//! searched (ITI-82). Each request needs a bearer token.

mod answer;
mod call;
mod capability;
mod failure;
mod feed;
mod form;
mod iti81;
mod iti82;
mod page;
mod patients;

use std::sync::Arc;

use actix_web::web;
use atna::TraceWriter;
use database::Database;

use crate::audit::Tokens;
use crate::config::{AuditHttp, Endurance};
use crate::metrics::Metrics;

/// What the requests of the audit can reach.
pub struct Doors {
    pub database: Database,
    pub traces: TraceWriter,
    pub source: atna::Source,
    pub tokens: Tokens,
    pub settings: AuditHttp,
    pub metrics: Arc<Metrics>,
    /// Octets of one body.
    pub message: u64,
    pub endurance: Endurance,
    /// Scheme, host and port as others see them, without a trailing slash.
    pub public_url: String,
    /// As in the syslog messages that are sent.
    pub hostname: String,
}

impl Doors {
    /// Where resources live.
    fn base(&self) -> String {
        format!("{}/fhir", self.public_url)
    }
}

pub fn routes(doors: Arc<Doors>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let doors = web::Data::from(doors);
        let syslog = || web::resource("/syslogsearch").route(web::get().to(iti82::search));
        config.service(syslog().app_data(doors.clone()));
        config.service(
            web::scope("/fhir")
                .app_data(doors)
                .service(web::resource(["", "/"]).route(web::post().to(feed::batch)))
                .service(web::resource("/metadata").route(web::get().to(capability::show)))
                .service(syslog())
                .service(
                    web::resource("/AuditEvent")
                        .route(web::get().to(iti81::search))
                        .route(web::post().to(feed::create)),
                )
                .service(web::resource("/AuditEvent/_search").route(web::post().to(iti81::search_by_form)))
                .service(web::resource("/AuditEvent/{id}").route(web::get().to(iti81::read)))
                .default_service(web::to(answer::nowhere)),
        );
    }
}
