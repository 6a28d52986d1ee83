//! Statements about events that expire, are blanked and are exported.

use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::GenericClient as Pooled;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, GenericClient, Row, RowStream};
use uuid::Uuid;

use super::Incoming;

/// A transaction of which the statements may take their time, and which sees one state of the log.
const STEADY: &str = "set transaction isolation level repeatable read; set local statement_timeout = 0";

pub async fn steady<C: GenericClient + Sync>(transaction: &C) -> Result<(), Error> {
    transaction.batch_execute(STEADY).await?;
    transaction.batch_execute(database::PLAN_FOR_VALUES).await
}

/// Expiry and blanking take turns, and so do servers that share a database.
const KEEP: &str = "select pg_try_advisory_xact_lock(7305419826)";

/// True when this transaction is the one that may take events away.
pub async fn take_keeping<C: GenericClient + Sync>(client: &C) -> Result<bool, Error> {
    client.batch_execute("set local statement_timeout = 0").await?;
    client.batch_execute(database::PLAN_FOR_VALUES).await?;
    client.query_typed_one(KEEP, &[]).await?.try_get(0)
}

const STATEMENTS: &str = "
    select id, coalesce(position, (select min(event.position) from audit_event as event where event.id = statement.id)), salt,
        content, position is null and exists (select from audit_inbox as waiting where waiting.id = statement.id)
    from audit_statement as statement";

/// Every statement: (id, position, salt, content, whether its event waits for its position).
pub async fn statements<C: GenericClient + Sync>(client: &C) -> Result<RowStream, Error> {
    client.query_typed_raw(STATEMENTS, Vec::<(i64, Type)>::new()).await
}

const PLACE_STATEMENTS: &str = "
    update audit_statement as statement set position = event.position from audit_event as event
    where event.id = statement.id and statement.position is null";

/// Copies the positions that the events of statements have got.
pub async fn place_statements<C: GenericClient + Sync>(client: &C) -> Result<(), Error> {
    client.execute_typed(PLACE_STATEMENTS, &[]).await?;
    Ok(())
}

const ADD_STATEMENT: &str = "insert into audit_statement (id, salt, content) values ($1, $2, $3)";

pub async fn add_statement<C: Pooled>(client: &C, event: &Incoming) -> Result<(), Error> {
    client.execute(ADD_STATEMENT, &[&event.id, &event.salt, &event.content]).await?;
    Ok(())
}

const POSITIONS: &str = "
    select position from audit_event where position >= $1 and position < $2 and ($3::int2 is null or kind <> $3)
    order by position";

/// Where events stand between two positions, in order; of one kind left out, if one is named.
pub async fn positions<C: GenericClient + Sync>(
    client: &C,
    first: i64,
    until: i64,
    without: Option<i16>,
) -> Result<RowStream, Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&first, Type::INT8), (&until, Type::INT8), (&without, Type::INT2)];
    client.query_typed_raw(POSITIONS, parameters).await
}

const BLANKED: &str = "
    select position, id, at, blanked_by from audit_event where month = $1 and kind = $2 and blanked_by is not null
    order by position";

/// What is blanked of a month and kind, in order.
pub async fn blanked<C: GenericClient + Sync>(
    client: &C,
    month: NaiveDate,
    kind: i16,
) -> Result<RowStream, Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&month, Type::DATE), (&kind, Type::INT2)];
    client.query_typed_raw(BLANKED, parameters).await
}

const MONTHS: &str = "select kind, month from audit_months() order by month, kind";

/// The months of each kind that there is room for, the oldest first.
pub async fn months<C: GenericClient + Sync>(client: &C) -> Result<Vec<(i16, NaiveDate)>, Error> {
    let rows = client.query_typed(MONTHS, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Who reads keeps a month from going, and who waits for it keeps others from reading: not for long.
const CLOSE_MONTH: &str = "select audit_close_month($1, $2)";

pub async fn close_month<C: GenericClient + Sync>(
    client: &C,
    kind: i16,
    month: NaiveDate,
) -> Result<(), Error> {
    client.batch_execute("set local lock_timeout = '3s'").await?;
    client.execute_typed(CLOSE_MONTH, &[(&kind, Type::INT2), (&month, Type::DATE)]).await?;
    Ok(())
}

const SELECTED: &str = "
    select position, kind, id, at, patient_id, patient_authority, salt, content, month, blanked_by
    from audit_event
    where position < $1 and ($2::date is null or month = $2) and ($3::int2 is null or kind = $3)
    order by position";

/// Events before a position, of a month or of all, of a kind or of all, in order.
pub async fn selected<C: GenericClient + Sync>(
    client: &C,
    before: i64,
    month: Option<NaiveDate>,
    kind: Option<i16>,
) -> Result<RowStream, Error> {
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&before, Type::INT8), (&month, Type::DATE), (&kind, Type::INT2)];
    client.query_typed_raw(SELECTED, parameters).await
}

const OF_PATIENTS: &str = "
    select position, kind, id, at, patient_id, patient_authority, salt, content, month, blanked_by
    from audit_event
    where (patient_id, patient_authority) in (select * from unnest($1::text[], $2::text[]))
    order by position";

const WAITING_OF_PATIENTS: &str = "
    select count(*) from audit_inbox
    where (patient_id, patient_authority) in (select * from unnest($1::text[], $2::text[]))";

const BLANK: &str = "
    update audit_event set salt = null, content = null, patient_id = null, patient_authority = null, blanked_by = $3
    where (patient_id, patient_authority) in (select * from unnest($1::text[], $2::text[]))";

/// Every identifier of a patient.
pub struct Patient<'a> {
    pub ids: Vec<&'a str>,
    pub authorities: Vec<&'a str>,
}

impl Patient<'_> {
    fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 2] {
        [(&self.ids, Type::TEXT_ARRAY), (&self.authorities, Type::TEXT_ARRAY)]
    }

    /// The events, in order.
    pub async fn events<C: GenericClient + Sync>(&self, client: &C) -> Result<RowStream, Error> {
        client.query_typed_raw(OF_PATIENTS, self.parameters()).await
    }

    /// How many wait for their positions.
    pub async fn waiting<C: GenericClient + Sync>(&self, client: &C) -> Result<i64, Error> {
        client.query_typed_one(WAITING_OF_PATIENTS, &self.parameters()).await?.try_get(0)
    }

    /// Takes all that tells of the patient from the events; how many there were.
    pub async fn blank<C: GenericClient + Sync>(&self, client: &C, by: Uuid) -> Result<u64, Error> {
        let [ids, authorities] = self.parameters();
        client.execute_typed(BLANK, &[ids, authorities, (&by, Type::UUID)]).await
    }
}

/// (position, id, at, blanked_by) of a row of [`blanked`].
pub fn blanked_row(row: &Row) -> Result<(i64, Uuid, DateTime<Utc>, Uuid), Error> {
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
}

const BOUNDS: &str = "select min(position), max(position) from audit_event where month = $1 and kind = $2";

/// The first and the last event of a month and kind, if there are any.
pub async fn bounds<C: GenericClient + Sync>(
    client: &C,
    month: NaiveDate,
    kind: i16,
) -> Result<Option<(u64, u64)>, Error> {
    let row = client.query_typed_one(BOUNDS, &[(&month, Type::DATE), (&kind, Type::INT2)]).await?;
    let (lowest, highest): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(lowest.zip(highest).map(|(lowest, highest)| (lowest as u64, highest as u64)))
}
