//! The repository's registry: in this process, or in another.

use access::Requester;
use repository::pending::Sent;
use repository::port::{self, Filing, Known, Readable, RegistryFailure};
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::Finding;
use xds::query::Request;

use crate::in_process::InProcess;
use crate::remote_registry::RemoteRegistry;

pub enum RegistryLink {
    Here(InProcess),
    There(RemoteRegistry),
}

impl port::Registry for RegistryLink {
    async fn register(
        &self,
        requester: &Requester,
        objects: SubmitObjects,
        filing: Filing,
    ) -> Result<Vec<Finding>, RegistryFailure> {
        match self {
            RegistryLink::Here(registry) => registry.register(requester, objects, filing).await,
            RegistryLink::There(registry) => registry.register(requester, objects, filing).await,
        }
    }

    async fn has(&self, sent: &Sent) -> Result<Known, RegistryFailure> {
        match self {
            RegistryLink::Here(registry) => registry.has(sent).await,
            RegistryLink::There(registry) => registry.has(sent).await,
        }
    }

    async fn readable(
        &self,
        requester: &Requester,
        unique_ids: &[String],
    ) -> Result<Vec<Readable>, RegistryFailure> {
        match self {
            RegistryLink::Here(registry) => registry.readable(requester, unique_ids).await,
            RegistryLink::There(registry) => registry.readable(requester, unique_ids).await,
        }
    }
    async fn find_documents(
        &self,
        requester: &Requester,
        query: &Request,
    ) -> Result<Vec<ExtrinsicObject>, RegistryFailure> {
        match self {
            RegistryLink::Here(registry) => registry.find_documents(requester, query).await,
            RegistryLink::There(registry) => registry.find_documents(requester, query).await,
        }
    }
}
