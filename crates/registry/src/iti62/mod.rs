//! Remove Metadata, ITI-62 (RMD supplement, TF-2 §3.62).
//!
//! The whole request is judged by the state that it would leave behind ([`rules`]); then every object goes or none.
//!
//! Objects are deleted, not hidden: what is removed must be invisible to everything, and what is not there cannot be
//! shown by a statement that forgot to look. For the same reason its entryUUID and uniqueId are free again: a refusal
//! because of them would show that they had been used. The trace keeps who removed which object from whose record.

mod rules;
mod trace;

use access::Requester;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::message::RemoveObjects;

use crate::{Failure, Registry, sql};

impl Registry {
    /// Removes the objects with these ids. With [`Failure::OutcomeUnknown`] it may have happened; with any other failure
    /// nothing is removed.
    pub async fn remove_metadata(
        &self,
        requester: &Requester,
        request: &RemoveObjects,
    ) -> Result<(), Failure> {
        let result = self.remove(requester, request).await;
        // When the outcome is not known, a removal that took effect has its own trace.
        if let Err(failure) = &result
            && !matches!(failure, Failure::OutcomeUnknown)
        {
            let traced = self.trace_failed_removal(requester, request, failure).await;
            match (failure.is_refusal(), traced) {
                // Without a trace not even the reason is given away.
                (true, Err(error)) => return Err(error),
                (false, Err(_)) if self.database.is_away() => {}
                (false, Err(error)) => {
                    tracing::error!("the trace of a failed removal cannot be written: {error}");
                }
                (_, Ok(())) => {}
            }
        }
        result
    }

    async fn remove(&self, requester: &Requester, request: &RemoveObjects) -> Result<(), Failure> {
        let (ids, not_ids) = request.uuids();
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        sql::lock_for_removal(&transaction, &ids).await?;
        let objects = sql::removable_objects(&transaction, &ids).await?;
        let mut findings: Vec<Finding> = not_ids.iter().map(|id| unresolved(id)).collect();
        findings.extend(rules::check(&transaction, &ids, &objects).await?);
        if !findings.is_empty() {
            transaction.rollback().await?;
            return Err(Failure::Refused(findings));
        }
        let records: Vec<i64> = objects.iter().map(|object| object.record).collect();
        sql::remove(&transaction, &records, &ids).await?;
        atna::record(&transaction, &trace::removed(requester, &self.source, &objects)).await?;
        if let Err(error) = transaction.commit().await {
            drop(client);
            self.outcome_of_removal(error, &ids).await?;
        }
        Ok(())
    }

    /// The answer to a commit was lost: looks for the objects on a new connection. Locking them waits until the old
    /// transaction has ended.
    async fn outcome_of_removal(&self, error: tokio_postgres::Error, ids: &[Uuid]) -> Result<(), Failure> {
        tracing::warn!("the answer to a commit was lost: {error}");
        let lookup = async {
            let mut client = self.database.get().await?;
            let transaction = client.transaction().await?;
            sql::lock_for_removal(&transaction, ids).await?;
            let left = sql::count_objects(&transaction, ids).await?;
            transaction.rollback().await?;
            Ok::<_, Failure>(left)
        };
        match lookup.await {
            Ok(0) => Ok(()),
            Ok(_) => Err(error.into()),
            Err(_) => Err(Failure::OutcomeUnknown),
        }
    }

    async fn trace_failed_removal(
        &self,
        requester: &Requester,
        request: &RemoveObjects,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let (ids, _) = request.uuids();
        let objects = {
            let client = self.database.get().await?;
            sql::removable_objects(&client, &ids).await?
        };
        self.write_trace(&trace::failed(requester, &self.source, request, &objects, failure)).await
    }
}

fn unresolved(id: &str) -> Finding {
    let context = format!("{id}: no object of this registry has this id");
    Finding::error(ErrorCode::UnresolvedReferenceException, Some(id), context)
}
