use chrono::{DateTime, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::fhir::Issue;
use crate::{Event, Kind, dicom};

/// What the audit holds: an event of this node, or what another node told. Its JSON is what is stored, and what the
/// hash tree covers: it is written once and never written again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "nearly all entries are our own")]
pub enum Entry {
    Own(Event),
    Received(Received),
}

/// In which form another node told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A DICOM audit message, over syslog.
    Dicom,
    /// A FHIR AuditEvent as JSON, over HTTP.
    FhirJson,
    /// A FHIR AuditEvent as XML, over HTTP.
    FhirXml,
}

/// A message of another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub id: Uuid,
    /// When it happened, as the message tells.
    pub at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    /// The node that sent it: its address and, where it showed one, the subject of its certificate.
    pub peer: String,
    pub format: Format,
    /// The message as it came.
    pub octets: String,
    /// The head of the syslog message that it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The patients that it names: CX, or a FHIR reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patients: Vec<String>,
}

/// How a message came.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub at: DateTime<Utc>,
    /// The node that sent it: its address and, where it showed one, the subject of its certificate.
    pub peer: String,
}

/// A message that was taken cannot be read any more.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("a received audit message cannot be read: {0}")]
    Dicom(#[from] dicom::Error),
    #[error("a received AuditEvent cannot be read: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Fhir(Vec<Issue>),
}

impl From<Vec<Issue>> for Unreadable {
    fn from(issues: Vec<Issue>) -> Self {
        Unreadable::Fhir(issues)
    }
}

impl Received {
    /// What is stored of a DICOM audit message of at most `bytes` bytes. `header` is the head of the syslog message that it
    /// came in.
    pub fn dicom(
        text: String,
        header: Option<String>,
        arrival: Arrival,
        bytes: usize,
    ) -> Result<Received, dicom::Error> {
        let message = dicom::parse(&text, bytes)?;
        Ok(Received {
            id: Uuid::new_v4(),
            at: message.at,
            received_at: arrival.at,
            peer: arrival.peer,
            format: Format::Dicom,
            patients: message.patients().map(str::to_owned).collect(),
            octets: text,
            header,
        })
    }
}

impl Entry {
    pub fn id(&self) -> Uuid {
        match self {
            Entry::Own(event) => event.id,
            Entry::Received(received) => received.id,
        }
    }

    /// When it happened.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Entry::Own(event) => event.at,
            Entry::Received(received) => received.at,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Entry::Own(event) => event.act.row().kind,
            Entry::Received(_) => Kind::Received,
        }
    }

    /// The traces of a secret session are hidden from the patient's legal representatives. Other nodes do not tell.
    pub fn hidden_from_legal_representatives(&self) -> bool {
        match self {
            Entry::Own(event) => event.requester.secret_session,
            Entry::Received(_) => false,
        }
    }

    /// The patient under whom it is found; of several that a received message names, the first.
    pub fn patient(&self) -> Option<&str> {
        match self {
            Entry::Own(event) => event.patient.as_deref(),
            Entry::Received(received) => received.patients.first().map(String::as_str),
        }
    }
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        Entry::Own(event)
    }
}

impl<'de> Deserialize<'de> for Entry {
    /// An event that names no kind of entry is our own: the first events did not.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(deserializer)?;
        let tag = value.as_object_mut().and_then(|object| object.remove("entry"));
        match tag.as_ref().map(|tag| tag.as_str()) {
            None | Some(Some("own")) => serde_json::from_value(value).map(Entry::Own),
            Some(Some("received")) => serde_json::from_value(value).map(Entry::Received),
            Some(_) => return Err(D::Error::custom("an entry of an unknown kind")),
        }
        .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
