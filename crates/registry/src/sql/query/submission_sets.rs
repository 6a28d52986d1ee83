use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};
use xds::query::{ObjectIds, SubmissionSetFilter};

use super::{Found, FoundDetail, Reach, found, some, status_names, time};
use crate::sql::rows;

pub(super) const FIND: &str = "
    select record, entry_uuid, fragment, status, patient_id
    from submission_set
    where record = any($1)
        and status = any($3)
        and ($4::text[] is null or source_id = any($4))
        and ($5::text is null or submission_time >= $5)
        and ($6::text is null or submission_time < $6)
        and ($7::text is null or exists (
            select from unnest(author_persons) as person where person like $7 escape ''))
        and ($8::text[] is null or content_type_code = any($8))
    order by submission_time desc, registered_at, entry_uuid
    limit $2";

pub(super) const BY_ENTRY_UUID: &str = "
    select submission_set.record, submission_set.entry_uuid, fragment, status, patient_id
    from object join submission_set
        on submission_set.record = object.record and submission_set.entry_uuid = object.entry_uuid
    where object.entry_uuid = any($1)
    order by registered_at, submission_set.entry_uuid
    limit $2";

pub(super) const BY_UNIQUE_ID: &str = "
    select submission_set.record, submission_set.entry_uuid, fragment, status, patient_id
    from unique_id join submission_set
        on submission_set.record = unique_id.record and submission_set.entry_uuid = unique_id.entry_uuid
    where unique_id.value = any($1)
    order by registered_at, submission_set.entry_uuid
    limit $2";

pub async fn find_submission_sets<C: GenericClient>(
    client: &C,
    records: &[i64],
    filter: &SubmissionSetFilter,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let found = rows(
        client,
        FIND,
        &[
            &records,
            &reach.limit,
            &status_names(&filter.status),
            &some(&filter.source_id),
            &time(&filter.submission_time.from),
            &time(&filter.submission_time.to),
            &filter.author_person,
            &some(&filter.content_type),
        ],
    )
    .await?;
    found.iter().map(submission_set).collect()
}

pub async fn submission_sets_by_ids<C: GenericClient>(
    client: &C,
    ids: &ObjectIds,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let found = match ids {
        ObjectIds::EntryUuids(ids) => rows(client, BY_ENTRY_UUID, &[ids, &reach.limit]).await?,
        ObjectIds::UniqueIds(ids) => rows(client, BY_UNIQUE_ID, &[ids, &reach.limit]).await?,
        // SubmissionSets have no versions.
        ObjectIds::LogicalIds(_) => Vec::new(),
    };
    found.iter().map(submission_set).collect()
}

fn submission_set(row: &Row) -> Result<Found, Error> {
    found(row, |row| Ok(FoundDetail::SubmissionSet { patient_id: row.try_get(4)? }))
}
