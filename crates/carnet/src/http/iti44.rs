//! Patient Identity Feed HL7 v3 over SOAP, ITI-44.

use access::Requester;
use atna::MessageId;
use chrono::Utc;
use hl7v3::{Ack, Head, Ii, Interaction, Message, Problem, ProblemCode};
use registry::patients::feed::{Change, Door, Error, Refusal, Side};
use uuid::Uuid;
use xds::value::Cx;
use xml::Writer;

use super::exchange::{Answer, Exchange};
use crate::feed::{Feed, sentence};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>, interaction: Interaction) -> Answer {
    let feed = &exchange.app.feed;
    let requester = exchange.requester();
    let read = hl7v3::read(exchange.message.body, interaction);
    let head = match &read {
        Ok(message) => &message.head,
        Err(refusal) => &refusal.head,
    };
    let ack = match (stranger(feed, head, &requester).await, &read) {
        (Some(ack), _) => ack,
        (None, Ok(message)) => carry_out(feed, message, &requester).await,
        (None, Err(refusal)) => unread(feed, &requester, Ack::reject(refusal.problems.clone())).await,
    };
    exchange.log_acknowledged(Transaction::Iti44, &head.id.extension, &ack);
    write(&ack, head)
}

async fn stranger(feed: &Feed, head: &Head, requester: &Requester) -> Option<Ack> {
    let reason = match (feed.allows_address(requester.network_address), feed.allows_device(&head.sender.root))
    {
        (true, true) => return None,
        (false, _) => "the address is not in feed.senders",
        (true, false) => "the sending device is not in feed.senders",
    };
    let text = "this sender may not send to this registry".to_owned();
    let problem = Problem { code: ProblemCode::NotSupported, location: "sender/device/id", text };
    Some(once(feed, feed.trace_stranger(requester, reason).await, Ack::reject(vec![problem])))
}

async fn carry_out(feed: &Feed, message: &Message, requester: &Requester) -> Ack {
    let Ii { root, extension } = &message.head.id;
    let change = Change {
        requester,
        source: &feed.source,
        door: Door::Iti44,
        message: Some(MessageId::Ii(Cx::new(extension, root).text)),
    };
    let ours = |id: &Ii| feed.patient(&id.root, &id.extension);
    let patient: Vec<Cx> = message.patient.iter().filter_map(ours).collect();
    let done = match message.head.interaction {
        Interaction::Added => change.add(&feed.database, &patient).await,
        Interaction::Revised => change.revise(&feed.database, &patient).await,
        Interaction::DuplicatesResolved => {
            let subsumed: Vec<Cx> = message.subsumed.iter().filter_map(ours).collect();
            change.merge(&feed.database, &subsumed, &patient).await
        }
    };
    match done {
        Ok(()) => Ack::accept(),
        Err(error) => {
            if let Error::Failed(failure) = &error {
                feed.log_failed("ITI-44", failure);
            }
            Ack::error(problem(&error))
        }
    }
}

async fn unread(feed: &Feed, requester: &Requester, ack: Ack) -> Ack {
    once(feed, feed.trace_unread(requester, &ack.codes()).await, ack)
}

/// Without a trace not even the reason is given away.
fn once(feed: &Feed, traced: Result<(), registry::Failure>, ack: Ack) -> Ack {
    match traced {
        Ok(()) => ack,
        Err(failure) => {
            feed.log_failed("ITI-44", &failure);
            Ack::error(problem(&Error::Failed(failure)))
        }
    }
}

/// What a change that was not made is called in HL7 v3.
fn problem(error: &Error) -> Problem {
    const PATIENT: &str = "registrationEvent/subject1/patient/id";
    const PRIOR: &str = "priorRegistration/subject1/priorRegisteredRole/id";
    let refusal = match error {
        Error::Refused(refusal) => refusal,
        Error::Failed(failure) => {
            let text = sentence(failure).to_owned();
            return Problem { code: ProblemCode::Internal, location: "", text };
        }
    };
    let of = |side: &Side| match side {
        Side::Subsumed => PRIOR,
        Side::Surviving => PATIENT,
    };
    let (code, location) = match refusal {
        Refusal::StaysSo(_) => (ProblemCode::DuplicateKey, PATIENT),
        Refusal::NotOne(side) | Refusal::Unknown(side) | Refusal::NotOpen(side, _) => {
            (ProblemCode::UnknownKey, of(side))
        }
        Refusal::Same => (ProblemCode::UnknownKey, PRIOR),
    };
    Problem { code, location, text: refusal.to_string() }
}

fn write(ack: &Ack, to: &Head) -> Answer {
    let now = Utc::now().format("%Y%m%d%H%M%S+0000").to_string();
    let id = Ii::new(&identity::Oid::from_uuid(Uuid::new_v4()).to_string(), "");
    let mut w = Writer::new();
    ack.write(to, &now, &id, &mut w);
    Answer::Body { action: hl7v3::ACKNOWLEDGEMENT_ACTION.to_owned(), xml: w.finish(), parts: Vec::new() }
}
