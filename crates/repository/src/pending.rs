//! Submissions that were sent to a registry of another process: what is durable before, and what follows its answer.
//!
//! Documents are `stored` before the registry is asked, and `registered` once it is known to have them. Whatever was not
//! settled by the answer (a crash, a lost connection) is settled by asking the registry again.

use std::time::Duration;

use atna::{Act, Event, Outcome};
use blob::BlobStore;
use database::Database;
use uuid::Uuid;
use xds::error::ErrorCode;

use crate::port::{self, Filing};
use crate::{Failure, Repository, sql};

/// A submission as the registry must know it, if it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// SubmissionSet.uniqueId
    pub submission_set: String,
    /// (uniqueId, SHA-1 in hexadecimal)
    pub documents: Vec<(String, String)>,
}

/// What became of the submissions that were not settled.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub registered: usize,
    pub given_up: usize,
    pub waiting: usize,
}

/// A filing that is durable and not settled.
#[derive(Debug, Clone, Copy)]
pub struct Begun(pub(crate) i64);

impl Filing {
    pub fn sent(&self, submission_set: &str) -> Sent {
        Sent {
            submission_set: submission_set.to_owned(),
            documents: self.documents.iter().map(|d| (d.unique_id.clone(), d.sha1.clone())).collect(),
        }
    }

    /// Makes the documents durable as `stored`: they can be read as soon as the registry shows them.
    pub async fn begin(&self, database: &Database, submission_set: &str) -> Result<Begun, Failure> {
        // A failure has a trace of its own.
        let event = Event { id: Uuid::new_v4(), ..self.event.clone() };
        let event = serde_json::to_value(event).map_err(|error| Failure::Internal(error.to_string()))?;
        let mut client = database.get().await?;
        let transaction = client.transaction().await?;
        let begun = sql::begin_filing(&transaction, submission_set, &event).await?;
        for document in &self.documents {
            sql::add_stored_document(&transaction, document, begun).await?;
        }
        transaction.commit().await?;
        Ok(Begun(begun))
    }

    /// The trace of sending the metadata on (ITI-42, the source's side).
    pub fn sending(&self, outcome: Outcome, registry: &str, endpoint: &str) -> Event {
        let mut requester = access::Requester::remote(None, endpoint);
        // The destination is known by its address.
        requester.reply_to = Some(registry.to_owned());
        Event {
            patient: self.event.patient.clone(),
            objects: self.event.objects.clone(),
            ..Event::new(Act::Iti42Repository, outcome, &requester, &self.event.source)
        }
    }
}

impl Begun {
    /// The registry has it: documents are registered, traces written.
    pub async fn registered(self, database: &Database, events: &[Event]) -> Result<(), Failure> {
        let mut client = database.get().await?;
        let transaction = client.transaction().await?;
        sql::register_documents(&transaction, self.0).await?;
        // Another server may have settled it meanwhile, trace included.
        if let Some(event) = sql::end_filing(&transaction, self.0).await? {
            let event =
                serde_json::from_value(event).map_err(|error| Failure::Internal(error.to_string()))?;
            atna::record(&transaction, &[&[event], events].concat()).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The registry has never had it: nothing of it stays but the trace of its failure.
    async fn given_up(self, database: &Database) -> Result<(), Failure> {
        let mut client = database.get().await?;
        let transaction = client.transaction().await?;
        sql::forget_documents(&transaction, self.0).await?;
        // Another server may have given it up meanwhile, trace included.
        if let Some(event) = sql::end_filing(&transaction, self.0).await? {
            let event: Event =
                serde_json::from_value(event).map_err(|error| Failure::Internal(error.to_string()))?;
            let failed = Event { outcome: Outcome::SeriousFailure, ..event };
            let code = ErrorCode::XDSRepositoryError.to_string();
            atna::record(&transaction, &[failed.described(code)]).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The registry does not have it: nothing of it stays but traces.
    pub async fn refused(self, database: &Database, events: &[Event]) -> Result<(), Failure> {
        let mut client = database.get().await?;
        let transaction = client.transaction().await?;
        sql::forget_documents(&transaction, self.0).await?;
        sql::end_filing(&transaction, self.0).await?;
        atna::record(&transaction, events).await?;
        Ok(transaction.commit().await?)
    }
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// Asks the registry about submissions that have waited longer than `patience`, which must be longer than any answer
    /// takes. After `age` a submission that the registry does not have is given up, and the sweep removes its octets.
    pub async fn settle(&self, patience: Duration, age: Duration) -> Result<Settled, Failure> {
        let pending = {
            let client = self.database.get().await?;
            sql::unsettled(&client, patience, age).await?
        };
        let mut settled = Settled::default();
        for filing in pending {
            let begun = Begun(filing.number);
            let sent = Sent { submission_set: filing.submission_set, documents: filing.documents };
            if self.registry.has(&sent).await? {
                begun.registered(&self.database, &[]).await?;
                settled.registered += 1;
            } else if filing.is_old {
                begun.given_up(&self.database).await?;
                settled.given_up += 1;
            } else {
                settled.waiting += 1;
            }
        }
        Ok(settled)
    }
}
