//! Documents that were made and are kept: stored like any other, and registered as snapshots (TF-3 §4.2.2.2.6).
//!
//! A snapshot does not replace an earlier one: each is what somebody was given, and stays found. Two first retrievals at
//! once keep it once: the second waits for the first.

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use blob::{BlobStore, BlobWriter, Stored};
use identity::Oid;
use uuid::Uuid;
use xds::ebxml::SubmitObjects;
use xds::metadata::{
    Association, AssociationType, DocumentEntry, DocumentType, SubmissionSet, SubmissionSetStatus,
};
use xds::value::Dtm;

use super::Identity;
use crate::port::{self, Filing, RegistryFailure};
use crate::sql::{NewDocument, StoredDocument};
use crate::{Failure, Repository, sql};

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// The document as it is stored and registered, now or before.
    pub(super) async fn kept(
        &self,
        requester: &Requester,
        entry: &DocumentEntry,
        identity: &Identity,
        octets: Vec<u8>,
    ) -> Result<StoredDocument, Failure> {
        if let Some(document) = self.kept_before(requester, identity).await? {
            return Ok(document);
        }
        let _only_this = self.keeping.lock().await;
        if let Some(document) = self.kept_before(requester, identity).await? {
            return Ok(document);
        }
        let mut writer = self.blobs.writer().await?;
        writer.write(octets.into()).await?;
        let stored = writer.finish().await?;
        let (objects, filing) = self.submission(requester, entry, identity, &stored);
        if let Err(failure) = self.registry.register(requester, objects, filing).await {
            // When the outcome is not known, the octets may be those of a registered document.
            if !matches!(failure, RegistryFailure::OutcomeUnknown) {
                self.discard([stored]).await;
            }
            return Err(failure.into());
        }
        let document = self.stored(identity).await?;
        document.ok_or_else(|| Failure::Internal("a snapshot is not stored".to_owned()))
    }

    async fn kept_before(
        &self,
        requester: &Requester,
        identity: &Identity,
    ) -> Result<Option<StoredDocument>, Failure> {
        let Some(document) = self.stored(identity).await? else { return Ok(None) };
        let readable = self.registry.readable(requester, std::slice::from_ref(&identity.unique_id)).await?;
        Ok((!readable.is_empty()).then_some(document))
    }

    async fn stored(&self, identity: &Identity) -> Result<Option<StoredDocument>, Failure> {
        let client = self.database.get().await?;
        let found = sql::by_unique_id(&client, std::slice::from_ref(&identity.unique_id)).await?;
        Ok(found.into_iter().next())
    }

    /// The Stable entry that is a snapshot of `entry`, and what the repository files with it.
    fn submission(
        &self,
        requester: &Requester,
        entry: &DocumentEntry,
        identity: &Identity,
        stored: &Stored,
    ) -> (SubmitObjects, Filing) {
        let made_at = Dtm::from_utc(identity.made_at);
        let snapshot = DocumentEntry {
            entry_uuid: Uuid::new_v4(),
            logical_id: None,
            document_type: DocumentType::Stable,
            creation_time: Some(made_at.clone()),
            hash: Some(stored.sha1.clone()),
            size: Some(stored.size),
            mime_type: self.provider.mime_type().to_owned(),
            unique_id: identity.unique_id.clone(),
            uri: None,
            ..entry.clone()
        };
        let set = SubmissionSet {
            entry_uuid: Uuid::new_v4(),
            authors: entry.authors.clone(),
            comments: None,
            // What was submitted is what the document is.
            content_type_code: entry.class_code.clone(),
            home_community_id: None,
            intended_recipients: Vec::new(),
            patient_id: entry.patient_id.clone(),
            source_id: self.settings.unique_id.clone(),
            submission_time: made_at,
            title: None,
            unique_id: Oid::from_uuid(Uuid::new_v4()).to_string(),
            extra: Vec::new(),
        };
        let link = |association_type, source, target, submission_set_status| Association {
            entry_uuid: Uuid::new_v4(),
            association_type,
            source,
            target,
            submission_set_status,
            documentation: None,
            extra: Vec::new(),
        };
        let original = Some(SubmissionSetStatus::Original);
        let associations = [
            link(AssociationType::HasMember, set.entry_uuid, snapshot.entry_uuid, original),
            link(AssociationType::IsSnapshotOf, snapshot.entry_uuid, entry.entry_uuid, None),
        ];
        let objects = SubmitObjects {
            extrinsic_objects: vec![snapshot.to_ebxml()],
            packages: vec![set.to_ebxml()],
            associations: associations.iter().map(Association::to_ebxml).collect(),
            findings: Vec::new(),
        };
        let document = NewDocument {
            unique_id: snapshot.unique_id,
            blob: stored.key.clone(),
            mime_type: snapshot.mime_type,
            size: stored.size,
            sha1: stored.sha1.clone(),
            sha256: stored.sha256.clone(),
            patient_id: Some(entry.patient_id.text.clone()),
        };
        let event = Event::new(Act::Iti42Repository, Outcome::Success, requester, &self.source)
            .patient(Some(&entry.patient_id.text))
            .object(Object::SubmissionSet { unique_id: set.unique_id, titles: objects.document_titles() });
        (objects, Filing { documents: vec![document], event })
    }
}
