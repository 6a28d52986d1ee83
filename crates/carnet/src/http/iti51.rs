//! Multi-Patient Stored Query over SOAP.

use xds::constants::action::ITI_51;
use xds::query::Request;

use super::exchange::{Answer, Exchange, Unread};
use super::iti18::{answered, unreadable};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let body = exchange.message.body;
    let query = match Request::read(body) {
        Ok(query) => query,
        Err(error) => return Err(unreadable(ITI_51, error)),
    };
    let registry = &exchange.app.registry;
    let result = registry.multi_patient_query(&exchange.requester(), &query, &body.to_xml()).await;
    exchange.log(Transaction::Iti51, &query.id, result.as_ref().err().map(Into::into));
    Ok(answered(ITI_51, result))
}
