use access::Requester;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Act, Gone};

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
    /// Traces that went.
    Gone(Gone),
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
}
