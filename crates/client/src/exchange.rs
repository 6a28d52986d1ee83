//! One request and its answer, in either encoding.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;

use awc::body::{BodyStream, BoxBody, MessageBody, SizedStream};
use awc::error::{PayloadError, SendRequestError};
use awc::http::header;
use awc::{ClientResponse, SendClientRequest};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use soap::{ContentType, Encoding, Header};
use uuid::Uuid;
use xds::value::uuid_urn;
use xml::{Document, Element, Limits, Writer};

use crate::meter::Meter;
use crate::parts::{Files, Received, pieces};
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

/// A message to be sent.
pub(crate) struct Call<'a> {
    url: &'a str,
    action: &'a str,
    encoding: Encoding,
    envelope: String,
    pub meter: Rc<Meter>,
    /// Only with [`Encoding::Mtom`].
    pub parts: Vec<mtom::Part>,
    /// Where parts of the answer become files.
    pub folder: Option<&'a Path>,
}

/// An answer: the envelope, and its parts as files.
pub(crate) struct Answer {
    status: u16,
    envelope: String,
    pub parts: HashMap<String, Received>,
}

impl Client {
    /// A message without parts whose body is written by `body`.
    pub(crate) fn call<'a>(
        &self,
        url: &'a str,
        action: &'a str,
        encoding: Encoding,
        body: impl FnOnce(&mut Writer),
    ) -> Call<'a> {
        let envelope = soap::write(&Header::request(action, &uuid_urn(Uuid::new_v4()), url), body);
        let meter = Rc::new(Meter::new(self.progress.clone()));
        Call { url, action, encoding, envelope, meter, parts: Vec::new(), folder: None }
    }

    pub(crate) async fn exchange(&self, call: Call<'_>) -> Result<Answer, Error> {
        let (folder, meter, url) = (call.folder, call.meter.clone(), call.url);
        let request = self.request(call);
        self.watched(url, &meter, async {
            let response = answered(url, &meter, request).await?;
            receive(response, folder, &meter).await
        })
        .await
    }

    /// Posts an answer that was asked for on a connection of its own (WS-Addressing ReplyTo); any status of success will do.
    pub async fn deliver(
        &self,
        url: &str,
        action: &str,
        encoding: Encoding,
        envelope: String,
        parts: Vec<mtom::Part>,
    ) -> Result<(), Error> {
        let meter = Rc::new(Meter::new(None));
        let request =
            self.request(Call { url, action, encoding, envelope, meter: meter.clone(), parts, folder: None });
        self.watched(url, &meter, async {
            let response = answered(url, &meter, request).await?;
            match response.status().is_success() {
                true => Ok(()),
                false => Err(Error::Status(response.status().as_u16())),
            }
        })
        .await
    }

    fn request(&self, call: Call<'_>) -> SendClientRequest {
        let Call { url, action, encoding, envelope, meter, parts, .. } = call;
        let (content_type, body) = match encoding {
            Encoding::Simple => {
                (soap::simple_content_type(action), counted(envelope.into_bytes().into(), &meter))
            }
            Encoding::Mtom => {
                let package = mtom::Package::new(envelope, action, parts);
                let beat = {
                    let meter = meter.clone();
                    move |_: &Bytes| meter.beat()
                };
                let (content_type, size) = (package.content_type(), package.size());
                let stream = package.into_stream().inspect_ok(beat);
                let body = match size {
                    Some(size) => SizedStream::new(size, stream).boxed(),
                    None => BodyStream::new(stream).boxed(),
                };
                (content_type, body)
            }
        };
        self.http.post(url).insert_header((header::CONTENT_TYPE, content_type)).send_body(body)
    }

    /// Posts anything, for tests that look at the wire.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<RawAnswer, Error> {
        let mut request = self.http.post(url);
        for header in headers {
            request = request.insert_header(*header);
        }
        let meter = Rc::new(Meter::new(None));
        let request = request.send_body(counted(body.into(), &meter));
        self.watched(url, &meter, async {
            raw(answered(url, &meter, request).await?, ENVELOPE_LIMIT, &meter).await
        })
        .await
    }

    /// Gets a page.
    pub async fn page(&self, url: &str) -> Result<RawAnswer, Error> {
        let meter = Meter::new(None);
        let request = self.http.get(url).send();
        self.watched(url, &meter, async {
            raw(answered(url, &meter, request).await?, PAGE_LIMIT, &meter).await
        })
        .await
    }

    async fn watched<T>(
        &self,
        url: &str,
        meter: &Meter,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let after = self.timeouts.answer;
        match meter.watch(after, work).await {
            Some(result) => result,
            None => Err(Error::Timeout { url: url.to_owned(), after }),
        }
    }
}

/// A body that is in memory.
fn counted(octets: Bytes, meter: &Rc<Meter>) -> BoxBody {
    let (size, meter) = (octets.len() as u64, meter.clone());
    SizedStream::new(size, pieces::<Infallible>(octets).inspect_ok(move |_| meter.beat())).boxed()
}

async fn answered(
    url: &str,
    meter: &Meter,
    request: impl Future<Output = Result<ClientResponse, SendRequestError>>,
) -> Result<ClientResponse, Error> {
    let response = request.await.map_err(|error| Error::sending(url, error))?;
    meter.beat();
    Ok(response)
}

async fn receive(response: ClientResponse, folder: Option<&Path>, meter: &Meter) -> Result<Answer, Error> {
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.and_then(ContentType::parse);
    let Some((content_type, encoding)) =
        content_type.and_then(|ct| ct.encoding().map(|encoding| (ct, encoding)))
    else {
        return Err(Error::Status(status));
    };
    let body = response.inspect(|_| meter.beat());
    let (envelope, parts) = match encoding {
        Encoding::Simple => (collect(body, ENVELOPE_LIMIT).await?, HashMap::new()),
        Encoding::Mtom => {
            let limits =
                mtom::Limits { root_bytes: ENVELOPE_LIMIT, total_bytes: ANSWER_LIMIT, parts: PARTS_LIMIT };
            let mut files = Files::new(folder, meter);
            let package = mtom::read_package(&content_type, body, &limits, &mut files).await;
            let package = package.map_err(|error| match error {
                mtom::Error::Sink(error) => error,
                other => Error::answer(other),
            })?;
            (package.root, package.parts)
        }
    };
    let envelope = xml::decode(&envelope).map_err(Error::answer)?.into_owned();
    Ok(Answer { status, envelope, parts })
}

async fn raw(response: ClientResponse, limit: usize, meter: &Meter) -> Result<RawAnswer, Error> {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = response.status().as_u16();
    let body = collect(response.inspect(|_| meter.beat()), limit).await?;
    Ok(RawAnswer { status, headers, body: body.into() })
}

async fn collect(
    mut body: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
) -> Result<Vec<u8>, Error> {
    let mut octets = Vec::new();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(Error::answer)?;
        if octets.len() + bytes.len() > limit {
            return Err(Error::answer("it is longer than a client takes"));
        }
        octets.extend_from_slice(&bytes);
    }
    Ok(octets)
}

impl Answer {
    /// Reads the body; a fault becomes an error.
    pub fn read<T, E: ToString>(&self, read: impl FnOnce(Element<'_>) -> Result<T, E>) -> Result<T, Error> {
        let limits = Limits { bytes: ENVELOPE_LIMIT, depth: DEPTH_LIMIT, ..Limits::default() };
        let document = Document::parse(&self.envelope, &limits).map_err(|error| self.unreadable(error))?;
        // A server of SOAP 1.1 refuses in its own version.
        let message = soap::read(&document, true).map_err(|fault| self.unreadable(fault.reason))?;
        if let Some(fault) = soap::read_fault(message.body) {
            return Err(Error::Fault { code: fault.code, reason: fault.reason });
        }
        read(message.body).map_err(|error| self.unreadable(error))
    }

    /// What a proxy sends in place of an answer is told by its HTTP status.
    fn unreadable(&self, error: impl ToString) -> Error {
        match self.status {
            200..=299 => Error::answer(error),
            status => Error::Status(status),
        }
    }
}
