//! What an audit message says, in the terms of DICOM PS3.15 A.5. Every form of it (XML, FHIR, a sentence) is made from
//! this.

mod own;

use chrono::{DateTime, Utc};

use crate::table::{Action, Code};

/// A coded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    pub code: String,
    /// The code system as audit messages name it.
    pub system: String,
    pub text: String,
}

impl From<Code> for Coded {
    fn from(Code { code, system, text }: Code) -> Self {
        Coded { code: code.to_owned(), system: system.to_owned(), text: text.to_owned() }
    }
}

/// EventOutcomeIndicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indicator {
    Success,
    MinorFailure,
    SeriousFailure,
    MajorFailure,
}

impl Indicator {
    pub fn code(self) -> &'static str {
        match self {
            Indicator::Success => "0",
            Indicator::MinorFailure => "4",
            Indicator::SeriousFailure => "8",
            Indicator::MajorFailure => "12",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [Indicator::Success, Indicator::MinorFailure, Indicator::SeriousFailure, Indicator::MajorFailure]
            .into_iter()
            .find(|indicator| indicator.code() == code)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// EventID.
    pub event: Coded,
    /// EventTypeCode.
    pub types: Vec<Coded>,
    pub action: Option<Action>,
    pub at: DateTime<Utc>,
    pub outcome: Indicator,
    pub description: Option<String>,
    pub purposes: Vec<Coded>,
    pub participants: Vec<Participant>,
    pub source: Source,
    pub objects: Vec<Object>,
}

/// ActiveParticipant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Participant {
    pub id: String,
    pub alternative_id: Option<String>,
    pub name: Option<String>,
    pub requestor: bool,
    pub network: Option<Network>,
    /// RoleIDCode.
    pub roles: Vec<Coded>,
}

/// NetworkAccessPoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub address: String,
    /// 1 to 5: a name, an IP address, a telephone number, an e-mail address, a URI.
    pub kind: Option<String>,
}

/// AuditSourceIdentification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub id: String,
    pub site: Option<String>,
    /// AuditSourceTypeCode; the system may be empty.
    pub types: Vec<Coded>,
}

/// ParticipantObjectIdentification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub id: Option<String>,
    pub id_type: Coded,
    pub kind: Option<String>,
    pub role: Option<String>,
    pub life_cycle: Option<String>,
    pub sensitivity: Option<String>,
    /// The schema has either a name or a query.
    pub content: Option<Content>,
    pub details: Vec<Detail>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Name(String),
    /// In base64.
    Query(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub kind: String,
    /// In base64.
    pub value: String,
}

impl Object {
    pub fn is_patient(&self) -> bool {
        self.kind.as_deref() == Some("1") && self.role.as_deref() == Some("1")
    }
}

impl Message {
    /// The patients that it names, CX.
    pub fn patients(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().filter(|object| object.is_patient()).filter_map(|object| object.id.as_deref())
    }
}
