//! Statements that look for what the tables should not hold. Records are walked in ranges, global keys in their own order.

use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, RowStream};
use uuid::Uuid;
use xds::metadata::AssociationType;

/// Everything is read from one moment, so that nothing is seen half done. A long record may take its time.
const STEADY: &str = "
    set transaction isolation level repeatable read, read only;
    set local statement_timeout = 0";

const NEXT_RECORDS: &str = "
    select max(record), count(*)
    from (select record from record where record > $1 order by record limit $2) as next";

const LAST_RECORD: &str = "select coalesce(max(record), 0) from record";

const CYCLES: &str = "
    with recursive chain as (
        select record as of, survivor as at from record
        where record > $1 and record <= $2 and survivor is not null
        union all
        select chain.of, record.survivor from chain join record on record.record = chain.at
        where record.survivor is not null
    ) cycle at set is_cycle using path
    select distinct of from chain where is_cycle";

const IDENTIFIERS: &str = "
    select authority, value, record from patient_identifier where record > $1 and record <= $2";

const DOCUMENTS: &str = "
    select this.*,
        exists (select from object where object.entry_uuid = this.entry_uuid and object.record = this.record
            and object.kind = 'DocumentEntry') as has_key,
        exists (select from unique_id where unique_id.value = this.unique_id
            and unique_id.entry_uuid = this.entry_uuid and unique_id.record = this.record
            and unique_id.kind = 'DocumentEntry') as has_unique_id,
        exists (select from association join object as holder on holder.entry_uuid = association.source
            where association.target = this.entry_uuid and association.association_type = $3
            and holder.kind = 'SubmissionSet') as is_held,
        exists (select from association where association.target = this.entry_uuid
            and association.association_type = $3 and association.submission_set_status = 'Original'
            and association.source <> this.submission_set) as is_of_another_set,
        exists (select from document_entry as later where later.logical_id = this.logical_id
            and later.version > this.version) as is_superseded,
        exists (select from document_entry as earlier where earlier.logical_id = this.logical_id
            and earlier.version < this.version and earlier.unique_id <> this.unique_id) as is_mixed
    from document_entry as this where this.record > $1 and this.record <= $2";

const FOLDERS: &str = "
    select this.*,
        exists (select from object where object.entry_uuid = this.entry_uuid and object.record = this.record
            and object.kind = 'Folder') as has_key,
        exists (select from unique_id where unique_id.value = this.unique_id
            and unique_id.entry_uuid = this.entry_uuid and unique_id.record = this.record
            and unique_id.kind = 'Folder') as has_unique_id,
        exists (select from association join object as holder on holder.entry_uuid = association.source
            where association.target = this.entry_uuid and association.association_type = $3
            and holder.kind = 'SubmissionSet') as is_held,
        exists (select from association join object as holder on holder.entry_uuid = association.source
            where association.target = this.entry_uuid and association.association_type = $3
            and holder.kind = 'SubmissionSet' and association.source <> this.submission_set) as is_of_another_set,
        exists (select from folder as later where later.logical_id = this.logical_id
            and later.version > this.version) as is_superseded,
        exists (select from folder as earlier where earlier.logical_id = this.logical_id
            and earlier.version < this.version and earlier.unique_id <> this.unique_id) as is_mixed
    from folder as this where this.record > $1 and this.record <= $2";

const SUBMISSION_SETS: &str = "
    select this.*,
        exists (select from object where object.entry_uuid = this.entry_uuid and object.record = this.record
            and object.kind = 'SubmissionSet') as has_key,
        exists (select from unique_id where unique_id.value = this.unique_id
            and unique_id.entry_uuid = this.entry_uuid and unique_id.record = this.record
            and unique_id.kind = 'SubmissionSet') as has_unique_id
    from submission_set as this where this.record > $1 and this.record <= $2";

const ASSOCIATIONS: &str = "
    select this.*,
        exists (select from object where object.entry_uuid = this.entry_uuid and object.record = this.record
            and object.kind = 'Association') as has_key,
        this.source <> this.submission_set and exists (select from object where object.entry_uuid = this.source
            and object.kind = 'SubmissionSet') as is_of_another_set,
        exists (select from object where object.entry_uuid = this.source) as has_source,
        exists (select from object where object.entry_uuid = this.target) as has_target
    from association as this where this.record > $1 and this.record <= $2";

const FACTS_OF_NOTHING: &str = "
    select entry_uuid from header_fact as this
    where record > $1 and record <= $2 and not exists (
        select from document_entry
        where document_entry.record = this.record and document_entry.entry_uuid = this.entry_uuid)";

const OBJECTS: &str = "
    select entry_uuid, kind, case kind
        when 'DocumentEntry' then exists (select from document_entry as d
            where d.record = object.record and d.entry_uuid = object.entry_uuid)
        when 'Folder' then exists (select from folder as f
            where f.record = object.record and f.entry_uuid = object.entry_uuid)
        when 'SubmissionSet' then exists (select from submission_set as s
            where s.record = object.record and s.entry_uuid = object.entry_uuid)
        else exists (select from association as a
            where a.record = object.record and a.entry_uuid = object.entry_uuid)
        end
    from object where entry_uuid > $1 order by entry_uuid limit $2";

const UNIQUE_IDS: &str = "
    select value, entry_uuid, kind, case kind
        when 'DocumentEntry' then exists (select from document_entry as d
            where d.record = unique_id.record and d.entry_uuid = unique_id.entry_uuid
            and d.unique_id = unique_id.value)
        when 'Folder' then exists (select from folder as f
            where f.record = unique_id.record and f.entry_uuid = unique_id.entry_uuid
            and f.unique_id = unique_id.value)
        else exists (select from submission_set as s
            where s.record = unique_id.record and s.entry_uuid = unique_id.entry_uuid
            and s.unique_id = unique_id.value)
        end
    from unique_id where (value, entry_uuid) > ($1, $2) order by value, entry_uuid limit $3";

/// To be called first in a transaction.
pub async fn steady<C: GenericClient>(transaction: &C) -> Result<(), Error> {
    transaction.batch_execute(STEADY).await
}

/// The last of the next records, and how many they are.
pub async fn next_records<C: GenericClient>(
    client: &C,
    after: i64,
    limit: i64,
) -> Result<(Option<i64>, i64), Error> {
    let row = client.query_one(NEXT_RECORDS, &[&after, &limit]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub async fn last_record<C: GenericClient>(client: &C) -> Result<i64, Error> {
    client.query_one(LAST_RECORD, &[]).await?.try_get(0)
}

/// The records behind the first number, up to and with the second.
pub type Range = (i64, i64);

/// Records whose merges never come to a surviving one.
pub async fn merge_cycles<C: GenericClient>(client: &C, range: Range) -> Result<Vec<i64>, Error> {
    client.query(CYCLES, &[&range.0, &range.1]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// (authority, value), record
pub async fn identifiers_of<C: GenericClient>(
    client: &C,
    range: Range,
) -> Result<Vec<((String, String), i64)>, Error> {
    let rows = client.query(IDENTIFIERS, &[&range.0, &range.1]).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

pub async fn documents_of<C: GenericClient>(client: &C, range: Range) -> Result<RowStream, Error> {
    stream(client, DOCUMENTS, &[&range.0, &range.1, &AssociationType::HasMember.urn()]).await
}

pub async fn folders_of<C: GenericClient>(client: &C, range: Range) -> Result<RowStream, Error> {
    stream(client, FOLDERS, &[&range.0, &range.1, &AssociationType::HasMember.urn()]).await
}

pub async fn submission_sets_of<C: GenericClient>(client: &C, range: Range) -> Result<RowStream, Error> {
    stream(client, SUBMISSION_SETS, &[&range.0, &range.1]).await
}

pub async fn associations_in<C: GenericClient>(client: &C, range: Range) -> Result<RowStream, Error> {
    stream(client, ASSOCIATIONS, &[&range.0, &range.1]).await
}

pub async fn facts_of_nothing<C: GenericClient>(client: &C, range: Range) -> Result<Vec<Uuid>, Error> {
    let rows = client.query(FACTS_OF_NOTHING, &[&range.0, &range.1]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The next global keys: (entryUUID, kind, whether there is such an object).
pub async fn next_objects<C: GenericClient>(client: &C, after: Uuid, limit: i64) -> Result<Vec<Row>, Error> {
    client.query(OBJECTS, &[&after, &limit]).await
}

/// The next uniqueIds: (value, entryUUID, kind, whether there is such an object).
pub async fn next_unique_ids<C: GenericClient>(
    client: &C,
    after: (&str, Uuid),
    limit: i64,
) -> Result<Vec<Row>, Error> {
    client.query(UNIQUE_IDS, &[&after.0, &after.1, &limit]).await
}

async fn stream<C: GenericClient>(
    client: &C,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<RowStream, Error> {
    client.query_raw(sql, parameters.iter().copied()).await
}
