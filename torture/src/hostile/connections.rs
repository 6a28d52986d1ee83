//! Connections that cost their owner next to nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

const IDLE: usize = 5_000;
const HALF: usize = 1_000;
const SLOW: usize = 500;
/// Files that are open beside the connections.
const SPARE: u64 = 100;

/// The head of a submission whose body never comes to its end.
const SLOW_HEAD: &str = "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/related; \
    type=\"application/xop+xml\"; start=\"<a@b>\"; start-info=\"application/soap+xml\"; boundary=b; \
    action=\"urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b\"\r\nContent-Length: 1000000\r\n\r\n\
    --b\r\nContent-Type: application/xop+xml; type=\"application/soap+xml\"\r\nContent-ID: <a@b>\r\n\r\n";
const HALF_HEAD: &str = "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nContent-Ty";

/// Submissions that come in an octet at a time.
pub fn slow(address: String, stop: Arc<AtomicBool>) -> anyhow::Result<String> {
    block_on(async {
        let mut connections = connect(&address, SLOW, SLOW_HEAD.as_bytes()).await?;
        while !stop.load(Ordering::SeqCst) {
            for connection in &mut connections {
                // One that the server has given up is gone.
                let _ = connection.write_all(b"<").await;
            }
            sleep(Duration::from_secs(1)).await;
        }
        Ok(format!("{SLOW} submissions of 1 octet/s"))
    })
}

/// Connections on which nothing is ever sent.
pub fn idle(address: String, stop: Arc<AtomicBool>) -> anyhow::Result<String> {
    keep(&address, IDLE, b"", stop)?;
    Ok(format!("{IDLE} connections"))
}

/// Requests that end in the middle of their head.
pub fn half_heads(address: String, stop: Arc<AtomicBool>) -> anyhow::Result<String> {
    keep(&address, HALF, HALF_HEAD.as_bytes(), stop)?;
    Ok(format!("{HALF} connections"))
}

fn keep(address: &str, count: usize, octets: &[u8], stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    block_on(async {
        let _connections = connect(address, count, octets).await?;
        while !stop.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    })
}

async fn connect(address: &str, count: usize, octets: &[u8]) -> anyhow::Result<Vec<TcpStream>> {
    allow_files(count as u64 + SPARE)?;
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(octets).await?;
        connections.push(connection);
    }
    Ok(connections)
}

/// This process needs a file for each of its connections.
fn allow_files(count: u64) -> anyhow::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    anyhow::ensure!(hard >= count, "the limit of open files is {hard}: ulimit -Hn {count}");
    if soft < count {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(())
}

pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
