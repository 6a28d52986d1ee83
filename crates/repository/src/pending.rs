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

use crate::port::{self, Filing, Known, RegistryFailure};
use crate::{Failure, Repository, sql};

/// A submission as the registry must know it, if it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// SubmissionSet.uniqueId
    pub submission_set: String,
    /// (uniqueId, SHA-1 in hexadecimal)
    pub documents: Vec<(String, String)>,
}

impl Sent {
    /// What it means that the registry has the SubmissionSet and shows these documents, (uniqueId, SHA-1), some of which may be
    /// hidden. A submission is registered as a whole, so one of its documents tells of all; only documents of others would
    /// be a submission of somebody else.
    pub fn among<'a>(&self, mut shown: impl Iterator<Item = (&'a str, &'a str)>) -> Known {
        let is_ours = |(id, hash): (&str, &str)| {
            self.documents.iter().any(|(ours, sha1)| ours == id && sha1.eq_ignore_ascii_case(hash))
        };
        match self.documents.is_empty() || shown.any(is_ours) {
            true => Known::Registered,
            false => Known::Perhaps,
        }
    }
}

/// What became of the submissions that were not settled.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub registered: usize,
    pub given_up: usize,
    /// The registry could not be asked, or it is not certain what its answer means.
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

    /// Makes the documents durable as `stored`: they can be read as soon as the registry shows them. When the answer to the
    /// commit is lost, it is looked for; only if that fails too, the outcome is unknown and their octets must be kept.
    pub async fn begin(&self, database: &Database, submission_set: &str) -> Result<Begun, Failure> {
        // A failure has a trace of its own.
        let event = Event { id: Uuid::new_v4(), ..self.event.clone() };
        let id = event.id;
        let event = serde_json::to_value(event).map_err(|error| Failure::Internal(error.to_string()))?;
        let mut client = database.get().await?;
        let transaction = client.transaction().await?;
        let begun = sql::begin_filing(&transaction, submission_set, &event).await?;
        for document in &self.documents {
            sql::add_stored_document(&transaction, document, begun).await?;
        }
        // Whoever looks for it waits until this transaction has ended.
        atna::log::claim(&*transaction, id).await?;
        let Err(error) = transaction.commit().await else { return Ok(Begun(begun)) };
        drop(client);
        tracing::warn!(submission_set, "the answer to a commit was lost: {error}");
        match is_begun(database, id, begun).await {
            Ok(true) => Ok(Begun(begun)),
            Ok(false) => Err(error.into()),
            Err(_) => Err(RegistryFailure::OutcomeUnknown.into()),
        }
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

async fn is_begun(database: &Database, event: Uuid, filing: i64) -> Result<bool, Failure> {
    let mut client = database.get().await?;
    let transaction = client.transaction().await?;
    atna::log::claim(&*transaction, event).await?;
    let is_there = sql::has_filing(&transaction, filing).await?;
    transaction.rollback().await?;
    Ok(is_there)
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
    /// takes. After `age` a submission of which the registry has not even the SubmissionSet is given up, and the sweep removes its octets.
    pub async fn settle(&self, patience: Duration, age: Duration) -> Result<Settled, Failure> {
        let pending = {
            let client = self.database.get().await?;
            sql::unsettled(&client, patience, age).await?
        };
        let mut settled = Settled::default();
        let mut told = false;
        for filing in pending {
            let number = filing.number;
            match self.settle_one(filing).await {
                Ok(Known::Registered) => settled.registered += 1,
                Ok(Known::Not) => settled.given_up += 1,
                Ok(Known::Perhaps) => settled.waiting += 1,
                // Those behind it have their own answers.
                Err(error) => {
                    settled.waiting += 1;
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(
                            filing = number,
                            "an unsettled submission could not be settled: {error}"
                        );
                    }
                }
            }
        }
        Ok(settled)
    }

    /// What is known for certain now, and written down.
    async fn settle_one(&self, filing: sql::Unsettled) -> Result<Known, Failure> {
        let begun = Begun(filing.number);
        let sent = Sent { submission_set: filing.submission_set, documents: filing.documents };
        let known = match self.registry.has(&sent).await? {
            // It may come yet.
            Known::Not if !filing.is_old => Known::Perhaps,
            known => known,
        };
        match known {
            Known::Registered => begun.registered(&self.database, &[]).await?,
            Known::Not => begun.given_up(&self.database).await?,
            Known::Perhaps => {}
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_of_a_submission_tells_of_all_and_documents_of_others_tell_nothing() {
        let pair = |id: &str, hash: &str| (id.to_owned(), hash.to_owned());
        let sent = Sent {
            submission_set: "1.2.3".to_owned(),
            documents: vec![pair("1.2.3.1", "aa11"), pair("1.2.3.2", "bb22")],
        };
        let among = |shown: &[(&str, &str)]| sent.among(shown.iter().copied());
        assert_eq!(among(&[("1.2.3.1", "AA11"), ("1.2.3.2", "bb22")]), Known::Registered);
        assert_eq!(among(&[("1.2.3.2", "bb22")]), Known::Registered, "the other is hidden");
        assert_eq!(among(&[]), Known::Perhaps, "both may be hidden");
        assert_eq!(among(&[("1.2.3.1", "cc33"), ("1.2.3.9", "aa11")]), Known::Perhaps);
        let folders = Sent { documents: Vec::new(), ..sent.clone() };
        assert_eq!(folders.among([].into_iter()), Known::Registered);
    }
}
