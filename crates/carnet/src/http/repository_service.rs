//! The Document Repository's endpoint: ITI-41 and ITI-43 over SOAP.

use std::collections::HashMap;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blob::{BlobStore, BlobWriter, Stored};
use bytes::Bytes;
use futures_util::TryStreamExt;
use repository::Failure;
use repository::iti41::Received;
use repository::iti43::Retrieved;
use soap::{Encoding, Fault, Message};
use xds::constants::{action, ns};
use xds::error::{ErrorCode, Finding};
use xds::message::{
    Content, DocumentResponse, MessageError, ProvideAndRegister, RegistryResponse, RetrieveRequest,
    write_retrieve_response,
};

use super::App;
use super::body::{self, Incoming, Refusal};

pub async fn answer(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let incoming = match body::receive(&app, &request, payload, Some(&app.blobs)).await {
        Ok(incoming) => incoming,
        Err(refusal) => return refused(refusal),
    };
    let mut parts = incoming.parts.clone();
    let response = respond(&app, &request, &incoming, &mut parts).await;
    // Parts that no Document claimed.
    app.repository.discard(parts.into_values()).await;
    response
        .unwrap_or_else(|(fault, relates_to)| body::fault(incoming.encoding, &fault, relates_to.as_deref()))
}

/// A body that was not taken in. The request is not known, so a registry response is that of ITI-41, the only
/// transaction that carries documents.
fn refused(refusal: Refusal) -> HttpResponse {
    let (encoding, code, context) = match refusal {
        Refusal::TooLarge => return HttpResponse::PayloadTooLarge().finish(),
        Refusal::MediaType => return super::unsupported_media_type(),
        Refusal::Fault { encoding, fault } => return body::fault(encoding, &fault, None),
        Refusal::OverLimit { encoding, context } => {
            (encoding, ErrorCode::XDSRepositoryOutOfResources, context)
        }
        Refusal::Store { encoding, error } => {
            tracing::error!("the document store refused an attachment: {error}");
            let failure = Failure::from(error);
            return registry_response(encoding, None, failure.findings());
        }
    };
    registry_response(encoding, None, vec![Finding::error(code, None, context)])
}

type Faulty = (Fault, Option<String>);

async fn respond(
    app: &App,
    request: &HttpRequest,
    incoming: &Incoming,
    parts: &mut HashMap<String, Stored>,
) -> Result<HttpResponse, Faulty> {
    let text = xml::decode(&incoming.envelope).map_err(|e| (Fault::sender(e.to_string()), None))?;
    let document = super::parse(app, &text).map_err(|fault| (fault, None))?;
    let message =
        soap::read(&document, incoming.encoding == Encoding::Mtom).map_err(|fault| (fault, None))?;
    let body = (message.body.namespace(), message.body.name());
    match body {
        (ns::XDS, "ProvideAndRegisterDocumentSetRequest") => {
            super::check_action(&message, action::ITI_41)?;
            Ok(iti41(app, request, incoming.encoding, &message, parts).await?)
        }
        (ns::XDS, "RetrieveDocumentSetRequest") => {
            super::check_action(&message, action::ITI_43)?;
            Ok(iti43(app, request, incoming.encoding, &message).await)
        }
        _ => Err(super::unknown_body(&message)),
    }
}

async fn iti41(
    app: &App,
    request: &HttpRequest,
    encoding: Encoding,
    message: &Message<'_>,
    parts: &mut HashMap<String, Stored>,
) -> Result<HttpResponse, Faulty> {
    let started = Instant::now();
    let relates_to = message.message_id.as_deref();
    let provided = match ProvideAndRegister::read(message.body) {
        Ok(provided) => provided,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRepositoryMetadataError, None, context);
            return Ok(registry_response(encoding, relates_to, vec![finding]));
        }
    };
    let mut documents = Vec::new();
    let mut inline = 0;
    for (id, content) in provided.documents {
        let stored = match content {
            Content::Part(content_id) => take_part(parts, &content_id).ok_or_else(|| {
                format!("Document \"{id}\" refers to part cid:{content_id}, which is not in the package or was used before")
            }),
            Content::Inline(text) => {
                inline += text.len() as u64 / 4 * 3;
                if inline > app.limits.inline_document {
                    let context = "inline documents are over the limit of this server; send them by MTOM";
                    let finding = Finding::error(ErrorCode::XDSRepositoryOutOfResources, None, context);
                    app.repository.discard(documents.into_iter().map(|d: Received| d.stored)).await;
                    return Ok(registry_response(encoding, relates_to, vec![finding]));
                }
                match decode(&text) {
                    Some(octets) => match store(app, octets).await {
                        Ok(stored) => Ok(stored),
                        Err(error) => {
                            app.repository.discard(documents.into_iter().map(|d: Received| d.stored)).await;
                            let findings = Failure::from(error).findings();
                            return Ok(registry_response(encoding, relates_to, findings));
                        }
                    },
                    None => Err(format!("Document \"{id}\" is not base64")),
                }
            }
        };
        match stored {
            Ok(stored) => documents.push(Received { id, stored }),
            Err(reason) => {
                app.repository.discard(documents.into_iter().map(|d| d.stored)).await;
                return Err((Fault::sender(reason), relates_to.map(str::to_owned)));
            }
        }
    }
    let submission_set = provided.objects.submission_set_unique_id().unwrap_or("-").to_owned();
    let count = documents.len();
    let requester = app.requester(request, message);
    let result = app.repository.provide_and_register(&requester, provided.objects, documents).await;
    let findings = match &result {
        Ok(warnings) => warnings.clone(),
        Err(failure) => failure.findings(),
    };
    super::log(
        "ITI-41",
        &submission_set,
        started,
        result.as_ref().err().map(|f| (f.is_refusal(), f.codes(), f as _)),
    );
    tracing::debug!(documents = count, "ITI-41 done");
    Ok(registry_response(encoding, relates_to, findings))
}

fn registry_response(encoding: Encoding, relates_to: Option<&str>, findings: Vec<Finding>) -> HttpResponse {
    super::registry_response(encoding, action::ITI_41, relates_to, findings)
}

fn take_part(parts: &mut HashMap<String, Stored>, content_id: &str) -> Option<Stored> {
    let key = parts.keys().find(|key| soap::package::same_part(key, content_id)).cloned()?;
    parts.remove(&key)
}

/// Base64 as it stands in XML, white space included.
fn decode(text: &str) -> Option<Bytes> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok().map(Bytes::from)
}

async fn store(app: &App, octets: Bytes) -> Result<Stored, blob::Error> {
    let mut writer = app.blobs.writer().await?;
    writer.write(octets).await?;
    writer.finish().await
}

async fn iti43(app: &App, request: &HttpRequest, encoding: Encoding, message: &Message<'_>) -> HttpResponse {
    let started = Instant::now();
    let relates_to = message.message_id.as_deref();
    let requests = match RetrieveRequest::read(message.body) {
        Ok(RetrieveRequest(requests)) => requests,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRepositoryError, None, context);
            return retrieve_response(encoding, relates_to, &RegistryResponse::of(vec![finding]), Vec::new())
                .await;
        }
    };
    let ids = requests.iter().map(|r| r.document_unique_id.as_str()).collect::<Vec<_>>().join(" ");
    let requester = app.requester(request, message);
    let result = app.repository.retrieve(&requester, requests).await;
    super::log("ITI-43", &ids, started, result.as_ref().err().map(|f| (f.is_refusal(), f.codes(), f as _)));
    let (response, documents) = match result {
        Ok(retrieved) => retrieved,
        Err(failure) => (RegistryResponse::of(failure.findings()), Vec::new()),
    };
    let size: u64 = documents.iter().map(|d| d.size).sum();
    if encoding == Encoding::Simple && size > app.limits.inline_document {
        let context = "the documents are too large for plain SOAP; ask for them by MTOM";
        let finding = Finding::error(ErrorCode::XDSRepositoryOutOfResources, None, context);
        return retrieve_response(encoding, relates_to, &RegistryResponse::of(vec![finding]), Vec::new())
            .await;
    }
    retrieve_response(encoding, relates_to, &response, documents).await
}

async fn retrieve_response(
    encoding: Encoding,
    relates_to: Option<&str>,
    response: &RegistryResponse,
    documents: Vec<Retrieved<blob::Reader>>,
) -> HttpResponse {
    let mut described = Vec::new();
    let mut parts = Vec::new();
    for (number, document) in documents.into_iter().enumerate() {
        let Retrieved { request, mime_type, size, octets } = document;
        let content = match encoding {
            Encoding::Mtom => {
                let content_id = format!("document-{}@carnet", number + 1);
                parts.push(mtom::Part::new(&content_id, &mime_type, Some(size), octets));
                Content::Part(content_id)
            }
            Encoding::Simple => match octets.try_collect::<Vec<Bytes>>().await {
                Ok(chunks) => Content::Inline(STANDARD.encode(chunks.concat()).into()),
                Err(error) => {
                    tracing::error!("a stored document cannot be read: {error}");
                    return HttpResponse::InternalServerError().finish();
                }
            },
        };
        described.push(DocumentResponse { request, mime_type, content });
    }
    let action = format!("{}Response", action::ITI_43);
    let envelope = soap::write(&soap::Header::response(&action, relates_to), |w| {
        write_retrieve_response(w, response, &described);
    });
    body::package(encoding, StatusCode::OK, &action, envelope, parts)
}
