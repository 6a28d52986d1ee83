//! HL7 timestamps.

use chrono::{NaiveDateTime, TimeDelta};
use xds::value::Dtm;

/// The timestamp `YYYY[MM[DD[hh[mm[ss[.f]]]]]][+ZZzz]` as an XDS time: in UTC, without fraction and offset, as precise as
/// it was. `None` when it is not a time.
///
/// The offset is applied from the hour on: a date without hour stays that date. A time without offset is taken as
/// UTC. It was probably the local time of its author, but neither its place nor the rules of its clock are known.
pub(crate) fn to_utc(timestamp: &str) -> Option<Dtm> {
    let (local, offset) = match timestamp.find(['+', '-']) {
        Some(at) => (timestamp.get(..at)?, Some(timestamp.get(at..)?)),
        None => (timestamp, None),
    };
    let digits = local.split('.').next()?;
    let east = offset.map_or(Some(TimeDelta::zero()), minutes)?;
    match digits.len() >= 10 {
        true => Dtm::parse(&shifted(digits, east)?).ok(),
        false => Dtm::parse(digits).ok(),
    }
}

/// `digits` minus the offset, to the same precision.
fn shifted(digits: &str, east: TimeDelta) -> Option<String> {
    let padded = format!("{digits:0<14}");
    let local = NaiveDateTime::parse_from_str(&padded, "%Y%m%d%H%M%S").ok()?;
    let utc = local.checked_sub_signed(east)?;
    Some(utc.format("%Y%m%d%H%M%S").to_string().get(..digits.len())?.to_owned())
}

/// `+hh` or `+hhmm`.
fn minutes(offset: &str) -> Option<TimeDelta> {
    let (sign, digits) = offset.split_at_checked(1)?;
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    let east = TimeDelta::minutes(hours * 60 + minutes);
    Some(if sign == "-" { -east } else { east })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(timestamp: &str) -> Option<String> {
        to_utc(timestamp).map(|dtm| dtm.as_str().to_owned())
    }

    #[test]
    fn the_offset_is_applied() {
        assert_eq!(utc("20191203133000+0100").as_deref(), Some("20191203123000"));
        assert_eq!(utc("20240101003000+0200").as_deref(), Some("20231231223000"));
        assert_eq!(utc("20191203133000-0930").as_deref(), Some("20191203230000"));
        assert_eq!(utc("20191203133000+01").as_deref(), Some("20191203123000"));
    }

    #[test]
    fn the_precision_stays_and_the_fraction_goes() {
        assert_eq!(utc("202302091130+0100").as_deref(), Some("202302091030"));
        assert_eq!(utc("2023020911+0100").as_deref(), Some("2023020910"));
        assert_eq!(utc("20210409094914.827+0100").as_deref(), Some("20210409084914"));
    }

    #[test]
    fn a_date_without_hour_stays_that_date() {
        assert_eq!(utc("20210409").as_deref(), Some("20210409"));
        assert_eq!(utc("20210409+0200").as_deref(), Some("20210409"));
        assert_eq!(utc("2021").as_deref(), Some("2021"));
    }

    #[test]
    fn a_time_without_offset_is_taken_as_utc() {
        assert_eq!(utc("20050411103328").as_deref(), Some("20050411103328"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "hier",
            "20211301",
            "20210230",
            "20191203133000+1",
            "20191203133000+0x00",
            "2019120313300é+0100",
            "2024-01-31T12:00:00+01:00",
            "20240131+01:00",
        ] {
            assert_eq!(utc(bad), None, "{bad}");
        }
    }
}
