//! Sends a request and takes the answer as octets: over HTTP, or over MLLP for HL7 v2.

use std::io::Read as _;
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::timeout;
use awc::http::{StatusCode, header};
use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::request::Request;
use crate::scenario::Endpoint;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Of an answer, in bytes.
const LIMIT: usize = 64 << 20;
/// Around an MLLP message.
const START: u8 = 0x0b;
const END: [u8; 2] = [0x1c, 0x0d];

/// An answer as it came, decompressed.
#[derive(Debug, Clone)]
pub struct Received {
    pub status: StatusCode,
    pub content_type: String,
    pub content_encoding: String,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no answer: {0}")]
    Send(String),
    #[error("the answer broke off: {0}")]
    Body(String),
}

/// The way to a server and back. One that changes what goes through shows whether the scenarios notice.
pub trait Wire {
    /// Sends a request to `url`, or to `HOST:PORT` of an MLLP listener.
    fn send<'a>(&'a self, url: &'a str, request: &'a Request) -> LocalBoxFuture<'a, Result<Received, Error>>;

    /// What the server sends by itself, to an address of the runner.
    fn arrived(&self, received: Received) -> Received {
        received
    }
}

/// Straight to the server.
pub struct Direct(awc::Client);

impl Direct {
    pub fn new() -> Self {
        Direct(awc::Client::builder().timeout(TIMEOUT).disable_redirects().finish())
    }
}

impl Wire for Direct {
    fn send<'a>(&'a self, url: &'a str, request: &'a Request) -> LocalBoxFuture<'a, Result<Received, Error>> {
        match request.to {
            Endpoint::Feed => Box::pin(mllp(url, &request.body)),
            _ => Box::pin(http(&self.0, url, request)),
        }
    }
}

async fn http(client: &awc::Client, url: &str, request: &Request) -> Result<Received, Error> {
    let sending = match &request.get {
        Some(query) => client.get(format!("{url}?{query}")).send(),
        None => {
            let mut post = client
                .post(url)
                .no_decompress()
                .insert_header((header::CONTENT_TYPE, request.content_type.as_str()));
            if request.expect_continue {
                post = post.insert_header((header::EXPECT, "100-continue"));
            }
            if request.gzip {
                post = post.insert_header((header::CONTENT_ENCODING, "gzip"));
            }
            if request.accept_gzip {
                post = post.insert_header((header::ACCEPT_ENCODING, "gzip"));
            }
            match request.chunked {
                true => post.send_stream(chunks(request.octets())),
                false => post.send_body(request.octets()),
            }
        }
    };
    let mut response = sending.await.map_err(|error| Error::Send(error.to_string()))?;
    let text = |name| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (content_type, content_encoding) = (text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING));
    let body = response.body().limit(LIMIT).await.map_err(|error| Error::Body(error.to_string()))?;
    let body = match content_encoding.as_str() {
        "gzip" => decompressed(&body)?,
        _ => body,
    };
    Ok(Received { status: response.status(), content_type, content_encoding, body })
}

fn decompressed(body: &[u8]) -> Result<Bytes, Error> {
    let mut octets = Vec::new();
    let mut decoder = GzDecoder::new(body).take(LIMIT as u64);
    decoder.read_to_end(&mut octets).map_err(|error| Error::Body(format!("not gzip: {error}")))?;
    Ok(octets.into())
}

/// A stream of unknown length, so that it is sent as chunks.
fn chunks(body: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(body, |mut rest| async move {
        let size = rest.len().min(1000);
        (size > 0).then(|| (Ok(rest.split_to(size)), rest))
    })
}

/// One message over a connection of its own.
async fn mllp(address: &str, message: &[u8]) -> Result<Received, Error> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&[&[START], message, &END].concat()).await?;
        let mut octets = Vec::new();
        while !octets.ends_with(&END) && octets.len() < LIMIT {
            if stream.read_buf(&mut octets).await? == 0 {
                break;
            }
        }
        Ok::<_, std::io::Error>(octets)
    };
    let octets = match timeout(TIMEOUT, exchange).await {
        Err(_) => return Err(Error::Send("nothing came in time".into())),
        Ok(Err(error)) => return Err(Error::Send(error.to_string())),
        Ok(Ok(octets)) => octets,
    };
    let framed = octets.strip_prefix(&[START]).and_then(|octets| octets.strip_suffix(&END));
    let body = framed.ok_or_else(|| Error::Body("not framed as MLLP asks for".into()))?;
    Ok(Received {
        status: StatusCode::OK,
        content_type: "application/hl7-v2".into(),
        content_encoding: String::new(),
        body: Bytes::copy_from_slice(body),
    })
}
