//! Answers that go out on a connection of their own (WS-Addressing ReplyTo, TF-2 Appendix V.5).
//!
//! A request is carried out first; then its answer is made durable, and only then is its sender told that it will come (HTTP
//! 202). A retrieval is the other way round: the request is made durable, and carried out at each attempt, so that documents
//! are not kept twice and each time they leave has its trace. A letter is delivered at least once, always under the same
//! MessageID, so that its reader can tell a second copy.

pub mod sql;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::Requester;
use client::Endpoints;
use database::Database;
use futures_util::future::{Either, select};
use soap::Encoding;
use tokio::sync::Notify;

use crate::config::Asynchronous;
use crate::http::{self, App};
use crate::outgoing::Outgoing;

/// Letters under way at the same time.
const CARRIERS: usize = 4;
/// How often letters that are to be tried again are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// A letter belongs to the server that took it for so long, and again while it delivers: what a server did not finish that
/// ended in the middle is due for all others after this time.
const LEASE: Duration = Duration::from_secs(20);
const RENEWAL: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

pub struct Outbox {
    database: Database,
    outgoing: Outgoing,
    settings: Asynchronous,
    arrived: Notify,
    closed: AtomicBool,
}

/// An answer on its way.
pub struct Letter {
    pub recipient: String,
    /// Of the answer; of the request, where that is carried out later.
    pub action: String,
    pub encoding: Encoding,
    pub message_id: String,
    pub relates_to: Option<String>,
    pub content: Content,
}

pub enum Content {
    /// The envelope, ready.
    Answer(String),
    /// The envelope of an ITI-43 request, to be answered when the answer goes out.
    Retrieval { request: String, requester: Box<Requester> },
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the outbox cannot be used: {0}")]
    Database(#[from] database::Error),
    #[error("the outbox cannot be used: {}", database::describe(.0))]
    Statement(#[from] tokio_postgres::Error),
    #[error("a letter cannot be written or read: {0}")]
    Json(#[from] serde_json::Error),
}

impl Outbox {
    pub fn new(database: Database, outgoing: Outgoing, settings: Asynchronous) -> Outbox {
        Outbox { database, outgoing, settings, arrived: Notify::new(), closed: AtomicBool::new(false) }
    }

    pub fn sends_to(&self, address: &str) -> bool {
        self.settings.reply_to.allow(address)
    }

    /// Durable when this returns.
    pub async fn put(&self, letter: &Letter) -> Result<(), Error> {
        let client = self.database.get().await?;
        match &letter.content {
            Content::Answer(envelope) => sql::put(&client, letter, envelope, None).await?,
            Content::Retrieval { request, requester } => {
                sql::put(&client, letter, request, Some(&serde_json::to_value(requester)?)).await?;
            }
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes no more letters; those under way are still delivered.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.arrived.notify_waiters();
    }

    /// Delivers until it is closed, several letters at a time.
    pub async fn carry(app: Arc<App>) {
        let carriers = (0..CARRIERS).map(|_| async {
            while !app.outbox.closed.load(Ordering::Relaxed) {
                match app.outbox.next(&app).await {
                    Ok(true) => {}
                    Ok(false) => {
                        let _ = tokio::time::timeout(INTERVAL, app.outbox.arrived.notified()).await;
                    }
                    Err(error) => {
                        if !app.database.is_away() {
                            tracing::warn!("{error}");
                        }
                        tokio::time::sleep(INTERVAL).await;
                    }
                }
            }
        });
        futures_util::future::join_all(carriers).await;
    }

    /// Tries one letter; `false` when none is due.
    async fn next(&self, app: &App) -> Result<bool, Error> {
        let taken = {
            let client = self.database.get().await?;
            sql::take(&client, LEASE, self.settings.age).await?
        };
        let Some(taken) = taken else { return Ok(false) };
        let sql::Taken { number, letter, attempts, is_old } = taken?;
        let result = match select(pin!(self.deliver(app, letter)), pin!(self.keep(number))).await {
            Either::Left((result, _)) => result,
            Either::Right((never, _)) => match never {},
        };
        let client = self.database.get().await?;
        match result {
            Ok(()) => {
                tracing::info!(number, attempts, "delivered an answer");
                sql::delivered(&client, number).await?;
            }
            Err(error) => {
                let give_up = is_old || attempts >= self.settings.attempts;
                let wait = self.wait(attempts);
                match give_up {
                    true => tracing::error!(number, attempts, "an answer is given up: {error}"),
                    false => tracing::warn!(number, attempts, "an answer cannot be delivered yet: {error}"),
                }
                sql::failed(&client, number, &error, wait, give_up).await?;
            }
        }
        Ok(true)
    }

    /// Keeps a letter from being taken by another server, as long as this is polled.
    async fn keep(&self, number: i64) -> Infallible {
        loop {
            tokio::time::sleep(RENEWAL).await;
            if let Err(error) = self.renew(number).await {
                tracing::warn!(number, "an answer under way may be sent twice: {error}");
            }
        }
    }

    async fn renew(&self, number: i64) -> Result<(), Error> {
        let client = self.database.get().await?;
        Ok(sql::renew(&client, number, LEASE).await?)
    }

    async fn deliver(&self, app: &App, letter: Letter) -> Result<(), String> {
        let Letter { recipient, action, encoding, message_id, relates_to, content } = letter;
        let (recipient, action, envelope, parts) = match content {
            Content::Answer(envelope) => (recipient, action, envelope, Vec::new()),
            Content::Retrieval { request, requester } => {
                http::retrieve_later(
                    app,
                    encoding,
                    &request,
                    *requester,
                    &recipient,
                    &message_id,
                    relates_to.as_deref(),
                )
                .await
            }
        };
        // The list of addresses may be another than when the request came.
        if !self.sends_to(&recipient) {
            return Err("its address is no longer allowed (asynchronous.reply_to)".to_owned());
        }
        let endpoints = Endpoints { registry: String::new(), repository: String::new() };
        let client = self.outgoing.client(endpoints);
        client.deliver(&recipient, &action, encoding, envelope, parts).await.map_err(|error| describe(&error))
    }

    fn wait(&self, attempts: usize) -> Duration {
        let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
        self.settings.retry.saturating_mul(1 << doubled).min(LONGEST_WAIT)
    }
}

/// Without the address, which may hold a secret of its reader.
fn describe(error: &client::Error) -> String {
    match error {
        client::Error::Connect { reason, .. } => format!("cannot be reached ({reason})"),
        client::Error::Interrupted { reason, .. } => format!("ended the connection ({reason})"),
        client::Error::Timeout { after, .. } => format!("was silent for {after:?}"),
        client::Error::Status(status) => format!("answered with HTTP status {status}"),
        other => other.to_string(),
    }
}
