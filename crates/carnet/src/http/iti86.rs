//! Remove Documents over SOAP.
//!
//! The standard wants the `action` parameter in the Content-Type of request and answer. Ours has it always; a request
//! without it is answered all the same, since the parameter's value may not decide anything (TF-2 Appendix V.3).

use xds::constants::action::ITI_86;
use xds::error::{ErrorCode, Finding};
use xds::message::{MessageError, RegistryResponse, RemoveDocuments};

use super::exchange::{Answer, Exchange, Unread, Wrong};
use crate::metrics::Transaction;

pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let requests = match RemoveDocuments::read(exchange.message.body) {
        Ok(RemoveDocuments(requests)) => requests,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRepositoryError, None, context);
            return Err(Answer::registry_response(ITI_86, vec![finding]).unread());
        }
    };
    let ids = requests.iter().map(|r| r.document_unique_id.as_str()).collect::<Vec<_>>().join(" ");
    let result = exchange.app.repository.remove_documents(&exchange.requester(), requests).await;
    let wrong = match &result {
        Ok(response) => Wrong::of(response),
        Err(failure) => Some(failure.into()),
    };
    exchange.log(Transaction::Iti86, &ids, wrong);
    let response = result.unwrap_or_else(|failure| RegistryResponse::of(failure.findings()));
    Ok(Answer::new(ITI_86, |w| response.write(w)))
}
