//! Answers: resources, and what was wrong.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use atna::fhir::{self, Encoding};
use serde_json::Value;

use super::failure::Failure;

const REALM: &str = "Bearer realm=\"carnet audit\"";

/// Nothing of the audit is to stay in a cache.
pub fn begin(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

pub fn resource(encoding: Encoding, status: StatusCode, resource: &Value) -> HttpResponse {
    let (content_type, body) = match encoding {
        Encoding::Json => ("application/fhir+json; charset=utf-8", json(resource)),
        Encoding::Xml => ("application/fhir+xml; charset=utf-8", fhir::to_xml(resource).into_bytes()),
    };
    begin(status).content_type(content_type).body(body)
}

/// A value always has one: its keys are texts.
fn json(resource: &Value) -> Vec<u8> {
    serde_json::to_vec(resource).unwrap_or_default()
}

pub fn failure(encoding: Encoding, failure: &Failure) -> HttpResponse {
    let mut response = resource(encoding, failure.status(), &fhir::operation_outcome(&failure.issues()));
    let challenge = match failure {
        Failure::Unauthenticated(_) => Some(REALM.to_owned()),
        Failure::Forbidden(_) => Some(format!("{REALM}, error=\"insufficient_scope\"")),
        _ => None,
    };
    if let Some(value) = challenge.and_then(|challenge| challenge.parse().ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// Below `/fhir` is nothing else.
pub async fn nowhere() -> HttpResponse {
    let issue = fhir::Issue::new(
        "not-found",
        "this server has AuditEvent only; GET /fhir/metadata tells what it does",
    );
    resource(Encoding::Json, StatusCode::NOT_FOUND, &fhir::operation_outcome(&[issue]))
}
