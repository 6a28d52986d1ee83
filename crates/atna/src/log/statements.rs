//! What the log itself says that went from it.

use std::collections::BTreeMap;
use std::pin::pin;

use chrono::NaiveDate;
use deadpool_postgres::GenericClient as Pooled;
use futures_util::TryStreamExt;
use tokio_postgres::{GenericClient, Row};
use transparency::{SALT_LENGTH, Signer, Verifier, leaf_hash};
use uuid::Uuid;

use super::leaves::Leaves;
use super::{What, record, sql};
use crate::gone::{Expired, Gone, Loss, Sum, Summing};
use crate::{Entry, Error, Event, Kind, Object};

/// The latest statement about each month. Its size follows the months, not the events.
#[derive(Debug, Default)]
pub struct Statements {
    /// By their first positions.
    expired: BTreeMap<u64, Expired>,
    blanked: BTreeMap<(NaiveDate, Kind), Sum>,
}

/// Writes an event and what it states, which is signed.
pub async fn state<C: Pooled>(client: &C, event: Event, loss: Loss, signer: &Signer) -> Result<(), Error> {
    let gone = Gone::sign(loss, event.id, signer)?;
    let incoming = record::incoming(&Entry::Own(event.object(Object::Gone(gone))))?;
    sql::add_statement(client, &incoming).await?;
    Ok(sql::record(client, &[incoming]).await?)
}

impl Statements {
    /// Reads them all. Each must be signed and its event be in the log, or about to be; the first that is not is a finding.
    pub async fn read<C, B>(client: &C, beside: &B, keys: &[Verifier]) -> Result<Result<Self, What>, Error>
    where
        C: GenericClient + Sync,
        B: GenericClient + Sync,
    {
        let mut statements = Statements::default();
        let mut leaves = Leaves::new(beside);
        let mut rows = pin!(sql::statements(client).await?);
        while let Some(row) = rows.try_next().await? {
            match believed(&row, &mut leaves, keys).await? {
                Some(loss) => statements.add(loss),
                None => return Ok(Err(What::Statement { id: row.try_get(0)? })),
            }
        }
        Ok(Ok(statements))
    }

    /// The statement that supersedes the others about a month is the one that tells of most.
    fn add(&mut self, loss: Loss) {
        match loss {
            Loss::Expired(expired) => {
                let known = self.expired.entry(expired.first).or_insert_with(|| expired.clone());
                if known.kinds.len() < expired.kinds.len() {
                    *known = expired;
                }
            }
            Loss::Blanked(blanked) => {
                for part in blanked.parts {
                    let known = self.blanked.entry((part.month, part.kind)).or_default();
                    if known.count < part.gone.count {
                        *known = part.gone;
                    }
                }
            }
        }
    }

    /// The month around a position of which events are gone.
    pub fn expired_at(&self, position: u64) -> Option<&Expired> {
        let (_, expired) = self.expired.range(..=position).next_back()?;
        (position < expired.until).then_some(expired)
    }

    pub fn expired(&self, month: NaiveDate) -> Option<&Expired> {
        self.expired.values().find(|expired| expired.month == month)
    }

    /// Whether events of a month and kind were blanked.
    pub fn has_blanked(&self, month: NaiveDate, kind: i16) -> bool {
        Kind::from_number(kind).is_some_and(|kind| self.blanked.contains_key(&(month, kind)))
    }

    /// Whether what is missing or blanked is what was stated.
    pub async fn check<C: GenericClient + Sync>(&self, client: &C) -> Result<Option<What>, Error> {
        for expired in self.expired.values() {
            let found = missing(client, expired.first, expired.until, None).await?;
            if found != expired.gone {
                return Ok(Some(not_as_stated(expired, found)));
            }
        }
        for (month, kind) in self.blanked.keys() {
            if let Some(what) = self.check_blanked(client, *month, *kind).await? {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// The same for one month, which begins and ends at these positions, and one kind.
    pub async fn check_month<C: GenericClient + Sync>(
        &self,
        client: &C,
        month: NaiveDate,
        kind: Kind,
        [first, until]: [u64; 2],
    ) -> Result<Option<What>, Error> {
        let nothing = Expired { month, kinds: Vec::new(), first, until, gone: Sum::default() };
        let stated = self.expired(month).unwrap_or(&nothing);
        let found = missing(client, stated.first, stated.until, None).await?;
        match found == stated.gone {
            true => self.check_blanked(client, month, kind).await,
            false => Ok(Some(not_as_stated(stated, found))),
        }
    }

    pub async fn check_blanked<C: GenericClient + Sync>(
        &self,
        client: &C,
        month: NaiveDate,
        kind: Kind,
    ) -> Result<Option<What>, Error> {
        if self.expired(month).is_some_and(|expired| expired.kinds.contains(&kind)) {
            return Ok(None);
        }
        let stated = self.blanked.get(&(month, kind)).cloned().unwrap_or_default();
        let found = blanked(client, month, kind).await?;
        let (stated_count, found_count) = (stated.count, found.count);
        Ok((found != stated).then_some(What::Blanked {
            month,
            kind,
            stated: stated_count,
            found: found_count,
        }))
    }
}

fn not_as_stated(expired: &Expired, found: Sum) -> What {
    let Expired { month, first, until, ref gone, .. } = *expired;
    What::Missing { month, first, until, stated: gone.count, found: found.count }
}

/// The positions between two others where no event stands; of one kind none is looked at, if one is named.
pub async fn missing<C: GenericClient + Sync>(
    client: &C,
    first: u64,
    until: u64,
    without: Option<Kind>,
) -> Result<Sum, Error> {
    let mut summing = Summing::new();
    let mut next = first;
    let positions = sql::positions(client, first as i64, until as i64, without.map(Kind::number)).await?;
    let mut positions = pin!(positions);
    while let Some(row) = positions.try_next().await? {
        let position = row.try_get::<_, i64>(0)? as u64;
        (next..position).for_each(|gone| summing.position(gone));
        next = position + 1;
    }
    (next..until).for_each(|gone| summing.position(gone));
    Ok(summing.sum())
}

/// What is blanked of a month and kind.
pub async fn blanked<C: GenericClient + Sync>(
    client: &C,
    month: NaiveDate,
    kind: Kind,
) -> Result<Sum, Error> {
    let mut summing = Summing::new();
    let mut rows = pin!(sql::blanked(client, month, kind.number()).await?);
    while let Some(row) = rows.try_next().await? {
        let (position, id, at, by) = sql::blanked_row(&row)?;
        summing.blanked(position as u64, id, at, by);
    }
    Ok(summing.sum())
}

/// What a row of the statements says, if it is signed and in the log.
async fn believed<C: GenericClient + Sync>(
    row: &Row,
    leaves: &mut Leaves<'_, C>,
    keys: &[Verifier],
) -> Result<Option<Loss>, Error> {
    let (id, position, waits): (Uuid, Option<i64>, bool) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(4)?);
    let (salt, content): (&[u8], &[u8]) = (row.try_get(2)?, row.try_get(3)?);
    let Ok(Entry::Own(event)) = serde_json::from_slice(content) else { return Ok(None) };
    let gone = event.objects.into_iter().find_map(|object| match object {
        Object::Gone(gone) => Some(gone),
        _ => None,
    });
    let Some(gone) = gone.filter(|gone| event.id == id && gone.is_signed(id, keys)) else { return Ok(None) };
    let in_log = match position {
        None => waits,
        Some(position) => {
            let salt: Option<&[u8; SALT_LENGTH]> = salt.try_into().ok();
            let leaf = salt.map(|salt| leaf_hash(salt, content));
            leaf.is_some() && leaves.at(position as u64).await? == leaf
        }
    };
    Ok(in_log.then_some(gone.loss))
}
