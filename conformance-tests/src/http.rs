//! Sends a request and takes the answer as octets.

use std::time::Duration;

use awc::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::stream;

use crate::request::Request;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Of an answer, in bytes.
const LIMIT: usize = 64 << 20;

/// An answer as it came.
pub struct Received {
    pub status: StatusCode,
    pub content_type: String,
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

pub fn client() -> awc::Client {
    awc::Client::builder().timeout(TIMEOUT).disable_redirects().finish()
}

pub async fn send(client: &awc::Client, url: &str, request: &Request) -> Result<Received, Error> {
    let sending = match &request.get {
        Some(query) => client.get(format!("{url}?{query}")).send(),
        None => {
            let mut post =
                client.post(url).insert_header((header::CONTENT_TYPE, request.content_type.as_str()));
            if request.expect_continue {
                post = post.insert_header((header::EXPECT, "100-continue"));
            }
            match request.chunked {
                true => post.send_stream(chunks(request.body.clone())),
                false => post.send_body(request.body.clone()),
            }
        }
    };
    let mut response = sending.await.map_err(|error| Error::Send(error.to_string()))?;
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let body = response.body().limit(LIMIT).await.map_err(|error| Error::Body(error.to_string()))?;
    Ok(Received { status: response.status(), content_type, body })
}

/// A stream of unknown length, so that it is sent as chunks.
fn chunks(body: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(body, |mut rest| async move {
        let size = rest.len().min(1000);
        (size > 0).then(|| (Ok(rest.split_to(size)), rest))
    })
}
