use std::fmt;

/// The number of a French health identity (INS): 13 characters and a key of two digits.
///
/// The 13 characters are sex, year and month of birth, department and commune of birth, rank; the department of
/// Corsica is written `2A` or `2B`, everything else is digits. A value of this type has the right key. It is not
/// shown by `Debug`: it names a person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ins(String);

/// Why a text is not an INS number. No message repeats the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsError {
    #[error("an INS number has 15 characters, this has {0}")]
    Length(usize),
    #[error("an INS number is made of digits, except for 2A or 2B as department of birth")]
    NotDigits,
    #[error("the key of the INS number is {given:02}, it should be {expected:02}")]
    Key { given: u8, expected: u8 },
}

impl Ins {
    const NUMBER: usize = 13;
    const LENGTH: usize = 15;

    /// Reads the 15 characters and checks the key.
    pub fn parse(text: &str) -> Result<Ins, InsError> {
        let length = text.chars().count();
        if length != Self::LENGTH {
            return Err(InsError::Length(length));
        }
        let (number, key) = text.split_at_checked(Self::NUMBER).ok_or(InsError::NotDigits)?;
        let given = digits(key).and_then(|key| u8::try_from(key).ok()).ok_or(InsError::NotDigits)?;
        let expected = Self::key_of(number).ok_or(InsError::NotDigits)?;
        match given == expected {
            true => Ok(Ins(text.to_owned())),
            false => Err(InsError::Key { given, expected }),
        }
    }

    /// The key of the 13 characters `number`: 97 − (number mod 97), where the departments `2A` and `2B` count as 19
    /// and 18. Between 1 and 97. `None` when `number` is not 13 characters of that form.
    pub fn key_of(number: &str) -> Option<u8> {
        if number.len() != Self::NUMBER {
            return None;
        }
        let (before, rest) = number.split_at_checked(5)?;
        let (department, after) = rest.split_at_checked(2)?;
        let department = match department {
            "2A" => "19",
            "2B" => "18",
            other => other,
        };
        let number = digits(&format!("{before}{department}{after}"))?;
        u8::try_from(97 - number % 97).ok()
    }

    /// The 15 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The number that `text` writes; `None` when a character is not a digit (`parse` alone would take a sign).
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Debug for Ins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ins(…)")
    }
}

/// Who gave an INS number: the OID beside it in CX values, CDA and HL7 v3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InsAuthority {
    /// The social-security number, in production.
    Nir,
    /// The waiting number, in production.
    Nia,
    /// The social-security number in the test domain.
    TestNir,
    /// The social-security number in the demonstration domain.
    DemonstrationNir,
}

impl InsAuthority {
    pub const ALL: [InsAuthority; 4] =
        [InsAuthority::Nir, InsAuthority::Nia, InsAuthority::TestNir, InsAuthority::DemonstrationNir];

    pub fn oid(self) -> &'static str {
        match self {
            InsAuthority::Nir => "1.2.250.1.213.1.4.8",
            InsAuthority::Nia => "1.2.250.1.213.1.4.9",
            InsAuthority::TestNir => "1.2.250.1.213.1.4.10",
            InsAuthority::DemonstrationNir => "1.2.250.1.213.1.4.11",
        }
    }

    pub fn from_oid(oid: &str) -> Option<InsAuthority> {
        Self::ALL.into_iter().find(|authority| authority.oid() == oid)
    }
}

/// Whether identifiers under `oid` are INS numbers.
pub fn is_ins_authority(oid: &str) -> bool {
    InsAuthority::from_oid(oid).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_their_key_are_read() {
        for good in ["279035121518989", "277076322082910", "274075176079430", "188102B17295165"] {
            assert_eq!(Ins::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn corsica_counts_as_19_and_18() {
        assert_eq!(Ins::key_of("188102B172951"), Some(65));
        assert_eq!(Ins::key_of("188102A172951"), Ins::key_of("1881019172951"));
        assert_eq!(Ins::key_of("188102B172951"), Ins::key_of("1881018172951"));
    }

    #[test]
    fn a_multiple_of_97_has_the_key_97() {
        assert_eq!(Ins::key_of("2070585756270"), Some(97));
        assert_eq!(
            Ins::parse("207058575627000"),
            Err(InsError::Key { given: 0, expected: 97 }),
            "00 is no key"
        );
    }

    #[test]
    fn a_wrong_length_is_told() {
        assert_eq!(Ins::parse("2790351215189"), Err(InsError::Length(13)));
        assert_eq!(Ins::parse(""), Err(InsError::Length(0)));
    }

    #[test]
    fn what_is_not_digits_is_told() {
        for bad in
            ["279035121518 89", "2790351215189AB", "2A9035121518989", "279035121518-89", "27903512151898é"]
        {
            assert_eq!(Ins::parse(bad), Err(InsError::NotDigits), "{bad}");
        }
        assert_eq!(Ins::parse("188102C17295165"), Err(InsError::NotDigits));
    }

    #[test]
    fn a_wrong_key_names_the_right_one_and_not_the_number() {
        let error = Ins::parse("279035121518900").unwrap_err();
        assert_eq!(error, InsError::Key { given: 0, expected: 89 });
        assert_eq!(error.to_string(), "the key of the INS number is 00, it should be 89");
    }

    #[test]
    fn the_number_is_not_shown_by_debug() {
        let ins = Ins::parse("279035121518989").unwrap();
        assert!(!format!("{ins:?}").contains("2790"));
    }

    #[test]
    fn authorities_are_known_by_their_oid() {
        for authority in InsAuthority::ALL {
            assert_eq!(InsAuthority::from_oid(authority.oid()), Some(authority));
        }
        assert!(is_ins_authority("1.2.250.1.213.1.4.10"));
        assert!(!is_ins_authority("1.2.250.1.213.1.4.2"), "the computed identifier INS-C is not an INS");
    }
}
