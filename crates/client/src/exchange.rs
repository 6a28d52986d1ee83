//! One request and its answer, in either encoding.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use awc::ClientResponse;
use awc::body::{BodyStream, BoxBody, MessageBody, SizedStream};
use awc::error::SendRequestError;
use awc::http::header;
use bytes::Bytes;
use futures_util::StreamExt;
use soap::{ContentType, Encoding};
use xml::{Document, Element, Limits};

use crate::parts::Files;
use crate::{Client, Error, RawAnswer};

/// Metadata of an answer, and its documents when they travel inside as base64.
const ENVELOPE_LIMIT: usize = 256 << 20;
/// An answer as a whole.
const ANSWER_LIMIT: u64 = 1 << 40;
/// Parts of one answer.
const PARTS_LIMIT: usize = 100_000;
/// A page for people or monitors.
const PAGE_LIMIT: usize = 1 << 20;
const DEPTH_LIMIT: u32 = 100;

/// An answer: the envelope, and its parts as files.
pub(crate) struct Answer {
    envelope: String,
    in_package: bool,
    pub parts: HashMap<String, PathBuf>,
}

impl Client {
    /// Sends an envelope with its parts; parts of the answer become files in `folder`.
    pub(crate) async fn exchange(
        &self,
        url: &str,
        action: &str,
        encoding: Encoding,
        envelope: String,
        parts: Vec<mtom::Part>,
        folder: Option<&Path>,
    ) -> Result<Answer, Error> {
        let (content_type, body): (String, BoxBody) = match encoding {
            Encoding::Simple => (soap::simple_content_type(action), envelope.boxed()),
            Encoding::Mtom => {
                let package = mtom::Package::new(envelope, action, parts);
                let content_type = package.content_type();
                let body = match package.size() {
                    Some(size) => SizedStream::new(size, package.into_stream()).boxed(),
                    None => BodyStream::new(package.into_stream()).boxed(),
                };
                (content_type, body)
            }
        };
        let response = self.send(url, &content_type, body).await?;
        self.receive(response, folder).await
    }

    async fn send(&self, url: &str, content_type: &str, body: BoxBody) -> Result<Response, Error> {
        let request = self.http.post(url).insert_header((header::CONTENT_TYPE, content_type)).send_body(body);
        self.wait(url, request).await
    }

    async fn wait(
        &self,
        url: &str,
        request: impl Future<Output = Result<Response, SendRequestError>>,
    ) -> Result<Response, Error> {
        match tokio::time::timeout(self.timeouts.answer, request).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Error::Connect { url: url.to_owned(), reason: error.to_string() }),
            Err(_) => Err(Error::Timeout { url: url.to_owned(), seconds: self.timeouts.answer.as_secs() }),
        }
    }

    async fn receive(&self, mut response: Response, folder: Option<&Path>) -> Result<Answer, Error> {
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.and_then(ContentType::parse);
        let Some((content_type, encoding)) = content_type.and_then(|ct| ct.encoding().map(|encoding| (ct, encoding)))
        else {
            return Err(Error::Status(status));
        };
        let (envelope, parts) = match encoding {
            Encoding::Simple => {
                let body = response.body().limit(ENVELOPE_LIMIT).await;
                (body.map_err(|error| Error::Answer(error.to_string()))?.to_vec(), HashMap::new())
            }
            Encoding::Mtom => {
                let limits = mtom::Limits {
                    root_bytes: ENVELOPE_LIMIT,
                    total_bytes: ANSWER_LIMIT,
                    parts: PARTS_LIMIT,
                };
                let mut files = Files::new(folder, self.progress.clone());
                let package = mtom::read_package(&content_type, response, &limits, &mut files)
                    .await
                    .map_err(|error| Error::Answer(error.to_string()))?;
                (package.root, package.parts)
            }
        };
        let envelope = xml::decode(&envelope).map_err(|error| Error::Answer(error.to_string()))?.into_owned();
        Ok(Answer { envelope, in_package: encoding == Encoding::Mtom, parts })
    }

    /// Posts anything, for tests that look at the wire.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<RawAnswer, Error> {
        let mut request = self.http.post(url);
        for header in headers {
            request = request.insert_header(*header);
        }
        let body: Bytes = body.into();
        let response = self.wait(url, request.send_body(body)).await?;
        raw(response, ENVELOPE_LIMIT).await
    }

    /// Gets a page.
    pub async fn page(&self, url: &str) -> Result<RawAnswer, Error> {
        let response = self.wait(url, self.http.get(url).send()).await?;
        raw(response, PAGE_LIMIT).await
    }
}

type Response = ClientResponse;

async fn raw(mut response: Response, limit: usize) -> Result<RawAnswer, Error> {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(bytes) = response.next().await {
        body.extend_from_slice(&bytes.map_err(|error| Error::Answer(error.to_string()))?);
        if body.len() > limit {
            return Err(Error::Answer("longer than a client takes".to_owned()));
        }
    }
    Ok(RawAnswer { status, headers, body: body.into() })
}

impl Answer {
    /// Reads the body; a fault becomes an error.
    pub fn read<T>(&self, read: impl FnOnce(Element<'_>) -> Result<T, String>) -> Result<T, Error> {
        let limits = Limits { bytes: ENVELOPE_LIMIT, depth: DEPTH_LIMIT };
        let document =
            Document::parse(&self.envelope, &limits).map_err(|error| Error::Answer(error.to_string()))?;
        let message =
            soap::read(&document, self.in_package).map_err(|fault| Error::Answer(fault.reason))?;
        if let Some(fault) = soap::read_fault(message.body) {
            return Err(Error::Fault { code: fault.code, reason: fault.reason });
        }
        read(message.body).map_err(Error::Answer)
    }
}
