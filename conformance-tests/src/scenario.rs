//! A scenario as it is written down: TOML, one file each. The words of the format are explained in README.md.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A conversation with a server about one fresh patient.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Path below `scenarios/`, without the ending.
    pub name: String,
    pub title: String,
    pub needs: Option<Needs>,
    pub steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    /// Where the standard asks for it; for the reader of the file.
    #[serde(rename = "spec")]
    _spec: String,
    needs: Option<Needs>,
    step: Vec<toml::Table>,
}

/// What the server must be set to for a scenario to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Needs {
    #[serde(rename = "unknown patients opened")]
    UnknownPatientsOpened,
    #[serde(rename = "unknown patients refused")]
    UnknownPatientsRefused,
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
    #[serde(default)]
    pub soap: Change,
    #[serde(default)]
    pub package: Package,
    #[serde(default)]
    pub http: Http,
    #[serde(default)]
    pub expect: Expect,
    /// Placeholder → `document.attribute` of the answer.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Transaction {
    #[serde(rename = "ITI-18")]
    Iti18,
    #[serde(rename = "ITI-41")]
    Iti41,
    #[serde(rename = "ITI-42")]
    Iti42,
    #[serde(rename = "ITI-43")]
    Iti43,
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

/// Metadata for ITI-41 and ITI-42. When nothing is named that it holds: one document.
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
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    pub name: Option<String>,
    pub id: Option<String>,
    pub change: Change,
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
    /// Short name (`RPLC`) or URN.
    #[serde(rename = "type")]
    pub kind: String,
    pub source: String,
    pub target: String,
    /// The SubmissionSetStatus Slot.
    pub status: Option<String>,
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
    /// Documents whose every attribute comes back as it was sent.
    pub as_sent: Vec<String>,
    /// Document → attribute → value or values; `*` at the end stands for anything.
    pub entry: BTreeMap<String, BTreeMap<String, OneOrMany>>,
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
        for table in file.step {
            for table in expand(table)? {
                steps.push(table.try_into()?);
            }
        }
        Ok(Scenario { name: name.to_owned(), title: file.title, needs: file.needs, steps })
    }
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
