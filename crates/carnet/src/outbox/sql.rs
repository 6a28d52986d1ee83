//! Every SQL statement of the outbox.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use serde_json::Value;
use soap::Encoding;
use tokio_postgres::{Error, Row};

use super::{Content, Letter};

const PUT: &str = "
    insert into outbox (recipient, action, encoding, message_id, relates_to, envelope, requester)
    values ($1, $2, $3, $4, $5, $6, $7)";

/// Nobody else takes it until the lease has run out, not even when this server ends in the middle.
const TAKE: &str = "
    update outbox set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $1)
    where message = (
        select message from outbox where given_up_at is null and next_attempt_at <= now()
        order by next_attempt_at limit 1 for update skip locked)
    returning message, recipient, action, encoding, message_id, relates_to, envelope, requester, attempts,
        accepted_at < now() - make_interval(secs => $2)";

const RENEW: &str =
    "update outbox set next_attempt_at = now() + make_interval(secs => $2) where message = $1";

const DELIVERED: &str = "delete from outbox where message = $1";

const FAILED: &str = "
    update outbox set last_error = $2, next_attempt_at = now() + make_interval(secs => $3),
        given_up_at = case when $4 then now() end
    where message = $1";

const LIST: &str = "
    select message, recipient, to_char(accepted_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), attempts,
        last_error, given_up_at is not null
    from outbox order by message";

const AGAIN: &str = "
    update outbox set given_up_at = null, attempts = 0, accepted_at = now(), next_attempt_at = now()
    where given_up_at is not null";

/// A letter that this server is to deliver now.
pub struct Taken {
    pub number: i64,
    pub letter: Letter,
    pub attempts: usize,
    pub is_old: bool,
}

/// A letter as an operator sees it.
pub struct Listed {
    pub number: i64,
    pub recipient: String,
    pub accepted_at: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub given_up: bool,
}

pub async fn put<C: GenericClient>(
    client: &C,
    letter: &Letter,
    envelope: &str,
    requester: Option<&Value>,
) -> Result<(), Error> {
    let encoding = match letter.encoding {
        Encoding::Simple => "simple",
        Encoding::Mtom => "mtom",
    };
    let Letter { recipient, action, message_id, relates_to, .. } = letter;
    let statement = client.prepare_cached(PUT).await?;
    client
        .execute(&statement, &[recipient, action, &encoding, message_id, relates_to, &envelope, &requester])
        .await
        .map(|_| ())
}

/// The letter that has waited longest, taken for so long; `None` when none is due. Older than `age` is old.
pub async fn take<C: GenericClient>(
    client: &C,
    lease: Duration,
    age: Duration,
) -> Result<Option<Result<Taken, serde_json::Error>>, Error> {
    let statement = client.prepare_cached(TAKE).await?;
    let row = client.query_opt(&statement, &[&lease.as_secs_f64(), &age.as_secs_f64()]).await?;
    row.map(|row| taken(&row)).transpose()
}

fn taken(row: &Row) -> Result<Result<Taken, serde_json::Error>, Error> {
    let encoding = match row.try_get::<_, &str>(3)? {
        "simple" => Encoding::Simple,
        _ => Encoding::Mtom,
    };
    let envelope = row.try_get(6)?;
    let content = match row.try_get::<_, Option<Value>>(7)? {
        None => Content::Answer(envelope),
        Some(requester) => match serde_json::from_value(requester) {
            Ok(requester) => Content::Retrieval { request: envelope, requester: Box::new(requester) },
            Err(error) => return Ok(Err(error)),
        },
    };
    let letter = Letter {
        recipient: row.try_get(1)?,
        action: row.try_get(2)?,
        encoding,
        message_id: row.try_get(4)?,
        relates_to: row.try_get(5)?,
        content,
    };
    let attempts = usize::try_from(row.try_get::<_, i32>(8)?).unwrap_or_default();
    Ok(Ok(Taken { number: row.try_get(0)?, letter, attempts, is_old: row.try_get(9)? }))
}

/// Taken for so long from now on.
pub async fn renew<C: GenericClient>(client: &C, number: i64, lease: Duration) -> Result<(), Error> {
    let statement = client.prepare_cached(RENEW).await?;
    client.execute(&statement, &[&number, &lease.as_secs_f64()]).await.map(|_| ())
}

pub async fn delivered<C: GenericClient>(client: &C, number: i64) -> Result<(), Error> {
    let statement = client.prepare_cached(DELIVERED).await?;
    client.execute(&statement, &[&number]).await.map(|_| ())
}

pub async fn failed<C: GenericClient>(
    client: &C,
    number: i64,
    error: &str,
    wait: Duration,
    give_up: bool,
) -> Result<(), Error> {
    let statement = client.prepare_cached(FAILED).await?;
    client.execute(&statement, &[&number, &error, &wait.as_secs_f64(), &give_up]).await.map(|_| ())
}

pub async fn list<C: GenericClient>(client: &C) -> Result<Vec<Listed>, Error> {
    let statement = client.prepare_cached(LIST).await?;
    client
        .query(&statement, &[])
        .await?
        .iter()
        .map(|row| {
            Ok(Listed {
                number: row.try_get(0)?,
                recipient: row.try_get(1)?,
                accepted_at: row.try_get(2)?,
                attempts: row.try_get(3)?,
                last_error: row.try_get(4)?,
                given_up: row.try_get(5)?,
            })
        })
        .collect()
}

/// Every letter that was given up is due again. Returns how many.
pub async fn again<C: GenericClient>(client: &C) -> Result<u64, Error> {
    client.execute(AGAIN, &[]).await
}
