//! The Document Repository's endpoint: which transaction a request is.

use actix_web::{HttpRequest, HttpResponse, web};
use repository::Failure;
use xds::constants::{action, ns};
use xds::error::{ErrorCode, Finding};

use super::App;
use super::body::{self, Refusal};
use super::exchange::{self, Answer, Exchange, Unread};
use super::iti41::{self, Parts};
use super::{iti43, iti86};

pub async fn answer(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let incoming = match body::receive(&app, &request, payload, Some(&app.blobs)).await {
        Ok(incoming) => incoming,
        Err(refusal) => return app.refuse_body(&request, refusal, refused).await,
    };
    let mut parts = incoming.parts.clone();
    let dispatch = async |exchange: &Exchange<'_>| dispatch(exchange, &mut parts).await;
    let response = exchange::respond(&app, &request, &incoming, dispatch).await;
    // Parts that no Document claimed.
    app.repository.discard(parts.into_values()).await;
    response
}

async fn dispatch(exchange: &Exchange<'_>, parts: &mut Parts) -> Result<Answer, Unread> {
    let body = exchange.message.body;
    match (body.namespace(), body.name()) {
        (ns::XDS, "ProvideAndRegisterDocumentSetRequest") => {
            exchange.action(&[action::ITI_41])?;
            iti41::answer(exchange, parts).await
        }
        (ns::XDS, "RetrieveDocumentSetRequest") => iti43::checked(exchange).await,
        (ns::RMD, "RemoveDocumentsRequest") => {
            exchange.action(&[action::ITI_86])?;
            iti86::answer(exchange).await
        }
        _ => Err(exchange.unknown_body().into()),
    }
}

/// A body that was not taken in. The request is not known, so a registry response is that of ITI-41, the only
/// transaction that carries documents.
fn refused(refusal: Refusal) -> HttpResponse {
    let (encoding, findings) = match refusal {
        Refusal::TooLarge => return HttpResponse::PayloadTooLarge().finish(),
        Refusal::MediaType => return body::unsupported_media_type(),
        Refusal::ContentEncoding => return body::unsupported_content_encoding(),
        Refusal::Fault { encoding, fault } => return body::fault(encoding, &fault, None),
        Refusal::OverLimit { encoding, context } => {
            (encoding, vec![Finding::error(ErrorCode::XDSRepositoryOutOfResources, None, context)])
        }
        Refusal::Store { encoding, error } => {
            tracing::error!("the document store refused an attachment: {error}");
            (encoding, Failure::from(error).findings())
        }
    };
    Answer::registry_response(action::ITI_41, findings).into_response(encoding, None)
}
