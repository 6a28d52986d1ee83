//! Every SQL statement of the log.

mod kept;

use std::borrow::Borrow;

use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::GenericClient as Pooled;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, GenericClient, Row, RowStream};
use transparency::TileId;
use uuid::Uuid;

pub use kept::*;

/// An event as it is written into the inbox.
pub struct Incoming {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub kind: i16,
    pub patient_id: Option<String>,
    pub patient_authority: Option<String>,
    pub salt: Vec<u8>,
    pub content: Vec<u8>,
    pub leaf: Vec<u8>,
}

const RECORD: &str = "
    insert into audit_inbox (id, at, kind, patient_id, patient_authority, salt, content, leaf)
    select * from unnest($1::uuid[], $2::timestamptz[], $3::int2[], $4::text[], $5::text[], $6::bytea[], $7::bytea[],
        $8::bytea[])";

/// Writes events, in one round trip; the statement is prepared once per connection.
pub async fn record<C: Pooled>(client: &C, events: &[impl Borrow<Incoming> + Sync]) -> Result<(), Error> {
    let events: Vec<&Incoming> = events.iter().map(Borrow::borrow).collect();
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|event| event.at).collect();
    let kinds: Vec<i16> = events.iter().map(|event| event.kind).collect();
    let patients: Vec<Option<&str>> = events.iter().map(|event| event.patient_id.as_deref()).collect();
    let authorities: Vec<Option<&str>> =
        events.iter().map(|event| event.patient_authority.as_deref()).collect();
    let salts: Vec<&[u8]> = events.iter().map(|event| event.salt.as_slice()).collect();
    let contents: Vec<&[u8]> = events.iter().map(|event| event.content.as_slice()).collect();
    let leaves: Vec<&[u8]> = events.iter().map(|event| event.leaf.as_slice()).collect();
    let statement = client.prepare_cached(RECORD).await?;
    let parameters: [&(dyn ToSql + Sync); 8] =
        [&ids, &times, &kinds, &patients, &authorities, &salts, &contents, &leaves];
    client.execute(&statement, &parameters).await?;
    Ok(())
}

const LOCK_EVENT: &str = "select pg_advisory_xact_lock(hashtextextended($1::text, 0))";

/// In one statement, since the sequencer may be moving it.
const HAS_EVENT: &str = "
    select exists (select from audit_inbox where id = $1) or exists (select from audit_event where id = $1)";

/// Holds a lock of the event's own until the transaction ends.
pub async fn lock_event<C: GenericClient + Sync>(client: &C, id: Uuid) -> Result<(), Error> {
    client.query_typed(LOCK_EVENT, &[(&id.to_string(), Type::TEXT)]).await.map(|_| ())
}

pub async fn has_event<C: GenericClient + Sync>(client: &C, id: Uuid) -> Result<bool, Error> {
    let found = client.query_typed(HAS_EVENT, &[(&id, Type::UUID)]).await?;
    found.first().map_or(Ok(false), |row| row.try_get(0))
}

/// The latest events first.
pub struct Page<'a> {
    /// Every identifier of the patient: ids and authorities. None: of all, and of nobody.
    pub patients: Option<(Vec<&'a str>, Vec<&'a str>)>,
    pub from: Option<DateTime<Utc>>,
    /// Only events before this moment, and before this id of that moment.
    pub before: Option<(DateTime<Utc>, Uuid)>,
    pub limit: i64,
}

/// A bound that is not given is written as such, so that an index is entered where the page begins, whatever the values.
macro_rules! bounds {
    () => {
        "at >= coalesce($1, '-infinity'::timestamptz)
            and (at, id) < (coalesce($2, 'infinity'::timestamptz), coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid))
        order by at desc, id desc limit $4"
    };
}

const OF_ALL: &str = concat!(
    "select position, content from (
        (select position, at, id, content from audit_event where content is not null and ",
    bounds!(),
    ") union all (select null, at, id, content from audit_inbox where ",
    bounds!(),
    ")) as event order by at desc, id desc limit $4"
);

/// Each identifier of the patient is a walk along the index of its own.
const OF_PATIENTS: &str = concat!(
    "select position, content from (
        (select event.* from unnest($5::text[], $6::text[]) as patient (id, authority), lateral (
            select position, at, id, content from audit_event
            where patient_id = patient.id and patient_authority = patient.authority and content is not null and ",
    bounds!(),
    ") as event) union all (select null, at, id, content from audit_inbox
        where (patient_id, patient_authority) in (select * from unnest($5::text[], $6::text[])) and ",
    bounds!(),
    ")) as event order by at desc, id desc limit $4"
);

/// One page, the latest first: (position, content). To plan for all months takes longer than to look into them: the
/// statements are prepared once per connection.
pub async fn page<C: Pooled>(client: &C, page: &Page<'_>) -> Result<Vec<Row>, Error> {
    let (at, id) = page.before.unzip();
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&page.from, &at, &id, &page.limit];
    let statement = match &page.patients {
        None => OF_ALL,
        Some((ids, authorities)) => {
            parameters.extend([ids as &(dyn ToSql + Sync), authorities]);
            OF_PATIENTS
        }
    };
    client.query(&client.prepare_cached(statement).await?, &parameters).await
}

const FIND: &str = "
    select position, content from audit_event where id = $1 and content is not null
    union all select null, content from audit_inbox where id = $1 limit 1";

/// (position, content)
pub async fn find<C: Pooled>(client: &C, id: Uuid) -> Result<Option<Row>, Error> {
    client.query_opt(&client.prepare_cached(FIND).await?, &[&id]).await
}

/// Steps from one authority to the next along the index, however many events each has.
const AUTHORITIES: &str = "
    with recursive found (authority) as (
        (select patient_authority from audit_event where patient_id = $1 order by patient_authority limit 1)
        union all
        select (select patient_authority from audit_event
            where patient_id = $1 and patient_authority > found.authority order by patient_authority limit 1)
        from found where found.authority is not null
    )
    select authority from found where authority is not null
    union select patient_authority from audit_inbox where patient_id = $1 and patient_authority is not null";

pub async fn authorities<C: Pooled>(client: &C, id: &str) -> Result<Vec<Row>, Error> {
    client.query(&client.prepare_cached(AUTHORITIES).await?, &[&id]).await
}

const BY_ID: &str = "
    select position, salt, content, blanked_by from audit_event where id = $1";

/// Where an event stands: (position, salt, content, blanked by). Not those that wait.
pub async fn by_id<C: GenericClient + Sync>(client: &C, id: Uuid) -> Result<Vec<Row>, Error> {
    client.query_typed(BY_ID, &[(&id, Type::UUID)]).await
}

/// Servers that share a database take turns.
const TAKE_TURN: &str = "select pg_try_advisory_xact_lock(7305419825)";

/// True when this transaction is the one that may extend the log.
pub async fn take_turn<C: GenericClient + Sync>(client: &C) -> Result<bool, Error> {
    client.query_typed_one(TAKE_TURN, &[]).await?.try_get(0)
}

const OPEN_MONTH: &str = "select audit_open_month($1)";

pub async fn open_month<C: GenericClient + Sync>(client: &C, month: NaiveDate) -> Result<(), Error> {
    client.execute_typed(OPEN_MONTH, &[(&month, Type::DATE)]).await?;
    Ok(())
}

const MOVE: &str = "
    with taken as (
        delete from audit_inbox where seq in (select seq from audit_inbox order by seq limit $1) returning *
    ), placed as (
        insert into audit_event (position, month, kind, id, at, patient_id, patient_authority, salt, content)
        select $2 + row_number() over (order by seq) - 1, $3, kind, id, at, patient_id, patient_authority, salt, content
        from taken
    )
    select leaf from taken order by seq";

/// Gives the oldest events of the inbox their positions, `first` and on; their leaves.
pub async fn move_oldest<C: GenericClient + Sync>(
    client: &C,
    limit: i64,
    first: i64,
    month: NaiveDate,
) -> Result<Vec<Vec<u8>>, Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&limit, Type::INT8), (&first, Type::INT8), (&month, Type::DATE)];
    let rows = client.query_typed(MOVE, &parameters).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

const TILES: &str = "
    select level, index, hashes from audit_tile
    where (level, index) in (select * from unnest($1::int2[], $2::int8[]))";

/// The tiles that are there of those asked for.
pub async fn tiles<C: GenericClient + Sync>(
    client: &C,
    ids: &[TileId],
) -> Result<Vec<(TileId, Vec<u8>)>, Error> {
    let levels: Vec<i16> = ids.iter().map(|id| i16::from(id.level)).collect();
    let indexes: Vec<i64> = ids.iter().map(|id| id.index as i64).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&levels, Type::INT2_ARRAY), (&indexes, Type::INT8_ARRAY)];
    let rows = client.query_typed(TILES, &parameters).await?;
    rows.iter()
        .map(|row| {
            let (level, index): (i16, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok((TileId { level: level as u8, index: index as u64 }, row.try_get(2)?))
        })
        .collect()
}

const STORE_TILES: &str = "
    insert into audit_tile (level, index, hashes) select * from unnest($1::int2[], $2::int8[], $3::bytea[])
    on conflict (level, index) do update set hashes = excluded.hashes";

pub async fn store_tiles<C: GenericClient + Sync>(
    client: &C,
    tiles: &[(TileId, Vec<u8>)],
) -> Result<(), Error> {
    let levels: Vec<i16> = tiles.iter().map(|(id, _)| i16::from(id.level)).collect();
    let indexes: Vec<i64> = tiles.iter().map(|(id, _)| id.index as i64).collect();
    let hashes: Vec<&[u8]> = tiles.iter().map(|(_, hashes)| hashes.as_slice()).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&levels, Type::INT2_ARRAY), (&indexes, Type::INT8_ARRAY), (&hashes, Type::BYTEA_ARRAY)];
    client.execute_typed(STORE_TILES, &parameters).await?;
    Ok(())
}

const LAST_CHECKPOINT: &str = "select size, note from audit_checkpoint order by size desc limit 1";

/// (size, note)
pub async fn last_checkpoint<C: GenericClient + Sync>(client: &C) -> Result<Option<(i64, String)>, Error> {
    let row = client.query_typed_opt(LAST_CHECKPOINT, &[]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

const CHECKPOINTS_AFTER: &str = "
    select size, note from audit_checkpoint where size > $1 order by size limit $2";

/// Checkpoints of trees larger than `size`, in their order: (size, note).
pub async fn checkpoints_after<C: GenericClient + Sync>(
    client: &C,
    size: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>, Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&size, Type::INT8), (&limit, Type::INT8)];
    let rows = client.query_typed(CHECKPOINTS_AFTER, &parameters).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

const CHECKPOINT_BEFORE: &str = "
    select size, note from audit_checkpoint where at < $1 order by size desc limit 1";

/// The last checkpoint that was signed before a moment.
pub async fn checkpoint_before<C: GenericClient + Sync>(
    client: &C,
    at: DateTime<Utc>,
) -> Result<Option<(i64, String)>, Error> {
    let row = client.query_typed_opt(CHECKPOINT_BEFORE, &[(&at, Type::TIMESTAMPTZ)]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

const ADD_CHECKPOINT: &str = "insert into audit_checkpoint (size, at, note) values ($1, $2, $3)";

pub async fn add_checkpoint<C: GenericClient + Sync>(
    client: &C,
    size: i64,
    at: DateTime<Utc>,
    note: &str,
) -> Result<(), Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&size, Type::INT8), (&at, Type::TIMESTAMPTZ), (&note, Type::TEXT)];
    client.execute_typed(ADD_CHECKPOINT, &parameters).await?;
    Ok(())
}

const ALL: &str = "
    select position, kind, id, at, patient_id, patient_authority, salt, content, month, blanked_by
    from audit_event where position >= $1 order by position";

/// Every row of the log in order, as a stream that is read no faster than it is used.
pub async fn all<C: GenericClient + Sync>(client: &C, from: i64) -> Result<RowStream, Error> {
    client.query_typed_raw(ALL, [(from, Type::INT8)]).await
}

const WAITING: &str = "select count(*), min(at) from audit_inbox";

/// How many events wait for their positions, and since when.
pub async fn waiting<C: GenericClient + Sync>(client: &C) -> Result<(i64, Option<DateTime<Utc>>), Error> {
    let row = client.query_typed_one(WAITING, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

const BACKLOG: &str = "select count(*) from (select from audit_inbox limit $1) as waiting";

/// The same count, of `most` at most: what it costs is bounded.
pub async fn backlog<C: GenericClient + Sync>(client: &C, most: i64) -> Result<i64, Error> {
    client.query_typed_one(BACKLOG, &[(&most, Type::INT8)]).await?.try_get(0)
}

/// That a row could be written and made durable now.
const PROBE: &str = "
    savepoint probe;
    insert into audit_inbox (id, at, kind, salt, content, leaf) values (gen_random_uuid(), now(), 2, '', '', '');
    rollback to probe;
    select pg_logical_emit_message(true, 'carnet', '')";

/// Writes a trace that is taken back, and something durable that is no trace.
pub async fn probe<C: GenericClient + Sync>(client: &C) -> Result<(), Error> {
    client.batch_execute(PROBE).await
}
