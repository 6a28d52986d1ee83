//! gzip in both directions. Everything streams: memory does not follow the size, neither of a large answer nor of what a
//! small request unpacks to.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodySize, BodyStream, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, ContentEncoding, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder};
use bytes::Bytes;
use futures_util::stream::{self, LocalBoxStream, Stream, StreamExt, TryStreamExt};
use tokio_util::io::{ReaderStream, StreamReader};

/// What is packed or unpacked at a time.
const CHUNK: usize = 64 << 10;
/// Shorter bodies fit a network packet anyway.
const WORTH_IT: u64 = 1 << 10;
/// Larger ones are mostly images, which gzip does not make smaller.
const TOO_LARGE: u64 = 16 << 20;

/// The body of a request.
pub type Body = LocalBoxStream<'static, Result<Bytes, PayloadError>>;

/// Content-Encoding names something else than gzip.
pub struct UnknownEncoding;

/// The body as it was before its sender packed it. It ends with an error when nothing comes for so long.
pub fn unpacked(
    headers: &HeaderMap,
    payload: web::Payload,
    patience: Duration,
) -> Result<Body, UnknownEncoding> {
    let payload = impatient(payload, patience);
    let mut encodings = headers.get_all(header::CONTENT_ENCODING);
    let encoding = encodings.next().map(|value| value.to_str().map(|text| text.trim().to_ascii_lowercase()));
    match (encoding, encodings.next()) {
        (None, _) => Ok(payload),
        (Some(Ok(encoding)), None) if encoding == "identity" => Ok(payload),
        (Some(Ok(encoding)), None) if matches!(encoding.as_str(), "gzip" | "x-gzip") => {
            Ok(gunzip(payload).boxed_local())
        }
        _ => Err(UnknownEncoding),
    }
}

fn impatient(payload: web::Payload, patience: Duration) -> Body {
    stream::unfold(Some(payload), move |payload| async move {
        let mut payload = payload?;
        match tokio::time::timeout(patience, payload.next()).await {
            Ok(next) => next.map(|octets| (octets, Some(payload))),
            Err(_) => Some((Err(PayloadError::Io(io::ErrorKind::TimedOut.into())), None)),
        }
    })
    .boxed_local()
}

fn gunzip(packed: Body) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    let packed = StreamReader::new(packed.map_err(io::Error::other));
    let mut decoder = GzipDecoder::new(packed);
    decoder.multiple_members(true);
    ReaderStream::with_capacity(decoder, CHUNK).map_err(PayloadError::Io)
}

/// Packs an answer where its reader wants that and it is worth it.
pub async fn pack_answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let wanted = request.headers().get_all(header::ACCEPT_ENCODING).any(accepts_gzip);
    let mut response = next.call(request).await?.map_into_boxed_body();
    let worth_it = match response.response().body().size() {
        BodySize::Sized(size) => (WORTH_IT..=TOO_LARGE).contains(&size),
        BodySize::None | BodySize::Stream => false,
    };
    if worth_it {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if !wanted || !worth_it {
        return Ok(response);
    }
    response.headers_mut().insert(header::CONTENT_ENCODING, ContentEncoding::Gzip.to_header_value());
    Ok(response.map_body(|_, body| BoxBody::new(BodyStream::new(gzip(body)))))
}

fn gzip(mut body: BoxBody) -> impl Stream<Item = Result<Bytes, io::Error>> {
    let octets = stream::poll_fn(move |context| Pin::new(&mut body).poll_next(context))
        .map_err(|error| io::Error::other(error.to_string()));
    ReaderStream::with_capacity(GzipEncoder::new(StreamReader::new(octets)), CHUNK)
}

/// Whether an Accept-Encoding names gzip, or anything, without a weight of 0 (RFC 9110 §12.5.3).
fn accepts_gzip(value: &HeaderValue) -> bool {
    let refused = |parameters: &str| {
        parameters.split(';').filter_map(|p| p.trim().strip_prefix("q=")).any(|q| q.trim().parse() == Ok(0.0))
    };
    let codings: Vec<(String, bool)> = value
        .to_str()
        .unwrap_or_default()
        .split(',')
        .map(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            (name.trim().to_ascii_lowercase(), !refused(parameters))
        })
        .collect();
    let named = |wanted: &[&str]| {
        codings.iter().find(|(name, _)| wanted.contains(&name.as_str())).map(|(_, accepted)| *accepted)
    };
    named(&["gzip", "x-gzip"]).or_else(|| named(&["*"])).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_where_the_reader_takes_it() {
        for (value, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("br, *;q=0.1", true),
            ("gzip;q=0, *", false),
            ("gzip; q=0.000", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(&HeaderValue::from_static(value)), expected, "{value}");
        }
    }
}
