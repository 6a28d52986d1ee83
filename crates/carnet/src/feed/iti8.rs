//! Patient Identity Feed over HL7 v2, ITI-8: one message in, one acknowledgement out.

use std::time::Instant;

use access::Requester;
use atna::MessageId;
use chrono::Utc;
use hl7v2::adt::{self, Events, Identifier, Notice, Refusal, Request};
use hl7v2::{Ack, AckCode, Header, Problem, ProblemCode};
use registry::Failure;
use registry::patients::feed::{Change, Door};
use uuid::Uuid;
use xds::value::Cx;

use super::mllp::Peer;
use super::{Feed, failure};
use crate::metrics::{Ending, Transaction};

impl Feed {
    /// Does what the message asks and answers it.
    pub async fn answer(&self, octets: &[u8], peer: &Peer) -> Vec<u8> {
        let events = Events { a28: self.settings.a28, a31: self.settings.a31 };
        self.answer_to(adt::read(octets, &events), peer).await
    }

    /// AR for a message that is longer than the limit; `head` is its beginning.
    pub async fn too_long(&self, head: &[u8], peer: &Peer) -> Vec<u8> {
        let text = format!("the message is longer than {} octets", self.settings.message);
        let ack = Ack::reject(Problem::new("MSH^1", ProblemCode::DataType, text));
        let refusal = Refusal { header: adt::header_of(head), ack };
        self.answer_to(Err(Box::new(refusal)), peer).await
    }

    async fn answer_to(&self, read: Result<Notice, Box<Refusal>>, peer: &Peer) -> Vec<u8> {
        let started = Instant::now();
        let header = match &read {
            Ok(notice) => &notice.header,
            Err(refusal) => &refusal.header,
        };
        let requester = requester(header, peer);
        let ack = match (self.stranger(header, &requester).await, &read) {
            (Some(ack), _) => ack,
            (None, Ok(notice)) => self.carry_out(notice, &requester).await,
            (None, Err(refusal)) => self.unread(&requester, refusal.ack.clone()).await,
        };
        let (id, event) = (header.control_id.as_str(), header.trigger_event.as_str());
        let took = started.elapsed();
        self.metrics.transactions.ended(Transaction::Iti8, ending(&ack), took);
        let ms = took.as_millis() as u64;
        tracing::info!(transaction = "ITI-8", event, id, ms, outcome = ack.name(), codes = ack.codes());
        write(&ack, header)
    }

    async fn unread(&self, requester: &Requester, ack: Ack) -> Ack {
        self.once(self.trace_unread(requester, &ack.codes()).await, ack)
    }

    /// Without a trace not even the reason is given away.
    fn once(&self, traced: Result<(), Failure>, ack: Ack) -> Ack {
        match traced {
            Ok(()) => ack,
            Err(failure) => {
                self.log_failed("ITI-8", &failure);
                failure::ack(&registry::patients::feed::Error::Failed(failure))
            }
        }
    }

    async fn stranger(&self, header: &Header, requester: &Requester) -> Option<Ack> {
        if self.allows_application((&header.sending_application, &header.sending_facility)) {
            return None;
        }
        let text = "this sender (MSH-3, MSH-4) may not send to this registry";
        let ack = Ack::reject(Problem::new("MSH^1^3", ProblemCode::TableValueNotFound, text));
        let traced = self.trace_stranger(requester, "MSH-3 and MSH-4 are not in feed.senders").await;
        Some(self.once(traced, ack))
    }

    async fn carry_out(&self, notice: &Notice, requester: &Requester) -> Ack {
        let change = Change {
            requester,
            source: &self.source,
            door: Door::Iti8,
            message: Some(MessageId::ControlId(notice.header.control_id.clone())),
        };
        let ours = |identifiers: &[Identifier]| -> Vec<Cx> {
            identifiers.iter().filter_map(|identifier| self.of_this_domain(identifier)).collect()
        };
        let done = match &notice.request {
            Request::Add(patient) => change.add(&self.database, &ours(patient)).await,
            Request::Revise(patient) => change.revise(&self.database, &ours(patient)).await,
            Request::Merge { subsumed, surviving } => {
                change.merge(&self.database, &ours(subsumed), &ours(surviving)).await
            }
        };
        match done {
            Ok(()) => Ack::accept(),
            Err(error) => {
                if let registry::patients::feed::Error::Failed(failure) = &error {
                    self.log_failed("ITI-8", failure);
                }
                failure::ack(&error)
            }
        }
    }
}

fn ending(ack: &Ack) -> Ending {
    match ack.code {
        AckCode::Accept => Ending::Success,
        _ if ack.problems.iter().any(|problem| problem.code == ProblemCode::Internal) => Ending::Failed,
        _ => Ending::Refused,
    }
}

/// Facility and application, as the audit wants them.
fn requester(header: &Header, peer: &Peer) -> Requester {
    let receiver = format!("{}|{}", header.receiving_facility, header.receiving_application);
    let mut requester = Requester::remote(Some(peer.address), &receiver);
    requester.application = Some(format!("{}|{}", header.sending_facility, header.sending_application));
    if let Some(certificate) = &peer.certificate {
        certificate.note(&mut requester);
    }
    requester
}

fn write(ack: &Ack, to: &Header) -> Vec<u8> {
    let now = Utc::now().format("%Y%m%d%H%M%S+0000").to_string();
    // MSH-10 has twenty characters in HL7 v2.3.1.
    let id = Uuid::new_v4().simple().to_string();
    ack.write(to, &now, id.get(..20).unwrap_or(&id))
}
