//! Blanking: the events of a patient whose record is over lose all that they say. Their leaves stay.

use std::collections::BTreeSet;
use std::pin::pin;

use chrono::{DateTime, NaiveDate, Utc};
use database::Database;
use futures_util::TryStreamExt;
use transparency::{Checkpoint, Signer};
use uuid::Uuid;

use super::leaves::Leaves;
use super::statements::{self, Statements};
use super::{What, check, sql};
use crate::gone::{Blanked, Loss, Part, patient_digest};
use crate::{Error, Event, Kind};

/// The events of a patient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    pub events: u64,
    /// The times of the first and of the last.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Events that wait for their positions, which cannot be blanked yet.
    pub waiting: u64,
}

/// What was blanked.
#[derive(Debug, Clone)]
pub struct Blanking {
    pub extent: Extent,
    /// With this and the identifier it can be shown later whom the event is about. It is kept nowhere.
    pub secret: Uuid,
}

/// The identifiers of a patient: ids and the OIDs of their authorities.
fn identified(identifiers: &[(String, String)]) -> sql::Patient<'_> {
    let (ids, authorities) =
        identifiers.iter().map(|(id, authority)| (id.as_str(), authority.as_str())).unzip();
    sql::Patient { ids, authorities }
}

/// What a blanking would take.
pub async fn extent(database: &Database, identifiers: &[(String, String)]) -> Result<Extent, Error> {
    let mut client = database.get().await?;
    let transaction = client.transaction().await?;
    sql::steady(&*transaction).await?;
    let patient = identified(identifiers);
    let mut extent = Extent { waiting: patient.waiting(&*transaction).await? as u64, ..Extent::default() };
    let mut rows = pin!(patient.events(&*transaction).await?);
    while let Some(row) = rows.try_next().await? {
        extent.add(row.try_get(3)?);
    }
    Ok(extent)
}

/// Blanks the events of a patient, known under these identifiers and named by `cx`, in one transaction with `event`.
pub async fn blank(
    database: &Database,
    signer: &Signer,
    identifiers: &[(String, String)],
    cx: &str,
    event: Event,
) -> Result<Blanking, Error> {
    let keys = [signer.verifier()?];
    let (mut client, beside) = (database.get().await?, database.get().await?);
    let transaction = client.transaction().await?;
    if !sql::take_keeping(&*transaction).await? {
        return Err(Error::Busy);
    }
    let patient = identified(identifiers);
    let waiting = patient.waiting(&*transaction).await? as u64;
    if waiting > 0 {
        return Err(Error::Waiting { events: waiting });
    }
    match sql::last_checkpoint(&*transaction).await? {
        Some((_, note)) if Checkpoint::open(note.as_bytes(), &keys).is_ok() => {}
        Some((size, _)) => return Err(Error::NotAsSigned(What::Checkpoint { size: size as u64 })),
        None => return Err(Error::NothingToBlank),
    }
    let stated = Statements::read(&*transaction, &**beside, &keys).await?.map_err(Error::NotAsSigned)?;

    // What is not as it was signed must not be made to look as if it had been.
    let mut extent = Extent::default();
    let mut places: BTreeSet<(NaiveDate, Kind)> = BTreeSet::new();
    {
        let mut leaves = Leaves::new(&**beside);
        let mut rows = pin!(patient.events(&*transaction).await?);
        while let Some(row) = rows.try_next().await? {
            let leaf = leaves.at(row.try_get::<_, i64>(0)? as u64).await?;
            if let Some(what) = check::differing(&row, leaf)? {
                return Err(Error::NotAsSigned(what));
            }
            extent.add(row.try_get(3)?);
            places.extend(
                Kind::from_number(row.try_get(1)?).zip(row.try_get(8)?).map(|(kind, month)| (month, kind)),
            );
        }
    }
    let (Some(from), Some(until)) = (extent.from, extent.until) else { return Err(Error::NothingToBlank) };
    for (month, kind) in &places {
        if let Some(what) = stated.check_blanked(&*transaction, *month, *kind).await? {
            return Err(Error::NotAsSigned(what));
        }
    }
    let blanked = patient.blank(&*transaction, event.id).await?;
    if blanked != extent.events {
        return Err(Error::Busy);
    }
    let mut parts = Vec::new();
    for (month, kind) in places {
        parts.push(Part { month, kind, gone: statements::blanked(&*transaction, month, kind).await? });
    }
    let secret = Uuid::new_v4();
    let loss = Blanked { events: extent.events, from, until, patient: patient_digest(secret, cx), parts };
    statements::state(&transaction, event, Loss::Blanked(loss), signer).await?;
    transaction.commit().await?;
    Ok(Blanking { extent, secret })
}

impl Extent {
    fn add(&mut self, at: DateTime<Utc>) {
        self.events += 1;
        self.from = Some(self.from.map_or(at, |from| from.min(at)));
        self.until = Some(self.until.map_or(at, |until| until.max(at)));
    }
}
