//! The columns beside an event's content repeat what it says.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::record::identifier;
use crate::{Act, Error, Kind};

/// What the columns are made from, of an entry of any origin.
#[derive(Deserialize)]
struct Head<'a> {
    id: Uuid,
    at: DateTime<Utc>,
    act: Option<Act>,
    #[serde(borrow, default)]
    patient: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    patients: Vec<Cow<'a, str>>,
}

/// The first column of a row (position, kind, id, at, patient, authority, …) that says something else than the content.
pub fn differing(row: &Row, content: &[u8]) -> Result<Option<&'static str>, Error> {
    // Signed and not readable: written by a version that knows more.
    let head: Head = serde_json::from_slice(content)?;
    let kind = head.act.map_or(Kind::Received, |act| act.row().kind);
    let patient = head.patient.as_deref().or(head.patients.first().map(|first| &**first)).map(identifier);
    let columns: [(&'static str, bool); 5] = [
        ("kind", row.try_get::<_, i16>(1)? == kind.number()),
        ("id", row.try_get::<_, Uuid>(2)? == head.id),
        ("at", row.try_get::<_, DateTime<Utc>>(3)? == as_stored(head.at)),
        ("patient_id", row.try_get::<_, Option<&str>>(4)? == patient.map(|(id, _)| id)),
        ("patient_authority", row.try_get::<_, Option<&str>>(5)? == patient.map(|(_, authority)| authority)),
    ];
    Ok(columns.into_iter().find(|(_, equal)| !equal).map(|(column, _)| column))
}

/// PostgreSQL keeps microseconds, counted from the year 2000.
fn as_stored(at: DateTime<Utc>) -> DateTime<Utc> {
    let epoch = DateTime::<Utc>::UNIX_EPOCH + chrono::TimeDelta::days(10_957);
    match (at - epoch).num_microseconds() {
        Some(since) => epoch + chrono::TimeDelta::microseconds(since),
        None => at,
    }
}
