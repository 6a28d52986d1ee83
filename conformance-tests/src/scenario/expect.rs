//! What an answer is held against.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What the answer must be. Every list is exact, whatever its order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    pub http: Option<u16>,
    /// Code of a SOAP fault, without prefix.
    pub fault: Option<String>,
    /// Text that the body contains, for answers that are not SOAP.
    pub contains: Option<String>,
    /// Status of the registry response; absent: Success.
    pub status: Option<String>,
    /// Codes of the errors.
    pub errors: Option<Vec<String>>,
    /// At least one error, with no other codes than these.
    pub errors_among: Option<Vec<String>>,
    /// Codes of the warnings.
    pub warnings: Option<Vec<String>>,
    /// How many objects or documents come back.
    pub count: Option<usize>,
    /// Names of the documents that come back; after ITI-43 with their octets.
    pub documents: Option<Vec<String>>,
    /// Names of the SubmissionSets that come back.
    pub sets: Option<Vec<String>>,
    /// Names of the Folders that come back.
    pub folders: Option<Vec<String>>,
    /// The Associations that come back.
    pub associations: Option<Vec<Link>>,
    /// Objects whose every attribute comes back as it was sent.
    pub as_sent: Vec<String>,
    /// Object → attribute → value or values; `*` at either end stands for anything.
    pub entry: BTreeMap<String, BTreeMap<String, OneOrMany>>,
    /// Document → part of its DocumentResponse → value.
    pub retrieved: BTreeMap<String, BTreeMap<String, OneOrMany>>,
    /// Code of the acknowledgement of a feed message.
    pub ack: Option<String>,
    /// Content-Encoding of the answer.
    pub content_encoding: Option<String>,
    /// RegistryError/@location or @codeContext that each must occur in an error.
    pub concerning: Vec<String>,
}

impl Expect {
    /// Whether the server is to refuse.
    pub fn is_refusal(&self) -> bool {
        self.fault.is_some()
            || self.status.as_deref() == Some("Failure")
            || self.http.is_some_and(|status| status >= 400)
            || self.ack.as_deref().is_some_and(|ack| !ack.ends_with('A'))
    }
}

/// An Association: the name of one that was sent, or type, source and target.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Link {
    Name(String),
    Ends(Vec<Link>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn values(&self) -> Vec<&str> {
        match self {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values.iter().map(String::as_str).collect(),
        }
    }
}
