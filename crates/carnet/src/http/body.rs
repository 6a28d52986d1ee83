//! Requests and answers in both encodings: plain SOAP, and MTOM packages whose parts go to the document store while
//! they stream in. An answer has the encoding of its request (TF-2 Appendix V.8).

use std::collections::HashMap;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use blob::{BlobStore, BlobWriter, LocalStore, Stored};
use bytes::Bytes;
use futures_util::future::ready;
use futures_util::{StreamExt, stream};
use registry::iti18::answer::Portions;
use soap::{ContentType, Encoding, Fault};

use super::App;
use super::compression::{self, Body, BodyError};

/// A request as it came in: the envelope's octets, and the stored parts of its package by Content-ID.
pub struct Incoming {
    pub encoding: Encoding,
    pub envelope: Vec<u8>,
    /// The charset that the envelope's Content-Type names.
    pub charset: Option<String>,
    pub parts: HashMap<String, Stored>,
}

/// Why a body could not be taken in. What had been stored of it is gone.
pub enum Refusal {
    /// 413, from Content-Length: nothing was read.
    TooLarge,
    /// Over a limit while reading.
    OverLimit {
        encoding: Encoding,
        context: String,
    },
    /// The document store cannot take it.
    Store {
        encoding: Encoding,
        error: blob::Error,
    },
    /// Not SOAP.
    MediaType,
    /// Packed by something else than gzip.
    ContentEncoding,
    Fault {
        encoding: Encoding,
        fault: Fault,
    },
}

impl Refusal {
    /// In a word, for the trace.
    pub fn codes(&self) -> String {
        match self {
            Refusal::TooLarge | Refusal::OverLimit { .. } => "over a limit".to_owned(),
            Refusal::Store { .. } => "the document store cannot take it".to_owned(),
            Refusal::MediaType => "neither SOAP nor MTOM".to_owned(),
            Refusal::ContentEncoding => "packed by something else than gzip".to_owned(),
            Refusal::Fault { fault, .. } => fault.codes(),
        }
    }
}

/// Reads a body. With `store`, the parts of a package are stored there; without, a package may hold nothing but the
/// envelope.
pub async fn receive(
    app: &App,
    request: &HttpRequest,
    payload: web::Payload,
    store: Option<&LocalStore>,
) -> Result<Incoming, Refusal> {
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let Some((content_type, encoding)) =
        ContentType::parse(content_type).and_then(|ct| ct.encoding().map(|e| (ct, e)))
    else {
        return Err(Refusal::MediaType);
    };
    // Base64 takes four octets for three.
    let inline = app.limits.envelope.saturating_add(app.limits.inline_document / 3 * 4);
    let limit = match encoding {
        Encoding::Simple => inline.min(app.limits.request),
        Encoding::Mtom => app.limits.request,
    };
    if content_length(request).is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge);
    }
    // Limits count unpacked octets.
    let payload = compression::unpacked(request.headers(), payload, app.limits.endurance)
        .map_err(|_| Refusal::ContentEncoding)?;
    let over = |context: &str| Refusal::OverLimit { encoding, context: context.to_owned() };
    match encoding {
        Encoding::Simple => {
            let envelope = read_all(payload, limit).await.map_err(|error| match error {
                BodyError::TooLarge => {
                    over("the message is larger than this server takes; send documents by MTOM")
                }
                BodyError::TooDense(_) => over(&format!("the message: {error}")),
                other => Refusal::Fault {
                    encoding,
                    fault: Fault::sender(format!("the body could not be read: {other}")),
                },
            })?;
            let charset = content_type.parameter("charset").map(str::to_owned);
            Ok(Incoming { encoding, envelope, charset, parts: HashMap::new() })
        }
        Encoding::Mtom => {
            let limits = mtom::Limits {
                root_bytes: usize::try_from(inline).unwrap_or(usize::MAX),
                total_bytes: limit,
                parts: app.limits.documents.saturating_add(1),
            };
            let mut spool = Spool { store, writer: None, stored: Vec::new() };
            match mtom::read_package(&content_type, payload, &limits, &mut spool).await {
                Ok(package) => Ok(Incoming {
                    encoding,
                    envelope: package.root,
                    charset: package.root_charset,
                    parts: package.parts,
                }),
                Err(error) => {
                    app.repository.discard(spool.stored).await;
                    Err(match error {
                        mtom::Error::TooLarge(what) => {
                            over(&format!("{what} is larger than this server takes"))
                        }
                        mtom::Error::Body(error @ BodyError::TooDense(_)) => {
                            over(&format!("the request: {error}"))
                        }
                        mtom::Error::Sink(SpoolError::Blob(error)) => Refusal::Store { encoding, error },
                        other => Refusal::Fault { encoding, fault: Fault::sender(other.to_string()) },
                    })
                }
            }
        }
    }
}

pub fn content_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub async fn read_all(mut payload: Body, limit: u64) -> Result<Vec<u8>, BodyError> {
    let mut octets = Vec::new();
    while let Some(bytes) = payload.next().await {
        let bytes = bytes?;
        if (octets.len() + bytes.len()) as u64 > limit {
            return Err(BodyError::TooLarge);
        }
        octets.extend_from_slice(&bytes);
    }
    Ok(octets)
}

/// Writes the parts of a package into the document store.
struct Spool<'a> {
    store: Option<&'a LocalStore>,
    writer: Option<blob::Writer>,
    /// Everything stored so far, to be removed if the rest of the package is refused.
    stored: Vec<Stored>,
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("this service takes no attachments")]
    NoAttachments,
    #[error("the document store cannot take the attachment")]
    Blob(#[from] blob::Error),
}

impl mtom::PartSink for Spool<'_> {
    type Part = Stored;
    type Error = SpoolError;

    async fn begin(&mut self, _content_id: &str) -> Result<(), SpoolError> {
        let store = self.store.ok_or(SpoolError::NoAttachments)?;
        self.writer = Some(store.writer().await?);
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), SpoolError> {
        match &mut self.writer {
            Some(writer) => Ok(writer.write(bytes).await?),
            None => Err(SpoolError::NoAttachments),
        }
    }

    async fn end(&mut self) -> Result<Stored, SpoolError> {
        let writer = self.writer.take().ok_or(SpoolError::NoAttachments)?;
        let stored = writer.finish().await?;
        self.stored.push(stored.clone());
        Ok(stored)
    }
}

/// An envelope with parts. Plain SOAP has no parts: its documents are inside the envelope.
pub fn package(
    encoding: Encoding,
    status: StatusCode,
    action: &str,
    envelope: String,
    parts: Vec<mtom::Part>,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    match encoding {
        Encoding::Simple => response.content_type(soap::simple_content_type(action)).body(envelope),
        Encoding::Mtom => {
            let package = mtom::Package::new(envelope, action, parts);
            response.content_type(package.content_type());
            match package.size() {
                Some(size) => response.body(actix_web::body::SizedStream::new(size, package.into_stream())),
                None => response.streaming(package.into_stream()),
            }
        }
    }
}

/// A plain envelope whose middle is read while it is sent. When it cannot be read to its end the connection is cut, so that
/// nobody takes a part for the whole.
pub fn portions(action: &str, before: String, rest: Portions, after: String) -> HttpResponse {
    let middle = stream::try_unfold(rest, async |mut rest| {
        let portion = rest.next().await.inspect_err(|error| {
            tracing::error!("an answer that was begun cannot be read to its end: {error}");
        })?;
        Ok::<_, registry::Failure>(portion.map(|portion| (Bytes::from(portion), rest)))
    });
    let edge = |text: String| stream::once(ready(Ok(Bytes::from(text))));
    HttpResponse::Ok()
        .content_type(soap::simple_content_type(action))
        .streaming(edge(before).chain(middle).chain(edge(after)))
}

pub fn fault(encoding: Encoding, fault: &Fault, relates_to: Option<&str>) -> HttpResponse {
    let status = StatusCode::from_u16(fault.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    package(encoding, status, fault.action(), fault.to_envelope(relates_to), Vec::new())
}

pub fn unsupported_content_encoding() -> HttpResponse {
    HttpResponse::UnsupportedMediaType()
        .insert_header((header::ACCEPT_ENCODING, "gzip"))
        .content_type("text/plain; charset=utf-8")
        .body("Content-Encoding must be gzip, or left out.\n")
}

pub fn unsupported_media_type() -> HttpResponse {
    HttpResponse::UnsupportedMediaType().content_type("text/plain; charset=utf-8").body(
        "Content-Type must be application/soap+xml (SOAP 1.2) or multipart/related with type application/xop+xml (MTOM).\n",
    )
}
