//! Events as people and other nodes look for them.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use uuid::Uuid;

use super::record::beginning;
use super::sql;
use crate::{Entry, Error};

/// Which events to show; an empty filter shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Every CX (`id`, authority OID) under which the patient is known.
    pub patients: Vec<(String, String)>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Where the page before ended: time and id of its last event.
    pub before: Option<(DateTime<Utc>, Uuid)>,
    /// At most this many, the latest.
    pub limit: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Row {
    /// Its place in the log; none while it waits for one.
    pub position: Option<u64>,
    pub entry: Entry,
}

/// The latest events first. Those whose content is blanked are left out.
pub async fn search<C: GenericClient>(client: &C, filter: &Filter) -> Result<Vec<Row>, Error> {
    let patients = (!filter.patients.is_empty())
        .then(|| filter.patients.iter().map(|(id, authority)| (beginning(id), beginning(authority))).unzip());
    let page = sql::Page {
        patients,
        from: filter.from,
        before: filter.until.map(|until| (until, Uuid::nil())).into_iter().chain(filter.before).min(),
        limit: filter.limit.unwrap_or(i64::MAX),
    };
    sql::page(client, &page).await?.iter().map(read).collect()
}

/// One event, unless its content is blanked.
pub async fn find<C: GenericClient>(client: &C, id: Uuid) -> Result<Option<Row>, Error> {
    sql::find(client, id).await?.as_ref().map(read).transpose()
}

/// The authorities, by their OIDs, under which there are events of a patient with this id. The empty one: without any.
pub async fn authorities<C: GenericClient>(client: &C, id: &str) -> Result<Vec<String>, Error> {
    let rows = sql::authorities(client, beginning(id)).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let (position, content): (Option<i64>, &[u8]) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Row { position: position.map(|position| position as u64), entry: serde_json::from_slice(content)? })
}
