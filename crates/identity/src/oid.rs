use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// An object identifier in dotted form, such as `1.2.250.1.213.1.4.8`: numbers without leading zeros, the first one
/// 0, 1 or 2, the second below 40 unless the first is 2 (ITU-T X.660), at most 64 characters (IHE TF-2 Appendix B).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

/// Why a text is not an OID. The text itself is not repeated: it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OidError {
    #[error("an OID has at most {max} characters, this has {0}", max = Oid::MAX_LENGTH)]
    TooLong(usize),
    #[error("an OID has at least two numbers")]
    TooShort,
    #[error("number {0} of the OID is empty, has a leading zero or is not made of digits")]
    BadNumber(usize),
    #[error("an OID begins with 0, 1 or 2; after 0 and 1 the next number is below 40")]
    BadRoot,
}

impl Oid {
    /// The longest OID that IHE profiles allow, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// The arc below which every UUID is an OID (ITU-T X.667).
    const UUID_ARC: &str = "2.25.";

    pub fn parse(text: &str) -> Result<Oid, OidError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(OidError::TooLong(text.len()));
        }
        if let Some(bad) = text.split('.').position(|number| !is_number(number)) {
            return Err(OidError::BadNumber(bad + 1));
        }
        let mut numbers = text.split('.');
        match (numbers.next(), numbers.next()) {
            (_, None) => Err(OidError::TooShort),
            (Some("2"), Some(_)) => Ok(Oid(text.to_owned())),
            (Some("0" | "1"), Some(second)) if second.len() == 1 || (second.len() == 2 && second < "40") => {
                Ok(Oid(text.to_owned()))
            }
            _ => Err(OidError::BadRoot),
        }
    }

    /// `2.25.` and the UUID as one decimal number (ITU-T X.667 §7).
    pub fn from_uuid(uuid: Uuid) -> Oid {
        Oid(format!("{}{}", Self::UUID_ARC, uuid.as_u128()))
    }

    /// The UUID that this OID was made from; `None` when it is not a direct child of `2.25` or is too large for one.
    pub fn to_uuid(&self) -> Option<Uuid> {
        self.0.strip_prefix(Self::UUID_ARC)?.parse().ok().map(Uuid::from_u128)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_number(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Oid, OidError> {
        Oid::parse(text)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oid_is_numbers_without_leading_zeros() {
        for good in ["1.2.250.1.213.1.4.8", "2.25.0", "0.39", "1.0", "2.999.3"] {
            assert_eq!(Oid::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", OidError::BadNumber(1)),
            ("1", OidError::TooShort),
            ("1.2.", OidError::BadNumber(3)),
            ("1..2", OidError::BadNumber(2)),
            ("1.2.03", OidError::BadNumber(3)),
            ("1.2.x", OidError::BadNumber(3)),
            ("1.+2", OidError::BadNumber(2)),
            ("3.1", OidError::BadRoot),
            ("1.40", OidError::BadRoot),
            ("0.100", OidError::BadRoot),
        ] {
            assert_eq!(Oid::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn an_oid_has_at_most_64_characters() {
        let long = format!("1.2.{}", "1".repeat(60));
        assert!(Oid::parse(&long).is_ok());
        assert_eq!(Oid::parse(&format!("{long}1")), Err(OidError::TooLong(65)));
    }

    #[test]
    fn a_uuid_becomes_an_oid_and_comes_back() {
        let uuid = Uuid::parse_str("f81d4fae-7dec-11d0-a765-00a0c91e6bf6").unwrap();
        let oid = Oid::from_uuid(uuid);
        assert_eq!(oid.as_str(), "2.25.329800735698586629295641978511506172918");
        assert_eq!(oid.to_uuid(), Some(uuid));
        assert_eq!(Oid::parse(oid.as_str()), Ok(oid));
    }

    #[test]
    fn only_a_child_of_2_25_that_fits_is_a_uuid() {
        for text in ["1.2.250.1", "2.25.1.2", "2.25.340282366920938463463374607431768211456", "2.255.1"] {
            assert_eq!(Oid::parse(text).unwrap().to_uuid(), None, "{text}");
        }
    }
}
