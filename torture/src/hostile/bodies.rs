//! Bodies that are small to send and large to read.

use std::time::Duration;

use flate2::{Compress, Compression, Crc, FlushCompress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::Scene;
use super::connections::block_on;

/// What a bomb unpacks to, in MiB.
const UNPACKED: usize = 1 << 10;
const PARTS: usize = 10_000;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(500);
/// A refusal is a page at most.
const ANSWER: usize = 64 << 10;
/// In an answer of XDS; a fault has a status of its own.
const REFUSED: &str = "ResponseStatusType:Failure";
const ACTION: &str = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b";

/// An envelope of one gibibyte of spaces, packed.
pub fn bombs(scene: &Scene) -> anyhow::Result<String> {
    let body = spaces(UNPACKED)?;
    let kib = body.len() >> 10;
    let head = format!("application/soap+xml; charset=UTF-8; action=\"{ACTION}\"\r\nContent-Encoding: gzip");
    let sent = again_and_again(scene, &head, &body)?;
    Ok(format!("1 GiB of spaces in {kib} KiB, twice a second ({sent} times)"))
}

/// So many MiB of spaces, packed. One MiB is packed and repeated, which costs the clients of the same machine nothing: after a
/// full flush nothing refers to what came before, and everything begins with a whole octet.
fn spaces(mib: usize) -> anyhow::Result<Vec<u8>> {
    let one = vec![b' '; 1 << 20];
    let mut packed = Vec::with_capacity(one.len());
    Compress::new(Compression::best(), false).compress_vec(&one, &mut packed, FlushCompress::Full)?;
    let (mut whole, mut part) = (Crc::new(), Crc::new());
    part.update(&one);
    let mut body = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF];
    for _ in 0..mib {
        body.extend_from_slice(&packed);
        whole.combine(&part);
    }
    // The last block, which is empty.
    body.extend_from_slice(&[3, 0]);
    body.extend_from_slice(&whole.sum().to_le_bytes());
    body.extend_from_slice(&whole.amount().to_le_bytes());
    Ok(body)
}

/// A package of ten thousand attachments.
pub fn parts(scene: &Scene) -> anyhow::Result<String> {
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
    let sent = again_and_again(scene, &head, body.as_bytes())?;
    Ok(format!("a package of {PARTS} parts, twice a second ({sent} times)"))
}

/// How often it was sent; each time it was refused.
fn again_and_again(scene: &Scene, head: &str, body: &[u8]) -> anyhow::Result<usize> {
    block_on(async {
        let mut sent = 0;
        while !scene.is_over() {
            let answer = send(&scene.address, head, body).await?;
            // Not even an answer would be no refusal.
            let is_refused = answer.starts_with("HTTP/1.1 4")
                || answer.starts_with("HTTP/1.1 5")
                || answer.contains(REFUSED);
            anyhow::ensure!(is_refused, "the server did not refuse it: {answer}");
            sent += 1;
            scene.is_set(0);
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_bomb_is_gzip_as_anybody_reads_it() {
        let packed = spaces(3).unwrap();
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), 3 << 20);
        assert!(unpacked.iter().all(|octet| *octet == b' '));
        assert!(packed.len() < 4 << 10, "{}", packed.len());
    }
}
