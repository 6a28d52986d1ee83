//! The Document Registry's endpoint: which transaction a request is.

use actix_web::{HttpRequest, HttpResponse, web};
use hl7v3::Interaction;
use soap::Fault;
use xds::constants::{action, ns};
use xds::error::{ErrorCode, Finding};

use super::App;
use super::body::{self, Refusal};
use super::exchange::{self, Answer, Exchange, Unread};
use super::{iti18, iti42, iti44, iti51, iti57, iti61, iti62, iti92};

pub async fn answer(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match body::receive(&app, &request, payload, None).await {
        Ok(incoming) => exchange::respond(&app, &request, &incoming, dispatch).await,
        Err(refusal) => app.refuse_body(&request, refusal, refused).await,
    }
}

/// A body that was not taken in. The request is not known, so a registry response is that of ITI-42.
fn refused(refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::TooLarge => HttpResponse::PayloadTooLarge().finish(),
        Refusal::MediaType => body::unsupported_media_type(),
        Refusal::ContentEncoding => body::unsupported_content_encoding(),
        Refusal::Fault { encoding, fault } => body::fault(encoding, &fault, None),
        Refusal::OverLimit { encoding, context } => {
            let finding = Finding::error(ErrorCode::XDSRegistryOutOfResources, None, context);
            Answer::registry_response(action::ITI_42, vec![finding]).into_response(encoding, None)
        }
        Refusal::Store { encoding, error } => {
            body::fault(encoding, &Fault::receiver(error.to_string()), None)
        }
    }
}

async fn dispatch(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let body = exchange.message.body;
    match (body.namespace(), body.name()) {
        (ns::LCM, "SubmitObjectsRequest") => {
            let actions = [action::ITI_42, action::ITI_57, action::ITI_61, action::ITI_92];
            match exchange.action(&actions)? {
                action::ITI_57 => iti57::answer(exchange).await,
                action::ITI_61 => iti61::answer(exchange).await,
                action::ITI_92 => iti92::answer(exchange).await,
                _ => iti42::answer(exchange).await,
            }
        }
        (ns::QUERY, "AdhocQueryRequest") => match exchange.action(&[action::ITI_18, action::ITI_51])? {
            action::ITI_51 => iti51::answer(exchange).await,
            _ => iti18::answer(exchange).await,
        },
        (ns::LCM, "RemoveObjectsRequest") => {
            exchange.action(&[action::ITI_62])?;
            iti62::answer(exchange).await
        }
        (hl7v3::NAMESPACE, name) if exchange.app.feed.takes_iti44() => {
            let interaction = Interaction::named(name).ok_or_else(|| exchange.unknown_body())?;
            exchange.action(&[interaction.action()])?;
            Ok(iti44::answer(exchange, interaction).await)
        }
        _ => Err(exchange.unknown_body().into()),
    }
}
