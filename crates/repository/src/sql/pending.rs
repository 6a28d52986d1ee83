use std::time::Duration;

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Error;

use super::NewDocument;

const BEGIN: &str = "insert into filing (submission_set, event) values ($1, $2) returning filing";

const ADD_STORED: &str = "
    insert into document (unique_id, blob, mime_type, size, sha1, sha256, patient_id, state, filing)
    values ($1, $2, $3, $4, $5, $6, $7, 'stored', $8)";

const REGISTER: &str = "
    update document set state = case state when 'stored' then 'registered' else state end, filing = null
    where filing = $1";

const FORGET: &str = "delete from document where filing = $1 and state = 'stored'";

const DETACH: &str = "update document set filing = null where filing = $1";

const END: &str = "delete from filing where filing = $1 returning event";

const HAS: &str = "select exists (select from filing where filing = $1)";

const UNSETTLED: &str = "
    select filing.filing, submission_set, begun_at < now() - make_interval(secs => $2),
        array_remove(array_agg(unique_id order by document), null),
        array_remove(array_agg(sha1 order by document), null)
    from filing left join document on document.filing = filing.filing
    where begun_at < now() - make_interval(secs => $1)
    group by filing.filing
    order by filing.filing";

/// A filing that nobody has settled.
pub struct Unsettled {
    pub number: i64,
    pub submission_set: String,
    pub is_old: bool,
    /// (uniqueId, SHA-1)
    pub documents: Vec<(String, String)>,
}

pub async fn begin_filing<C: GenericClient>(
    client: &C,
    submission_set: &str,
    event: &Value,
) -> Result<i64, Error> {
    let statement = client.prepare_cached(BEGIN).await?;
    client.query_one(&statement, &[&submission_set, event]).await?.try_get(0)
}

pub async fn add_stored_document<C: GenericClient>(
    client: &C,
    document: &NewDocument,
    filing: i64,
) -> Result<(), Error> {
    let statement = client.prepare_cached(ADD_STORED).await?;
    let size = i64::try_from(document.size).unwrap_or(i64::MAX);
    let NewDocument { unique_id, blob, mime_type, sha1, sha256, patient_id, .. } = document;
    client
        .execute(&statement, &[unique_id, blob, mime_type, &size, sha1, sha256, patient_id, &filing])
        .await
        .map(|_| ())
}

pub async fn register_documents<C: GenericClient>(client: &C, filing: i64) -> Result<(), Error> {
    let statement = client.prepare_cached(REGISTER).await?;
    client.execute(&statement, &[&filing]).await.map(|_| ())
}

pub async fn forget_documents<C: GenericClient>(client: &C, filing: i64) -> Result<(), Error> {
    for sql in [FORGET, DETACH] {
        let statement = client.prepare_cached(sql).await?;
        client.execute(&statement, &[&filing]).await?;
    }
    Ok(())
}

/// The event that waited; `None` when there is no such filing any more.
pub async fn end_filing<C: GenericClient>(client: &C, filing: i64) -> Result<Option<Value>, Error> {
    let statement = client.prepare_cached(END).await?;
    client.query_opt(&statement, &[&filing]).await?.map(|row| row.try_get(0)).transpose()
}

pub async fn has_filing<C: GenericClient>(client: &C, filing: i64) -> Result<bool, Error> {
    client.query_one(HAS, &[&filing]).await?.try_get(0)
}

pub async fn unsettled<C: GenericClient>(
    client: &C,
    patience: Duration,
    age: Duration,
) -> Result<Vec<Unsettled>, Error> {
    let statement = client.prepare_cached(UNSETTLED).await?;
    client
        .query(&statement, &[&patience.as_secs_f64(), &age.as_secs_f64()])
        .await?
        .iter()
        .map(|row| {
            let (ids, hashes): (Vec<String>, Vec<String>) = (row.try_get(3)?, row.try_get(4)?);
            Ok(Unsettled {
                number: row.try_get(0)?,
                submission_set: row.try_get(1)?,
                is_old: row.try_get(2)?,
                documents: ids.into_iter().zip(hashes).collect(),
            })
        })
        .collect()
}
