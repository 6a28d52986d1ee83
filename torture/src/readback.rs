//! Everything about a client's patients, read back: records and octets through the endpoints, traces out of the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, ensure};
use atna::{Entry, MessageId, Object, Outcome};
use chrono::{DateTime, Utc};
use client::{Client, Encoding};
use openssl::sha::sha256;
use uuid::Uuid;
use xds::constants::{DOCUMENT_ENTRY_UNIQUE_ID, STATUS_APPROVED, SUBMISSION_SET_UNIQUE_ID};
use xds::message::ResponseStatus;
use xds::value::parse_uuid_urn;

use crate::ledger::{Act, Digest, Document, Ledger, Record, Traces, key, key_of_received};
use crate::message;

/// Documents of one request.
const TOGETHER: usize = 50;
const TRACES: &str = "select convert_from(content, 'UTF8') from (
    select at, content from audit_event union all select at, content from audit_inbox) as event where at >= $1";

/// How often each act succeeded and failed on what it names, since a moment.
pub async fn traces(database: &tokio_postgres::Client, since: DateTime<Utc>) -> anyhow::Result<Traces> {
    let mut traces = Traces::default();
    let mut patients_of: HashMap<(atna::Act, bool, String), BTreeSet<Option<String>>> = HashMap::new();
    for row in database.query(TRACES, &[&since]).await? {
        let content: String = row.try_get(0)?;
        let event = match serde_json::from_str(&content)? {
            Entry::Own(event) => event,
            Entry::Received(event) => {
                let digest = message::hex(&sha256(event.octets.as_bytes()));
                *traces.done.entry(key_of_received(&digest)).or_default() += 1;
                continue;
            }
        };
        let is_done = event.outcome == Outcome::Success;
        let counts = if is_done { &mut traces.done } else { &mut traces.failed };
        let mut names: BTreeSet<String> = event.objects.iter().filter_map(name).collect();
        if let Some(MessageId::ControlId(id)) = &event.message {
            names.insert(id.clone());
        }
        // A query is known by its patient.
        if event.act == atna::Act::Iti18Registry {
            names.extend(event.patient.clone());
        }
        for name in names {
            // An update after a merge concerns two patients, and leaves an event for each.
            let patients = patients_of.entry((event.act, is_done, name.clone())).or_default();
            let is_first = patients.is_empty();
            let is_further = patients.insert(event.patient.clone()) && !is_first;
            let is_counted = !(is_further && event.act == atna::Act::Iti57Registry);
            *counts.entry(key(event.act, &name)).or_default() += u32::from(is_counted);
        }
    }
    Ok(traces)
}

fn name(object: &Object) -> Option<String> {
    match object {
        Object::SubmissionSet { unique_id, .. } | Object::Document { unique_id, .. } => {
            Some(unique_id.clone())
        }
        Object::RegistryObject { entry_uuid, .. } => Some(entry_uuid.clone()),
        Object::Query { .. } | Object::Gone(_) => None,
    }
}

/// The records of every patient that the ledger names, as the endpoints show them.
pub async fn records(
    client: &Client,
    ledger: &Ledger,
    scratch: &Path,
) -> anyhow::Result<BTreeMap<String, Record>> {
    let links: BTreeSet<Uuid> = ledger.0.iter().flat_map(|entry| links(&entry.act)).copied().collect();
    let mut records = BTreeMap::new();
    for patient in ledger.patients() {
        let record = record(client, patient, &links).await.context("a record cannot be read back")?;
        records.insert(patient.to_owned(), record);
    }
    let unique_ids: BTreeSet<String> = ledger.unique_ids().map(str::to_owned).collect();
    let mut octets = octets(client, &unique_ids, scratch).await.context("documents cannot be read back")?;
    for record in records.values_mut() {
        for document in record.documents.values() {
            if let Some(digest) = octets.remove(&document.unique_id) {
                record.octets.insert(document.unique_id.clone(), digest);
            }
        }
    }
    // Octets that can be retrieved and belong to no record.
    if !octets.is_empty() {
        records.insert("nobody".to_owned(), Record { octets, ..Record::default() });
    }
    Ok(records)
}

fn links(act: &Act) -> &[Uuid] {
    match act {
        Act::Submit { links, .. } => links,
        _ => &[],
    }
}

async fn record(client: &Client, patient: &str, ours: &BTreeSet<Uuid>) -> anyhow::Result<Record> {
    let answer = client.query(&message::everything(patient)).await?;
    ensure!(answer.response.status == ResponseStatus::Success, "{:?}", answer.response);
    let mut record = Record::default();
    for object in &answer.documents {
        let common = &object.common;
        let id = common.lid.as_deref().unwrap_or(&common.id);
        let id = parse_uuid_urn(id).with_context(|| format!("{id} is no logical id"))?;
        let version = common.version_name.as_deref().unwrap_or("1").parse()?;
        let document = Document {
            unique_id: common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID).unwrap_or_default().to_owned(),
            title: common.title().unwrap_or_default().to_owned(),
            approved: common.status.as_deref() == Some(STATUS_APPROVED),
        };
        record.documents.insert((id, version), document);
    }
    record.sets = answer
        .packages
        .iter()
        .filter_map(|package| package.common.external_identifier(SUBMISSION_SET_UNIQUE_ID))
        .map(str::to_owned)
        .collect();
    let ids = answer.associations.iter().filter_map(|association| parse_uuid_urn(&association.common.id));
    record.links = ids.filter(|id| ours.contains(id)).collect();
    Ok(record)
}

async fn octets(
    client: &Client,
    unique_ids: &BTreeSet<String>,
    scratch: &Path,
) -> anyhow::Result<BTreeMap<String, Digest>> {
    let mut octets = BTreeMap::new();
    let ids: Vec<&String> = unique_ids.iter().collect();
    for some in ids.chunks(TOGETHER) {
        let requests: Vec<_> = some.iter().map(|id| message::retrieval(id)).collect();
        let retrieved = client.retrieve(&requests, Encoding::Mtom, scratch).await?;
        for document in retrieved.documents {
            octets
                .insert(document.request.document_unique_id, sha256(&tokio::fs::read(&document.path).await?));
            tokio::fs::remove_file(&document.path).await?;
        }
    }
    Ok(octets)
}
