//! National identifiers of professionals and organisations: one digit that names the directory, then the number
//! there. Only the shape is read. Check digits are not verified: the published examples and the national test cards
//! carry numbers with wrong ones, and nothing in Carnet depends on them.

/// OID of the authority for [`ProfessionalId`].
pub const PROFESSIONAL_AUTHORITY: &str = "1.2.250.1.71.4.2.1";

/// OID of the authority for [`OrganisationId`].
pub const ORGANISATION_AUTHORITY: &str = "1.2.250.1.71.4.2.2";

/// Why a text is not a national identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    #[error("the first character is not the number of a known directory")]
    UnknownDirectory,
    #[error("what follows the first character does not have the form of that directory")]
    Form,
}

/// The directory that a [`ProfessionalId`] is of, by its first digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfessionalKind {
    /// `0` + ADELI number of 9 characters.
    Adeli,
    /// `1` + practice known by an ADELI number + `/` + internal number.
    AdeliPracticeInternal,
    /// `3` + FINESS number of 9 characters + `/` + internal number.
    FinessInternal,
    /// `4` + SIREN number of 9 digits + `/` + internal number.
    SirenInternal,
    /// `5` + SIRET number of 14 digits + `/` + internal number.
    SiretInternal,
    /// `6` + practice known by an RPPS number + `/` + internal number.
    RppsPracticeInternal,
    /// `8` + RPPS number of 11 digits.
    Rpps,
}

/// *PS_IdNat*: the national identifier of a professional, or of a person or a machine that an organisation answers
/// for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfessionalId {
    kind: ProfessionalKind,
    text: String,
}

impl ProfessionalId {
    pub fn parse(text: &str) -> Result<ProfessionalId, ShapeError> {
        use ProfessionalKind::*;
        let (directory, rest) = text.split_at_checked(1).ok_or(ShapeError::UnknownDirectory)?;
        let (organisation, internal) = match rest.split_once('/') {
            Some((organisation, internal)) => (organisation, Some(internal)),
            None => (rest, None),
        };
        let (kind, shaped) = match directory {
            "0" => (Adeli, has_letters_or_digits(organisation, 9)),
            "1" => (AdeliPracticeInternal, organisation.bytes().all(|b| b.is_ascii_alphanumeric())),
            "3" => (FinessInternal, has_letters_or_digits(organisation, 9)),
            "4" => (SirenInternal, has_digits(organisation, 9)),
            "5" => (SiretInternal, has_digits(organisation, 14)),
            "6" => (RppsPracticeInternal, organisation.bytes().all(|b| b.is_ascii_digit())),
            "8" => (Rpps, has_digits(organisation, 11)),
            _ => return Err(ShapeError::UnknownDirectory),
        };
        let is_internal = !matches!(kind, Adeli | Rpps);
        let internal_fits = internal.map_or(!is_internal, |i| is_internal && !i.is_empty());
        match shaped && !organisation.is_empty() && internal_fits {
            true => Ok(ProfessionalId { kind, text: text.to_owned() }),
            false => Err(ShapeError::Form),
        }
    }

    pub fn kind(&self) -> ProfessionalKind {
        self.kind
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The directory that an [`OrganisationId`] is of, by its first digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrganisationKind {
    /// `0` + practice known by an ADELI number.
    AdeliPractice,
    /// `1` + FINESS number of 9 characters.
    Finess,
    /// `2` + SIREN number of 9 digits.
    Siren,
    /// `3` + SIRET number of 14 digits.
    Siret,
    /// `4` + RPPS number of 11 digits + rank of the practice.
    RppsPractice,
}

/// *Struct_IdNat*: the national identifier of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganisationId {
    kind: OrganisationKind,
    text: String,
}

impl OrganisationId {
    pub fn parse(text: &str) -> Result<OrganisationId, ShapeError> {
        use OrganisationKind::*;
        let (directory, number) = text.split_at_checked(1).ok_or(ShapeError::UnknownDirectory)?;
        let (kind, shaped) = match directory {
            "0" => (AdeliPractice, number.len() >= 9 && number.bytes().all(|b| b.is_ascii_alphanumeric())),
            "1" => (Finess, has_letters_or_digits(number, 9)),
            "2" => (Siren, has_digits(number, 9)),
            "3" => (Siret, has_digits(number, 14)),
            "4" => (RppsPractice, number.len() > 11 && number.bytes().all(|b| b.is_ascii_digit())),
            _ => return Err(ShapeError::UnknownDirectory),
        };
        match shaped {
            true => Ok(OrganisationId { kind, text: text.to_owned() }),
            false => Err(ShapeError::Form),
        }
    }

    pub fn kind(&self) -> OrganisationKind {
        self.kind
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn has_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

/// FINESS and ADELI numbers begin with a department, which has a letter in Corsica.
fn has_letters_or_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_professional_is_known_by_the_first_digit() {
        for (text, kind) in [
            ("0759901234", ProfessionalKind::Adeli),
            ("02A9901234", ProfessionalKind::Adeli),
            ("175990123401/12", ProfessionalKind::AdeliPracticeInternal),
            ("3990000017/1453", ProfessionalKind::FinessInternal),
            ("4990000017/AB", ProfessionalKind::SirenInternal),
            ("599000001700041/1.2.250.1.999", ProfessionalKind::SiretInternal),
            ("699700000011001/3", ProfessionalKind::RppsPracticeInternal),
            ("899700000011", ProfessionalKind::Rpps),
        ] {
            let id = ProfessionalId::parse(text).unwrap();
            assert_eq!((id.kind(), id.as_str()), (kind, text));
        }
    }

    #[test]
    fn a_professional_identifier_has_the_form_of_its_directory() {
        for bad in ["8997000000", "8997000000111", "899700000011/1", "3990000017", "3990000017/", "8é", "1/1"]
        {
            assert_eq!(ProfessionalId::parse(bad), Err(ShapeError::Form), "{bad}");
        }
        for bad in ["", "999700000011", "é"] {
            assert_eq!(ProfessionalId::parse(bad), Err(ShapeError::UnknownDirectory), "{bad}");
        }
    }

    #[test]
    fn an_organisation_is_known_by_the_first_digit() {
        for (text, kind) in [
            ("075990123401", OrganisationKind::AdeliPractice),
            ("1990000017", OrganisationKind::Finess),
            ("12A0000017", OrganisationKind::Finess),
            ("2990000017", OrganisationKind::Siren),
            ("399000001700041", OrganisationKind::Siret),
            ("499700000011001", OrganisationKind::RppsPractice),
        ] {
            let id = OrganisationId::parse(text).unwrap();
            assert_eq!((id.kind(), id.as_str()), (kind, text));
        }
    }

    #[test]
    fn an_organisation_identifier_has_the_form_of_its_directory() {
        for bad in ["199000001", "29900000170", "39900000170004", "49970000001"] {
            assert_eq!(OrganisationId::parse(bad), Err(ShapeError::Form), "{bad}");
        }
        assert_eq!(OrganisationId::parse("990000017"), Err(ShapeError::UnknownDirectory));
    }
}
