//! The registry of this process as the repository's registry: ITI-42 as a function call, in one transaction with the
//! repository's own filing.

use access::Requester;
use deadpool_postgres::Transaction;
use registry::iti42::Companion;
use registry::{Failure, Registry};
use repository::pending::Sent;
use repository::port::{self, Filing, Known, Readable, RegistryFailure};
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::Finding;
use xds::message::{QueryResult, read_query_response, write_query_response};
use xds::query::Request;

pub struct InProcess(pub Registry);

struct WithFiling(Filing);

impl Companion for WithFiling {
    async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Failure> {
        self.0.write(transaction).await.map_err(|error| match error {
            repository::Failure::Unavailable(reason) => Failure::Unavailable(reason),
            other => Failure::Internal(other.to_string()),
        })
    }
}

impl port::Registry for InProcess {
    async fn register(
        &self,
        requester: &Requester,
        objects: SubmitObjects,
        filing: Filing,
    ) -> Result<Vec<Finding>, RegistryFailure> {
        self.0.register(requester, objects, &WithFiling(filing)).await.map_err(relay)
    }

    /// Nothing waits where everything is one commit: what does was sent to another registry before.
    async fn has(&self, sent: &Sent) -> Result<Known, RegistryFailure> {
        if !self.0.has_submission_set(&sent.submission_set).await.map_err(relay)? {
            return Ok(Known::Not);
        }
        let ids: Vec<String> = sent.documents.iter().map(|(id, _)| id.clone()).collect();
        let found = self.0.readable_documents(&ids).await.map_err(relay)?;
        let shown = found.iter().filter_map(|shown| Some((&*shown.unique_id, shown.hash.as_deref()?)));
        Ok(sent.among(shown))
    }

    async fn readable(
        &self,
        _requester: &Requester,
        unique_ids: &[String],
    ) -> Result<Vec<Readable>, RegistryFailure> {
        let found = self.0.readable_documents(unique_ids).await.map_err(relay)?;
        Ok(found
            .into_iter()
            .map(|r| Readable {
                unique_id: r.unique_id,
                hash: r.hash,
                patient_id: r.patient_id,
                title: r.title,
            })
            .collect())
    }

    async fn find_documents(
        &self,
        requester: &Requester,
        query: &Request,
    ) -> Result<Vec<ExtrinsicObject>, RegistryFailure> {
        let mut w = xml::Writer::new();
        query.write(&mut w);
        let answered = self.0.query(requester, query, &w.finish()).await.map_err(relay)?;
        let result = answered.whole().await.map_err(relay)?;
        received(&result)
            .map_err(|error| relay(Failure::Internal(format!("an own answer is unreadable: {error}"))))
    }
}

/// The objects of a result, by the way that they would take over the wire.
fn received(result: &QueryResult) -> Result<Vec<ExtrinsicObject>, String> {
    let mut w = xml::Writer::new();
    write_query_response(&mut w, &[], result);
    let text = w.finish();
    let limits = xml::Limits { bytes: usize::MAX, ..xml::Limits::default() };
    let document = xml::Document::parse(&text, &limits).map_err(|error| error.to_string())?;
    let received = read_query_response(document.root()).map_err(|error| error.to_string())?;
    Ok(received.documents)
}

fn relay(failure: Failure) -> RegistryFailure {
    match failure {
        Failure::Refused(findings) => RegistryFailure::Refused(findings),
        Failure::Unavailable(reason) => RegistryFailure::Unavailable(reason),
        Failure::OutcomeUnknown => RegistryFailure::OutcomeUnknown,
        Failure::Internal(ref reason) => {
            tracing::error!("the registry failed: {reason}");
            RegistryFailure::Failed(failure.findings())
        }
    }
}
