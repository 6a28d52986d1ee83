//! The audit table: every statement about it is here.

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::{Event, dicom};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit table cannot be used: {0}")]
    Database(#[from] tokio_postgres::Error),
    #[error("an audit event cannot be written or read as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

const RECORD: &str = "
    insert into audit_event (id, at, act, outcome, patient_id, patient_authority, salt, content, message)
    select id, at, content ->> 'act', content ->> 'outcome', patient_id, patient_authority, salt, content, message
    from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[], $7::text[])
        as event (id, at, patient_id, patient_authority, salt, content, message)";

/// The latest `limit` events, oldest first. Without patients: of all.
const SEARCH: &str = "
    select content, message from (
        select at, id, content, message from audit_event
        where ($1::text[] is null
                or (patient_id, patient_authority) in (select * from unnest($1::text[], $2::text[])))
            and ($3::timestamptz is null or at >= $3)
        order by at desc, id desc
        limit $4
    ) as latest order by at, id";

/// Which events to show; an empty filter shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Every CX (`id`, authority OID) under which the patient is known.
    pub patients: Vec<(String, String)>,
    pub since: Option<DateTime<Utc>>,
    /// At most this many, the latest.
    pub limit: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub event: Event,
    /// The same event as a DICOM audit message.
    pub message: String,
}

/// Writes the events in the transaction of `client`, in one round trip. They are durable when it commits.
pub async fn record<C: GenericClient + Sync>(client: &C, events: &[Event]) -> Result<(), Error> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.at).collect();
    let patients: Vec<Option<&str>> =
        events.iter().map(|event| event.patient.as_deref().map(patient_id)).collect();
    let authorities: Vec<Option<&str>> =
        events.iter().map(|event| event.patient.as_deref().and_then(authority)).collect();
    let salts: Vec<Vec<u8>> = events.iter().map(|_| Uuid::new_v4().into_bytes().to_vec()).collect();
    let content = events.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
    let messages: Vec<String> = events.iter().map(dicom::render).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&ids, Type::UUID_ARRAY),
        (&times, Type::TIMESTAMPTZ_ARRAY),
        (&patients, Type::TEXT_ARRAY),
        (&authorities, Type::TEXT_ARRAY),
        (&salts, Type::BYTEA_ARRAY),
        (&content, Type::JSONB_ARRAY),
        (&messages, Type::TEXT_ARRAY),
    ];
    client.execute_typed(RECORD, &parameters).await?;
    Ok(())
}

/// Events in the order of time, oldest first.
pub async fn search<C: GenericClient + Sync>(client: &C, filter: &Filter) -> Result<Vec<Row>, Error> {
    let (ids, authorities): (Vec<&str>, Vec<&str>) =
        filter.patients.iter().map(|(id, authority)| (id.as_str(), authority.as_str())).unzip();
    let patients = (!ids.is_empty()).then_some(ids);
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&patients, Type::TEXT_ARRAY),
        (&authorities, Type::TEXT_ARRAY),
        (&filter.since, Type::TIMESTAMPTZ),
        (&filter.limit, Type::INT8),
    ];
    let rows = client.query_typed(SEARCH, &parameters).await?;
    rows.into_iter()
        .map(|row| Ok(Row { event: serde_json::from_value(row.try_get(0)?)?, message: row.try_get(1)? }))
        .collect()
}

/// CX.1.
fn patient_id(cx: &str) -> &str {
    cx.split('^').next().unwrap_or_default()
}

/// The OID in CX.4.
fn authority(cx: &str) -> Option<&str> {
    cx.split('^').nth(3)?.split('&').nth(1)
}
