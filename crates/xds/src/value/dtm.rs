use chrono::{DateTime, NaiveDate, Utc};

use super::{ValueError, clip, refuse};

/// A time in UTC, `YYYY[MM[DD[hh[mm[ss]]]]]`, as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dtm(String);

impl Dtm {
    pub fn parse(text: &str) -> Result<Dtm, ValueError> {
        match is_valid(text) {
            true => Ok(Dtm(text.to_owned())),
            false => {
                refuse(format!("\"{}\" is not a DTM (digits YYYY[MM[DD[hh[mm[ss]]]]] in UTC)", clip(text)))
            }
        }
    }

    /// To the second.
    pub fn from_utc(time: DateTime<Utc>) -> Dtm {
        Dtm(time.format("%Y%m%d%H%M%S").to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 14 digits, missing parts filled with their lowest value: how times are compared (TF-2 §3.18.4.1.2.3).
    pub fn padded(&self) -> String {
        const LOWEST: &str = "00000101000000";
        let rest = LOWEST.get(self.0.len()..).unwrap_or_default();
        format!("{}{rest}", self.0)
    }
}

fn is_valid(text: &str) -> bool {
    if !matches!(text.len(), 4 | 6 | 8 | 10 | 12 | 14) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let part = |from: usize, to: usize, lowest: u32| {
        text.get(from..to).map_or(Some(lowest), |digits| digits.parse::<u32>().ok())
    };
    let date = || {
        let year = text.get(..4)?.parse().ok()?;
        NaiveDate::from_ymd_opt(year, part(4, 6, 1)?, part(6, 8, 1)?)?.and_hms_opt(
            part(8, 10, 0)?,
            part(10, 12, 0)?,
            part(12, 14, 0)?,
        )
    };
    date().is_some()
}
