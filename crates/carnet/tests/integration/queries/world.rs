//! Objects to ask for, and what an answer held.

use std::collections::BTreeSet;

use client::QueryAnswer;
use uuid::Uuid;
use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::ebxml::SubmitObjects;
use xds::message::ResponseStatus;
use xds::metadata::{
    Association, AssociationType, Code, DocumentEntry, DocumentType, Folder, SubmissionSet,
    SubmissionSetStatus,
};
use xds::query::{Request, ReturnType};
use xds::value::{Cx, uuid_urn};

use crate::harness::{Server, Submission, assert_filed, oid};

pub const APPROVED: &[&str] = &[STATUS_APPROVED];
pub const BOTH: &[&str] = &[STATUS_APPROVED, STATUS_DEPRECATED];

/// Metadata of one submission for ITI-42; memberships of the SubmissionSet are made as objects are added.
pub struct Batch {
    pub set: SubmissionSet,
    pub documents: Vec<DocumentEntry>,
    pub folders: Vec<Folder>,
    pub associations: Vec<Association>,
}

pub fn document(patient: &Cx) -> DocumentEntry {
    let mut entry = Submission::new(patient, "").entry;
    entry.hash = Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned());
    entry.size = Some(0);
    // Nobody has filed it here.
    entry.repository_unique_id = Some("1.2.250.1.999.8".to_owned());
    entry
}

pub fn folder(patient: &Cx) -> Folder {
    Folder {
        entry_uuid: Uuid::new_v4(),
        logical_id: None,
        codes: vec![code("folder")],
        comments: None,
        home_community_id: None,
        patient_id: patient.clone(),
        title: "Suivi".to_owned(),
        unique_id: oid(),
        extra: vec![],
    }
}

pub fn code(code: &str) -> Code {
    Code::new(code, "1.2.250.1.999.1", "text")
}

impl Batch {
    pub fn new(patient: &Cx) -> Batch {
        let set = Submission::new(patient, "").set;
        Batch { set, documents: vec![], folders: vec![], associations: vec![] }
    }

    pub fn document(&mut self, entry: DocumentEntry) -> Uuid {
        let id = entry.entry_uuid;
        self.documents.push(entry);
        let status = Some(SubmissionSetStatus::Original);
        self.associate(AssociationType::HasMember, self.set.entry_uuid, id, status);
        id
    }

    pub fn folder(&mut self, folder: Folder) -> Uuid {
        let id = folder.entry_uuid;
        self.folders.push(folder);
        self.associate(AssociationType::HasMember, self.set.entry_uuid, id, None);
        id
    }

    pub fn reference(&mut self, document: Uuid) -> Uuid {
        let status = Some(SubmissionSetStatus::Reference);
        self.associate(AssociationType::HasMember, self.set.entry_uuid, document, status)
    }

    /// The membership, and that of the membership in the SubmissionSet.
    pub fn put(&mut self, folder: Uuid, document: Uuid) -> [Uuid; 2] {
        let member = self.associate(AssociationType::HasMember, folder, document, None);
        [member, self.associate(AssociationType::HasMember, self.set.entry_uuid, member, None)]
    }

    pub fn relate(&mut self, kind: AssociationType, source: Uuid, target: Uuid) -> Uuid {
        self.associate(kind, source, target, None)
    }

    fn associate(
        &mut self,
        association_type: AssociationType,
        source: Uuid,
        target: Uuid,
        submission_set_status: Option<SubmissionSetStatus>,
    ) -> Uuid {
        let entry_uuid = Uuid::new_v4();
        self.associations.push(Association {
            entry_uuid,
            association_type,
            source,
            target,
            submission_set_status,
            documentation: None,
            extra: vec![],
        });
        entry_uuid
    }

    /// The membership of that object in the SubmissionSet.
    pub fn membership(&self, object: Uuid) -> Uuid {
        let of = |a: &&Association| a.source == self.set.entry_uuid && a.target == object;
        self.associations.iter().find(of).unwrap().entry_uuid
    }

    /// Registers it, on-demand entries by ITI-61.
    pub async fn register(&self, server: &Server) {
        let mut packages = vec![self.set.to_ebxml()];
        packages.extend(self.folders.iter().map(Folder::to_ebxml));
        let objects = SubmitObjects {
            extrinsic_objects: self.documents.iter().map(DocumentEntry::to_ebxml).collect(),
            packages,
            associations: self.associations.iter().map(Association::to_ebxml).collect(),
            findings: vec![],
        };
        let on_demand = self.documents.iter().any(|d| d.document_type == DocumentType::OnDemand);
        assert_filed(&match on_demand {
            true => server.client.register_on_demand(&objects).await.unwrap(),
            false => server.client.register(&objects).await.unwrap(),
        });
    }
}

pub fn ask(id: &str) -> Request {
    Request::new(id, ReturnType::LeafClass)
}

/// What came back, LeafClass and ObjectRef alike.
pub async fn found(server: &Server, request: &Request) -> BTreeSet<Uuid> {
    let leaf = server.client.query(request).await.unwrap();
    let refs = Request { return_type: "ObjectRef".to_owned(), ..request.clone() };
    let refs = server.client.query(&refs).await.unwrap();
    let (leaf, refs) = (ids(&leaf), ids(&refs));
    assert_eq!(leaf, refs, "LeafClass and ObjectRef are of the same objects");
    leaf
}

pub fn ids(answer: &QueryAnswer) -> BTreeSet<Uuid> {
    assert_eq!(answer.response.status, ResponseStatus::Success, "{answer:?}");
    let documents = answer.documents.iter().map(|object| object.common.id.clone());
    let packages = answer.packages.iter().map(|object| object.common.id.clone());
    let associations = answer.associations.iter().map(|object| object.common.id.clone());
    let all = documents.chain(packages).chain(associations).chain(answer.object_refs.iter().cloned());
    let all: Vec<Uuid> = all.map(|id| xds::value::parse_uuid_urn(&id).unwrap()).collect();
    let distinct: BTreeSet<Uuid> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "no object comes twice");
    distinct
}

pub async fn refused(server: &Server, request: &Request) -> Vec<String> {
    let answer = server.client.query(request).await.unwrap();
    assert_eq!(answer.response.status, ResponseStatus::Failure, "{answer:?}");
    assert!(answer.documents.is_empty() && answer.packages.is_empty() && answer.associations.is_empty());
    answer.response.errors.iter().map(|error| error.code.clone()).collect()
}

pub fn set(all: impl IntoIterator<Item = Uuid>) -> BTreeSet<Uuid> {
    all.into_iter().collect()
}

pub fn urn(id: Uuid) -> String {
    uuid_urn(id)
}
