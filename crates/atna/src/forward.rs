//! The log as a queue for audit record repositories of others: every statement about it is here. The order is that of the
//! log; how far each target is, is kept as the position of the next event.

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};

use crate::{Entry, Error};

/// A target that is new begins with what happens from now on.
const REGISTER: &str = "
    insert into audit_forward (target, position) select $1, coalesce(max(size), 0) from audit_checkpoint
    on conflict do nothing";

pub async fn register<C: GenericClient + Sync>(client: &C, target: &str) -> Result<(), Error> {
    client.execute_typed(REGISTER, &[(&target, Type::TEXT)]).await?;
    Ok(())
}

/// The lock goes with the session.
const TAKE_TURN: &str = "select pg_try_advisory_lock(73054198, hashtext($1))";

/// True when this session is the one that sends to the target, until it ends.
pub async fn take_turn<C: GenericClient + Sync>(client: &C, target: &str) -> Result<bool, Error> {
    Ok(client.query_typed_one(TAKE_TURN, &[(&target, Type::TEXT)]).await?.try_get(0)?)
}

/// A position that is lost in a crash means that some events are sent twice.
const HURRY: &str = "set synchronous_commit = off";

/// Positions that this session writes are not waited for.
pub async fn hurry<C: GenericClient + Sync>(client: &C) -> Result<(), Error> {
    Ok(client.batch_execute(HURRY).await?)
}

const POSITION: &str = "select position from audit_forward where target = $1";

/// Where the target goes on.
pub async fn position<C: GenericClient + Sync>(client: &C, target: &str) -> Result<u64, Error> {
    number(&client.query_typed_one(POSITION, &[(&target, Type::TEXT)]).await?)
}

const ADVANCE: &str = "update audit_forward set position = $2 where target = $1";

pub async fn advance<C: GenericClient + Sync>(client: &C, target: &str, position: u64) -> Result<(), Error> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    client.execute_typed(ADVANCE, &[(&target, Type::TEXT), (&position, Type::INT8)]).await?;
    Ok(())
}

/// One event that is larger than all may be is read alone.
const READ: &str = "
    select position, content from (
        select position, content, sum(octet_length(content)) over (order by position) - octet_length(content) as before
        from (
            select position, content from audit_event where position >= $1 and content is not null
            order by position limit $2
        ) as next
    ) as bounded where before < $3 order by position";

/// The next events, at most so many, and of so many octets. Those whose content is blanked are left out.
pub async fn read<C: GenericClient + Sync>(
    client: &C,
    from: u64,
    count: i64,
    octets: i64,
) -> Result<Vec<(u64, Entry)>, Error> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&from, Type::INT8), (&count, Type::INT8), (&octets, Type::INT8)];
    let rows = client.query_typed(READ, &parameters).await?;
    rows.iter().map(|row| Ok((number(row)?, serde_json::from_slice(row.try_get(1)?)?))).collect()
}

/// The first column.
fn number(row: &Row) -> Result<u64, Error> {
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}
