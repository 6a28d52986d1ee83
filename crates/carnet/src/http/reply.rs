//! Where the answer to a request goes: to its own connection, to another address, or nowhere.

use actix_web::HttpResponse;
use soap::{ANONYMOUS, Encoding, Fault, Header, Message, NONE};
use uuid::Uuid;
use xds::constants::ns;
use xds::value::uuid_urn;

use super::App;
use super::exchange::{Answer, Exchange};
use super::{body, iti43};
use crate::outbox::{Content, Letter, Outbox};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Here,
    Nowhere,
    There(String),
}

/// Where an answer goes, and where a fault.
pub struct Reply {
    answer: Place,
    fault: Place,
}

impl Reply {
    /// As ReplyTo and FaultTo say; a fault when that cannot be done.
    pub fn wanted(message: &Message<'_>, outbox: &Outbox) -> Result<Reply, Fault> {
        let answer = place("ReplyTo", message.reply_to.as_deref(), outbox)?;
        let fault = match &message.fault_to {
            None => answer.clone(),
            address => place("FaultTo", address.as_deref(), outbox)?,
        };
        let elsewhere = [&answer, &fault].into_iter().any(|place| matches!(place, Place::There(_)));
        if elsewhere && message.message_id.is_none() {
            return Err(Fault::header_required(
                "an answer on another connection needs wsa:MessageID, which it relates to",
            ));
        }
        Ok(Reply { answer, fault })
    }

    /// Answers a retrieval later, if its answer goes elsewhere. The envelope's text is that of `exchange`.
    pub async fn postponed(&self, exchange: &Exchange<'_>, envelope: &str) -> Option<HttpResponse> {
        let Place::There(recipient) = &self.answer else { return None };
        if !exchange.message.body.is(ns::XDS, "RetrieveDocumentSetRequest") {
            return None;
        }
        let content =
            Content::Retrieval { request: envelope.to_owned(), requester: Box::new(exchange.requester()) };
        Some(accepted(exchange, letter(exchange, recipient, content)).await)
    }

    /// Sends an answer where it goes.
    pub async fn send(&self, exchange: &Exchange<'_>, answer: Answer) -> HttpResponse {
        let place = match &answer {
            Answer::Fault(_) => &self.fault,
            Answer::Body { .. } | Answer::Long { .. } => &self.answer,
        };
        // Portions are for who reads them as they come: a plain answer on the connection of the request.
        let answer = match (place, exchange.encoding) {
            (Place::Here, Encoding::Simple) => answer,
            _ => answer.whole().await,
        };
        let recipient = match place {
            Place::Here => return answer.into_response(exchange.encoding, relates_to(exchange.message)),
            Place::Nowhere => return HttpResponse::Accepted().finish(),
            Place::There(recipient) => recipient,
        };
        let mut letter = letter(exchange, recipient, Content::Answer(String::new()));
        let (action, envelope, parts) =
            written(answer, &letter.message_id, relates_to(exchange.message), recipient);
        if !parts.is_empty() {
            // Documents leave by retrievals alone, which are postponed.
            let fault = Fault::receiver("documents cannot be sent to another address by this transaction");
            return body::fault(exchange.encoding, &fault, relates_to(exchange.message));
        }
        letter.action = action;
        letter.content = Content::Answer(envelope);
        accepted(exchange, letter).await
    }
}

fn place(header: &str, address: Option<&str>, outbox: &Outbox) -> Result<Place, Fault> {
    match address {
        None | Some(ANONYMOUS) => Ok(Place::Here),
        Some(NONE) => Ok(Place::Nowhere),
        Some(url) if outbox.sends_to(url) => Ok(Place::There(url.to_owned())),
        Some(_) => Err(Fault::only_anonymous(format!(
            "{header} names an address that this server sends no answers to (asynchronous.reply_to)"
        ))),
    }
}

fn relates_to<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    message.message_id.as_deref()
}

fn letter(exchange: &Exchange<'_>, recipient: &str, content: Content) -> Letter {
    Letter {
        recipient: recipient.to_owned(),
        action: exchange.message.action.clone().unwrap_or_default(),
        encoding: exchange.encoding,
        message_id: uuid_urn(Uuid::new_v4()),
        relates_to: exchange.message.message_id.clone(),
        content,
    }
}

async fn accepted(exchange: &Exchange<'_>, letter: Letter) -> HttpResponse {
    match exchange.app.outbox.put(&letter).await {
        Ok(()) => HttpResponse::Accepted().finish(),
        Err(error) => {
            tracing::error!("an answer cannot be kept for its delivery: {error}");
            let fault = Fault::receiver(
                "the answer cannot be kept for its delivery; whether the request was carried out can be found out by a query",
            );
            body::fault(exchange.encoding, &fault, relates_to(exchange.message))
        }
    }
}

/// Action, envelope and parts of an answer on a connection of its own.
fn written(
    answer: Answer,
    message_id: &str,
    relates_to: Option<&str>,
    to: &str,
) -> (String, String, Vec<mtom::Part>) {
    match answer {
        Answer::Fault(fault) => {
            (fault.action().to_owned(), fault.to_delivery(message_id, relates_to, to), Vec::new())
        }
        Answer::Long { .. } => {
            let fault = Fault::receiver("the answer was not read to its end");
            (fault.action().to_owned(), fault.to_delivery(message_id, relates_to, to), Vec::new())
        }
        Answer::Body { action, xml, parts } => {
            let envelope = soap::write(&Header::delivery(&action, message_id, relates_to, to), |w| {
                w.raw(&xml);
            });
            (action, envelope, parts)
        }
    }
}

/// Carries out a retrieval that was postponed: recipient, action, envelope and parts of its answer.
pub async fn retrieve_later(
    app: &App,
    encoding: Encoding,
    envelope: &str,
    requester: access::Requester,
    recipient: &str,
    message_id: &str,
    relates_to: Option<&str>,
) -> (String, String, String, Vec<mtom::Part>) {
    let (answer, fault_to) =
        match super::exchange::again(app, encoding, envelope, requester, iti43::checked).await {
            Ok((answer, fault_to)) => (answer, fault_to),
            Err(fault) => (Answer::Fault(fault), None),
        };
    let to = match (&answer, fault_to) {
        (Answer::Fault(_), Some(url)) if app.outbox.sends_to(&url) => url,
        _ => recipient.to_owned(),
    };
    let (action, envelope, parts) = written(answer, message_id, relates_to, &to);
    (to, action, envelope, parts)
}
