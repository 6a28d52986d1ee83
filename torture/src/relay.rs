//! A wire between two that is as slow as one wants.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::sleep;

/// What goes through at a time.
const PORTION: usize = 16 << 10;

/// Where the wire leads.
#[derive(Debug, Clone)]
pub enum Target {
    Tcp(String),
    Unix(PathBuf),
}

/// Before each portion of at most 16 KiB. Can be changed while the wire is in use.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    pub there: Rc<Cell<Duration>>,
    pub back: Rc<Cell<Duration>>,
}

/// Octets that went through one connection.
#[derive(Debug, Default)]
pub struct Passed {
    pub there: Cell<usize>,
    pub back: Cell<usize>,
}

/// Listens on loopback and passes on what comes, both ways. It takes no more connections when it is dropped.
pub struct Relay {
    pub address: SocketAddr,
    /// In the order in which the connections came.
    pub passed: Rc<RefCell<Vec<Rc<Passed>>>>,
    listening: JoinHandle<()>,
}

impl Relay {
    pub async fn start(target: Target, delays: Delays) -> anyhow::Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let connections: Rc<RefCell<Vec<Rc<Passed>>>> = Rc::default();
        let passed = connections.clone();
        let listening = spawn_local(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (target, delays, passed) = (target.clone(), delays.clone(), Rc::<Passed>::default());
                connections.borrow_mut().push(passed.clone());
                spawn_local(async move {
                    // A side that is away ends the connection of the other.
                    match target {
                        Target::Tcp(address) => {
                            let Ok(far) = TcpStream::connect(address).await else { return };
                            let (far_in, far_out) = far.into_split();
                            pass_on(near, far_in, far_out, delays, &passed).await;
                        }
                        Target::Unix(path) => {
                            let Ok(far) = UnixStream::connect(path).await else { return };
                            let (far_in, far_out) = far.into_split();
                            pass_on(near, far_in, far_out, delays, &passed).await;
                        }
                    }
                });
            }
        });
        Ok(Relay { address, passed, listening })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn pass_on(
    near: TcpStream,
    far_in: impl AsyncRead + Unpin,
    far_out: impl AsyncWrite + Unpin,
    delays: Delays,
    passed: &Passed,
) {
    // Whoever waits for a few octets waits for the delay alone.
    let _ = near.set_nodelay(true);
    let (near_in, near_out) = near.into_split();
    tokio::join!(
        one_way(near_in, far_out, &delays.there, &passed.there),
        one_way(far_in, near_out, &delays.back, &passed.back)
    );
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: &Cell<Duration>,
    passed: &Cell<usize>,
) {
    let mut portion = vec![0; PORTION];
    while let Ok(length @ 1..) = from.read(&mut portion).await {
        // Even the shortest sleep is a millisecond.
        if !delay.get().is_zero() {
            sleep(delay.get()).await;
        }
        if to.write_all(portion.get(..length).unwrap_or_default()).await.is_err() {
            break;
        }
        passed.set(passed.get() + length);
    }
    let _ = to.shutdown().await;
}
