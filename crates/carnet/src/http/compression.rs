//! gzip in both directions. Everything streams: memory does not follow the size, neither of a large answer nor of what a
//! small request unpacks to.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
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
use tokio::time::{Instant, timeout_at};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::config::Endurance;

/// What is packed or unpacked at a time.
const CHUNK: usize = 64 << 10;
/// Shorter bodies fit a network packet anyway.
const WORTH_IT: u64 = 1 << 10;
/// Larger ones are mostly images, which gzip does not make smaller.
const TOO_LARGE: u64 = 16 << 20;

/// However well it packs, so much of a body is always taken.
const HARMLESS: u64 = 1 << 20;

/// The body of a request.
pub type Body = LocalBoxStream<'static, Result<Bytes, BodyError>>;

/// Why a body is not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Over the limit of whoever reads it.
    #[error("it is too large")]
    TooLarge,
    #[error("in {} s less of it came than {least} octets", idle.as_secs())]
    TooSlow { idle: Duration, least: u64 },
    #[error("it took longer than {} minutes", .0.as_secs() / 60)]
    TooLong(Duration),
    #[error("it unpacks to more than {0} times its size; send it without Content-Encoding")]
    TooDense(u64),
}

/// Content-Encoding names something else than gzip.
pub struct UnknownEncoding;

/// The body as it was before its sender packed it. It ends with an error when it asks too much.
pub fn unpacked(
    headers: &HeaderMap,
    payload: web::Payload,
    endurance: Endurance,
) -> Result<Body, UnknownEncoding> {
    let payload = impatient(payload.map_err(BodyError::from), endurance);
    let mut encodings = headers.get_all(header::CONTENT_ENCODING);
    let encoding = encodings.next().map(|value| value.to_str().map(|text| text.trim().to_ascii_lowercase()));
    match (encoding, encodings.next()) {
        (None, _) => Ok(payload),
        (Some(Ok(encoding)), None) if encoding == "identity" => Ok(payload),
        (Some(Ok(encoding)), None) if matches!(encoding.as_str(), "gzip" | "x-gzip") => {
            Ok(gunzip(payload, endurance.gzip_ratio).boxed_local())
        }
        _ => Err(UnknownEncoding),
    }
}

/// Where a window of `idle` ends, enough must have come in it, or the sender is too slow. What waits to be read is read
/// first: time that the server takes is not the sender's. But in the whole no body takes longer than `longest`, whoever holds it
/// up: parts of it that are stored already must be young when the rest has come.
fn impatient(payload: impl Stream<Item = Result<Bytes, BodyError>> + 'static, endurance: Endurance) -> Body {
    let Endurance { idle, least_octets, longest, .. } = endurance;
    let least = least_octets.saturating_mul(idle.as_secs()).max(1);
    // When it is dead, when its window ends, and how much came in that.
    let in_time = move || Instant::now() + idle;
    let over = Instant::now() + longest;
    let begun = (Box::pin(payload), in_time(), in_time(), 0);
    stream::unfold(Some(begun), move |state| async move {
        let (mut payload, dead, mut until, mut came) = state?;
        loop {
            let next = timeout_at(until.min(dead).min(over), payload.next()).await;
            if Instant::now() >= over {
                return Some((Err(BodyError::TooLong(longest)), None));
            }
            match next {
                Ok(Some(Ok(octets))) => {
                    came += octets.len() as u64;
                    return Some((Ok(octets), Some((payload, in_time(), until, came))));
                }
                Ok(ended) => return ended.map(|error| (error, None)),
                Err(_) if came < least || dead <= Instant::now() => {
                    return Some((Err(BodyError::TooSlow { idle, least }), None));
                }
                Err(_) => (until, came) = (in_time(), 0),
            }
        }
    })
    .boxed_local()
}

fn gunzip(packed: Body, ratio: u64) -> impl Stream<Item = Result<Bytes, BodyError>> {
    let came = Rc::new(Cell::new(0));
    let counted = came.clone();
    let packed = packed.inspect_ok(move |octets| counted.set(counted.get() + octets.len() as u64));
    let mut decoder = GzipDecoder::new(StreamReader::new(packed.map_err(io::Error::other)));
    decoder.multiple_members(true);
    let mut unpacked = 0;
    ReaderStream::with_capacity(decoder, CHUNK).map(move |octets| {
        let octets = octets.map_err(unwrapped)?;
        unpacked += octets.len() as u64;
        match ratio > 0 && unpacked > HARMLESS && unpacked / ratio > came.get() {
            true => Err(BodyError::TooDense(ratio)),
            false => Ok(octets),
        }
    })
}

/// An error of the packed body has come through the decoder.
fn unwrapped(error: io::Error) -> BodyError {
    error.downcast().unwrap_or_else(|error| PayloadError::Io(error).into())
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
        BodySize::Stream => is_envelope(response.headers()),
        BodySize::None => false,
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

/// Of text alone, however long it becomes.
fn is_envelope(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/soap+xml"))
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

    const LONGEST: Duration = Duration::from_secs(3 * 3600);
    const ENDURANCE: Endurance =
        Endurance { idle: Duration::from_secs(60), least_octets: 100, longest: LONGEST, gzip_ratio: 200 };

    /// Portions of that size, each after a pause.
    fn trickle(portion: usize, pause: Duration) -> impl Stream<Item = Result<Bytes, BodyError>> {
        stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok(Bytes::from(vec![b'x'; portion])), ()))
        })
    }

    /// How much of a body is read, and after how long it was given up if it was.
    async fn read_for_an_hour(body: Body) -> (usize, Option<Duration>) {
        let (begun, mut body, mut came) = (Instant::now(), body, 0);
        while begun.elapsed() < Duration::from_secs(3600) {
            match body.next().await {
                Some(Ok(octets)) => came += octets.len(),
                Some(Err(error)) => {
                    assert!(matches!(error, BodyError::TooSlow { least: 6000, .. }), "{error}");
                    return (came, Some(begun.elapsed()));
                }
                None => break,
            }
        }
        (came, None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_too_slowly_is_given_up() {
        let second = Duration::from_secs(1);
        let one_at_a_time = impatient(trickle(1, second), ENDURANCE);
        assert_eq!(read_for_an_hour(one_at_a_time).await, (60, Some(60 * second)));
        let fast_enough = impatient(trickle(101, second), ENDURANCE);
        assert_eq!(read_for_an_hour(fast_enough).await, (3600 * 101, None));
        let in_rare_portions = impatient(trickle(6000, 40 * second), ENDURANCE);
        assert_eq!(read_for_an_hour(in_rare_portions).await, (90 * 6000, None));
        // After a good beginning nothing comes any more.
        let stalling = stream::iter([Ok(Bytes::from(vec![b'x'; 10_000]))]).chain(stream::pending());
        assert_eq!(read_for_an_hour(impatient(stalling, ENDURANCE)).await, (10_000, Some(60 * second)));
        let unlimited = Endurance { least_octets: 0, ..ENDURANCE };
        assert_eq!(read_for_an_hour(impatient(trickle(1, second), unlimited)).await, (3600, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_for_too_long_is_given_up_however_much_comes() {
        let second = Duration::from_secs(1);
        for (portion, pause) in [(1 << 10, second), (10_000, 59 * second)] {
            let (begun, mut body) = (Instant::now(), impatient(trickle(portion, pause), ENDURANCE));
            let error = loop {
                match body.next().await.unwrap() {
                    Ok(_) => assert!(begun.elapsed() < LONGEST),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, BodyError::TooLong(longest) if longest == LONGEST), "{error}");
            assert_eq!(begun.elapsed(), LONGEST);
            assert!(body.next().await.is_none());
        }
        // A server that is slow to read what has come is held to it as well.
        let mut body = impatient(stream::repeat_with(|| Ok(Bytes::from_static(b"x"))), ENDURANCE);
        assert!(body.next().await.unwrap().is_ok());
        tokio::time::advance(LONGEST).await;
        assert!(matches!(body.next().await, Some(Err(BodyError::TooLong(_)))));
    }

    /// How many octets this many come out as, packed and unpacked again.
    async fn unpack(octets: &[u8], ratio: u64) -> Result<usize, BodyError> {
        let packed: Vec<Bytes> = ReaderStream::new(GzipEncoder::new(octets)).try_collect().await.unwrap();
        let packed = stream::iter(packed.into_iter().map(Ok)).boxed_local();
        gunzip(packed, ratio).try_fold(0, |sum, octets| async move { Ok(sum + octets.len()) }).await
    }

    #[tokio::test]
    async fn a_body_that_unpacks_to_far_more_than_it_was_is_given_up() {
        let spaces = vec![b' '; 4 << 20];
        assert!(matches!(unpack(&spaces, 200).await, Err(BodyError::TooDense(200))));
        assert_eq!(unpack(&spaces, 0).await.unwrap(), spaces.len());
        assert_eq!(unpack(&spaces[..HARMLESS as usize], 200).await.unwrap(), 1 << 20);
        // Two octets that do not repeat in a line of many that do.
        let metadata: Vec<u8> =
            (0..40_000_u32).flat_map(|n| [&n.to_be_bytes()[2..], &[b' '; 100]].concat()).collect();
        assert_eq!(unpack(&metadata, 200).await.unwrap(), metadata.len());
    }

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
