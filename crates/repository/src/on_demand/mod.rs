//! On-Demand documents (TF-2 §3.43.5.1, §3.61; TF-3 §4.1.1.3): made when they are retrieved.
//!
//! An On-Demand entry whose repositoryUniqueId is ours and whose uniqueId is no stored document leads here. What is made
//! holds only what the registry shows to the one who asks. The same content keeps its uniqueId and its time, and thereby
//! its octets; when they are to be kept, a Stable entry that is a snapshot of the On-Demand one is registered before the
//! answer goes out.

mod snapshot;
pub mod summary;

use access::Requester;
use blob::BlobStore;
use chrono::{DateTime, SubsecRound, Utc};
use openssl::sha::sha256;
use uuid::Uuid;
use xds::constants::{DOCUMENT_ENTRY_ON_DEMAND, STATUS_APPROVED};
use xds::ebxml::ExtrinsicObject;
use xds::error::ErrorCode;
use xds::message::{DocumentRequest, Made};
use xds::metadata::DocumentEntry;
use xds::query::{Request, ReturnType, Status};

use crate::iti43::{Item, missing};
use crate::port;
use crate::{Failure, Repository, sql};

/// Makes documents.
pub trait Provider: Send + Sync {
    fn mime_type(&self) -> &'static str;

    /// The octets of the document. The same order gives the same octets.
    fn make(&self, order: &Order<'_>) -> Vec<u8>;
}

/// What a document is made from.
pub struct Order<'a> {
    /// The On-Demand entry that was asked for.
    pub entry: &'a DocumentEntry,
    /// The patient's approved Stable documents that the requester may read, snapshots of On-Demand entries left out;
    /// newest first.
    pub documents: &'a [DocumentEntry],
    pub repository_unique_id: &'a str,
    pub identity: Identity,
}

/// What tells one document that was made from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// An OID.
    pub unique_id: String,
    /// In whole seconds.
    pub made_at: DateTime<Utc>,
}

impl Identity {
    /// Stands in for every identity where only the content matters.
    fn none() -> Self {
        Identity { unique_id: String::new(), made_at: DateTime::UNIX_EPOCH }
    }
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// The document of an On-Demand entry, or why there is none. `Ok(None)`: no such entry of this repository.
    pub(crate) async fn on_demand(
        &self,
        requester: &Requester,
        request: &DocumentRequest,
    ) -> Result<Option<Item>, Failure> {
        match self.made(requester, request).await {
            Err(failure) if failure.is_refusal() => {
                let id = &request.document_unique_id;
                let codes = failure.codes();
                let context =
                    format!("{id}: the registry refused what is needed to make the document ({codes})");
                Ok(Some(missing(request.clone(), ErrorCode::XDSRepositoryError, context)))
            }
            made => made,
        }
    }

    async fn made(&self, requester: &Requester, request: &DocumentRequest) -> Result<Option<Item>, Failure> {
        let id = &request.document_unique_id;
        let query = Request::get_documents_by_unique_id([id], ReturnType::LeafClass);
        let entries = self.registry.find_documents(requester, &query).await?;
        let ours: Vec<&ExtrinsicObject> = entries.iter().filter(|object| self.is_ours(object)).collect();
        if ours.is_empty() {
            return Ok(None);
        }
        let approved = |object: &&&ExtrinsicObject| object.common.status.as_deref() == Some(STATUS_APPROVED);
        let Some(entry) = ours.iter().find(approved) else {
            let context = format!("{id}: the On-Demand entry is deprecated");
            return Ok(Some(missing(request.clone(), ErrorCode::XDSDocumentUniqueIdError, context)));
        };
        let entry = DocumentEntry::from_ebxml(entry).map_err(|_| unreadable(id))?;
        let documents = self.content_for(requester, &entry).await?;
        let order = Order {
            entry: &entry,
            documents: &documents,
            repository_unique_id: &self.settings.unique_id,
            identity: Identity::none(),
        };
        let content = blob::hex(&sha256(&self.provider.make(&order)));
        let identity = self.identity_of(id, &content).await?;
        let octets = self.provider.make(&Order { identity: identity.clone(), ..order });
        let patient = entry.patient_id.text.clone();
        let title = entry.title.clone();
        let made = Made { unique_id: identity.unique_id.clone(), repository_unique_id: None };
        if !self.settings.persist_on_demand {
            let mime_type = self.provider.mime_type().to_owned();
            let request = request.clone();
            return Ok(Some(Item::Made { request, made, mime_type, octets: octets.into(), patient, title }));
        }
        let document = self.kept(requester, &entry, &identity, octets).await?;
        let made = Made { repository_unique_id: Some(self.settings.unique_id.clone()), ..made };
        Ok(Some(Item::Found { request: request.clone(), made: Some(made), document, patient, title }))
    }

    fn is_ours(&self, object: &ExtrinsicObject) -> bool {
        object.common.object_type.as_deref() == Some(DOCUMENT_ENTRY_ON_DEMAND)
            && object.common.slot_value("repositoryUniqueId") == Some(self.settings.unique_id.as_str())
    }

    async fn content_for(
        &self,
        requester: &Requester,
        entry: &DocumentEntry,
    ) -> Result<Vec<DocumentEntry>, Failure> {
        let query = Request::find_documents(&entry.patient_id, &[Status::Approved], ReturnType::LeafClass);
        let found = self.registry.find_documents(requester, &query).await?;
        let mut documents: Vec<DocumentEntry> =
            found.iter().filter_map(|object| DocumentEntry::from_ebxml(object).ok()).collect();
        let ids: Vec<&str> = documents.iter().map(|document| document.unique_id.as_str()).collect();
        let snapshots = {
            let client = self.database.get().await?;
            sql::made_here(&client, &ids).await?
        };
        documents.retain(|document| !snapshots.contains(&document.unique_id));
        let time = |document: &DocumentEntry| document.creation_time.as_ref().map(xds::value::Dtm::padded);
        documents.sort_by(|a, b| time(b).cmp(&time(a)).then_with(|| a.unique_id.cmp(&b.unique_id)));
        Ok(documents)
    }

    /// The identity that this content has, or gets now.
    async fn identity_of(&self, on_demand_id: &str, content: &str) -> Result<Identity, Failure> {
        let unique_id = identity::Oid::from_uuid(Uuid::new_v4()).to_string();
        let fresh = Identity { unique_id, made_at: Utc::now().trunc_subsecs(0) };
        let client = self.database.get().await?;
        sql::identity_of(&client, on_demand_id, content, &fresh)
            .await?
            .ok_or_else(|| Failure::Internal("a document that was made has no identity".to_owned()))
    }
}

fn unreadable(id: &str) -> Failure {
    Failure::Internal(format!("the registry's entry of {id} cannot be read"))
}
