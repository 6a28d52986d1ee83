//! A way to PostgreSQL that loses the answer to one commit.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use actix_web::rt::spawn;
use actix_web::rt::task::JoinHandle;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

const SOCKET: &str = ".s.PGSQL.5432";

/// What happens to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It does not reach PostgreSQL; the connection ends.
    Commit,
    /// It is done; the connection ends in place of its answer.
    Answer,
    /// The same, and PostgreSQL cannot be reached until [`Relay::reconnect`].
    AnswerAndWay,
}

/// Passes everything on, until it is told what to lose.
pub struct Relay {
    folder: TempDir,
    shared: Rc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    /// What is lost of the next transaction that carries this text.
    next: RefCell<Option<(String, Loss)>>,
    open: watch::Sender<bool>,
}

impl Relay {
    pub async fn start(database_url: &str) -> Relay {
        let folder = test_support::folder();
        let target = format!("{}/{SOCKET}", host(database_url));
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let shared = Rc::new(Shared { next: RefCell::default(), open: watch::channel(true).0 });
        let for_all = shared.clone();
        let listening = spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = UnixStream::connect(&target).await.unwrap();
                spawn(pass_on(near, far, for_all.clone()));
            }
        });
        Relay { folder, shared, listening }
    }

    /// The address of the database by way of this.
    pub fn url(&self, database_url: &str) -> String {
        database_url.replace(host(database_url), self.folder.path().to_str().unwrap())
    }

    /// Of the next transaction that carries this text.
    pub fn lose(&self, loss: Loss, carrying: &str) {
        *self.shared.next.borrow_mut() = Some((carrying.to_owned(), loss));
    }

    /// Whether what was to be lost was lost.
    pub fn has_lost(&self) -> bool {
        self.shared.next.borrow().is_none()
    }

    pub fn reconnect(&self) {
        self.shared.open.send_replace(true);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn host(database_url: &str) -> &str {
    database_url.split_whitespace().find_map(|word| word.strip_prefix("host=")).unwrap()
}

async fn pass_on(near: UnixStream, far: UnixStream, shared: Rc<Shared>) {
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let losing = Cell::new(None);
    let mut open = shared.open.subscribe();
    // Whichever ends first takes both connections with it.
    tokio::select! {
        () = requests(near_in, far_out, &shared, &losing) => {}
        () = answers(far_in, near_out, &shared, &losing) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    losing: &Cell<Option<Loss>>,
) {
    let mut octets = vec![0; 64 << 10];
    let mut transaction: Vec<u8> = Vec::new();
    while let Ok(length @ 1..) = from.read(&mut octets).await {
        let octets = &octets[..length];
        if contains(octets, b"BEGIN") || contains(octets, b"START TRANSACTION") {
            transaction.clear();
        }
        transaction.extend_from_slice(octets);
        if contains(octets, b"COMMIT\0") {
            let carried = |(text, _): &mut (String, Loss)| contains(&transaction, text.as_bytes());
            losing.set(shared.next.borrow_mut().take_if(carried).map(|(_, loss)| loss));
        }
        if losing.get() == Some(Loss::Commit) || to.write_all(octets).await.is_err() {
            return;
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    losing: &Cell<Option<Loss>>,
) {
    let mut octets = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut octets).await {
        let octets = &octets[..length];
        match losing.get() {
            Some(loss) if contains(octets, b"COMMIT\0") => {
                if loss == Loss::AnswerAndWay {
                    shared.open.send_replace(false);
                }
                return;
            }
            _ if to.write_all(octets).await.is_err() => return,
            _ => {}
        }
    }
}

fn contains(octets: &[u8], text: &[u8]) -> bool {
    octets.windows(text.len()).any(|window| window == text)
}
