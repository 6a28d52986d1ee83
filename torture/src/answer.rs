//! What an answer means for the ledger.

use client::mllp::Acknowledgement;
use client::{Error, RawAnswer};
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
        _ if errors.iter().any(|error| error.context.contains(NOT_KNOWN)) => Answer::NotKnown,
        // A failure without a reason is none of a removal.
        _ if !errors.is_empty() && errors.iter().all(|error| error.context.contains(OCTETS_STAY)) => {
            Answer::Acknowledged
        }
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
        Ok(ack) if ack.texts.iter().any(|text| text.contains(NOT_KNOWN)) => Answer::NotKnown,
        Ok(ack) => Answer::Refused(format!("{} {}", ack.errors.join(" "), ack.texts.join("; "))),
        Err(Error::Connect { .. }) => Answer::Refused("unreachable".to_owned()),
        Err(_) => Answer::Open,
    }
}

/// Of an AuditEvent over FHIR.
pub fn of_page(page: Result<&RawAnswer, &Error>) -> Answer {
    match page {
        Ok(page) if page.status == 201 => Answer::Acknowledged,
        Ok(page) => Answer::Refused(format!("HTTP {} {}", page.status, String::from_utf8_lossy(&page.body))),
        Err(Error::Connect { .. }) => Answer::Refused("unreachable".to_owned()),
        Err(_) => Answer::Open,
    }
}

#[cfg(test)]
mod tests {
    use xds::message::ReceivedError;

    use super::*;

    fn answer(status: ResponseStatus, contexts: &[&str]) -> Answer {
        let error = |context: &&str| ReceivedError {
            code: "XDSRepositoryError".to_owned(),
            context: (*context).to_owned(),
            location: None,
            is_warning: false,
        };
        of_response(Ok(&ReceivedResponse { status, errors: contexts.iter().map(error).collect() }))
    }

    #[test]
    fn only_a_success_and_a_removal_whose_octets_stay_are_acknowledged() {
        assert_eq!(answer(ResponseStatus::Success, &[]), Answer::Acknowledged);
        assert_eq!(answer(ResponseStatus::Failure, &[OCTETS_STAY]), Answer::Acknowledged);
        for errors in [&[][..], &["no"], &[OCTETS_STAY, "no"]] {
            for status in [ResponseStatus::Failure, ResponseStatus::PartialSuccess] {
                assert!(matches!(answer(status, errors), Answer::Refused(_)), "{status:?} {errors:?}");
            }
        }
        assert_eq!(answer(ResponseStatus::Failure, &["no", NOT_KNOWN]), Answer::NotKnown);
    }
}
