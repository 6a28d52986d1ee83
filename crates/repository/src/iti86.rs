//! Remove Documents, ITI-86 (RMD supplement, TF-2 §3.86).
//!
//! Each document by itself: what can be removed is removed, whatever happens to the others. First the removal is made
//! durable with its trace, then the octets are unlinked; a crash in between, or a disk that refuses, leaves them to the
//! sweep. Whether the registry still knows the document is not asked.

use access::Requester;
use atna::{Act, Event, Outcome};
use blob::BlobStore;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::message::{DocumentRequest, RegistryResponse, ResponseStatus};

use crate::sql::RemovedDocument;
use crate::trace::{Touched, events};
use crate::{Failure, Repository, port, sql};

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// Removes every copy of each document. The response holds a finding for each that was not removed.
    pub async fn remove_documents(
        &self,
        requester: &Requester,
        requests: Vec<DocumentRequest>,
    ) -> Result<RegistryResponse, Failure> {
        let result = self.remove(requester, &requests).await;
        // When the outcome is not known, a removal that took effect has its own trace.
        if let Err(failure) = &result
            && !matches!(failure, Failure::RemovalUnknown)
        {
            let touched = requests.into_iter().map(Touched::unknown).collect();
            let event = self.removal(requester, Outcome::SeriousFailure).described(failure.codes());
            if let Err(error) = self.write_trace(&events(&event, touched)).await
                && !self.database.is_away()
            {
                tracing::error!("the trace of a failed removal cannot be written: {error}");
            }
        }
        result
    }

    async fn remove(
        &self,
        requester: &Requester,
        requests: &[DocumentRequest],
    ) -> Result<RegistryResponse, Failure> {
        if requests.len() > self.settings.documents {
            let limit = self.settings.documents;
            return Err(Failure::OutOfResources(format!("More than {limit} documents in one request.")));
        }
        let ours: Vec<String> = requests
            .iter()
            .filter(|request| request.repository_unique_id == self.settings.unique_id)
            .map(|request| request.document_unique_id.clone())
            .collect();
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        let removed = sql::remove_documents(&transaction, &ours).await?;
        let (mut done, mut refused, mut findings) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            match self.outcome(request, &removed) {
                Ok(patient) => done.push(Touched { patient, ..Touched::unknown(request.clone()) }),
                Err(finding) => {
                    findings.push(finding);
                    refused.push(Touched::unknown(request.clone()));
                }
            }
        }
        let codes: Vec<String> = findings.iter().map(|finding| finding.code.to_string()).collect();
        let failed = self.removal(requester, Outcome::MinorFailure).described(codes.join(" "));
        let mut traces = events(&self.removal(requester, Outcome::Success), done.clone());
        traces.extend(events(&failed, refused));
        // A removal of nothing has no event, and none is found.
        let event = traces.first().map(|event| event.id).unwrap_or_default();
        atna::log::claim(&*transaction, event).await?;
        atna::record(&transaction, &traces).await?;
        let committed = transaction.commit().await;
        drop(client);
        if let Err(error) = committed {
            self.outcome_after(error, event).await?;
        }
        let left = self.unlink(&removed).await;
        let (left_behind, gone): (Vec<Touched>, Vec<Touched>) =
            done.into_iter().partition(|touched| left.contains(&touched.request.document_unique_id));
        findings.extend(left.iter().map(|id| octets_stay(id)));
        if !left_behind.is_empty() {
            let failed = self
                .removal(requester, Outcome::SeriousFailure)
                .described(ErrorCode::XDSRemoveDocumentsError.to_string());
            if let Err(error) = self.write_trace(&events(&failed, left_behind)).await {
                tracing::error!("the trace of a failed removal cannot be written: {error}");
            }
        }
        let status = match (gone.is_empty(), findings.is_empty()) {
            (_, true) => ResponseStatus::Success,
            (false, false) => ResponseStatus::PartialSuccess,
            (true, false) => ResponseStatus::Failure,
        };
        Ok(RegistryResponse { status, findings })
    }

    /// The answer to a commit was lost: looks, on a new connection, for an event that was a part of it.
    async fn outcome_after(&self, error: tokio_postgres::Error, event: Uuid) -> Result<(), Failure> {
        tracing::warn!("the answer to a commit was lost: {error}");
        match atna::log::committed(&self.database, event).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error.into()),
            Err(_) => Err(Failure::RemovalUnknown),
        }
    }

    /// The patient of a document that is removed, or why it is not.
    fn outcome(
        &self,
        request: &DocumentRequest,
        removed: &[RemovedDocument],
    ) -> Result<Option<String>, Finding> {
        let id = &request.document_unique_id;
        let refuse = |code, context: String| Err(Finding::error(code, Some(id), context));
        if request.repository_unique_id != self.settings.unique_id {
            let context = format!("{id}: {} is not this repository", request.repository_unique_id);
            return refuse(ErrorCode::XDSUnknownRepositoryId, context);
        }
        match removed.iter().find(|document| document.unique_id == *id) {
            Some(document) => Ok(document.patient_id.clone()),
            None => refuse(
                ErrorCode::XDSDocumentUniqueIdError,
                format!("{id}: no document here has this uniqueId"),
            ),
        }
    }

    /// The uniqueIds of documents whose octets stay for now.
    async fn unlink(&self, removed: &[RemovedDocument]) -> Vec<String> {
        let mut left: Vec<String> = Vec::new();
        for document in removed {
            if let Err(error) = self.purge(&document.blob).await {
                tracing::error!("the octets of a removed document stay until the next sweep: {error}");
                left.push(document.unique_id.clone());
            }
        }
        left.dedup();
        left
    }

    /// Removes octets of a removed document and remembers that they are gone.
    pub(crate) async fn purge(&self, blob: &str) -> Result<(), Failure> {
        self.blobs.delete(blob).await?;
        let client = self.database.get().await?;
        Ok(sql::purged(&client, blob).await?)
    }

    fn removal(&self, requester: &Requester, outcome: Outcome) -> Event {
        Event::new(Act::Iti86Repository, outcome, requester, &self.source)
    }
}

/// Nobody can retrieve the document any more, but its octets are there: the sender must know.
fn octets_stay(id: &str) -> Finding {
    let context = format!(
        "{id}: cannot be retrieved any more, but the document store did not let go of its octets; they are removed later"
    );
    Finding::error(ErrorCode::XDSRemoveDocumentsError, Some(id), context)
}
