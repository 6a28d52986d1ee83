//! Registry Stored Query over SOAP.

use registry::Failure;
use registry::iti18::answer::Answered;
use xds::constants::action::ITI_18;
use xds::error::{ErrorCode, Finding};
use xds::message::{MessageError, QueryResult, write_query_response};
use xds::query::Request;
use xml::Writer;

use super::exchange::{Answer, Exchange, Unread};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let body = exchange.message.body;
    let query = match Request::read(body) {
        Ok(query) => query,
        Err(error) => return Err(unreadable(ITI_18, error)),
    };
    let result = exchange.app.registry.query(&exchange.requester(), &query, &body.to_xml()).await;
    exchange.log(Transaction::Iti18, &query.id, result.as_ref().err().map(Into::into));
    Ok(answered(ITI_18, result))
}

/// `action` is that of the request.
pub fn answered(action: &str, result: Result<Answered, Failure>) -> Answer {
    match result {
        Ok(Answered::Long(portions)) => {
            let write = |w: &mut Writer, hole| write_query_response(w, &[], &QueryResult::Objects(hole));
            Answer::long(action, write, portions)
        }
        Ok(Answered::Whole(result)) => Answer::new(action, |w| write_query_response(w, &[], &result)),
        Err(failure) => refused(action, &failure.findings()),
    }
}

pub fn unreadable(action: &str, MessageError(context): MessageError) -> Unread {
    refused(action, &[Finding::error(ErrorCode::XDSRegistryError, None, context)]).unread()
}

fn refused(action: &str, findings: &[Finding]) -> Answer {
    Answer::new(action, |w| write_query_response(w, findings, &QueryResult::Objects(String::new())))
}
