//! An address of the runner, to which a server sends what it is asked to send there (`wsa:ReplyTo`).

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use tokio::sync::oneshot;

use crate::wire::Received;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
const LIMIT: usize = 64 << 20;

type Waiting = Mutex<HashMap<String, oneshot::Sender<Received>>>;

pub struct Listener {
    address: String,
    waiting: Arc<Waiting>,
    handle: ServerHandle,
}

/// An answer that is still to come.
pub struct Expected {
    pub url: String,
    answer: oneshot::Receiver<Received>,
}

impl Listener {
    /// On a free port of this machine.
    pub fn open() -> std::io::Result<Listener> {
        let waiting: Arc<Waiting> = Arc::default();
        let data = Data::from(waiting.clone());
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let address = socket.local_addr()?.to_string();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(PayloadConfig::new(LIMIT))
                .route("/{token}", web::post().to(take))
        })
        .workers(1)
        .disable_signals()
        .listen(socket)?
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Ok(Listener { address, waiting, handle })
    }

    pub fn expect(&self) -> Expected {
        let token = uuid::Uuid::new_v4().simple().to_string();
        let url = format!("http://{}/{token}", self.address);
        let (sender, answer) = oneshot::channel();
        if let Ok(mut waiting) = self.waiting.lock() {
            waiting.insert(token, sender);
        }
        Expected { url, answer }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        actix_web::rt::spawn(self.handle.stop(false));
    }
}

impl Expected {
    pub async fn arrives(self) -> Option<Received> {
        actix_web::rt::time::timeout(PATIENCE, self.answer).await.ok()?.ok()
    }
}

async fn take(
    token: Path<String>,
    request: HttpRequest,
    body: web::Bytes,
    waiting: Data<Waiting>,
) -> HttpResponse {
    let text = |name| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let received = Received {
        status: StatusCode::OK,
        content_type: text(header::CONTENT_TYPE),
        content_encoding: text(header::CONTENT_ENCODING),
        body,
    };
    let sender = waiting.lock().ok().and_then(|mut waiting| waiting.remove(&*token));
    match sender.map(|sender| sender.send(received)) {
        Some(Ok(())) => HttpResponse::Accepted().finish(),
        _ => HttpResponse::NotFound().finish(),
    }
}
