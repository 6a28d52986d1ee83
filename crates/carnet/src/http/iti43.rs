//! Retrieve Document Set over SOAP: documents as parts of a package, or as base64 in plain SOAP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt;
use repository::Failure;
use repository::iti43::Retrieved;
use soap::{Encoding, Fault};
use xds::constants::action::ITI_43;
use xds::error::{ErrorCode, Finding};
use xds::message::{
    Content, DocumentResponse, MessageError, RegistryResponse, RetrieveRequest, write_retrieve_response,
};

use super::exchange::{Answer, Exchange, Unread, Wrong};
use crate::metrics::Transaction;

/// With its wsa:Action looked at.
pub async fn checked(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    exchange.action(&[ITI_43])?;
    answer(exchange).await
}

async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Unread> {
    let requests = match RetrieveRequest::read(exchange.message.body) {
        Ok(RetrieveRequest(requests)) => requests,
        Err(MessageError(context)) => return Err(unreadable(context).unread()),
    };
    let ids = requests.iter().map(|r| r.document_unique_id.as_str()).collect::<Vec<_>>().join(" ");
    let most = match exchange.encoding {
        Encoding::Simple => exchange.app.limits.inline_document,
        Encoding::Mtom => u64::MAX,
    };
    let result = exchange.app.repository.retrieve(&exchange.requester(), requests, most).await;
    exchange.log(Transaction::Iti43, &ids, wrong(&result));
    let (response, documents) = match result {
        Ok(retrieved) => retrieved,
        Err(failure) => (RegistryResponse::of(failure.findings()), Vec::new()),
    };
    Ok(match written(exchange.encoding, &response, documents).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!("a stored document cannot be read: {error}");
            Answer::Fault(Fault::receiver("a stored document cannot be read"))
        }
    })
}

/// A retrieval of nothing that is here was answered, and is refused all the same.
fn wrong<T>(result: &Result<(RegistryResponse, T), Failure>) -> Option<Wrong<'_>> {
    match result {
        Ok((response, _)) => Wrong::of(response),
        Err(failure) => Some(failure.into()),
    }
}

fn unreadable(context: String) -> Answer {
    let response = RegistryResponse::of(vec![Finding::error(ErrorCode::XDSRepositoryError, None, context)]);
    Answer::new(ITI_43, |w| write_retrieve_response(w, &response, &[]))
}

async fn written(
    encoding: Encoding,
    response: &RegistryResponse,
    documents: Vec<Retrieved<blob::Reader>>,
) -> Result<Answer, blob::Error> {
    let mut described = Vec::new();
    let mut parts = Vec::new();
    for (number, document) in documents.into_iter().enumerate() {
        let Retrieved { request, made, mime_type, size, octets } = document;
        let content = match encoding {
            Encoding::Mtom => {
                let content_id = format!("document-{}@carnet", number + 1);
                parts.push(mtom::Part::new(&content_id, &mime_type, Some(size), octets));
                Content::Part(content_id)
            }
            Encoding::Simple => {
                let chunks = octets.try_collect::<Vec<Bytes>>().await?;
                Content::Inline(STANDARD.encode(chunks.concat()).into())
            }
        };
        described.push(DocumentResponse { request, made, mime_type, content });
    }
    Ok(Answer::with_parts(ITI_43, |w| write_retrieve_response(w, response, &described), parts))
}
