//! Provide and Register Document Set-b over SOAP: documents from parts of the package or from base64 in the envelope.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blob::{BlobStore, BlobWriter, Stored};
use bytes::Bytes;
use repository::Failure;
use repository::iti41::Received;
use soap::Fault;
use xds::constants::action::ITI_41;
use xds::error::{ErrorCode, Finding};
use xds::message::{Content, MessageError, ProvideAndRegister};

use super::App;
use super::exchange::{Answer, Exchange, Unread};
use crate::metrics::Transaction;

/// The stored parts of a package by Content-ID.
pub type Parts = HashMap<String, Stored>;

pub async fn answer(exchange: &Exchange<'_>, parts: &mut Parts) -> Result<Answer, Unread> {
    let app = exchange.app;
    let provided = match ProvideAndRegister::read(exchange.message.body) {
        Ok(provided) => provided,
        Err(MessageError(context)) => {
            let finding = Finding::error(ErrorCode::XDSRepositoryMetadataError, None, context);
            return Err(Answer::registry_response(ITI_41, vec![finding]).unread());
        }
    };
    let mut documents = Vec::new();
    if let Err(flaw) = collect(app, provided.documents, parts, &mut documents).await {
        app.repository.discard(documents.into_iter().map(|d| d.stored)).await;
        return match flaw {
            Flaw::Fault(reason) => Err(Fault::sender(reason).into()),
            Flaw::Findings(findings) => Err(Answer::registry_response(ITI_41, findings).unread()),
        };
    }
    let submission_set = provided.objects.submission_set_unique_id().unwrap_or("-").to_owned();
    let requester = exchange.requester();
    let result = app.repository.provide_and_register(&requester, provided.objects, documents).await;
    exchange.log(Transaction::Iti41, &submission_set, result.as_ref().err().map(Into::into));
    Ok(Answer::registry_response(ITI_41, result.unwrap_or_else(|failure| failure.findings())))
}

/// Why the documents of a request could not be collected.
enum Flaw {
    Fault(String),
    Findings(Vec<Finding>),
}

/// Stores what is inline and finds the part of what is not. What was collected before a flaw is in `documents`.
async fn collect(
    app: &App,
    provided: Vec<(String, Content<'_>)>,
    parts: &mut Parts,
    documents: &mut Vec<Received>,
) -> Result<(), Flaw> {
    let mut inline = 0;
    for (id, content) in provided {
        let stored = match content {
            Content::Part(content_id) => take_part(parts, &content_id).ok_or_else(|| {
                Flaw::Fault(format!(
                    "Document \"{id}\" refers to part cid:{content_id}, which is not in the package or was used before"
                ))
            })?,
            Content::Inline(text) => {
                inline += text.len() as u64 / 4 * 3;
                if inline > app.limits.inline_document {
                    let context = "inline documents are over the limit of this server; send them by MTOM";
                    let finding = Finding::error(ErrorCode::XDSRepositoryOutOfResources, None, context);
                    return Err(Flaw::Findings(vec![finding]));
                }
                let octets =
                    decode(&text).ok_or_else(|| Flaw::Fault(format!("Document \"{id}\" is not base64")))?;
                store(app, octets).await.map_err(|error| Flaw::Findings(Failure::from(error).findings()))?
            }
        };
        documents.push(Received { id, stored });
    }
    Ok(())
}

fn take_part(parts: &mut Parts, content_id: &str) -> Option<Stored> {
    let key = parts.keys().find(|key| soap::package::same_part(key, content_id)).cloned()?;
    parts.remove(&key)
}

/// Base64 as it stands in XML, white space included.
fn decode(text: &str) -> Option<Bytes> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok().map(Bytes::from)
}

async fn store(app: &App, octets: Bytes) -> Result<Stored, blob::Error> {
    let mut writer = app.blobs.writer().await?;
    writer.write(octets).await?;
    writer.finish().await
}
