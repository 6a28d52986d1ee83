//! Records, the identifiers that lead to them, and their merges.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};
use xds::value::Cx;

use super::{execute, rows};
use crate::patients::{Record, State};

const FIND_RECORD: &str = "
    select record, state, survivor is not null
    from patient_identifier join record using (record)
    where authority = $1 and value = $2";

/// A merge waits until the transaction ends, and a transaction that comes after a merge sees it.
const LOCK_RECORD: &str = "
    select record, state, survivor is not null
    from patient_identifier join record using (record)
    where authority = $1 and value = $2
    for share of record";

/// References to a record need not wait.
const LOCK_FOR_MERGE: &str = "
    select record, state, survivor is not null
    from patient_identifier join record using (record)
    where authority = $1 and value = $2
    for no key update of record";

/// `offset 0` keeps the step from record to record one by its key, whatever the planner believes of their number.
pub(super) const SURVIVORS: &str = "
    with recursive chain as (
        select record as merged, record, survivor from record where record = any($1)
        union all
        select chain.merged, next.record, next.survivor
        from chain cross join lateral (
            select record, survivor from record where record.record = chain.survivor offset 0) as next
    )
    select merged, record from chain where survivor is null";

/// The records of identifiers (authorities, values) and all that were merged into them, over any number of merges. The
/// record of an identifier comes before those that were merged into it.
pub(super) const FAMILIES: &str = "
    with recursive family as (
        select asked.place, known.record as head, known.record, known.state, known.merged
        from unnest($1::text[], $2::text[]) with ordinality as asked (authority, value, place), lateral (
            select record, state, survivor is not null as merged
            from patient_identifier join record using (record)
            where patient_identifier.authority = asked.authority and patient_identifier.value = asked.value
            offset 0) as known
        union all
        select family.place, family.head, next.record, next.state, true
        from family cross join lateral (
            select record, state from record where record.survivor = family.record offset 0) as next
    )
    select head, state, merged, record, place from family";

/// As [`SURVIVORS`], with the identifier to show.
pub(super) const SURVIVORS_WITH_PATIENT: &str = "
    with recursive chain as (
        select record as merged, record, survivor from record where record = any($1)
        union all
        select chain.merged, next.record, next.survivor
        from chain cross join lateral (
            select record, survivor from record where record.record = chain.survivor offset 0) as next
    )
    select merged, chain.record, first.value, first.authority
    from chain left join lateral (
        select value, authority from patient_identifier
        where patient_identifier.record = chain.record
        order by added_at, authority, value limit 1) as first on true
    where survivor is null";

/// Of the whole family: the record that survives and every record that was merged into it.
pub(super) const IDENTIFIERS: &str = "
    with recursive chain as (
        select record, survivor from record
        where record = (select record from patient_identifier where authority = $1 and value = $2)
        union all
        select next.record, next.survivor
        from chain cross join lateral (
            select record, survivor from record where record.record = chain.survivor offset 0) as next
    ),
    family as (
        select record from chain where survivor is null
        union all
        select record.record from record join family on record.survivor = family.record
    )
    select value, authority
    from family cross join lateral (
        select value, authority, added_at from patient_identifier
        where patient_identifier.record = family.record offset 0) as known
    order by added_at, authority, value";

const MERGE_RECORD: &str = "update record set survivor = $2 where record = $1 and survivor is null";

pub async fn find_record<C: GenericClient>(client: &C, patient: &Cx) -> Result<Option<Record>, Error> {
    let found = rows(client, FIND_RECORD, &[&patient.authority, &patient.id]).await?;
    found.first().map(record).transpose()
}

/// Finds the record and keeps it as it is until the transaction ends: whoever writes into a record holds it so.
pub async fn lock_record<C: GenericClient>(client: &C, patient: &Cx) -> Result<Option<Record>, Error> {
    let found = rows(client, LOCK_RECORD, &[&patient.authority, &patient.id]).await?;
    found.first().map(record).transpose()
}

/// Finds the record and locks it against everything but references to it.
pub async fn lock_for_merge<C: GenericClient>(client: &C, patient: &Cx) -> Result<Option<Record>, Error> {
    let found = rows(client, LOCK_FOR_MERGE, &[&patient.authority, &patient.id]).await?;
    found.first().map(record).transpose()
}

/// Each record with the one that survives of it: itself, or the end of its chain of merges.
pub async fn survivors<C: GenericClient>(client: &C, records: &[i64]) -> Result<Vec<(i64, i64)>, Error> {
    let found = rows(client, SURVIVORS, &[&records]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The record of an identifier that was asked for, with all that were merged into it.
#[derive(Debug, Clone)]
pub struct Family {
    pub head: Record,
    /// The head among them.
    pub records: Vec<i64>,
}

/// In the order of the patients; those who have no record have no family.
pub async fn families<C: GenericClient>(client: &C, patients: &[Cx]) -> Result<Vec<Option<Family>>, Error> {
    let (authorities, values): (Vec<&str>, Vec<&str>) =
        patients.iter().map(|patient| (patient.authority.as_str(), patient.id.as_str())).unzip();
    let mut families: Vec<Option<Family>> = vec![None; patients.len()];
    for row in rows(client, FAMILIES, &[&authorities, &values]).await? {
        let (member, place): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        let Some(family) = families.get_mut(place as usize - 1) else { continue };
        match family {
            Some(family) => family.records.push(member),
            None => *family = Some(Family { head: record(&row)?, records: vec![member] }),
        }
    }
    Ok(families)
}

/// What survives of a record.
#[derive(Debug, Clone)]
pub struct Survivor {
    pub record: i64,
    pub surviving: i64,
    /// The identifier under which the surviving record was opened.
    pub patient: Option<Cx>,
}

pub async fn survivors_with_patient<C: GenericClient>(
    client: &C,
    records: &[i64],
) -> Result<Vec<Survivor>, Error> {
    rows(client, SURVIVORS_WITH_PATIENT, &[&records])
        .await?
        .iter()
        .map(|row| {
            let value: Option<&str> = row.try_get(2)?;
            let authority: Option<&str> = row.try_get(3)?;
            let patient = value.zip(authority).map(|(value, authority)| Cx::new(value, authority));
            Ok(Survivor { record: row.try_get(0)?, surviving: row.try_get(1)?, patient })
        })
        .collect()
}

fn record(row: &Row) -> Result<Record, Error> {
    let state: &str = row.try_get(1)?;
    let merged: bool = row.try_get(2)?;
    let state = match (merged, state) {
        (true, _) => State::Merged,
        (false, "open") => State::Open,
        (false, _) => State::Closed,
    };
    Ok(Record { number: row.try_get(0)?, state })
}

/// (id, authority) pairs.
pub async fn identifiers<C: GenericClient>(client: &C, patient: &Cx) -> Result<Vec<(String, String)>, Error> {
    let found = rows(client, IDENTIFIERS, &[&patient.authority, &patient.id]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub async fn merge_record<C: GenericClient>(client: &C, subsumed: i64, surviving: i64) -> Result<(), Error> {
    execute(client, MERGE_RECORD, &[&subsumed, &surviving]).await.map(|_| ())
}
