//! Registry Stored Query over SOAP.

use xds::constants::action::ITI_18;
use xds::error::{ErrorCode, Finding};
use xds::message::{MessageError, QueryResult, write_query_response};
use xds::query::Request;

use super::exchange::{Answer, Exchange};

pub async fn answer(exchange: &Exchange<'_>) -> Answer {
    let body = exchange.message.body;
    let query = match Request::read(body) {
        Ok(query) => query,
        Err(MessageError(context)) => {
            return refused(&[Finding::error(ErrorCode::XDSRegistryError, None, context)]);
        }
    };
    let result = exchange.app.registry.query(&exchange.requester(), &query, &body.to_xml()).await;
    exchange.log("ITI-18", &query.id, result.as_ref().err().map(Into::into));
    match result {
        Ok(result) => Answer::new(ITI_18, |w| write_query_response(w, &[], &result)),
        Err(failure) => refused(&failure.findings()),
    }
}

fn refused(findings: &[Finding]) -> Answer {
    Answer::new(ITI_18, |w| write_query_response(w, findings, &QueryResult::Objects(String::new())))
}
