//! Dates of searches: a prefix, and as much of a time as is known (FHIR R4 §3.1.1.4.5).

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

/// From the first to before the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
}

impl Range {
    /// What lies in both.
    pub fn and(self, other: Range) -> Range {
        let later = |a: Option<DateTime<Utc>>, b| a.max(b);
        let earlier = |a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Range { from: later(self.from, other.from), before: earlier(self.before, other.before) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Equal,
    NotEqual,
    /// From the first moment on.
    AtLeast,
    /// Up to the last moment.
    AtMost,
    After,
    Before,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    prefix: Prefix,
    /// The span that the text stands for.
    first: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Condition {
    /// `ge2026-11`, `2026-11-24T10:00Z`. Without a zone it is UTC.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (prefix, time) = match text.get(..2) {
            Some("eq") => (Prefix::Equal, text.get(2..)),
            Some("ne") => (Prefix::NotEqual, text.get(2..)),
            Some("ge") => (Prefix::AtLeast, text.get(2..)),
            Some("le") => (Prefix::AtMost, text.get(2..)),
            Some("gt" | "sa") => (Prefix::After, text.get(2..)),
            Some("lt" | "eb") => (Prefix::Before, text.get(2..)),
            Some("ap") => return Err("ap is not supported".to_owned()),
            _ => (Prefix::Equal, Some(text)),
        };
        let (first, end) =
            time.and_then(span).ok_or("is not a date (2026, 2026-03, 2026-03-31, 2026-03-31T08:00:00Z)")?;
        Ok(Condition { prefix, first, end })
    }

    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        let within = self.first <= at && at < self.end;
        match self.prefix {
            Prefix::Equal => within,
            Prefix::NotEqual => !within,
            Prefix::AtLeast => at >= self.first,
            Prefix::AtMost => at < self.end,
            Prefix::After => at >= self.end,
            Prefix::Before => at < self.first,
        }
    }

    fn range(&self) -> Range {
        let (from, before) = match self.prefix {
            Prefix::Equal => (Some(self.first), Some(self.end)),
            Prefix::NotEqual => (None, None),
            Prefix::AtLeast => (Some(self.first), None),
            Prefix::AtMost => (None, Some(self.end)),
            Prefix::After => (Some(self.end), None),
            Prefix::Before => (None, Some(self.first)),
        };
        Range { from, before }
    }
}

/// A range that holds whatever one of the conditions lets through.
pub fn hull(conditions: &[Condition]) -> Range {
    let ranges = || conditions.iter().map(Condition::range);
    let all = |end: fn(Range) -> Option<DateTime<Utc>>| ranges().map(end).collect::<Option<Vec<_>>>();
    Range {
        from: all(|range| range.from).and_then(|ends| ends.into_iter().min()),
        before: all(|range| range.before).and_then(|ends| ends.into_iter().max()),
    }
}

/// When an AuditEvent was recorded.
pub fn recorded(resource: &Value) -> Option<DateTime<Utc>> {
    let text = resource.get("recorded")?.as_str()?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// The moments that a text stands for: its first, and the first after it.
fn span(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let number = |text: &str| text.parse::<u32>().ok();
    let whole = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let Some((day, time)) = text.split_once('T') else {
        let is_digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let (first, end) = match parts.as_slice() {
            [year] if is_digits(year, 4) => {
                let first = NaiveDate::from_ymd_opt(year.parse().ok()?, 1, 1)?;
                (first, first.checked_add_months(Months::new(12))?)
            }
            [year, month] if is_digits(year, 4) && is_digits(month, 2) => {
                let first = NaiveDate::from_ymd_opt(year.parse().ok()?, number(month)?, 1)?;
                (first, first.checked_add_months(Months::new(1))?)
            }
            [_, _, _] => {
                let first = day_of(text)?;
                (first, first.checked_add_days(Days::new(1))?)
            }
            _ => return None,
        };
        return Some((whole(first), whole(end)));
    };
    // A plus sign may have come as a space.
    let time = time.replace(' ', "+");
    let zone = time.find(['Z', '+', '-']);
    let (clock, zone) = time.split_at(zone.unwrap_or(time.len()));
    let zone = if zone.is_empty() { "Z" } else { zone };
    let (clock, length) = match clock.split_once('.') {
        Some((_, fraction)) => {
            let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=9).contains(digits))?;
            (clock.to_owned(), TimeDelta::nanoseconds(10_i64.pow(9 - digits)))
        }
        None if clock.len() == 5 => (format!("{clock}:00"), TimeDelta::minutes(1)),
        None => (clock.to_owned(), TimeDelta::seconds(1)),
    };
    let local = format!("{day}T{clock}");
    let _: NaiveDateTime = local.parse().ok()?;
    let first = DateTime::parse_from_rfc3339(&format!("{local}{zone}")).ok()?.to_utc();
    Some((first, first.checked_add_signed(length)?))
}

fn day_of(text: &str) -> Option<NaiveDate> {
    if text.len() == 10 { text.parse().ok() } else { None }
}
