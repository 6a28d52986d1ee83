//! A scenario as it is written down: TOML, one file each. The words of the format are explained in README.md.

mod each;
mod expect;
mod message;
mod objects;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::offer::Need;
use crate::transaction::Transaction;

pub use expect::{Expect, Link, OneOrMany};
pub use message::{Feed, Http, Package, Query, Removal, Retrieve, Start};
pub use objects::{Association, Change, Document, Half, Object, Submission, Version};

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
    /// Placeholder → what it stands for in all steps.
    pub values: BTreeMap<String, String>,
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
    #[serde(default)]
    values: BTreeMap<String, String>,
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

impl Scenario {
    /// Reads a file. Steps with `each` become as many steps as it has values.
    pub fn read(name: &str, text: &str) -> anyhow::Result<Scenario> {
        let file: File = toml::from_str(text)?;
        let mut steps = Vec::new();
        for mut table in file.step {
            if let Some(values) = table.remove("at_once") {
                steps.push(each::at_once(table, values)?);
                continue;
            }
            for table in each::expand(table)? {
                steps.push(table.try_into()?);
            }
        }
        let needs = match file.needs {
            Needs::One(need) => vec![need],
            Needs::Many(needs) => needs,
        };
        let (title, purpose, spec) = (file.title, file.purpose, file.spec);
        Ok(Scenario { name: name.to_owned(), title, purpose, spec, needs, values: file.values, steps })
    }
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
