use std::fmt;

use identity::{Ins, InsError, Oid, is_ins_authority};
use uuid::Uuid;

/// What the header of a CDA document says. Times are HL7 timestamps as they stand in the document
/// (`YYYYMMDDhhmmss+ZZZZ` and its shorter forms); texts have no white space around them. What a document leaves out
/// or marks with a nullFlavor is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The document is wrapped in the XSL stylesheet that shows it (a *self-presenting* document).
    pub self_presenting: bool,
    /// The models that the document claims to follow, in document order.
    pub templates: Vec<Id>,
    pub id: Id,
    /// Type of document.
    pub code: Coded,
    pub title: Option<String>,
    /// When the document was made.
    pub effective_time: Option<String>,
    pub confidentiality: Option<Coded>,
    pub language: Option<String>,
    /// Common to all versions of one document.
    pub set_id: Option<Id>,
    /// Documents of version 2 and above do not always name what they replace, so neither follows from the other.
    pub version_number: Option<u32>,
    pub patient: Patient,
    pub authors: Vec<Author>,
    /// Who keeps the document.
    pub custodian: Option<Organisation>,
    pub legal_authenticator: Option<Agent>,
    /// `documentationOf/serviceEvent`; the first one is the principal act.
    pub acts: Vec<Act>,
    /// Placer's numbers of the orders that the document answers.
    pub orders: Vec<Id>,
    /// Accession numbers of imaging orders.
    pub accessions: Vec<Id>,
    pub parents: Vec<Parent>,
    /// Kind of place where the patient was cared for.
    pub facility: Option<Coded>,
    pub body: Option<Body>,
}

/// An instance identifier (HL7 v3 `II`). The root is an OID or, in older documents, a UUID.
#[derive(Clone, PartialEq, Eq)]
pub struct Id {
    pub root: String,
    pub extension: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    pub code: String,
    /// OID of the code system.
    pub system: Option<String>,
    pub display: Option<String>,
}

/// The patient, with the traits that make the French health identity (INS).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Patient {
    /// Identifiers, those under an INS authority first, otherwise in document order.
    pub ids: Vec<Id>,
    /// `family[@qualifier='BR']`, or a family name without qualifier.
    pub birth_name: Option<String>,
    /// The first given name of the birth certificate: `given[@qualifier='BR']`, or one without qualifier.
    pub birth_given: Option<String>,
    /// All given names of the birth certificate: `given` without qualifier.
    pub birth_givens: Option<String>,
    /// `family[@qualifier='CL']`, or `SP` in older documents: the name the patient uses.
    pub used_name: Option<String>,
    pub used_given: Option<String>,
    /// `M`, `F`, `UN`.
    pub gender: Option<String>,
    pub birth_date: Option<String>,
    /// Code of the commune or country in the official geographic code (COG, 5 characters).
    pub birth_place: Option<String>,
}

/// A person or a device that did something, with its identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct Agent {
    pub id: Option<Id>,
    pub name: Option<AgentName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentName {
    Person { family: Option<String>, given: Option<String> },
    Device { software: Option<String>, model: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub agent: Agent,
    /// What the author was to the patient: `functionCode`.
    pub role: Option<Coded>,
    /// Profession and specialty: `assignedAuthor/code`.
    pub specialty: Option<Coded>,
    pub organisation: Option<Organisation>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    pub id: Option<Id>,
    pub name: Option<String>,
}

/// An act that the document is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub code: Option<Coded>,
    pub start: Option<String>,
    pub stop: Option<String>,
    pub performer: Option<Agent>,
    /// Frame in which the performer worked: `standardIndustryClassCode` of the organisation.
    pub practice_setting: Option<Coded>,
}

/// A document that this one came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    pub relation: Relation,
    pub id: Id,
}

/// `relatedDocument/@typeCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `RPLC`
    Replaces,
    /// `XFRM`
    Transforms,
    /// `APND`
    Appends,
}

/// The kind of body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `structuredBody`: level 3 (or 2).
    Structured,
    /// `nonXMLBody`: level 1, a document of this media type inside the CDA.
    Unstructured { media_type: String },
}

impl Header {
    /// The patient's INS: the first identifier under an INS authority.
    pub fn ins(&self) -> Option<(&str, &str)> {
        let id = self.patient.ids.first().filter(|id| is_ins_authority(&id.root))?;
        Some((id.extension.as_deref()?, &id.root))
    }

    /// What is wrong with the INS numbers of the patient. A document with such a number can be read and filed all the
    /// same: whether it may be is for the caller to say.
    pub fn ins_findings(&self) -> Vec<InsError> {
        let ids = self.patient.ids.iter().filter(|id| is_ins_authority(&id.root));
        ids.filter_map(|id| Ins::parse(id.extension.as_deref().unwrap_or_default()).err()).collect()
    }
}

impl Id {
    /// The identifier as XDS writes a uniqueId: the root, or `root^extension` if there is an extension. A UUID as
    /// root becomes its OID under `2.25`, because XDS has no place for two spellings of one identifier.
    pub fn unique_id(&self) -> String {
        match &self.extension {
            None => self.root_oid(),
            Some(extension) => format!("{}^{extension}", self.root_oid()),
        }
    }

    /// The root as an OID.
    pub fn root_oid(&self) -> String {
        let uuid = match self.root.len() {
            36 => Uuid::try_parse(&self.root).ok(),
            _ => None,
        };
        uuid.map_or_else(|| self.root.clone(), |uuid| Oid::from_uuid(uuid).to_string())
    }
}

/// Shows the root only: an extension may be a patient's number.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extension = if self.extension.is_some() { "^…" } else { "" };
        write!(f, "Id({}{extension})", self.root)
    }
}

/// Shows nothing of the person.
impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patient").field("ids", &self.ids).finish_non_exhaustive()
    }
}

/// Shows no name: it may be the patient's, who signs their own documents.
impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(root: &str, extension: Option<&str>) -> Id {
        Id { root: root.to_owned(), extension: extension.map(str::to_owned) }
    }

    #[test]
    fn a_unique_id_is_the_root_and_the_extension_if_there_is_one() {
        assert_eq!(id("1.2.3", None).unique_id(), "1.2.3");
        assert_eq!(id("1.2.3", Some("A-1")).unique_id(), "1.2.3^A-1");
    }

    #[test]
    fn a_uuid_as_root_becomes_an_oid_however_it_is_spelled() {
        let oid = "2.25.329800735698586629295641978511506172918";
        assert_eq!(id("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", None).unique_id(), oid);
        assert_eq!(id("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Some("7")).unique_id(), format!("{oid}^7"));
    }

    #[test]
    fn nobody_is_named_by_debug() {
        let patient = Patient {
            ids: vec![id("1.2.250.1.213.1.4.10", Some("279035121518989"))],
            birth_name: Some("DURAND".to_owned()),
            ..Patient::default()
        };
        let name = AgentName::Person { family: Some("DURAND".to_owned()), given: None };
        let agent = Agent { id: None, name: Some(name) };
        let shown = format!("{patient:?} {agent:?}");
        assert!(!shown.contains("DURAND") && !shown.contains("2790"), "{shown}");
    }
}
