//! What an answer means for the ledger.

use client::Error;
use client::mllp::Acknowledgement;
use xds::message::{ReceivedResponse, ResponseStatus};

use crate::ledger::Answer;

/// A part of the sentence with which Carnet says that an outcome is not known.
const NOT_KNOWN: &str = "not known whether";
/// Of a document whose octets could not be unlinked at once; it is removed.
const OCTETS_STAY: &str = "cannot be retrieved any more";

/// Of a SOAP transaction. Whatever has no answer of the service is open.
pub fn of_response(response: Result<&ReceivedResponse, &Error>) -> Answer {
    let response = match response {
        Ok(response) => response,
        Err(Error::Fault { code, reason }) => return Answer::Refused(format!("fault {code}: {reason}")),
        Err(Error::Connect { .. }) => return Answer::Refused("unreachable".to_owned()),
        Err(_) => return Answer::Open,
    };
    let errors: Vec<_> = response.errors.iter().filter(|error| !error.is_warning).collect();
    match response.status {
        ResponseStatus::Success => Answer::Acknowledged,
        _ if errors.iter().any(|error| error.context.contains(NOT_KNOWN)) => Answer::Open,
        _ if errors.iter().all(|error| error.context.contains(OCTETS_STAY)) => Answer::Acknowledged,
        _ => Answer::Refused(
            errors
                .iter()
                .map(|error| format!("{} {}", error.code, error.context))
                .collect::<Vec<_>>()
                .join("; "),
        ),
    }
}

/// Of a message of the feed.
pub fn of_acknowledgement(ack: Result<&Acknowledgement, &Error>) -> Answer {
    match ack {
        Ok(ack) if ack.code == "AA" => Answer::Acknowledged,
        Ok(ack) if ack.texts.iter().any(|text| text.contains(NOT_KNOWN)) => Answer::Open,
        Ok(ack) => Answer::Refused(format!("{} {}", ack.errors.join(" "), ack.texts.join("; "))),
        Err(Error::Connect { .. }) => Answer::Refused("unreachable".to_owned()),
        Err(_) => Answer::Open,
    }
}
