//! Connections that the server itself makes: to the registry of another process, and to those who want their answer on a
//! connection of their own.

use std::cell::RefCell;
use std::sync::Arc;

use client::{Client, Endpoints, SslConnector, Timeouts};

use crate::config::Config;
use crate::tls::Tls;

/// What the server shows of itself, and whom it believes.
#[derive(Clone)]
pub enum Outgoing {
    /// As the listener does, and renewed with it.
    AsListener(Arc<Tls>),
    Fixed(Arc<SslConnector>),
}

thread_local! {
    /// The client of this thread, with what it was made from.
    static CLIENT: RefCell<Option<(Arc<SslConnector>, Client)>> = const { RefCell::new(None) };
}

impl Outgoing {
    pub fn new(config: &Config, tls: Option<&Arc<Tls>>) -> anyhow::Result<Outgoing> {
        Ok(match tls {
            Some(tls) => Outgoing::AsListener(tls.clone()),
            None => Outgoing::Fixed(Arc::new(config.client.identity.connector()?)),
        })
    }

    /// A client whose every exchange has a connection of its own.
    pub fn client(&self, endpoints: Endpoints) -> Client {
        let tls = match self {
            Outgoing::AsListener(tls) => tls.connector(),
            Outgoing::Fixed(connector) => connector.clone(),
        };
        CLIENT.with_borrow_mut(|kept| match kept {
            Some((of, client)) if Arc::ptr_eq(of, &tls) => client.with_endpoints(endpoints),
            _ => {
                let timeouts = Timeouts { idle: std::time::Duration::ZERO, ..Timeouts::default() };
                let client = Client::with_tls(endpoints, timeouts, (*tls).clone());
                *kept = Some((tls, client.clone()));
                client
            }
        })
    }
}
