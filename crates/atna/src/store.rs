//! The audit table.

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;

use crate::Event;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit table cannot be used")]
    Database(#[from] tokio_postgres::Error),
    #[error("an audit event cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Which events to show; an empty filter shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Every CX (`id`, authority OID) under which the patient is known.
    pub patients: Vec<(String, String)>,
    pub since: Option<DateTime<Utc>>,
    pub limit: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub event: Event,
    pub message: String,
}

/// Writes the events in the transaction of `client`. They are durable when it commits.
pub async fn record<C: GenericClient + Sync>(_client: &C, _events: &[Event]) -> Result<(), Error> {
    todo!()
}

/// Events in the order of time, oldest first.
pub async fn search<C: GenericClient + Sync>(_client: &C, _filter: &Filter) -> Result<Vec<Row>, Error> {
    todo!()
}
