//! One request: who makes it, whether they may, and its end.

use std::time::Instant;

use access::{Authentication, Requester};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use atna::fhir::Encoding;
use atna::{Act, Event, Outcome};

use super::failure::Failure;
use super::{Doors, answer};
use crate::audit::Right;
use crate::http::exchange::origin;
use crate::metrics::{Ending, Transaction};

/// A request of somebody who may make it.
pub struct Call<'a> {
    pub doors: &'a Doors,
    pub requester: Requester,
    /// The form in which the answer is wanted.
    pub encoding: Encoding,
}

/// What a request is about.
pub struct Door {
    pub transaction: Transaction,
    pub right: Right,
    /// What leaves a trace when it is not carried out.
    pub act: Option<Act>,
}

/// Has `work` carry out a request, if its sender may; traces what was refused. `wanted`: the form of the answer, if it is
/// one of ours.
pub async fn respond(
    doors: &Doors,
    request: &HttpRequest,
    door: &Door,
    wanted: Option<Encoding>,
    work: impl AsyncFnOnce(&Call<'_>) -> Result<HttpResponse, Failure>,
) -> HttpResponse {
    let started = Instant::now();
    let encoding = wanted.unwrap_or(Encoding::Json);
    let carried_out = async {
        let requester = identified(doors, request, door.right).await?;
        let call = Call { doors, requester, encoding };
        let done = match wanted {
            Some(_) => work(&call).await,
            None => Err(Failure::NotAcceptable),
        };
        match (done, door.act) {
            (Err(failure), Some(act)) => Err(traced(&call, act, failure).await),
            (done, _) => done,
        }
    };
    let outcome = carried_out.await;
    let ending = match &outcome {
        Ok(_) => Ending::Success,
        Err(failure) if failure.is_refusal() => Ending::Refused,
        Err(_) => Ending::Failed,
    };
    let took = started.elapsed();
    doors.metrics.transactions.ended(door.transaction, ending, took);
    let (transaction, ms) = (door.transaction.name(), took.as_millis() as u64);
    match outcome {
        Ok(response) => {
            tracing::info!(transaction, ms, outcome = ending.name());
            response
        }
        Err(failure) => {
            let code = failure.status().as_u16();
            match ending {
                Ending::Failed if !doors.database.is_away() => {
                    tracing::error!(transaction, ms, outcome = ending.name(), code, "{failure}")
                }
                _ => tracing::info!(transaction, ms, outcome = ending.name(), code),
            }
            answer::failure(encoding, &failure)
        }
    }
}

/// The sender, by the token that it shows. Who shows none leaves a trace.
async fn identified(doors: &Doors, request: &HttpRequest, right: Right) -> Result<Requester, Failure> {
    let mut requester = origin(&doors.public_url, request);
    let refusal = match shown(request) {
        Err(reason) => Failure::Unauthenticated(reason),
        Ok(shown) => {
            let found = doors.tokens.find(shown).map_err(|error| Failure::Internal(format!("{error:#}")))?;
            match found {
                None => Failure::Unauthenticated("the bearer token is not known here"),
                Some(token) => {
                    requester.who = Some(token.name.clone());
                    requester.authentication = Authentication::Token;
                    if token.gives(right) {
                        return Ok(requester);
                    }
                    Failure::Forbidden(right.name())
                }
            }
        }
    };
    let event = Event::new(Act::AuthenticationFailed, Outcome::MinorFailure, &requester, &doors.source);
    doors.traces.record(&[event.described(refusal.to_string())]).await?;
    Err(refusal)
}

/// The token in the Authorization header (RFC 6750).
fn shown(request: &HttpRequest) -> Result<&str, &'static str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    match (headers.next(), headers.next()) {
        (None, _) => Err("the audit needs a bearer token"),
        (Some(_), Some(_)) => Err("more than one Authorization header"),
        (Some(value), None) => {
            let (scheme, token) =
                value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
            match scheme.eq_ignore_ascii_case("bearer") {
                true => Ok(token.trim()),
                false => Err("the audit needs a bearer token, and no other authorization"),
            }
        }
    }
}

/// The failure, once its trace is written.
async fn traced(call: &Call<'_>, act: Act, failure: Failure) -> Failure {
    let outcome = match failure.is_refusal() {
        true => Outcome::MinorFailure,
        false => Outcome::SeriousFailure,
    };
    let event = Event::new(act, outcome, &call.requester, &call.doors.source)
        .described(format!("HTTP {}", failure.status().as_u16()));
    match (call.doors.traces.record(&[event]).await, failure.is_refusal()) {
        // Without a trace not even the reason is given away.
        (Err(error), true) => error.into(),
        (Err(_), false) if call.doors.database.is_away() => failure,
        (Err(error), false) => {
            tracing::error!("the trace of a failed use of the audit cannot be written: {error}");
            failure
        }
        (Ok(()), _) => failure,
    }
}

impl Call<'_> {
    /// Writes that the audit was used, once for each patient, or once of nobody. Nothing may be shown before.
    pub async fn used(&self, act: Act, patients: &[String]) -> Result<(), Failure> {
        let event = || Event::new(act, Outcome::Success, &self.requester, &self.doors.source);
        let events: Vec<Event> = match patients {
            [] => vec![event()],
            patients => patients.iter().map(|patient| event().patient(Some(patient))).collect(),
        };
        Ok(self.doors.traces.record(&events).await?)
    }
}
