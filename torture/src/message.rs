//! The messages of the mix, each with its line for the ledger.

use chrono::Utc;
use client::Outgoing;
use fastrand::Rng;
use hl7v2::adt::{self, Identifier};
use openssl::sha::sha256;
use serde_json::json;
use uuid::Uuid;
use xds::constants::{QUERY_GET_ALL, QUERY_GET_DOCUMENTS};
use xds::ebxml::{self, Common, ExtrinsicObject, SubmitObjects};
use xds::message::DocumentRequest;
use xds::metadata::{
    Association, AssociationType, Author, Code, DocumentEntry, DocumentType, SubmissionSet,
    SubmissionSetStatus,
};
use xds::query::{
    Level, Request, ReturnType, Status, find_documents, find_folders, find_submission_sets, get_all,
};
use xds::value::{Cx, Dtm, uuid_urn};

use crate::ledger::{Act, Sent};

pub const AUTHORITY: &str = "1.2.250.1.213.1.4.10";
pub const REPOSITORY: &str = "1.2.250.1.999.7";
/// The largest document of the mix.
const LARGEST: usize = 30_000;
const TIME: &str = "20260102030405";

pub fn uuid(rng: &mut Rng) -> Uuid {
    let mut octets = [0; 16];
    rng.fill(&mut octets);
    uuid::Builder::from_random_bytes(octets).into_uuid()
}

pub fn patient(rng: &mut Rng) -> Cx {
    Cx::new(&uuid(rng).simple().to_string(), AUTHORITY)
}

fn oid(rng: &mut Rng) -> String {
    identity::Oid::from_uuid(uuid(rng)).to_string()
}

/// Of so many documents.
pub fn sizes(rng: &mut Rng, count: usize) -> Vec<usize> {
    (0..count).map(|_| rng.usize(100..LARGEST)).collect()
}

/// ITI-41 with documents of these sizes, of which the first may replace one.
pub fn submission(
    rng: &mut Rng,
    patient: &Cx,
    sizes: &[usize],
    replaced: Option<Uuid>,
) -> (Act, SubmitObjects, Vec<Outgoing>) {
    let set = set(rng, patient);
    let (mut sent, mut entries, mut links, mut outgoing) = (vec![], vec![], vec![], vec![]);
    for size in sizes {
        let mut octets = vec![0; *size];
        rng.fill(&mut octets);
        let entry = entry(rng, patient);
        let mut member = link(rng, AssociationType::HasMember, set.entry_uuid, entry.entry_uuid);
        member.submission_set_status = Some(SubmissionSetStatus::Original);
        links.push(member);
        sent.push(Sent {
            id: entry.entry_uuid,
            unique_id: entry.unique_id.clone(),
            title: entry.title.clone().unwrap_or_default(),
            digest: sha256(&octets),
        });
        outgoing.push(Outgoing::bytes(&uuid_urn(entry.entry_uuid), &entry.mime_type, octets));
        entries.push(entry);
    }
    if let (Some(old), Some(new)) = (replaced, entries.first()) {
        links.push(link(rng, AssociationType::Rplc, new.entry_uuid, old));
    }
    let act = Act::Submit {
        patient: patient.text.clone(),
        set: set.unique_id.clone(),
        set_id: set.entry_uuid,
        documents: sent,
        links: links.iter().map(|link| link.entry_uuid).collect(),
        replaced,
    };
    let objects = SubmitObjects {
        extrinsic_objects: entries.iter().map(DocumentEntry::to_ebxml).collect(),
        packages: vec![set.to_ebxml()],
        associations: links.iter().map(Association::to_ebxml).collect(),
        findings: vec![],
    };
    (act, objects, outgoing)
}

/// ITI-57: another title for a document as a query gave it.
pub fn update(
    rng: &mut Rng,
    patient: &Cx,
    document: Uuid,
    from: u32,
    current: &ExtrinsicObject,
) -> (Act, SubmitObjects) {
    let set = set(rng, patient);
    let title = format!("Lettre {:08x}", rng.u32(..));
    let mut object = current.clone();
    renew(&mut object.common, &title);
    let member = ebxml::Association {
        common: Common { id: "Member".to_owned(), ..Common::default() },
        association_type: AssociationType::HasMember.urn().to_owned(),
        source_object: uuid_urn(set.entry_uuid),
        target_object: object.common.id.clone(),
    };
    let mut member = member;
    member.common.set_slot("SubmissionSetStatus", "Original");
    member.common.set_slot("PreviousVersion", from.to_string());
    let set_unique_id = set.unique_id.clone();
    let act = Act::Update { patient: patient.text.clone(), set: set_unique_id, document, from, title };
    let objects = SubmitObjects {
        extrinsic_objects: vec![object],
        packages: vec![set.to_ebxml()],
        associations: vec![member],
        findings: vec![],
    };
    (act, objects)
}

/// A new id, also for what is inside.
fn renew(common: &mut Common, title: &str) {
    common.id = "Document".to_owned();
    for name in &mut common.name {
        name.value = title.to_owned();
    }
    for classification in &mut common.classifications {
        (classification.id, classification.classified_object) = (None, None);
    }
    for identifier in &mut common.external_identifiers {
        (identifier.id, identifier.registry_object) = (None, None);
    }
}

/// ITI-8 A01.
pub fn open(rng: &mut Rng, patient: &Cx) -> (Act, String) {
    let control_id = uuid(rng).simple().to_string();
    let message = adt::add("A01", &control_id, &[identifier(patient)]);
    (Act::Open { patient: patient.text.clone(), control_id }, message)
}

/// ITI-8 A40.
pub fn merge(rng: &mut Rng, subsumed: &Cx, surviving: &Cx) -> (Act, String) {
    let control_id = uuid(rng).simple().to_string();
    let message = adt::merge(&control_id, &identifier(surviving), &identifier(subsumed));
    (Act::Merge { subsumed: subsumed.text.clone(), surviving: surviving.text.clone(), control_id }, message)
}

fn identifier(patient: &Cx) -> Identifier {
    Identifier::new(&patient.id, &patient.authority)
}

/// ITI-20 over FHIR: something that happened on another node.
pub fn audit_event(rng: &mut Rng) -> (Act, String) {
    let event = json!({
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "recorded": Utc::now(),
        "agent": [{"who": {"identifier": {"value": uuid(rng)}}, "requestor": true}],
        "source": {"observer": {"reference": "Device/torture"}},
    });
    let text = event.to_string();
    (Act::Audit { digest: hex(&sha256(text.as_bytes())) }, text)
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub fn retrieval(unique_id: &str) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: unique_id.to_owned(),
    }
}

/// The versions of a document.
pub fn versions(document: Uuid) -> Request {
    Request::new(QUERY_GET_DOCUMENTS, ReturnType::LeafClass)
        .with_uuids("$XDSDocumentEntryLogicalID", [document])
        .with_level(Level::Complete)
}

/// Everything in a record.
pub fn everything(patient: &str) -> Request {
    let all = || [Status::Approved, Status::Deprecated].map(Status::urn);
    Request::new(QUERY_GET_ALL, ReturnType::LeafClass)
        .with_string(get_all::PATIENT_ID, patient)
        .with_list(find_documents::STATUS, all())
        .with_list(find_submission_sets::STATUS, all())
        .with_list(find_folders::STATUS, all())
        .with_level(Level::Complete)
}

fn link(rng: &mut Rng, kind: AssociationType, source: Uuid, target: Uuid) -> Association {
    Association {
        entry_uuid: uuid(rng),
        association_type: kind,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: vec![],
    }
}

fn code(code: &str) -> Code {
    Code::new(code, "1.2.250.1.999.1", "text")
}

fn author() -> Author {
    Author { person: Some("801234567897^MARTIN^Claire".to_owned()), ..Author::default() }
}

fn set(rng: &mut Rng, patient: &Cx) -> SubmissionSet {
    SubmissionSet {
        entry_uuid: uuid(rng),
        authors: vec![author()],
        comments: None,
        content_type_code: code("content"),
        home_community_id: None,
        intended_recipients: vec![],
        patient_id: patient.clone(),
        source_id: "1.2.250.1.999.2".to_owned(),
        submission_time: time(),
        title: None,
        unique_id: oid(rng),
        extra: vec![],
    }
}

fn entry(rng: &mut Rng, patient: &Cx) -> DocumentEntry {
    DocumentEntry {
        entry_uuid: uuid(rng),
        logical_id: None,
        document_type: DocumentType::Stable,
        authors: vec![author()],
        availability: None,
        class_code: code("class"),
        comments: None,
        confidentiality_codes: vec![code("N")],
        creation_time: Some(time()),
        event_codes: vec![],
        format_code: code("format"),
        hash: None,
        healthcare_facility_type_code: code("facility"),
        home_community_id: None,
        language_code: "fr-FR".to_owned(),
        legal_authenticator: None,
        mime_type: "text/plain".to_owned(),
        patient_id: patient.clone(),
        practice_setting_code: code("practice"),
        reference_ids: vec![],
        repository_unique_id: None,
        service_start_time: None,
        service_stop_time: None,
        size: None,
        source_patient_id: Some(patient.clone()),
        source_patient_info: vec![],
        title: Some(format!("Lettre {:08x}", rng.u32(..))),
        type_code: code("type"),
        unique_id: oid(rng),
        uri: None,
        extra: vec![],
    }
}

#[allow(clippy::expect_used, reason = "a constant")]
fn time() -> Dtm {
    Dtm::parse(TIME).expect("a time")
}
