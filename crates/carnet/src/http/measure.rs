//! What is measured at the moment when somebody reads `/metrics`; everything else is counted when it happens.

use std::time::Duration;

use super::App;
use crate::metrics::{
    AUDIT_INBOX, DATABASE_CONNECTIONS, DATABASE_CONNECTIONS_MAX, DATABASE_WAITING, STORE_FREE, STORE_SIZE,
    TRACES_WAITING,
};

/// Events are counted up to this number.
const INBOX: i64 = 100_000;
/// What does not answer in time is not told.
const PATIENCE: Duration = Duration::from_secs(2);

impl App {
    pub async fn measure(&self) {
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let metrics = &self.metrics;
        let connections = self.database.connections();
        metrics.set(&DATABASE_CONNECTIONS, "in_use", number(connections.in_use));
        metrics.set(&DATABASE_CONNECTIONS, "idle", number(connections.idle));
        metrics.set(&DATABASE_CONNECTIONS_MAX, "", number(connections.most));
        metrics.set(&DATABASE_WAITING, "", number(connections.waiting));
        metrics.set(&TRACES_WAITING, "", number(self.traces.waiting()));
        metrics.set_if_known(&AUDIT_INBOX, self.inbox.get(self.events_in_inbox()).await);
        let room = match self.role.is_repository() {
            true => self.room().await,
            false => None,
        };
        metrics.set_if_known(&STORE_FREE, room.map(|room| room.free));
        metrics.set_if_known(&STORE_SIZE, room.map(|room| room.size));
    }

    async fn events_in_inbox(&self) -> Option<u64> {
        let asked = async {
            let client = self.database.get().await.ok()?;
            atna::log::backlog(&**client, INBOX).await.ok()?.try_into().ok()
        };
        tokio::time::timeout(PATIENCE, asked).await.ok().flatten()
    }

    async fn room(&self) -> Option<blob::Room> {
        tokio::time::timeout(PATIENCE, self.blobs.room()).await.ok()?.ok()
    }
}
