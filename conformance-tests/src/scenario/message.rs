//! What a step asks, and how it goes over the wire.

use serde::Deserialize;

use super::{Change, Endpoint};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// Name of a stored query, or its id.
    pub id: String,
    pub return_type: String,
    /// One Slot each: name, then Values. Absent: the patient's approved documents.
    pub slots: Option<Vec<Vec<String>>>,
    /// Further Slots.
    pub and: Vec<Vec<String>>,
}

impl Default for Query {
    fn default() -> Self {
        Query { id: "FindDocuments".into(), return_type: "LeafClass".into(), slots: None, and: Vec::new() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retrieve {
    /// Name of a document, or a uniqueId.
    pub document: String,
    /// Absent: the repository under test.
    pub repository: Option<String>,
}

/// What is removed: an object by its name or id, or a document of a repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Removal {
    Name(String),
    Document(Retrieve),
}

/// A message of the patient identity feed, as HL7 v2 (ITI-8) or HL7 v3 (ITI-44).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Feed {
    /// Trigger event; for ITI-44 A01, A08 and A40 are `PRPA_IN201301UV02`, 302 and 304.
    pub event: String,
    pub patient: String,
    /// Of a merge: the identifier that ends.
    pub subsumed: String,
    pub change: Change,
    /// In place of the message.
    pub text: Option<String>,
}

impl Default for Feed {
    fn default() -> Self {
        Feed {
            event: "A01".into(),
            patient: "{{patient}}".into(),
            subsumed: "{{patient:subsumed}}".into(),
            change: Change::default(),
            text: None,
        }
    }
}

/// How an MTOM package is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Package {
    /// Root part last, `start` names it.
    pub root_last: bool,
    pub start: Start,
    /// `cid:` URLs with every character that may be percent-encoded in that form.
    pub percent_encoded: bool,
    /// Documents whose part is left out.
    pub without: Vec<String>,
    pub edit: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    #[default]
    Brackets,
    Bare,
    Absent,
}

/// What goes over the wire otherwise than usual.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub to: Option<Endpoint>,
    /// A GET with this query string; the request has no body.
    pub get: Option<String>,
    pub content_type: Option<String>,
    pub body: Option<String>,
    /// Transfer-Encoding: chunked.
    pub chunked: bool,
    /// Expect: 100-continue.
    pub expect_continue: bool,
    /// The body is compressed.
    pub gzip: bool,
    /// A compressed answer is welcome.
    pub accept_gzip: bool,
}
