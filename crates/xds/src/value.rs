//! Data types of metadata values (TF-3 Table 4.2.3.1.7-2).

use uuid::Uuid;

/// `id^^^&OID&ISO`: a patient identifier. Only the id and the authority identify; further components are kept and
/// never compared.
#[derive(Debug, Clone)]
pub struct Cx {
    pub id: String,
    /// OID of the assigning authority.
    pub authority: String,
    /// The value as it was sent.
    pub text: String,
}

/// A time in UTC, `YYYY[MM[DD[hh[mm[ss]]]]]`, as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dtm(String);

/// Why a value is refused: one sentence, to be preceded by the attribute's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

impl Cx {
    pub fn parse(_text: &str) -> Result<Cx, ValueError> {
        todo!()
    }

    pub fn new(id: &str, authority: &str) -> Cx {
        Cx { id: id.into(), authority: authority.into(), text: format!("{id}^^^&{authority}&ISO") }
    }
}

impl PartialEq for Cx {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.authority == other.authority
    }
}

impl Eq for Cx {}

impl Dtm {
    pub fn parse(_text: &str) -> Result<Dtm, ValueError> {
        todo!()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 14 digits, missing parts filled with their lowest value: how times are compared (TF-2 §3.18.4.1.2.3).
    pub fn padded(&self) -> String {
        todo!()
    }
}

/// `urn:uuid:` + the UUID in lower case.
pub fn uuid_urn(id: Uuid) -> String {
    format!("urn:uuid:{id}")
}

/// Reads `urn:uuid:…`; upper-case digits are read as lower case.
pub fn parse_uuid_urn(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text.strip_prefix("urn:uuid:")?).ok()
}
