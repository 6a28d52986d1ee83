//! A search a page at a time. What was written meanwhile is newer than where a page goes on, so each event comes once.

use std::fmt;
use std::str::FromStr;

use atna::{Entry, Filter};
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::Doors;
use super::failure::Failure;

/// Events that are read at a time.
const CHUNK: std::ops::RangeInclusive<usize> = 64..=512;

/// The last event that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub DateTime<Utc>, pub Uuid);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.0.to_rfc3339_opts(SecondsFormat::Nanos, true), self.1)
    }
}

impl FromStr for Cursor {
    type Err = Failure;

    /// Only what was written here.
    fn from_str(text: &str) -> Result<Self, Failure> {
        let read = || {
            let (at, id) = text.split_once('_')?;
            Some(Cursor(DateTime::parse_from_rfc3339(at).ok()?.to_utc(), id.parse().ok()?))
        };
        read()
            .filter(|cursor| cursor.to_string() == text)
            .ok_or_else(|| Failure::invalid("_cursor: is not one that this server gave"))
    }
}

pub struct Page<T> {
    pub found: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor>,
}

/// How many events are wanted in an answer, of at most so many.
pub fn count(asked: Option<u32>, most: usize) -> Result<usize, Failure> {
    match asked {
        None => Ok(most),
        Some(0) => Err(Failure::invalid("_count: is 0, and events are not counted here; ask for 1 at least")),
        Some(asked) => Ok(usize::try_from(asked).unwrap_or(usize::MAX).min(most)),
    }
}

/// The next events that `take` makes something of, the latest first: `count` of them, or those among the events that may
/// be looked at for one answer.
pub async fn read<T>(
    doors: &Doors,
    mut filter: Filter,
    count: usize,
    mut take: impl FnMut(&Entry) -> Option<T>,
) -> Result<Page<T>, Failure> {
    let client = doors.database.get().await?;
    let mut found = Vec::new();
    let mut left = doors.settings.examined;
    loop {
        let chunk = count.clamp(*CHUNK.start(), *CHUNK.end()).min(left);
        filter.limit = Some(i64::try_from(chunk).unwrap_or(i64::MAX));
        let rows = atna::search(&client, &filter).await?;
        let is_all = rows.len() < chunk;
        left -= rows.len().min(left);
        for row in rows {
            let place = Cursor(row.entry.at(), row.entry.id());
            filter.before = Some((place.0, place.1));
            found.extend(take(&row.entry));
            if found.len() == count {
                return Ok(Page { found, next: Some(place) });
            }
        }
        let next = filter.before.map(|(at, id)| Cursor(at, id));
        match (is_all, left) {
            (true, _) => return Ok(Page { found, next: None }),
            (false, 0) => return Ok(Page { found, next }),
            (false, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let cursor = Cursor("2026-11-24T10:11:12.000000001Z".parse().unwrap(), Uuid::from_u128(7));
        let text = cursor.to_string();
        assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
        let (at, id) = text.split_once('_').unwrap();
        for wrong in [
            "",
            "_",
            at,
            &format!("{at}_"),
            &format!("{at}_{id} "),
            &format!("{at}_{}", id.replace('-', "")),
            &format!("2026-11-24T11:11:12.000000001+01:00_{id}"),
            &format!("2026-11-24T10:11:12Z_{id}"),
            &format!("{at}_{id}' or 1=1"),
        ] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }
}
