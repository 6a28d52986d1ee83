use access::Requester;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Act;

/// EventOutcomeIndicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 0
    Success,
    /// 4: refused, or failed for a reason in the request.
    MinorFailure,
    /// 8: failed for a reason in the server.
    SeriousFailure,
}

/// How the message that told of a patient is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageId {
    /// MSH-10 of HL7 v2.
    ControlId(String),
    /// The II of an HL7 v3 message.
    Ii(String),
}

/// What was touched, beside the patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// 2/20 by SubmissionSet.uniqueId.
    SubmissionSet {
        unique_id: String,
        /// Of the documents in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        titles: Vec<String>,
    },
    /// 2/3 by DocumentEntry.uniqueId.
    Document {
        unique_id: String,
        repository_unique_id: String,
        home_community_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// 2/3 by entryUUID (`urn:uuid:`): an object of the registry that is removed.
    RegistryObject { entry_uuid: String, kind: RegistryObjectKind },
    /// 2/24: stored query id, and the `query:AdhocQueryRequest` as XML.
    Query { id: String, request: String, home_community_id: Option<String> },
}

/// What an entryUUID stands for: tells how its id is named in the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryObjectKind {
    DocumentEntry,
    OnDemandDocumentEntry,
    SubmissionSet,
    Folder,
    HasMember,
    Replacement,
    Transformation,
    Addendum,
    TransformationAndReplacement,
    Signature,
    Snapshot,
    /// Any other, and what is not known.
    Reference,
}

/// The node that writes the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// AuditSourceID.
    pub id: String,
    /// AuditEnterpriseSiteID.
    pub enterprise_site: Option<String>,
    /// The process, by its number in the operating system. The first events did not tell: 0.
    #[serde(default)]
    pub process: u32,
}

impl Source {
    /// This process.
    pub fn here(id: impl Into<String>, enterprise_site: Option<String>) -> Self {
        Source { id: id.into(), enterprise_site, process: std::process::id() }
    }
}

/// One event: one patient at most, one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub act: Act,
    pub outcome: Outcome,
    /// EventOutcomeDescription: error codes and sentences, never content of documents.
    pub outcome_description: Option<String>,
    pub requester: Requester,
    pub source: Source,
    /// The patient as CX.
    pub patient: Option<String>,
    /// The message that told of the patient, in transactions of a patient identity feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    pub objects: Vec<Object>,
}

impl Event {
    pub fn new(act: Act, outcome: Outcome, requester: &Requester, source: &Source) -> Self {
        Event {
            id: Uuid::new_v4(),
            at: Utc::now(),
            act,
            outcome,
            outcome_description: None,
            requester: requester.clone(),
            source: source.clone(),
            patient: None,
            message: None,
            objects: Vec::new(),
        }
    }

    pub fn patient(mut self, cx: Option<&str>) -> Self {
        self.patient = cx.map(str::to_owned);
        self
    }

    pub fn message(mut self, message: Option<MessageId>) -> Self {
        self.message = message;
        self
    }

    pub fn object(mut self, object: Object) -> Self {
        self.objects.push(object);
        self
    }

    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.outcome_description = Some(description.into());
        self
    }

    /// What was done, in one line for a person.
    pub fn summary(&self) -> String {
        let documents: Vec<&str> = self
            .objects
            .iter()
            .filter_map(|object| match object {
                Object::Document { unique_id, .. } => Some(unique_id.as_str()),
                _ => None,
            })
            .collect();
        let set = self.objects.iter().find_map(|object| match object {
            Object::SubmissionSet { unique_id, .. } => Some(unique_id.as_str()),
            _ => None,
        });
        let what = match self.act {
            Act::Iti41Repository => format!("filed documents, submission {}", set.unwrap_or("unknown")),
            Act::Iti42Registry => format!("registered metadata, submission {}", set.unwrap_or("unknown")),
            Act::Iti42Repository => {
                format!("sent metadata to the registry, submission {}", set.unwrap_or("unknown"))
            }
            Act::Iti57Registry => format!("updated metadata, submission {}", set.unwrap_or("unknown")),
            Act::Iti92Registry => {
                format!("updated metadata within restrictions, submission {}", set.unwrap_or("unknown"))
            }
            Act::Iti18Registry => "searched the record".to_owned(),
            Act::Iti51Registry => "searched several records".to_owned(),
            Act::Iti43Repository => match documents.as_slice() {
                [one] => format!("read document {one}"),
                several => format!("read {} documents: {}", several.len(), several.join(", ")),
            },
            Act::Iti61Registry => {
                format!("registered on-demand documents, submission {}", set.unwrap_or("unknown"))
            }
            Act::Iti62Registry => format!("removed {} objects from the registry", self.objects.len()),
            Act::Iti86Repository => format!("removed documents: {}", documents.join(", ")),
            Act::PatientOpened => "opened the record".to_owned(),
            Act::Iti8Added | Act::Iti44Added => "announced the patient".to_owned(),
            Act::Iti8Revised | Act::Iti44Revised => "revised the patient".to_owned(),
            Act::Iti8Survived | Act::Iti44Survived | Act::PatientSurvived => {
                "merged another record into this one".to_owned()
            }
            Act::Iti8Subsumed | Act::Iti44Subsumed | Act::PatientSubsumed => {
                "merged this record into another".to_owned()
            }
            Act::NodeRefused => "was refused as a node".to_owned(),
            Act::AuditRead | Act::Iti81AuditRepository | Act::Iti82AuditRepository => {
                "read the traces".to_owned()
            }
            Act::AuditExported => "exported the traces".to_owned(),
            Act::AuditVerified => "verified the traces".to_owned(),
            Act::AuditExpired => "let old traces go".to_owned(),
            Act::AuditBlanked => "blanked traces of the record".to_owned(),
            Act::ConfigurationLoaded => "loaded the configuration".to_owned(),
            Act::CodesChanged => "changed the code sets".to_owned(),
            Act::ClockUnsynchronised => "found the clock unsynchronised".to_owned(),
            Act::AuthenticationFailed => "could not prove who it is".to_owned(),
            Act::ServerStarted => "started the server".to_owned(),
            Act::ServerStopped => "stopped the server".to_owned(),
        };
        let unverified = match self.requester.authentication {
            access::Authentication::Unverified => " [unverified]",
            _ => "",
        };
        match &self.outcome_description {
            Some(description) => format!("{what} ({description}){unverified}"),
            None => format!("{what}{unverified}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(act: Act, objects: &[Object]) -> String {
        let source = Source::here("carnet", None);
        let mut event = Event::new(act, Outcome::Success, &Requester::remote(None, "http://h/x"), &source);
        event.objects = objects.to_vec();
        event.summary()
    }

    fn document(unique_id: &str) -> Object {
        Object::Document {
            unique_id: unique_id.to_owned(),
            repository_unique_id: "1.2.5".to_owned(),
            home_community_id: None,
            title: None,
        }
    }

    #[test]
    fn a_summary_names_what_was_touched() {
        let set = Object::SubmissionSet { unique_id: "1.2.3".to_owned(), titles: Vec::new() };
        assert_eq!(
            summary(Act::Iti41Repository, std::slice::from_ref(&set)),
            "filed documents, submission 1.2.3"
        );
        assert_eq!(summary(Act::Iti42Registry, &[]), "registered metadata, submission unknown");
        assert_eq!(summary(Act::Iti43Repository, &[document("1.1")]), "read document 1.1");
        assert_eq!(
            summary(Act::Iti43Repository, &[document("1.1"), document("1.2")]),
            "read 2 documents: 1.1, 1.2"
        );
    }

    #[test]
    fn a_summary_gives_the_reason_and_says_what_nobody_checked() {
        let mut requester = Requester::remote(None, "http://h/x");
        requester.authentication = access::Authentication::Unverified;
        let source = Source::here("carnet", None);
        let event = Event::new(Act::Iti18Registry, Outcome::MinorFailure, &requester, &source);
        let event = event.described("XDSUnknownPatientId");
        assert_eq!(event.summary(), "searched the record (XDSUnknownPatientId) [unverified]");
    }
}
