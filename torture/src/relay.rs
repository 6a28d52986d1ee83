//! A wire between a client and a server that is as slow as one wants.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::sleep;

/// What goes through at a time.
const PORTION: usize = 16 << 10;

/// Listens on loopback and passes on what comes, both ways. It takes no more connections when it is dropped.
pub struct Relay {
    pub address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Relay {
    /// `delay`: before each portion of at most 16 KiB.
    pub async fn start(target: String, delay: Duration) -> anyhow::Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listening = spawn_local(async move {
            while let Ok((near, _)) = listener.accept().await {
                let target = target.clone();
                spawn_local(async move {
                    // A side that is away ends the connection of the other.
                    let Ok(far) = TcpStream::connect(target).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(one_way(near_in, far_out, delay), one_way(far_in, near_out, delay));
                });
            }
        });
        Ok(Relay { address, listening })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration) {
    let mut portion = vec![0; PORTION];
    while let Ok(length @ 1..) = from.read(&mut portion).await {
        sleep(delay).await;
        if to.write_all(portion.get(..length).unwrap_or_default()).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
