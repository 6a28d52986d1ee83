use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use xds::query::{FolderFilter, ObjectIds};

use super::{Found, FoundDetail, Reach, found, json_groups, status_names, time};
use crate::sql::{once, rows};

macro_rules! columns {
    () => {
        "select folder.record, folder.entry_uuid, fragment, status, patient_id, last_update_time "
    };
}

macro_rules! newest {
    () => {
        "not exists (
            select from folder as later
            where later.logical_id = folder.logical_id and later.version > folder.version)"
    };
}

macro_rules! filter {
    () => {
        concat!(
            " and ($2 or ",
            newest!(),
            ")
            and status = any($4)
            and ($5::text is null or last_update_time >= $5)
            and ($6::text is null or last_update_time < $6)
            and ($7::jsonb is null or not exists (
                select from jsonb_array_elements($7) as wanted
                where not codes && array(select jsonb_array_elements_text(wanted))))"
        )
    };
}

/// By id, a Deprecated Folder is part of the past.
macro_rules! by_id {
    () => {
        concat!(
            " and ($2 or status = 'Approved' and ",
            newest!(),
            ") order by registered_at, folder.entry_uuid limit $3"
        )
    };
}

pub(super) const FIND: &str = concat!(
    columns!(),
    "from folder where record = any($1)",
    filter!(),
    " order by last_update_time desc, registered_at, entry_uuid limit $3"
);

/// `$1` are codes of one group: an index leads to them. Stops at the limit, so that what is found is in no order.
pub(super) const FIND_OF_ALL: &str =
    concat!(columns!(), "from folder where codes && $1::text[]", filter!(), " limit $3");

pub(super) const BY_ENTRY_UUID: &str =
    concat!(columns!(), by_id_in!("folder", "object", "entry_uuid"), by_id!());

pub(super) const BY_UNIQUE_ID: &str =
    concat!(columns!(), by_id_in!("folder", "unique_id", "value"), by_id!());

pub(super) const BY_LOGICAL_ID: &str =
    concat!(columns!(), "from folder where logical_id = any($1)", by_id!());

pub async fn find_folders<C: GenericClient>(
    client: &C,
    records: &[i64],
    filter: &FolderFilter,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    rows(
        client,
        FIND,
        &[
            &records,
            &reach.everything(),
            &reach.limit,
            &status_names(&filter.status),
            &time(&filter.last_update_time.from),
            &time(&filter.last_update_time.to),
            &json_groups(&filter.codes),
        ],
    )
    .await?
    .iter()
    .map(folder)
    .collect()
}

/// Of whatever patient; nothing without a condition on the codes.
pub async fn find_folders_of_all<C: GenericClient>(
    client: &C,
    filter: &FolderFilter,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let Some(codes) = filter.codes.first() else { return Ok(Vec::new()) };
    once(
        client,
        FIND_OF_ALL,
        &[
            codes,
            &reach.everything(),
            &reach.limit,
            &status_names(&filter.status),
            &time(&filter.last_update_time.from),
            &time(&filter.last_update_time.to),
            &json_groups(&filter.codes),
        ],
    )
    .await?
    .iter()
    .map(folder)
    .collect()
}

pub async fn folders_by_ids<C: GenericClient>(
    client: &C,
    ids: &ObjectIds,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let (statement, ids): (&str, &(dyn ToSql + Sync)) = match ids {
        ObjectIds::EntryUuids(ids) => (BY_ENTRY_UUID, ids),
        ObjectIds::UniqueIds(ids) => (BY_UNIQUE_ID, ids),
        ObjectIds::LogicalIds(ids) => (BY_LOGICAL_ID, ids),
    };
    let found = rows(client, statement, &[ids, &reach.everything(), &reach.limit]).await?;
    found.iter().map(folder).collect()
}

fn folder(row: &Row) -> Result<Found, Error> {
    found(row, |row| {
        Ok(FoundDetail::Folder { patient_id: row.try_get(4)?, last_update_time: row.try_get(5)? })
    })
}
