use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::metadata::DocumentType;
use xds::query::{DocumentIds, FindDocuments, Status};
use xds::value::Dtm;

use super::rows;

/// The record and every record that was merged into it.
///
/// A condition whose parameter is null is no condition. event_codes and confidentiality_codes take a JSON array of
/// arrays: each inner array must share a code with the entry. An entry without service times passes their windows
/// (TF-2 §3.18.4.1.2.3).
const FIND_DOCUMENTS: &str = "
    with recursive family as (
        select $1::bigint as record
        union all
        select record.record from record join family on record.survivor = family.record
    )
    select entry_uuid, fragment, status, availability, case when record = $1 then patient_id else $2 end
    from document_entry
    where record in (select record from family)
        and removed_at is null
        and status = any($3)
        and document_type = any($4)
        and ($5::text[] is null or class_code = any($5))
        and ($6::text[] is null or type_code = any($6))
        and ($7::text[] is null or practice_setting_code = any($7))
        and ($8::text[] is null or healthcare_facility_type_code = any($8))
        and ($9::text[] is null or format_code = any($9))
        and not exists (
            select from jsonb_array_elements($10::jsonb) as wanted
            where not event_codes && array(select jsonb_array_elements_text(wanted)))
        and not exists (
            select from jsonb_array_elements($11::jsonb) as wanted
            where not confidentiality_codes && array(select jsonb_array_elements_text(wanted)))
        and ($12::text[] is null or exists (
            select from unnest(author_persons) as person, unnest($12) as pattern
            where person like pattern escape ''))
        and ($13::text is null or document_type = 'OnDemand' or creation_time >= $13)
        and ($14::text is null or document_type = 'OnDemand' or creation_time < $14)
        and ($15::text is null or service_start_time is null or service_start_time >= $15)
        and ($16::text is null or service_start_time is null or service_start_time < $16)
        and ($17::text is null or service_stop_time is null or service_stop_time >= $17)
        and ($18::text is null or service_stop_time is null or service_stop_time < $18)
    order by creation_time desc nulls last, registered_at, entry_uuid
    limit $19";

const DOCUMENTS_BY_ENTRY_UUID: &str = "
    select document_entry.entry_uuid, fragment, status, availability, patient_id
    from object join document_entry
        on document_entry.record = object.record and document_entry.entry_uuid = object.entry_uuid
    where object.entry_uuid = any($1) and removed_at is null
    order by registered_at, document_entry.entry_uuid
    limit $2";

const DOCUMENTS_BY_UNIQUE_ID: &str = "
    select document_entry.entry_uuid, fragment, status, availability, patient_id
    from unique_id join document_entry
        on document_entry.record = unique_id.record and document_entry.entry_uuid = unique_id.entry_uuid
    where unique_id.value = any($1) and removed_at is null
    order by registered_at, document_entry.entry_uuid
    limit $2";

/// The newest version tells whether a document is online and whose it is.
const READABLE_DOCUMENTS: &str = "
    select document_entry.unique_id, document_entry.hash, document_entry.patient_id
    from unique_id join document_entry
        on document_entry.record = unique_id.record and document_entry.entry_uuid = unique_id.entry_uuid
    where unique_id.value = any($1) and removed_at is null and availability = 'Online' and not exists (
        select from document_entry as later
        where later.logical_id = document_entry.logical_id and later.version > document_entry.version
            and later.removed_at is null)
    order by registered_at";

/// A DocumentEntry as a query finds it.
#[derive(Debug, Clone)]
pub struct Found {
    pub entry_uuid: Uuid,
    pub fragment: Fragment,
    pub status: Status,
    pub availability: String,
    /// The patientId to show, CX.
    pub patient_id: String,
}

/// A document that may be retrieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    pub unique_id: String,
    pub hash: Option<String>,
    /// CX.
    pub patient_id: String,
}

/// `record`: the patient's record; `shown`: the CX shown for entries that come from a merged record.
pub async fn find_documents<C: GenericClient>(
    client: &C,
    record: i64,
    shown: &str,
    query: &FindDocuments,
    limit: Option<i64>,
) -> Result<Vec<Found>, Error> {
    let statuses: Vec<&str> = query.status.iter().map(|status| status.name()).collect();
    let types: Vec<&str> = query.document_types.iter().map(|kind| type_name(*kind)).collect();
    let time = |time: &Option<Dtm>| time.as_ref().map(Dtm::padded);
    let found = rows(
        client,
        FIND_DOCUMENTS,
        &[
            &record,
            &shown,
            &statuses,
            &types,
            &some(&query.class_code),
            &some(&query.type_code),
            &some(&query.practice_setting_code),
            &some(&query.healthcare_facility_type_code),
            &some(&query.format_code),
            &json_groups(&query.event_codes),
            &json_groups(&query.confidentiality_codes),
            &some(&query.author_person),
            &time(&query.creation_time.from),
            &time(&query.creation_time.to),
            &time(&query.service_start_time.from),
            &time(&query.service_start_time.to),
            &time(&query.service_stop_time.from),
            &time(&query.service_stop_time.to),
            &limit,
        ],
    )
    .await?;
    found.iter().map(found_entry).collect()
}

pub async fn get_documents<C: GenericClient>(
    client: &C,
    ids: &DocumentIds,
    limit: Option<i64>,
) -> Result<Vec<Found>, Error> {
    let found = match ids {
        DocumentIds::EntryUuids(ids) => rows(client, DOCUMENTS_BY_ENTRY_UUID, &[ids, &limit]).await?,
        DocumentIds::UniqueIds(ids) => rows(client, DOCUMENTS_BY_UNIQUE_ID, &[ids, &limit]).await?,
    };
    found.iter().map(found_entry).collect()
}

pub async fn readable_documents<C: GenericClient>(
    client: &C,
    unique_ids: &[String],
) -> Result<Vec<Readable>, Error> {
    rows(client, READABLE_DOCUMENTS, &[&unique_ids])
        .await?
        .iter()
        .map(|row| {
            Ok(Readable { unique_id: row.try_get(0)?, hash: row.try_get(1)?, patient_id: row.try_get(2)? })
        })
        .collect()
}

fn found_entry(row: &Row) -> Result<Found, Error> {
    Ok(Found {
        entry_uuid: row.try_get(0)?,
        fragment: Fragment::from_stored(row.try_get(1)?),
        status: Status::from_name(row.try_get(2)?).unwrap_or(Status::Deprecated),
        availability: row.try_get(3)?,
        patient_id: row.try_get(4)?,
    })
}

fn some(values: &[String]) -> Option<&[String]> {
    (!values.is_empty()).then_some(values)
}

fn json_groups(groups: &[Vec<String>]) -> serde_json::Value {
    serde_json::Value::from(
        groups.iter().map(|group| serde_json::Value::from(group.clone())).collect::<Vec<_>>(),
    )
}

fn type_name(kind: DocumentType) -> &'static str {
    match kind {
        DocumentType::Stable => "Stable",
        DocumentType::OnDemand => "OnDemand",
    }
}
