//! Metadata updates: ITI-57 and ITI-92 over HTTP.

mod associations;
mod concurrency;
mod folders;
mod national;
mod patients;
mod restricted;
mod statuses;
mod versions;

use std::collections::BTreeMap;

use uuid::Uuid;

use xds::ebxml::{self, Common, ExtrinsicObject, RegistryPackage, SubmitObjects};
use xds::message::{ReceivedResponse, ResponseStatus};
use xds::metadata::{Association, AssociationType, Code, Folder, SubmissionSet};
use xds::query::{Request, ReturnType, Status};
use xds::value::{Cx, uuid_urn};

use crate::catalogue;
use crate::harness::{Server, Submission, assert_filed, oid};

/// What an update carries, by the ids of its sender.
pub struct Update {
    set: SubmissionSet,
    documents: Vec<ExtrinsicObject>,
    folders: Vec<RegistryPackage>,
    associations: Vec<ebxml::Association>,
}

impl Update {
    pub fn of(patient: &Cx) -> Update {
        let set = Submission::new(patient, "").set;
        Update { set, documents: vec![], folders: vec![], associations: vec![] }
    }

    /// A new version of a document as a query gave it.
    pub fn document(
        mut self,
        current: &ExtrinsicObject,
        previous: &str,
        change: impl FnOnce(&mut Common),
    ) -> Update {
        let id = format!("Document{:02}", self.documents.len() + 1);
        let mut object = current.clone();
        renew(&mut object.common, &id);
        change(&mut object.common);
        self.documents.push(object);
        let mut member = self.link(&format!("SetHas{id}"), AssociationType::HasMember, &id);
        member.common.set_slot("SubmissionSetStatus", "Original");
        member.common.set_slot("PreviousVersion", previous);
        self.associations.push(member);
        self
    }

    pub fn folder(
        mut self,
        current: &RegistryPackage,
        previous: &str,
        change: impl FnOnce(&mut Common),
    ) -> Update {
        let id = format!("Folder{:02}", self.folders.len() + 1);
        let mut package = current.clone();
        renew(&mut package.common, &id);
        change(&mut package.common);
        self.folders.push(package);
        let mut member = self.link(&format!("SetHas{id}"), AssociationType::HasMember, &id);
        member.common.set_slot("PreviousVersion", previous);
        self.associations.push(member);
        self
    }

    pub fn status(mut self, target: &str, original: &str, new: &str) -> Update {
        let id = format!("Status{:02}", self.associations.len() + 1);
        let mut association = self.link(&id, AssociationType::UpdateAvailabilityStatus, target);
        association.common.set_slot("OriginalStatus", original);
        association.common.set_slot("NewStatus", new);
        self.associations.push(association);
        self
    }

    /// An association between registered objects.
    fn adding(mut self, kind: AssociationType, source: Uuid, target: Uuid) -> Update {
        let id = format!("Added{:02}", self.associations.len() + 1);
        self.associations.push(ebxml::Association {
            common: Common { id: id.clone(), ..Common::default() },
            association_type: kind.urn().to_owned(),
            source_object: uuid_urn(source),
            target_object: uuid_urn(target),
        });
        let submit = self.link(&format!("Submit{id}"), AssociationType::SubmitAssociation, &id);
        self.associations.push(submit);
        self
    }

    fn link(&self, id: &str, kind: AssociationType, target: &str) -> ebxml::Association {
        ebxml::Association {
            common: Common { id: id.to_owned(), ..Common::default() },
            association_type: kind.urn().to_owned(),
            source_object: uuid_urn(self.set.entry_uuid),
            target_object: target.to_owned(),
        }
    }

    /// Changes the association with that id.
    fn with(mut self, id: &str, change: impl FnOnce(&mut ebxml::Association)) -> Update {
        change(self.associations.iter_mut().find(|a| a.common.id == id).unwrap());
        self
    }

    fn without_propagation(self, member: &str) -> Update {
        self.with(member, |a| a.common.set_slot("AssociationPropagation", "no"))
    }

    pub fn objects(&self) -> SubmitObjects {
        SubmitObjects {
            extrinsic_objects: self.documents.clone(),
            packages: std::iter::once(self.set.to_ebxml()).chain(self.folders.clone()).collect(),
            associations: self.associations.clone(),
            findings: vec![],
        }
    }

    pub async fn send(&self, server: &Server) -> ReceivedResponse {
        server.client.update(&self.objects()).await.unwrap()
    }

    pub async fn accepted(&self, server: &Server) {
        assert_filed(&self.send(server).await);
    }

    /// Code and location of each error, after which everything is as it was.
    async fn refused(&self, server: &Server) -> Vec<(String, String)> {
        let before = dump(server).await;
        let errors = errors(self.send(server).await);
        assert_eq!(dump(server).await, before, "a refused update has left something");
        errors
    }
}

fn errors(response: ReceivedResponse) -> Vec<(String, String)> {
    assert_eq!(response.status, ResponseStatus::Failure, "{response:?}");
    let errors = response.errors.into_iter();
    errors.map(|error| (error.code, error.location.unwrap_or_default())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(code, location)| ((*code).to_owned(), (*location).to_owned())).collect()
}

/// A new id, also for what is inside.
fn renew(common: &mut Common, id: &str) {
    common.id = id.to_owned();
    for classification in &mut common.classifications {
        (classification.id, classification.classified_object) = (None, None);
    }
    for identifier in &mut common.external_identifiers {
        (identifier.id, identifier.registry_object) = (None, None);
    }
}

pub fn title(common: &mut Common, text: &str) {
    common.name[0].value = text.to_owned();
}

fn identify(common: &mut Common, scheme: &str, value: &str) {
    let identifiers = &mut common.external_identifiers;
    identifiers
        .iter_mut()
        .filter(|e| e.identification_scheme == scheme)
        .for_each(|e| e.value = value.to_owned());
}

/// Everything that the registry and the repository know, the audit apart.
pub async fn dump(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut tables = catalogue::rows(&server.database).await;
    tables.retain(|table, _| !table.starts_with("audit_"));
    tables
}

/// A document by its entryUUID, as a query gives it.
pub async fn entry(server: &Server, id: Uuid) -> ExtrinsicObject {
    let mut request = Request::get_documents_by_entry_uuid([id], ReturnType::LeafClass);
    // All versions, whatever their state.
    request.parameters.push(("$MetadataLevel".to_owned(), vec!["2".to_owned()]));
    let answer = server.client.query(&request).await.unwrap();
    let [object] = answer.documents.as_slice() else { panic!("{answer:?}") };
    object.clone()
}

/// The entryUUID of the newest version.
pub async fn newest(server: &Server, logical_id: Uuid) -> Uuid {
    let sql = "
        select entry_uuid from (
            select entry_uuid, version from document_entry where logical_id = $1
            union all select entry_uuid, version from folder where logical_id = $1) as versions
        order by version desc limit 1";
    server.database.get().await.unwrap().query_one(sql, &[&logical_id]).await.unwrap().get(0)
}

/// The statuses of all versions, oldest first.
async fn statuses(server: &Server, logical_id: Uuid) -> Vec<String> {
    let sql = "
        select status from (
            select status, version from document_entry where logical_id = $1
            union all select status, version from folder where logical_id = $1) as versions
        order by version";
    let rows = server.database.get().await.unwrap().query(sql, &[&logical_id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// How many approved associations of that type lead from one to the other.
async fn links(server: &Server, kind: AssociationType, source: Uuid, target: Uuid) -> i64 {
    let sql = "
        select count(*) from association
        where association_type = $1 and source = $2 and target = $3 and status = 'Approved'";
    let client = server.database.get().await.unwrap();
    client.query_one(sql, &[&kind.urn(), &source, &target]).await.unwrap().get(0)
}

async fn approved(server: &Server, patient: &Cx) -> Vec<String> {
    let request = Request::find_documents(patient, &[Status::Approved], ReturnType::ObjectRef);
    server.client.query(&request).await.unwrap().object_refs
}

/// Files one document and gives its entryUUID.
async fn filed(server: &Server, patient: &Cx, octets: &str) -> Submission {
    let submission = Submission::new(patient, octets);
    assert_filed(&server.file(&submission).await);
    submission
}

/// A document in a new folder.
pub async fn filed_in_folder(server: &Server, patient: &Cx) -> (Submission, RegistryPackage) {
    let submission = filed(server, patient, "lettre").await;
    let folder = Folder {
        entry_uuid: Uuid::new_v4(),
        logical_id: None,
        codes: vec![Code::new("stay", "1.2.250.1.999.1", "text")],
        comments: None,
        home_community_id: None,
        patient_id: patient.clone(),
        title: "Séjour".to_owned(),
        unique_id: oid(),
        extra: vec![],
    };
    let set = Submission::new(patient, "").set;
    let link = |source: Uuid, target: Uuid| Association {
        entry_uuid: Uuid::new_v4(),
        association_type: AssociationType::HasMember,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: vec![],
    };
    let member = link(folder.entry_uuid, submission.entry.entry_uuid);
    let held = [link(set.entry_uuid, folder.entry_uuid), link(set.entry_uuid, member.entry_uuid)];
    let objects = SubmitObjects {
        extrinsic_objects: vec![],
        packages: vec![set.to_ebxml(), folder.to_ebxml()],
        associations: held.iter().chain([&member]).map(Association::to_ebxml).collect(),
        findings: vec![],
    };
    assert_filed(&server.client.register(&objects).await.unwrap());
    let mut package = folder.to_ebxml();
    package.common.lid = Some(package.common.id.clone());
    (submission, package)
}

fn id(common: &Common) -> Uuid {
    xds::value::parse_uuid_urn(&common.id).unwrap()
}
