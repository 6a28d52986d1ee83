//! The registry of this process as the repository's registry: ITI-42 as a function call, in one transaction with the
//! repository's own filing.

use access::Requester;
use deadpool_postgres::Transaction;
use registry::iti42::Companion;
use registry::{Failure, Registry};
use repository::port::{self, Filing, Readable, RegistryFailure};
use xds::ebxml::SubmitObjects;
use xds::error::Finding;

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

    async fn readable(
        &self,
        _requester: &Requester,
        unique_ids: &[String],
    ) -> Result<Vec<Readable>, RegistryFailure> {
        let found = self.0.readable_documents(unique_ids).await.map_err(relay)?;
        Ok(found
            .into_iter()
            .map(|r| Readable { unique_id: r.unique_id, hash: r.hash, patient_id: r.patient_id })
            .collect())
    }
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
