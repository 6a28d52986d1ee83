//! A scenario as it is written down: TOML, one file each. The words of the format are explained in README.md.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::offer::Need;
use crate::transaction::Transaction;

/// A conversation with a server about one fresh patient.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Path below `scenarios/`, without the ending.
    pub name: String,
    pub title: String,
    /// Why it matters, for the reader of the report.
    pub purpose: String,
    /// Where the standard asks for it.
    pub spec: String,
    pub needs: Vec<Need>,
    pub steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default)]
    purpose: String,
    spec: String,
    #[serde(default)]
    needs: Needs,
    step: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Needs {
    One(Need),
    Many(Vec<Need>),
}

impl Default for Needs {
    fn default() -> Self {
        Needs::Many(Vec::new())
    }
}

/// One request and what its answer must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    /// Absent: whatever `http` says.
    pub send: Option<Transaction>,
    /// Absent: what the standard asks for.
    pub encoding: Option<Encoding>,
    #[serde(default)]
    pub submission: Submission,
    #[serde(default)]
    pub query: Query,
    #[serde(default)]
    pub retrieve: Vec<Retrieve>,
    /// Objects (ITI-62) or documents (ITI-86) to be removed.
    #[serde(default)]
    pub remove: Vec<Removal>,
    #[serde(default)]
    pub feed: Feed,
    #[serde(default)]
    pub soap: Change,
    #[serde(default)]
    pub package: Package,
    #[serde(default)]
    pub http: Http,
    /// The answer is to be sent to an address of the runner.
    #[serde(default)]
    pub asynchronous: bool,
    #[serde(default)]
    pub expect: Expect,
    /// With `at_once`: what all answers but one must be.
    pub otherwise: Option<Expect>,
    /// Placeholder → `document.attribute` of the answer.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
    /// The request does not keep to its schema, and is to be accepted all the same.
    #[serde(default)]
    pub loose: bool,
    /// Sent at the same time, by `at_once`.
    #[serde(skip)]
    pub beside: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    Simple,
    Mtom,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    Registry,
    Repository,
    /// MLLP.
    Feed,
}

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

impl Scenario {
    /// Reads a file. Steps with `each` become as many steps as it has values.
    pub fn read(name: &str, text: &str) -> anyhow::Result<Scenario> {
        let file: File = toml::from_str(text)?;
        let mut steps = Vec::new();
        for mut table in file.step {
            if let Some(values) = table.remove("at_once") {
                steps.push(at_once(table, values)?);
                continue;
            }
            for table in expand(table)? {
                steps.push(table.try_into()?);
            }
        }
        let needs = match file.needs {
            Needs::One(need) => vec![need],
            Needs::Many(needs) => needs,
        };
        let (title, purpose, spec) = (file.title, file.purpose, file.spec);
        Ok(Scenario { name: name.to_owned(), title, purpose, spec, needs, steps })
    }
}

/// `at_once = ["a", "b"]`: as `each`, but all are sent at the same time.
fn at_once(mut table: toml::Table, values: toml::Value) -> anyhow::Result<Step> {
    let name = table.get("name").cloned();
    table.insert("each".into(), values);
    let steps: Result<Vec<Step>, _> = expand(table)?.into_iter().map(toml::Table::try_into).collect();
    let mut steps = steps?.into_iter();
    let mut first = steps.next().ok_or_else(|| anyhow::anyhow!("`at_once` has no values"))?;
    if let Some(name) = name.as_ref().and_then(toml::Value::as_str) {
        first.name = name.to_owned();
    }
    first.beside = steps.collect();
    Ok(first)
}

/// `each = ["a", "b"]`: the step once with `{{each}}` = a, once with b. `each = [{x = "1"}]`: `{{each.x}}` = 1.
fn expand(mut step: toml::Table) -> anyhow::Result<Vec<toml::Table>> {
    let values = match step.remove("each") {
        None => return Ok(vec![step]),
        Some(toml::Value::Array(values)) => values,
        Some(other) => anyhow::bail!("`each` is a list, not {other}"),
    };
    values
        .iter()
        .map(|value| {
            let mut words = Vec::new();
            match value {
                toml::Value::Table(table) => {
                    for (key, value) in table {
                        let text =
                            value.as_str().ok_or_else(|| anyhow::anyhow!("`each.{key}` is not a text"))?;
                        words.push((format!("{{{{each.{key}}}}}"), text));
                    }
                }
                toml::Value::String(text) => words.push(("{{each}}".to_owned(), text)),
                other => anyhow::bail!("`each` holds {other}: texts or tables are expected"),
            }
            Ok(replace_in_table(&step, &words))
        })
        .collect()
}

fn replace_in_table(table: &toml::Table, words: &[(String, &str)]) -> toml::Table {
    table.iter().map(|(key, value)| (replace_in_text(key, words), replace(value, words))).collect()
}

fn replace(value: &toml::Value, words: &[(String, &str)]) -> toml::Value {
    match value {
        toml::Value::String(text) => replace_in_text(text, words).into(),
        toml::Value::Array(values) => {
            values.iter().map(|value| replace(value, words)).collect::<Vec<_>>().into()
        }
        toml::Value::Table(table) => replace_in_table(table, words).into(),
        other => other.clone(),
    }
}

fn replace_in_text(text: &str, words: &[(String, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_repeated_for_each_value() {
        let text = r#"
            title = "t"
            spec = "s"
            [[step]]
            name = "without {{each}}"
            each = ["classCode", "typeCode"]
            send = "ITI-42"
            submission.document = [{ change.without = ["{{each}}"] }]
            [[step]]
            name = "{{each.a}}{{each.b}}"
            each = [{ a = "1", b = "2" }]
        "#;
        let scenario = Scenario::read("n", text).unwrap();
        let names: Vec<&str> = scenario.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["without classCode", "without typeCode", "12"]);
        assert_eq!(scenario.steps[1].submission.document.as_ref().unwrap()[0].change.without, ["typeCode"]);
    }

    #[test]
    fn a_word_that_the_format_does_not_know_is_refused() {
        let text = "title = 't'\nspec = 's'\n[[step]]\nname = 'n'\nexpects = {}";
        assert!(Scenario::read("n", text).unwrap_err().to_string().contains("expects"));
    }
}
