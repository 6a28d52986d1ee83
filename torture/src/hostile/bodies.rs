//! Bodies that are small to send and large to read.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::connections::block_on;

/// What a bomb unpacks to.
const UNPACKED: usize = 1 << 30;
const PARTS: usize = 10_000;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(500);
/// A refusal is a page at most.
const ANSWER: usize = 64 << 10;
const ACTION: &str = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b";

/// An envelope of one gibibyte of spaces, packed.
pub fn bombs(address: String, stop: Arc<AtomicBool>) -> anyhow::Result<String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..UNPACKED / spaces.len() {
        packed.write_all(&spaces)?;
    }
    let body = packed.finish()?;
    let kib = body.len() >> 10;
    let head = format!("application/soap+xml; charset=UTF-8; action=\"{ACTION}\"\r\nContent-Encoding: gzip");
    let sent = again_and_again(&address, &head, &body, &stop)?;
    Ok(format!("1 GiB of spaces in {kib} KiB, twice a second ({sent} times)"))
}

/// A package of ten thousand attachments.
pub fn parts(address: String, stop: Arc<AtomicBool>) -> anyhow::Result<String> {
    let head = format!(
        "multipart/related; type=\"application/xop+xml\"; start=\"<0@b>\"; start-info=\"application/soap+xml\"; \
         boundary=b; action=\"{ACTION}\""
    );
    let mut body = String::new();
    for number in 0..PARTS {
        let kind = match number {
            0 => "application/xop+xml; type=\"application/soap+xml\"",
            _ => "text/plain",
        };
        body.push_str(&format!("--b\r\nContent-Type: {kind}\r\nContent-ID: <{number}@b>\r\n\r\nx\r\n"));
    }
    body.push_str("--b--\r\n");
    let sent = again_and_again(&address, &head, body.as_bytes(), &stop)?;
    Ok(format!("a package of {PARTS} parts, twice a second ({sent} times)"))
}

/// How often it was sent; each time it was refused.
fn again_and_again(address: &str, head: &str, body: &[u8], stop: &AtomicBool) -> anyhow::Result<usize> {
    block_on(async {
        let mut sent = 0;
        while !stop.load(Ordering::SeqCst) {
            let answer = send(address, head, body).await?;
            anyhow::ensure!(!answer.starts_with("HTTP/1.1 200"), "the server took it: {answer}");
            sent += 1;
            sleep(PAUSE).await;
        }
        Ok(sent)
    })
}

async fn send(address: &str, head: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let head = format!(
        "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {head}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    // The server may answer, and close, before it has read everything.
    let _ = connection.write_all(body).await;
    let mut answer = Vec::new();
    let _ = connection.take(ANSWER as u64).read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
