//! The Document Registry's endpoint: ITI-42 and ITI-18 over SOAP.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use registry::iti42::Alone;
use soap::{Encoding, Fault, Message};
use xds::constants::{action, ns};
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::message::{MessageError, QueryResult, write_query_response};
use xds::query::Request;

use super::App;
use super::body::{self, Incoming, Refusal};

pub async fn answer(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let incoming = match body::receive(&app, &request, payload, None).await {
        Ok(incoming) => incoming,
        Err(Refusal::TooLarge) => return HttpResponse::PayloadTooLarge().finish(),
        Err(Refusal::MediaType) => return super::unsupported_media_type(),
        Err(Refusal::Fault { encoding, fault }) => return body::fault(encoding, &fault, None),
        Err(Refusal::OverLimit { encoding, context }) => {
            let finding = Finding::error(ErrorCode::XDSRegistryOutOfResources, None, context);
            return super::registry_response(encoding, action::ITI_42, None, vec![finding]);
        }
        Err(Refusal::Store { encoding, error }) => {
            return body::fault(encoding, &Fault::receiver(error.to_string()), None);
        }
    };
    respond(&app, &request, &incoming)
        .await
        .unwrap_or_else(|(fault, relates_to)| body::fault(incoming.encoding, &fault, relates_to.as_deref()))
}

async fn respond(
    app: &App,
    request: &HttpRequest,
    incoming: &Incoming,
) -> Result<HttpResponse, (Fault, Option<String>)> {
    let text = xml::decode(&incoming.envelope).map_err(|e| (Fault::sender(e.to_string()), None))?;
    let document = super::parse(app, &text).map_err(|fault| (fault, None))?;
    let message =
        soap::read(&document, incoming.encoding == Encoding::Mtom).map_err(|fault| (fault, None))?;
    match (message.body.namespace(), message.body.name()) {
        (ns::LCM, "SubmitObjectsRequest") => {
            super::check_action(&message, action::ITI_42)?;
            Ok(iti42(app, request, incoming.encoding, &message).await)
        }
        (ns::QUERY, "AdhocQueryRequest") => {
            super::check_action(&message, action::ITI_18)?;
            Ok(iti18(app, request, incoming.encoding, &message).await)
        }
        _ => Err(super::unknown_body(&message)),
    }
}

async fn iti42(app: &App, request: &HttpRequest, encoding: Encoding, message: &Message<'_>) -> HttpResponse {
    let started = Instant::now();
    let relates_to = message.message_id.as_deref();
    let objects = match SubmitObjects::read(message.body) {
        Ok(objects) => objects,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRegistryMetadataError, None, context);
            return super::registry_response(encoding, action::ITI_42, relates_to, vec![finding]);
        }
    };
    let submission_set = objects.submission_set_unique_id().unwrap_or("-").to_owned();
    let requester = app.requester(request, message);
    let result = app.registry.register(&requester, objects, &Alone).await;
    super::log(
        "ITI-42",
        &submission_set,
        started,
        result.as_ref().err().map(|f| (f.is_refusal(), f.codes(), f as _)),
    );
    let findings = result.unwrap_or_else(|failure| failure.findings());
    super::registry_response(encoding, action::ITI_42, relates_to, findings)
}

async fn iti18(app: &App, request: &HttpRequest, encoding: Encoding, message: &Message<'_>) -> HttpResponse {
    let started = Instant::now();
    let relates_to = message.message_id.as_deref();
    let query = match Request::read(message.body) {
        Ok(query) => query,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRegistryError, None, context);
            return query_response(encoding, relates_to, &[finding], &QueryResult::Objects(String::new()));
        }
    };
    let requester = app.requester(request, message);
    let result = app.registry.query(&requester, &query, &message.body.to_xml()).await;
    super::log(
        "ITI-18",
        &query.id,
        started,
        result.as_ref().err().map(|f| (f.is_refusal(), f.codes(), f as _)),
    );
    match result {
        Ok(result) => query_response(encoding, relates_to, &[], &result),
        Err(failure) => {
            query_response(encoding, relates_to, &failure.findings(), &QueryResult::Objects(String::new()))
        }
    }
}

fn query_response(
    encoding: Encoding,
    relates_to: Option<&str>,
    findings: &[Finding],
    result: &QueryResult,
) -> HttpResponse {
    let action = format!("{}Response", action::ITI_18);
    let envelope = soap::write(&soap::Header::response(&action, relates_to), |w| {
        write_query_response(w, findings, result);
    });
    body::reply(encoding, StatusCode::OK, &action, envelope)
}
