//! Register On-Demand Document Entry over SOAP.

use xds::constants::action::ITI_61_RESPONSE;
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::message::{MessageError, RegistryResponse};

use super::exchange::{Answer, Exchange, Unread};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let mut objects = match SubmitObjects::read(exchange.message.body) {
        Ok(objects) => objects,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRegistryMetadataError, None, context);
            return Err(answered(vec![finding]).unread());
        }
    };
    // A document that does not exist yet has no header.
    objects.drop_internal_slots();
    let submission_set = objects.submission_set_unique_id().unwrap_or("-").to_owned();
    let result = exchange.app.registry.register_on_demand(&exchange.requester(), objects).await;
    exchange.log(Transaction::Iti61, &submission_set, result.as_ref().err().map(Into::into));
    Ok(answered(result.unwrap_or_else(|failure| failure.findings())))
}

fn answered(findings: Vec<Finding>) -> Answer {
    let mut w = xml::Writer::new();
    RegistryResponse::of(findings).write(&mut w);
    Answer::Body { action: ITI_61_RESPONSE.to_owned(), xml: w.finish(), parts: Vec::new() }
}
