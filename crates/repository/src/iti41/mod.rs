//! Provide and Register Document Set-b, ITI-41 (TF-2 §3.41).
//!
//! The octets are durable before this begins (they were spooled while they streamed in). Then: the repository's own
//! checks R1 to R4, hash, size and repositoryUniqueId written into the metadata, CDA headers read, and the registry
//! asked. Whatever does not end in success takes the spooled octets with it, unless the outcome is unknown.

mod checks;
mod header;

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use blob::{BlobStore, Stored};
use xds::constants::DOCUMENT_ENTRY_PATIENT_ID;
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::{ErrorCode, Finding};

use crate::port::{self, Filing, RegistryFailure};
use crate::sql::NewDocument;
use crate::{Failure, Repository};

/// `Document/@id` and where its octets are now.
#[derive(Debug, Clone)]
pub struct Received {
    pub id: String,
    pub stored: Stored,
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// Files a submission. `Ok` holds the warnings of a success; then octets, metadata and traces are durable.
    pub async fn provide_and_register(
        &self,
        requester: &Requester,
        objects: SubmitObjects,
        documents: Vec<Received>,
    ) -> Result<Vec<Finding>, Failure> {
        let mut event = Event::new(Act::Iti41Repository, Outcome::Success, requester, &self.source)
            .patient(objects.patient_ids().first().copied());
        if let Some(unique_id) = objects.submission_set_unique_id() {
            let titles = objects.document_titles();
            event = event.object(Object::SubmissionSet { unique_id: unique_id.to_owned(), titles });
        }
        let result = self.file(requester, objects, &documents, event.clone()).await;
        if let Err(failure) = &result {
            // When the outcome is not known, the octets may be those of a registered document, which has its own trace.
            if !matches!(failure, Failure::Registry(RegistryFailure::OutcomeUnknown)) {
                self.discard(documents.into_iter().map(|d| d.stored)).await;
                self.trace_failure(event, failure).await?;
            }
        }
        result
    }

    async fn file(
        &self,
        requester: &Requester,
        mut objects: SubmitObjects,
        documents: &[Received],
        event: Event,
    ) -> Result<Vec<Finding>, Failure> {
        if documents.len() > self.settings.documents {
            let limit = self.settings.documents;
            return Err(Failure::OutOfResources(format!("More than {limit} documents in one submission.")));
        }
        let mut findings = checks::pairs(&objects, documents);
        findings.extend(checks::digests(&objects, documents));
        findings.extend(self.earlier_documents(&objects, documents).await?);
        let mut warnings = Vec::new();
        for (object, received) in checks::paired(&mut objects, documents) {
            self.complete(object, &received.stored);
            let remarks = self.read_header(object, &received.stored).await?;
            let (errors, remarks): (Vec<Finding>, Vec<Finding>) =
                remarks.into_iter().partition(Finding::is_error);
            findings.extend(errors);
            warnings.extend(remarks);
        }
        if !findings.is_empty() {
            return Err(Failure::Refused(findings));
        }
        self.still_stored(documents).await?;
        let filing = Filing { documents: new_documents(&mut objects, documents), event };
        warnings.extend(self.registry.register(requester, objects, filing).await?);
        Ok(warnings)
    }

    /// What ITI-42 requires and the source may leave out (TF-2 §3.41.4.1.3).
    fn complete(&self, object: &mut ExtrinsicObject, stored: &Stored) {
        object.common.set_slot("hash", &stored.sha1);
        object.common.set_slot("size", stored.size.to_string());
        object.common.set_slot("repositoryUniqueId", &self.settings.unique_id);
    }

    /// Nobody may have taken the octets away since they were stored: what is acknowledged is there.
    async fn still_stored(&self, documents: &[Received]) -> Result<(), Failure> {
        let mut findings = Vec::new();
        for Received { id, stored } in documents {
            match self.blobs.measure(&stored.key, stored.size).await {
                Ok(()) => {}
                Err(error @ (blob::Error::Missing | blob::Error::Corrupt { .. })) => {
                    tracing::error!(blob = %stored.key, "octets of a submission are lost before it is filed: {error}");
                    let context =
                        format!("Document \"{id}\": its octets were lost before it was filed; send it again");
                    findings.push(Finding::error(ErrorCode::XDSRepositoryError, Some(id), context));
                }
                Err(error) => return Err(error.into()),
            }
        }
        match findings.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(findings)),
        }
    }

    /// Removes spooled octets that no document will need. What cannot be removed now, the sweep removes later.
    pub async fn discard(&self, stored: impl IntoIterator<Item = Stored>) {
        for stored in stored {
            if let Err(error) = self.blobs.delete(&stored.key).await {
                tracing::warn!("octets of a refused document stay until the next sweep: {error}");
            }
        }
    }

    async fn trace_failure(&self, mut event: Event, failure: &Failure) -> Result<(), Failure> {
        event.outcome = match failure.is_refusal() {
            true => Outcome::MinorFailure,
            false => Outcome::SeriousFailure,
        };
        if let Err(error) = self.write_trace(&[event.described(failure.codes())]).await {
            match failure.is_refusal() {
                // Without a trace not even the reason is given away.
                true => return Err(error),
                false if self.database.is_away() => {}
                false => tracing::error!("the trace of a failed submission cannot be written: {error}"),
            }
        }
        Ok(())
    }

    pub(crate) async fn write_trace(&self, events: &[Event]) -> Result<(), Failure> {
        Ok(self.traces.record(events).await?)
    }
}

fn new_documents(objects: &mut SubmitObjects, documents: &[Received]) -> Vec<NewDocument> {
    checks::paired(objects, documents)
        .filter_map(|(object, received)| {
            Some(NewDocument {
                unique_id: checks::unique_id(object)?.to_owned(),
                blob: received.stored.key.to_string(),
                mime_type: object.mime_type.clone().unwrap_or_default(),
                size: received.stored.size,
                sha1: received.stored.sha1.clone(),
                sha256: received.stored.sha256.clone(),
                patient_id: object.common.external_identifier(DOCUMENT_ENTRY_PATIENT_ID).map(str::to_owned),
            })
        })
        .collect()
}
