//! Whole months of events go when they were kept long enough: first into an archive, then from the database.

use std::path::{Path, PathBuf};

use access::Requester;
use chrono::{DateTime, Months, NaiveDate, NaiveTime, Utc};
use database::Database;
use tokio::fs::{DirBuilder, File};
use tokio_postgres::GenericClient;
use transparency::{Checkpoint, Signer, Verifier};

use super::statements::{self, Statements};
use super::{Selection, export_to, record, sql};
use crate::gone::{Expired, Loss};
use crate::{Act, Error, Event, Kind, Outcome, Source};

/// For how many years events of each kind are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    pub access: u32,
    pub operation: u32,
    pub received: u32,
}

/// Takes away what was kept long enough.
pub struct Expiry {
    pub database: Database,
    pub signer: Signer,
    pub retention: Retention,
    /// The folder for what goes: a file for each kind and month, in the form of [`export`].
    pub archive: PathBuf,
    /// Who is said to have done it.
    pub requester: Requester,
    pub source: Source,
}

/// A month that went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Went {
    pub month: NaiveDate,
    pub kind: Kind,
    pub events: u64,
    pub archive: PathBuf,
}

impl Retention {
    fn years(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Access => self.access,
            Kind::Operation => self.operation,
            Kind::Received => self.received,
        }
    }

    fn is_over(&self, kind: Kind, month: NaiveDate, now: DateTime<Utc>) -> bool {
        let end =
            month.checked_add_months(Months::new(self.years(kind).saturating_mul(12).saturating_add(1)));
        end.is_some_and(|end| end <= now.date_naive())
    }
}

impl Expiry {
    /// Takes away all months whose time is over at a moment, each in a transaction of its own. Where the log is not as it was
    /// signed, or the archive cannot be written, nothing goes.
    pub async fn run(&self, now: DateTime<Utc>) -> Result<Vec<Went>, Error> {
        let months = {
            let client = self.database.get().await?;
            sql::place_statements(&**client).await?;
            sql::months(&**client).await?
        };
        let mut went = Vec::new();
        for (number, month) in months {
            let Some(kind) = Kind::from_number(number) else { continue };
            if self.retention.is_over(kind, month, now) {
                went.extend(self.expire(month, kind).await?);
            }
        }
        Ok(went)
    }

    /// Leaves the event of a run that came to nothing.
    pub async fn failed(&self, why: &Error) -> Result<(), Error> {
        let client = self.database.get().await?;
        record(&client, &[self.event(Outcome::SeriousFailure).described(why.to_string())]).await
    }

    fn event(&self, outcome: Outcome) -> Event {
        Event::new(Act::AuditExpired, outcome, &self.requester, &self.source)
    }

    /// None: there is nothing, or another server is at it.
    async fn expire(&self, month: NaiveDate, kind: Kind) -> Result<Option<Went>, Error> {
        let keys = [self.signer.verifier()?];
        let (mut client, beside) = (self.database.get().await?, self.database.get().await?);
        let transaction = client.transaction().await?;
        if !sql::take_keeping(&*transaction).await? {
            return Ok(None);
        }
        let Some((lowest, highest)) = sql::bounds(&*transaction, month, kind.number()).await? else {
            sql::close_month(&*transaction, kind.number(), month).await?;
            transaction.commit().await?;
            return Ok(None);
        };
        let [first, until] = signed_bounds(&*transaction, &keys, month).await?;
        if lowest < first || highest >= until {
            let position = if lowest < first { lowest } else { highest };
            return Err(Error::OtherMonth { position, month });
        }
        let stated = Statements::read(&*transaction, &**beside, &keys).await?.map_err(Error::NotAsSigned)?;
        if let Some(what) = stated.check_month(&*transaction, month, kind, [first, until]).await? {
            return Err(Error::NotAsSigned(what));
        }
        let archive = self.archive.join(format!("{kind}-{}.ndjson", month.format("%Y-%m")));
        let selection = Selection { month: Some(month), kind: Some(kind) };
        let events = self.fill(&archive, &*transaction, &**beside, &keys, &selection).await?;

        let mut kinds = stated.expired(month).map(|expired| expired.kinds.clone()).unwrap_or_default();
        kinds.push(kind);
        kinds.sort();
        let gone = statements::missing(&*transaction, first, until, Some(kind)).await?;
        let loss = Loss::Expired(Expired { month, kinds, first, until, gone });
        statements::state(&transaction, self.event(Outcome::Success), loss, &self.signer).await?;
        sql::close_month(&*transaction, kind.number(), month).await?;
        transaction.commit().await?;
        Ok(Some(Went { month, kind, events, archive }))
    }

    async fn fill<C, B>(
        &self,
        archive: &Path,
        client: &C,
        beside: &B,
        keys: &[Verifier],
        selection: &Selection,
    ) -> Result<u64, Error>
    where
        C: GenericClient + Sync,
        B: GenericClient + Sync,
    {
        let broken = |source| Error::File { path: self.archive.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.archive).await.map_err(broken)?;
        let exported = export_to(archive, client, beside, keys, selection, |_, _| ()).await?;
        // The name of the file is to last, too.
        let folder = File::open(&self.archive).await.map_err(broken)?;
        folder.sync_all().await.map_err(broken)?;
        Ok(exported.events)
    }
}

/// Where a month begins and ends, as the signed checkpoints tell: from the first position up to, not including, the second.
async fn signed_bounds<C: GenericClient + Sync>(
    client: &C,
    keys: &[Verifier],
    month: NaiveDate,
) -> Result<[u64; 2], Error> {
    let next = month.checked_add_months(Months::new(1)).unwrap_or(month);
    Ok([signed_before(client, keys, month).await?, signed_before(client, keys, next).await?])
}

/// How many events were signed before a day. The column that it is searched by must not lie.
async fn signed_before<C: GenericClient + Sync>(
    client: &C,
    keys: &[Verifier],
    day: NaiveDate,
) -> Result<u64, Error> {
    let day = day.and_time(NaiveTime::MIN).and_utc();
    let size = match sql::checkpoint_before(client, day).await? {
        None => 0,
        Some((size, note)) => match Checkpoint::open(note.as_bytes(), keys) {
            Ok(checkpoint) if checkpoint.size == size as u64 && checkpoint.at < day => checkpoint.size,
            _ => return Err(Error::NotAsSigned(super::What::Checkpoint { size: size as u64 })),
        },
    };
    for (later, note) in sql::checkpoints_after(client, size as i64, 1).await? {
        if Checkpoint::open(note.as_bytes(), keys).map_or(true, |checkpoint| checkpoint.at < day) {
            return Err(Error::NotAsSigned(super::What::Checkpoint { size: later as u64 }));
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_goes_when_the_youngest_of_its_events_was_kept_long_enough() {
        let retention = Retention { access: 10, operation: 1, received: 10 };
        let month = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap();
        let is_over = |kind, at: &str| retention.is_over(kind, month, at.parse().unwrap());
        assert!(!is_over(Kind::Access, "2026-01-31T23:59:59Z"));
        assert!(is_over(Kind::Access, "2026-02-01T00:00:00Z"));
        assert!(!is_over(Kind::Operation, "2017-01-31T23:59:59Z"));
        assert!(is_over(Kind::Operation, "2017-02-01T00:00:00Z"));
    }
}
