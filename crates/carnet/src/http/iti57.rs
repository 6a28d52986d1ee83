//! Update Document Set over SOAP.

use xds::constants::action::ITI_57;
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::message::MessageError;

use super::exchange::{Answer, Exchange, Unread};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let objects = match SubmitObjects::read(exchange.message.body) {
        Ok(objects) => objects,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRegistryMetadataError, None, context);
            return Err(Answer::registry_response(ITI_57, vec![finding]).unread());
        }
    };
    let submission_set = objects.submission_set_unique_id().unwrap_or("-").to_owned();
    let result = exchange.app.registry.update(&exchange.requester(), objects).await;
    exchange.log(Transaction::Iti57, &submission_set, result.as_ref().err().map(Into::into));
    Ok(Answer::registry_response(ITI_57, result.unwrap_or_else(|failure| failure.findings())))
}
