//! What other nodes sent in place of an audit message, kept apart: every statement about it is here.

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;
use tokio_postgres::types::{ToSql, Type};

use crate::Error;

/// Octets of one that are kept.
const KEPT_OCTETS: usize = 8 << 10;

/// The oldest make room for new ones.
const KEPT: i64 = 10_000;

#[derive(Debug, Clone)]
pub struct Rejected {
    pub received_at: DateTime<Utc>,
    pub peer: String,
    pub transport: &'static str,
    /// Says nothing of the content.
    pub reason: String,
    pub octets: Vec<u8>,
}

const KEEP: &str = "
    with new as (
        insert into audit_rejected (received_at, peer, transport, reason, length, octets)
        select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[])
        returning id
    )
    delete from audit_rejected where id <= (select max(id) from new) - $7";

pub async fn keep<C: GenericClient + Sync>(client: &C, rejected: &[Rejected]) -> Result<(), Error> {
    let times: Vec<DateTime<Utc>> = rejected.iter().map(|one| one.received_at).collect();
    let peers: Vec<&str> = rejected.iter().map(|one| one.peer.as_str()).collect();
    let transports: Vec<&str> = rejected.iter().map(|one| one.transport).collect();
    let reasons: Vec<&str> = rejected.iter().map(|one| one.reason.as_str()).collect();
    let lengths: Vec<i64> =
        rejected.iter().map(|one| i64::try_from(one.octets.len()).unwrap_or(i64::MAX)).collect();
    let octets: Vec<&[u8]> =
        rejected.iter().map(|one| one.octets.get(..KEPT_OCTETS).unwrap_or(&one.octets)).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&times, Type::TIMESTAMPTZ_ARRAY),
        (&peers, Type::TEXT_ARRAY),
        (&transports, Type::TEXT_ARRAY),
        (&reasons, Type::TEXT_ARRAY),
        (&lengths, Type::INT8_ARRAY),
        (&octets, Type::BYTEA_ARRAY),
        (&KEPT, Type::INT8),
    ];
    client.execute_typed(KEEP, &parameters).await?;
    Ok(())
}
