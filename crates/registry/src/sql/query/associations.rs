use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::query::Status;

use super::{Found, FoundDetail, Reach, found, status_names};
use crate::sql::rows;

macro_rules! select {
    ($start:literal) => {
        concat!(
            "select record, entry_uuid, fragment, status, source, target
            from association
            where ",
            $start,
            " and ($2 or status = 'Approved')
                and ($4::text[] is null or status = any($4))
                and ($5::text[] is null or association_type = any($5))
            order by registered_at, entry_uuid
            limit $3"
        )
    };
}

pub(super) const OF: &str = select!("(source = any($1) or target = any($1))");
pub(super) const FROM: &str = select!("source = any($1)");
pub(super) const TO: &str = select!("target = any($1)");
pub(super) const BY_ID: &str = "
    select association.record, association.entry_uuid, fragment, status, source, target
    from object join association
        on association.record = object.record and association.entry_uuid = object.entry_uuid
    where object.entry_uuid = any($1)
        and ($2 or status = 'Approved')
        and ($4::text[] is null or status = any($4))
        and ($5::text[] is null or association_type = any($5))
    order by registered_at, association.entry_uuid
    limit $3";

/// Those that have one of the objects as an end. `types`: URNs; `None`: all.
pub async fn associations_of<C: GenericClient>(
    client: &C,
    ends: &[Uuid],
    status: Option<&[Status]>,
    types: Option<&[&str]>,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    select(client, OF, ends, status, types, reach).await
}

/// Those that have one of the objects as their source.
pub async fn associations_from<C: GenericClient>(
    client: &C,
    sources: &[Uuid],
    status: Option<&[Status]>,
    types: Option<&[&str]>,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    select(client, FROM, sources, status, types, reach).await
}

/// Those that have one of the objects as their target.
pub async fn associations_to<C: GenericClient>(
    client: &C,
    targets: &[Uuid],
    status: Option<&[Status]>,
    types: Option<&[&str]>,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    select(client, TO, targets, status, types, reach).await
}

pub async fn associations_by_id<C: GenericClient>(
    client: &C,
    ids: &[Uuid],
    types: Option<&[&str]>,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    select(client, BY_ID, ids, None, types, reach).await
}

async fn select<C: GenericClient>(
    client: &C,
    statement: &str,
    start: &[Uuid],
    status: Option<&[Status]>,
    types: Option<&[&str]>,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    if start.is_empty() {
        return Ok(Vec::new());
    }
    let status = status.map(status_names);
    let parameters: [&(dyn ToSql + Sync); 5] = [&start, &reach.everything(), &reach.limit, &status, &types];
    rows(client, statement, &parameters).await?.iter().map(|row| found(row, association)).collect()
}

fn association(row: &Row) -> Result<FoundDetail, Error> {
    Ok(FoundDetail::Association { source: row.try_get(4)?, target: row.try_get(5)? })
}
