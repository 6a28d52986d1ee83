//! Connections that cost their owner next to nothing.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::Scene;
use crate::message::REPOSITORY;

const IDLE: usize = 5_000;
const HALF: usize = 1_000;
const SLOW: usize = 500;
const READERS: usize = 100;
/// Files that are open beside the connections.
const SPARE: u64 = 100;
/// What a slow reader takes in advance: as little as the system allows.
const BUFFER: u32 = 4 << 10;

/// The head of a submission whose body never comes to its end.
const SLOW_HEAD: &str = "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/related; \
    type=\"application/xop+xml\"; start=\"<a@b>\"; start-info=\"application/soap+xml\"; boundary=b; \
    action=\"urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b\"\r\nContent-Length: 1000000\r\n\r\n\
    --b\r\nContent-Type: application/xop+xml; type=\"application/soap+xml\"\r\nContent-ID: <a@b>\r\n\r\n";
const HALF_HEAD: &str = "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nContent-Ty";

/// Submissions that come in an octet at a time.
pub fn slow(scene: &Scene) -> anyhow::Result<String> {
    block_on(async {
        let mut connections = connect(scene, SLOW, None, SLOW_HEAD.as_bytes()).await?;
        scene.is_set(SLOW);
        while !scene.is_over() {
            for connection in &mut connections {
                // One that the server has given up is gone, which is told at the end.
                let _ = connection.write_all(b"<").await;
            }
            pause(scene).await;
        }
        all_open(&connections)?;
        Ok(format!("{SLOW} submissions of 1 octet/s"))
    })
}

/// Readers of a large document who take an octet at a time.
pub fn slow_readers(scene: &Scene) -> anyhow::Result<String> {
    block_on(async {
        let request = retrieval(&scene.document);
        let connections = connect(scene, READERS, Some(BUFFER), request.as_bytes()).await?;
        for connection in &connections {
            connection.readable().await?;
        }
        scene.is_set(READERS);
        let mut read = 0;
        while !scene.is_over() {
            for connection in &connections {
                // One without an octet waits for the next turn.
                read += connection.try_read(&mut [0]).unwrap_or_default();
            }
            pause(scene).await;
        }
        anyhow::ensure!(read >= READERS, "the readers were given {read} octets");
        for connection in &connections {
            anyhow::ensure!(connection.try_read(&mut [0])? == 1, "the server has given up a reader");
        }
        Ok(format!("{READERS} readers of 1 octet/s, of a document of {} MiB", super::LARGE >> 20))
    })
}

fn retrieval(document: &str) -> String {
    let action = "urn:ihe:iti:2007:RetrieveDocumentSet";
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">\
         <s:Header><a:Action s:mustUnderstand=\"1\">{action}</a:Action><a:MessageID>urn:uuid:{}</a:MessageID></s:Header>\
         <s:Body><RetrieveDocumentSetRequest xmlns=\"urn:ihe:iti:xds-b:2007\"><DocumentRequest>\
         <RepositoryUniqueId>{REPOSITORY}</RepositoryUniqueId><DocumentUniqueId>{document}</DocumentUniqueId>\
         </DocumentRequest></RetrieveDocumentSetRequest></s:Body></s:Envelope>",
        uuid::Uuid::nil()
    );
    let body = format!(
        "--b\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
         Content-Transfer-Encoding: binary\r\nContent-ID: <a@b>\r\n\r\n{envelope}\r\n--b--\r\n"
    );
    format!(
        "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/related; \
         type=\"application/xop+xml\"; start=\"<a@b>\"; start-info=\"application/soap+xml\"; boundary=b; \
         action=\"{action}\"\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Connections on which nothing is ever sent.
pub fn idle(scene: &Scene) -> anyhow::Result<String> {
    keep(scene, IDLE, b"")?;
    Ok(format!("{IDLE} connections"))
}

/// Requests that end in the middle of their head.
pub fn half_heads(scene: &Scene) -> anyhow::Result<String> {
    keep(scene, HALF, HALF_HEAD.as_bytes())?;
    Ok(format!("{HALF} connections"))
}

fn keep(scene: &Scene, count: usize, octets: &[u8]) -> anyhow::Result<()> {
    block_on(async {
        let connections = connect(scene, count, None, octets).await?;
        scene.is_set(count);
        while !scene.is_over() {
            pause(scene).await;
        }
        all_open(&connections)
    })
}

/// A second, or until all is over.
async fn pause(scene: &Scene) {
    for _ in 0..100 {
        if scene.is_over() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Of a connection that the server has closed there is an end, or an answer, to be read.
fn all_open(connections: &[TcpStream]) -> anyhow::Result<()> {
    let is_open = |connection: &&TcpStream| {
        connection.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let (open, count) = (connections.iter().filter(is_open).count(), connections.len());
    anyhow::ensure!(open == count, "at the end of the window {open} of {count} connections were open");
    Ok(())
}

async fn connect(
    scene: &Scene,
    count: usize,
    buffer: Option<u32>,
    octets: &[u8],
) -> anyhow::Result<Vec<TcpStream>> {
    allow_files(count as u64 + SPARE)?;
    let mut connections = Vec::new();
    for _ in 0..count {
        let socket = TcpSocket::new_v4()?;
        if let Some(size) = buffer {
            socket.set_recv_buffer_size(size)?;
        }
        let mut connection = socket.connect(scene.address.parse()?).await?;
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
