//! Record Audit Event, ITI-20, as a FHIR feed: other nodes post AuditEvents, one by one or as a batch. An answer says that
//! they are durable; what is no AuditEvent is kept apart with the reason.

use access::Requester;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use atna::fhir::{self, Encoding, Issue};
use atna::rejected::{self, Rejected};
use atna::{Arrival, Entry};
use chrono::Utc;
use serde_json::Value;
use uuid::Uuid;

use super::call::{Call, Door, respond};
use super::failure::Failure;
use super::{Doors, answer, form};
use crate::audit::Right;
use crate::http::body::{content_length, read_all};
use crate::http::compression::{BodyError, unpacked};
use crate::metrics::{self, Transaction};

const DOOR: Door = Door { transaction: Transaction::Iti20, right: Right::Write, act: None };
const FORMS: &str = "application/fhir+json or application/fhir+xml";
/// Of what is kept apart.
const TRANSPORT: &str = "fhir";

/// `POST AuditEvent`
pub async fn create(doors: web::Data<Doors>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let wanted = form::wanted(&request, &[], form::sent(&request).unwrap_or(Encoding::Json));
    respond(&doors, &request, &DOOR, wanted, async |call| {
        let sent = Sent::receive(call, &request, payload).await?;
        let Sent { encoding, arrival, .. } = &sent;
        let taken = sent.text().and_then(|text| {
            let resource = fhir::read(text, *encoding, usize::MAX)?;
            fhir::received(&resource, text.to_owned(), *encoding, arrival.clone())
        });
        match taken {
            Ok(received) => {
                let id = received.id;
                keep(call.doors, &[Entry::Received(received)]).await?;
                let location = format!("{}/AuditEvent/{id}", call.doors.base());
                Ok(answer::begin(StatusCode::CREATED).insert_header((header::LOCATION, location)).finish())
            }
            Err(issues) => {
                keep_apart(call.doors, &[sent.rejected(&issues)]).await?;
                Err(Failure::malformed(issues))
            }
        }
    })
    .await
}

/// `POST` of a Bundle: each AuditEvent is taken or not by itself.
pub async fn batch(doors: web::Data<Doors>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let wanted = form::wanted(&request, &[], form::sent(&request).unwrap_or(Encoding::Json));
    respond(&doors, &request, &DOOR, wanted, async |call| {
        let sent = Sent::receive(call, &request, payload).await?;
        let members = sent.text().and_then(|text| {
            let bundle = fhir::read(text, sent.encoding, usize::MAX)?;
            let most = call.doors.settings.batch;
            if entries(&bundle).len() > most {
                return Err(vec![Issue::new("too-long", format!("more than {most} entries"))]);
            }
            Ok((fhir::batch(&bundle, &sent.arrival)?, bundle))
        });
        let (members, bundle) = match members {
            Ok(members) => members,
            Err(issues) => {
                keep_apart(call.doors, &[sent.rejected(&issues)]).await?;
                return Err(Failure::malformed(issues));
            }
        };
        let (mut taken, mut rejected) = (Vec::new(), Vec::new());
        let mut verdicts: Vec<Result<Uuid, Vec<Issue>>> = Vec::new();
        for (member, entry) in members.into_iter().zip(entries(&bundle)) {
            verdicts.push(member.map(|received| {
                let id = received.id;
                taken.push(Entry::Received(received));
                id
            }));
            if let Some(Err(issues)) = verdicts.last() {
                rejected.push(Rejected { octets: entry.to_string().into_bytes(), ..sent.rejected(issues) });
            }
        }
        keep(call.doors, &taken).await?;
        match keep_apart(call.doors, &rejected).await {
            // What was taken is in the log: a node that is told of a failure sends it again.
            Err(failure) if !taken.is_empty() => {
                tracing::error!("what is no AuditEvent in a batch could not be kept apart: {failure}");
            }
            kept => kept?,
        }
        Ok(answer::resource(call.encoding, StatusCode::OK, &fhir::batch_response(&verdicts)))
    })
    .await
}

fn entries(bundle: &Value) -> &[Value] {
    bundle.get("entry").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A body as it came.
struct Sent {
    encoding: Encoding,
    octets: Vec<u8>,
    arrival: Arrival,
}

impl Sent {
    async fn receive(call: &Call<'_>, request: &HttpRequest, payload: web::Payload) -> Result<Sent, Failure> {
        let encoding = form::sent(request).ok_or(Failure::MediaType(FORMS))?;
        let most = call.doors.message;
        if content_length(request).is_some_and(|length| length > most) {
            return Err(Failure::TooLarge(most));
        }
        let body = unpacked(request.headers(), payload, call.doors.endurance)
            .map_err(|_| Failure::MediaType(FORMS))?;
        let octets = read_all(body, most).await.map_err(|error| match error {
            BodyError::TooLarge | BodyError::TooDense(_) => Failure::TooLarge(most),
            _ => Failure::Malformed(vec![Issue::new("structure", "the body could not be read to its end")]),
        })?;
        let arrival = Arrival { at: Utc::now(), peer: peer(&call.requester) };
        Ok(Sent { encoding, octets, arrival })
    }

    fn text(&self) -> Result<&str, Vec<Issue>> {
        std::str::from_utf8(&self.octets).map_err(|error| {
            let place = error.valid_up_to();
            vec![Issue::new("structure", format!("the body is not UTF-8, from octet {place} on"))]
        })
    }

    fn rejected(&self, issues: &[Issue]) -> Rejected {
        // A sentence for each element of a large body would be larger than the body.
        let reasons: Vec<String> = issues.iter().take(5).map(ToString::to_string).collect();
        Rejected {
            received_at: self.arrival.at,
            peer: self.arrival.peer.clone(),
            transport: TRANSPORT,
            reason: reasons.join("; "),
            octets: self.octets.clone(),
        }
    }
}

/// The address, the subject of the certificate, and the name of the token.
fn peer(requester: &Requester) -> String {
    let address = requester.network_address.map(|address| address.to_string());
    let token = requester.who.as_ref().map(|name| format!("(token {name})"));
    let parts = [address, requester.certificate_subject.clone(), token];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

async fn keep(doors: &Doors, taken: &[Entry]) -> Result<(), Failure> {
    if taken.is_empty() {
        return Ok(());
    }
    doors.traces.record_entries(taken).await?;
    doors.metrics.add(&metrics::RECEIVED, TRANSPORT, taken.len());
    Ok(())
}

async fn keep_apart(doors: &Doors, rejected: &[Rejected]) -> Result<(), Failure> {
    if rejected.is_empty() {
        return Ok(());
    }
    let client = doors.database.get().await?;
    rejected::keep(&**client, rejected).await?;
    doors.metrics.add(&metrics::REJECTED, TRANSPORT, rejected.len());
    Ok(())
}
