//! Do the scenarios notice when a server is wrong? A proxy between the runner and a server that is right alters what
//! goes through, in one way at a time; a scenario that still passes has not looked.

mod changes;
pub mod edit;
mod matrix;
mod table;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use futures_util::future::LocalBoxFuture;

use crate::offer::Need;
use crate::request::Request;
use crate::transaction::Transaction;
use crate::wire::{Error, Received, Wire};

use changes::{edited, is_of, success, without_parameter};
pub use matrix::{Matrix, prove};
use table::MUTATIONS;

/// A way in which a server can be wrong.
struct Mutation {
    name: String,
    /// It only shows with servers that have these options.
    needs: &'static [Need],
    change: Change,
}

/// `None`: there is nothing in it to be changed.
enum Change {
    /// Another request reaches the server.
    Request(fn(&Request) -> Option<Request>),
    /// Another answer comes back.
    Answer(fn(&Received) -> Option<Received>),
    /// The text of the answer is another.
    Text(fn(&str) -> Option<String>),
    /// A stored query reaches the server without this parameter.
    Ignore { query: &'static str, parameter: String },
    /// Requests of these transactions never reach the server, and are answered with success.
    Swallow(&'static [Transaction]),
    /// The request reaches the server twice; the second answer comes back.
    Replay(fn(&Request) -> bool),
}

/// Lets everything through and notes which mutations would have changed something, or applies one.
struct Proxy<'w> {
    wire: &'w dyn Wire,
    applied: Cell<Option<usize>>,
    would_change: RefCell<BTreeSet<usize>>,
}

impl<'w> Proxy<'w> {
    fn new(wire: &'w dyn Wire) -> Self {
        Proxy { wire, applied: Cell::new(None), would_change: RefCell::default() }
    }

    fn note(&self, changes: impl Fn(&Change) -> bool) {
        let numbers = MUTATIONS.iter().enumerate().filter(|(_, m)| changes(&m.change)).map(|(n, _)| n);
        self.would_change.borrow_mut().extend(numbers);
    }

    async fn altered(&self, url: &str, request: &Request, change: &Change) -> Result<Received, Error> {
        match change {
            Change::Request(edit) => match edit(request) {
                Some(other) => self.wire.send(url, &other).await,
                None => self.wire.send(url, request).await,
            },
            Change::Ignore { query, parameter } => {
                let other = without_parameter(request, query, parameter);
                self.wire.send(url, other.as_ref().unwrap_or(request)).await
            }
            Change::Answer(_) | Change::Text(_) => {
                let received = self.wire.send(url, request).await?;
                Ok(change.answer(&received).unwrap_or(received))
            }
            Change::Swallow(_) => match change.swallowed(request) {
                Some(answer) => Ok(answer),
                None => self.wire.send(url, request).await,
            },
            Change::Replay(applies) => {
                if applies(request) {
                    let _ = self.wire.send(url, request).await?;
                }
                self.wire.send(url, request).await
            }
        }
    }
}

impl Wire for Proxy<'_> {
    fn send<'a>(&'a self, url: &'a str, request: &'a Request) -> LocalBoxFuture<'a, Result<Received, Error>> {
        Box::pin(async move {
            if let Some(mutation) = self.applied.get().and_then(|number| MUTATIONS.get(number)) {
                return self.altered(url, request, &mutation.change).await;
            }
            let received = self.wire.send(url, request).await?;
            self.note(|change| match change {
                Change::Request(edit) => edit(request).is_some(),
                Change::Ignore { query, parameter } => without_parameter(request, query, parameter).is_some(),
                Change::Answer(_) | Change::Text(_) => change.answer(&received).is_some(),
                Change::Swallow(_) => change.swallowed(request).is_some(),
                Change::Replay(applies) => applies(request),
            });
            Ok(received)
        })
    }

    fn arrived(&self, received: Received) -> Received {
        match self.applied.get().and_then(|number| MUTATIONS.get(number)) {
            Some(mutation) => mutation.change.answer(&received).unwrap_or(received),
            None => {
                self.note(|change| change.answer(&received).is_some());
                received
            }
        }
    }
}

impl Change {
    fn answer(&self, received: &Received) -> Option<Received> {
        match self {
            Change::Answer(edit) => edit(received),
            Change::Text(edit) => edited(received, *edit),
            _ => None,
        }
    }

    fn swallowed(&self, request: &Request) -> Option<Received> {
        match self {
            Change::Swallow(transactions) if is_of(request, transactions) => success(request),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
