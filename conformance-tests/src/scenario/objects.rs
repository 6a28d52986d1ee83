//! What a step submits: objects, as they differ from their templates.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How an object differs from its template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// Placeholder of the template → value.
    pub values: BTreeMap<String, String>,
    /// Blocks left out.
    pub without: Vec<String>,
    /// Blocks written twice.
    pub twice: Vec<String>,
    /// Block → XML in its place.
    pub xml: BTreeMap<String, String>,
    /// Text → other text, applied last; the text must be there.
    pub edit: Vec<(String, String)>,
}

/// Metadata for the transactions that submit. When nothing is named that it holds: one document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Submission {
    pub set: Vec<Object>,
    pub document: Option<Vec<Document>>,
    pub folder: Vec<Object>,
    pub association: Vec<Association>,
    /// Whether the HasMember associations of the SubmissionSet are added.
    pub members: bool,
    /// XML at the end of the RegistryObjectList.
    pub more: String,
    pub edit: Vec<(String, String)>,
}

impl Default for Submission {
    fn default() -> Self {
        Submission {
            set: vec![Object::default()],
            document: None,
            folder: Vec::new(),
            association: Vec::new(),
            members: true,
            more: String::new(),
            edit: Vec::new(),
        }
    }
}

/// A SubmissionSet or a Folder.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Object {
    pub name: Option<String>,
    /// `@id`; absent: a fresh UUID.
    pub id: Option<String>,
    pub change: Change,
    pub version: Version,
}

/// Makes an object the new version of another one (ITI-57, ITI-92).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Version {
    /// Name of the object: its logicalID and uniqueId are taken, of a document hash, size and repositoryUniqueId too.
    pub of: Option<String>,
    /// PreviousVersion, in the HasMember of the SubmissionSet.
    pub previous: Option<String>,
    /// AssociationPropagation, there too.
    pub propagation: Option<String>,
    /// Another logicalID.
    pub logical_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    pub name: Option<String>,
    pub id: Option<String>,
    pub change: Change,
    pub version: Version,
    /// The octets as text; absent: a sentence that is different for each document.
    pub content: Option<String>,
    pub base64: Option<String>,
    /// In an MTOM package: base64 in the envelope all the same.
    pub inline: bool,
    /// Leaves out the ExtrinsicObject or the Document.
    pub only: Option<Half>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    Metadata,
    Octets,
}

/// Ends are names of objects, or ids.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    pub name: Option<String>,
    /// Short name (`RPLC`) or URN.
    #[serde(rename = "type")]
    pub kind: String,
    pub source: String,
    pub target: String,
    /// The SubmissionSetStatus Slot.
    pub status: Option<String>,
    /// Further Slots: name, then Values.
    #[serde(default)]
    pub slots: Vec<Vec<String>>,
    pub id: Option<String>,
    #[serde(default)]
    pub change: Change,
}
