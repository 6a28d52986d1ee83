//! `GET metadata`: what this server does, for anybody.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use atna::fhir::{Encoding, search};
use serde_json::{Value, json};

use super::failure::Failure;
use super::{Doors, answer, form};

/// When what it does last changed.
const DATE: &str = "2026-11-25";

pub async fn show(doors: web::Data<Doors>, request: HttpRequest) -> HttpResponse {
    let pairs = form::pairs(request.query_string().as_bytes());
    match form::wanted(&request, &pairs, Encoding::Json) {
        Some(encoding) => answer::resource(encoding, StatusCode::OK, &statement(&doors.base())),
        None => answer::failure(Encoding::Json, &Failure::NotAcceptable),
    }
}

fn statement(base: &str) -> Value {
    let parameters: Vec<Value> =
        search::known().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
    let interactions: Vec<Value> =
        ["read", "create", "search-type"].iter().map(|code| json!({"code": code})).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "Carnet", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "The traces of a shared medical record", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "rest": [{
            "mode": "server",
            "documentation": "IHE RESTful ATNA: ITI-81, ITI-82 (GET syslogsearch) and the FHIR Feed of ITI-20",
            "security": {"description": "every request but this one needs a bearer token that the operator gives"},
            "resource": [{
                "type": "AuditEvent",
                "documentation": "A search needs a date or a patient. The latest events come first; they are not counted.",
                "interaction": interactions,
                "searchParam": parameters,
            }],
            "interaction": [{"code": "batch", "documentation": "AuditEvents only"}],
        }],
    })
}
