//! The registry as the repository sees it.

use access::Requester;
use atna::Event;
use deadpool_postgres::Transaction;
use futures_util::TryFutureExt;
use futures_util::future::{try_join, try_join_all};
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::Finding;
use xds::query::Request;

use crate::pending::Sent;
use crate::{Failure, sql};

/// Why the registry did not register, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryFailure {
    /// The registry's own findings, to be relayed as they are.
    #[error("refused by the registry")]
    Refused(Vec<Finding>),
    #[error("the registry is not available: {0}")]
    Unavailable(String),
    /// The request was sent and its outcome is not known: the documents must be kept.
    #[error("the outcome of the registration is not known")]
    OutcomeUnknown,
    /// The registry could not do its work; its findings are to be relayed.
    #[error("the registry failed")]
    Failed(Vec<Finding>),
}

/// A document that the registry lets this requester read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    pub unique_id: String,
    /// SHA-1 as registered, hexadecimal.
    pub hash: Option<String>,
    /// Patient, CX.
    pub patient_id: String,
    /// For the trace.
    pub title: Option<String>,
}

/// What the registry shows of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The SubmissionSet with a document of ours.
    Registered,
    /// The SubmissionSet, and none of our documents: they may be hidden now, or the uniqueId is used by somebody else.
    Perhaps,
    /// No such SubmissionSet.
    Not,
}

/// What a repository needs of its registry.
#[allow(async_fn_in_trait, reason = "requests stay on the thread that took them: no Send bound is wanted")]
pub trait Registry {
    /// Registers the metadata (ITI-42). A registry that shares the repository's database commits `filing` in the same
    /// transaction. `Ok` holds warnings.
    async fn register(
        &self,
        requester: &Requester,
        objects: SubmitObjects,
        filing: Filing,
    ) -> Result<Vec<Finding>, RegistryFailure>;

    /// Whether a submission that was sent before was registered.
    async fn has(&self, sent: &Sent) -> Result<Known, RegistryFailure>;

    /// Which of these documents the requester may read: visibility changes in the registry, so it is asked each time.
    async fn readable(
        &self,
        requester: &Requester,
        unique_ids: &[String],
    ) -> Result<Vec<Readable>, RegistryFailure>;

    /// The DocumentEntries that answer a stored query of return type LeafClass (ITI-18), asked for the requester: only what
    /// the requester may see.
    async fn find_documents(
        &self,
        requester: &Requester,
        query: &Request,
    ) -> Result<Vec<ExtrinsicObject>, RegistryFailure>;
}

/// The repository's own part of a submission: its documents and its trace.
#[derive(Debug, Clone)]
pub struct Filing {
    pub(crate) documents: Vec<sql::NewDocument>,
    pub(crate) event: Event,
}

impl Filing {
    /// Writes it in a transaction that belongs to somebody else.
    pub async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Failure> {
        let documents =
            try_join_all(self.documents.iter().map(|document| sql::add_document(transaction, document)));
        let trace = atna::record(transaction, std::slice::from_ref(&self.event));
        try_join(documents.err_into(), trace.err_into::<Failure>()).await.map(|_| ())
    }
}
