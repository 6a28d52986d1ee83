//! Remove Metadata over SOAP.

use xds::constants::action::ITI_62;
use xds::error::{ErrorCode, Finding};
use xds::message::{MessageError, RemoveObjects};

use super::exchange::{Answer, Exchange, Unread};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let request = match RemoveObjects::read(exchange.message.body) {
        Ok(request) => request,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRegistryMetadataError, None, context);
            return Err(Answer::registry_response(ITI_62, vec![finding]).unread());
        }
    };
    let result = exchange.app.registry.remove_metadata(&exchange.requester(), &request).await;
    exchange.log(Transaction::Iti62, &request.0.join(" "), result.as_ref().err().map(Into::into));
    let findings = result.err().map(|failure| failure.findings()).unwrap_or_default();
    Ok(Answer::registry_response(ITI_62, findings))
}
