//! One request that was understood as SOAP, and the answer to it.
//!
//! A transaction gets an [`Exchange`] and gives an [`Answer`]; how the answer travels is decided here.

use std::error::Error;
use std::time::Instant;

use access::{Authentication, Requester};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use hl7v3::{Ack, AckCode, ProblemCode};
use registry::iti18::answer::Portions;
use soap::{Encoding, Fault, Header, Message};
use xds::error::Finding;
use xds::message::{RegistryResponse, ResponseStatus};
use xml::Writer;

use super::App;
use super::body::{self, Incoming};
use super::reply::Reply;
use crate::metrics::{Ending, Transaction};
use crate::tls::PeerCertificate;

/// A request whose envelope was read.
pub struct Exchange<'a> {
    pub app: &'a App,
    pub message: &'a Message<'a>,
    pub encoding: Encoding,
    origin: Requester,
    started: Instant,
}

/// What a transaction answers with.
pub enum Answer {
    /// The content of the SOAP Body, with parts that it refers to.
    Body {
        action: String,
        xml: String,
        parts: Vec<mtom::Part>,
    },
    /// The content of the SOAP Body with a hole, [`REST`], into which what is not read yet goes.
    Long {
        action: String,
        xml: String,
        rest: Box<Portions>,
    },
    Fault(Fault),
}

/// The hole of a long answer: a character that XML cannot contain.
const REST: &str = "\u{5}";

/// The answer to a request of which no transaction could be made, so that no actor has traced it.
pub struct Unread {
    answer: Answer,
    /// Why, for the trace.
    codes: String,
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Unread { codes: fault.codes(), answer: Answer::Fault(fault) }
    }
}

/// Reads the envelope and has `dispatch` answer it; what cannot be read gets a fault.
pub async fn respond(
    app: &App,
    request: &HttpRequest,
    incoming: &Incoming,
    dispatch: impl AsyncFnOnce(&Exchange<'_>) -> Result<Answer, Unread>,
) -> HttpResponse {
    match understood(app, request, incoming, dispatch).await {
        Ok(response) => response,
        Err(fault) => {
            let fault = match app.trace_refused(&origin(&app.public_url, request), &fault.codes()).await {
                Ok(()) => fault,
                Err(untraced) => untraced,
            };
            body::fault(incoming.encoding, &fault, None)
        }
    }
}

async fn understood(
    app: &App,
    request: &HttpRequest,
    incoming: &Incoming,
    dispatch: impl AsyncFnOnce(&Exchange<'_>) -> Result<Answer, Unread>,
) -> Result<HttpResponse, Fault> {
    let sender = |error: xml::Error| Fault::sender(error.to_string());
    let text = xml::decode_as(&incoming.envelope, incoming.charset.as_deref()).map_err(sender)?;
    let limits = xml::Limits { bytes: usize::MAX, depth: app.limits.xml_depth, ..xml::Limits::default() };
    let document = xml::Document::parse(&text, &limits).map_err(sender)?;
    let message = soap::read(&document, incoming.encoding == Encoding::Mtom)?;
    let reply = Reply::wanted(&message, &app.outbox)
        .map_err(|fault| fault.relating_to(message.message_id.clone()))?;
    let exchange = Exchange {
        app,
        message: &message,
        encoding: incoming.encoding,
        origin: origin(&app.public_url, request),
        started: Instant::now(),
    };
    if let Some(response) = reply.postponed(&exchange, &text).await {
        return Ok(response);
    }
    let answer = traced(&exchange, dispatch(&exchange).await).await;
    Ok(reply.send(&exchange, answer).await)
}

/// Carries out a request whose envelope was kept, for the one who sent it. With the answer, the address of its FaultTo.
pub async fn again(
    app: &App,
    encoding: Encoding,
    envelope: &str,
    requester: Requester,
    dispatch: impl AsyncFnOnce(&Exchange<'_>) -> Result<Answer, Unread>,
) -> Result<(Answer, Option<String>), Fault> {
    let limits = xml::Limits { bytes: usize::MAX, depth: app.limits.xml_depth, ..xml::Limits::default() };
    let document =
        xml::Document::parse(envelope, &limits).map_err(|error| Fault::sender(error.to_string()))?;
    let message = soap::read(&document, encoding == Encoding::Mtom)?;
    let exchange = Exchange { app, message: &message, encoding, origin: requester, started: Instant::now() };
    let answer = traced(&exchange, dispatch(&exchange).await).await;
    Ok((answer, message.fault_to.clone()))
}

/// The answer, once a request that no actor saw has its trace. Without a trace not even the reason is given away.
async fn traced(exchange: &Exchange<'_>, answer: Result<Answer, Unread>) -> Answer {
    let Unread { answer, codes } = match answer {
        Ok(answer) => return answer,
        Err(unread) => unread,
    };
    match exchange.app.trace_refused(&exchange.requester(), &codes).await {
        Ok(()) => answer,
        Err(untraced) => Answer::Fault(untraced),
    }
}

/// The caller as far as the connection tells.
pub fn origin(public_url: &str, request: &HttpRequest) -> Requester {
    let endpoint = format!("{public_url}{}", request.path());
    let mut requester = Requester::remote(request.peer_addr().map(|address| address.ip()), &endpoint);
    if let Some(certificate) = request.conn_data::<PeerCertificate>() {
        certificate.note(&mut requester);
    }
    requester
}

/// How a transaction went wrong, for its line in the log.
pub enum Wrong<'f> {
    /// The request was at fault.
    Refused { codes: String },
    /// This server was.
    Failed { codes: String, error: &'f dyn Error },
}

impl Answer {
    /// `action` is that of the request.
    pub fn new(action: &str, write: impl FnOnce(&mut Writer)) -> Answer {
        Answer::with_parts(action, write, Vec::new())
    }

    pub fn with_parts(action: &str, write: impl FnOnce(&mut Writer), parts: Vec<mtom::Part>) -> Answer {
        let mut w = Writer::new();
        write(&mut w);
        Answer::Body { action: format!("{action}Response"), xml: w.finish(), parts }
    }

    /// `write` is given the text to which `rest` will be.
    pub fn long(action: &str, write: impl FnOnce(&mut Writer, String), rest: Portions) -> Answer {
        let mut w = Writer::new();
        write(&mut w, REST.to_owned());
        Answer::Long { action: format!("{action}Response"), xml: w.finish(), rest: Box::new(rest) }
    }

    /// The same answer, nothing of which is still to be read.
    pub async fn whole(self) -> Answer {
        let Answer::Long { action, xml, mut rest } = self else { return self };
        let mut text = String::new();
        loop {
            match rest.next().await {
                Ok(Some(portion)) => text.push_str(&portion),
                Ok(None) => return Answer::Body { action, xml: xml.replace(REST, &text), parts: Vec::new() },
                Err(error) => {
                    tracing::error!("an answer cannot be read to its end: {error}");
                    return Answer::Fault(Fault::receiver("the answer cannot be read to its end"));
                }
            }
        }
    }

    /// `rs:RegistryResponse`: Success when nothing but warnings was found.
    pub fn registry_response(action: &str, findings: Vec<Finding>) -> Answer {
        Answer::new(action, |w| RegistryResponse::of(findings).write(w))
    }

    /// To a request of which no transaction could be made.
    pub fn unread(self) -> Unread {
        Unread { answer: self, codes: "the request cannot be read".to_owned() }
    }

    /// As HTTP response in the encoding of the request (TF-2 Appendix V.8).
    pub fn into_response(self, encoding: Encoding, relates_to: Option<&str>) -> HttpResponse {
        match self {
            Answer::Fault(fault) => body::fault(encoding, &fault, relates_to),
            Answer::Body { action, xml, parts } => {
                let envelope = soap::write(&Header::response(&action, relates_to), |w| {
                    w.raw(&xml);
                });
                body::package(encoding, StatusCode::OK, &action, envelope, parts)
            }
            Answer::Long { action, xml, rest } => {
                let envelope = soap::write(&Header::response(&action, relates_to), |w| {
                    w.raw(&xml);
                });
                let (before, after) = envelope.split_once(REST).unwrap_or((&envelope, ""));
                body::portions(&action, before.to_owned(), *rest, after.to_owned())
            }
        }
    }
}

impl Exchange<'_> {
    /// The caller as far as the connection and the SOAP header tell. Nothing in a security header is believed yet.
    pub fn requester(&self) -> Requester {
        let mut requester = self.origin.clone();
        requester.reply_to = self.message.reply_to.clone();
        if self.message.security.is_some() {
            requester.authentication = Authentication::Unverified;
        }
        requester
    }

    /// Which of the `actions` of this body is meant. wsa:Action, if sent, must be one of them (WS-Addressing 1.0 SOAP
    /// Binding §6); if not, the first is meant.
    pub fn action(&self, actions: &[&'static str]) -> Result<&'static str, Fault> {
        let sent = match (self.message.action.as_deref(), actions.first()) {
            (None, Some(first)) => return Ok(first),
            (sent, _) => sent.unwrap_or_default(),
        };
        actions.iter().find(|action| **action == sent).copied().ok_or_else(|| {
            Fault::action_mismatch(format!(
                "wsa:Action is \"{sent}\", but the body is a {}, whose action is {}",
                self.message.body.name(),
                actions.iter().map(|action| format!("\"{action}\"")).collect::<Vec<_>>().join(" or ")
            ))
        })
    }

    pub fn unknown_body(&self) -> Fault {
        let body = self.message.body;
        Fault::action_not_supported(format!(
            "this service does not know the request {{{}}}{} (line {}), action \"{}\"",
            body.namespace(),
            body.name(),
            body.line(),
            self.message.action.as_deref().unwrap_or_default()
        ))
    }

    /// The line of a transaction that answers with an acknowledgement.
    pub fn log_acknowledged(&self, transaction: Transaction, id: &str, ack: &Ack) {
        let ending = match ack.code {
            AckCode::Accept => Ending::Success,
            _ if ack.problems.iter().any(|problem| problem.code == ProblemCode::Internal) => Ending::Failed,
            _ => Ending::Refused,
        };
        let ms = self.ended(transaction, ending);
        let transaction = transaction.name();
        tracing::info!(transaction, id, ms, outcome = ack.name(), codes = ack.codes());
    }

    /// One line for each transaction: ids and duration, no patient data.
    pub fn log(&self, transaction: Transaction, id: &str, wrong: Option<Wrong<'_>>) {
        let ending = match &wrong {
            None => Ending::Success,
            Some(Wrong::Refused { .. }) => Ending::Refused,
            Some(Wrong::Failed { .. }) => Ending::Failed,
        };
        let ms = self.ended(transaction, ending);
        let (transaction, outcome) = (transaction.name(), ending.name());
        match wrong {
            None => tracing::info!(transaction, id, ms, outcome),
            Some(Wrong::Refused { codes }) => tracing::info!(transaction, id, ms, outcome, codes),
            // The log has said why.
            Some(Wrong::Failed { codes, .. }) if self.app.database.is_away() => {
                tracing::info!(transaction, id, ms, outcome, codes)
            }
            Some(Wrong::Failed { codes, error }) => {
                tracing::error!(transaction, id, ms, outcome, codes, "{error}")
            }
        }
    }

    /// Counts the transaction; how long it took, in milliseconds.
    fn ended(&self, transaction: Transaction, ending: Ending) -> u64 {
        let took = self.started.elapsed();
        self.app.metrics.transactions.ended(transaction, ending, took);
        took.as_millis() as u64
    }
}

impl Wrong<'_> {
    /// Of a response that was made for a request of which nothing could be done.
    pub fn of(response: &RegistryResponse) -> Option<Self> {
        let RegistryResponse { status, findings } = response;
        let refused = || Wrong::Refused { codes: repository::Failure::Refused(findings.clone()).codes() };
        (*status == ResponseStatus::Failure).then(refused)
    }
}

impl<'f> From<&'f registry::Failure> for Wrong<'f> {
    fn from(failure: &'f registry::Failure) -> Self {
        match failure.is_refusal() {
            true => Wrong::Refused { codes: failure.codes() },
            false => Wrong::Failed { codes: failure.codes(), error: failure },
        }
    }
}

impl<'f> From<&'f repository::Failure> for Wrong<'f> {
    fn from(failure: &'f repository::Failure) -> Self {
        match failure.is_refusal() {
            true => Wrong::Refused { codes: failure.codes() },
            false => Wrong::Failed { codes: failure.codes(), error: failure },
        }
    }
}
