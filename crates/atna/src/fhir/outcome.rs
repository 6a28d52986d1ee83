//! Bundles and OperationOutcomes.

use serde_json::{Map, Value, json};

use super::render::holding;

/// One thing that is wrong. Its sentence never quotes content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// FHIR's IssueType.
    pub code: &'static str,
    pub diagnostics: String,
    /// The element, as a path; empty when there is none.
    pub expression: String,
}

impl Issue {
    pub fn new(code: &'static str, diagnostics: impl Into<String>) -> Self {
        Issue { code, diagnostics: diagnostics.into(), expression: String::new() }
    }

    pub(super) fn structure(path: &str, diagnostics: impl Into<String>) -> Self {
        Issue { expression: path.to_owned(), ..Issue::new("structure", diagnostics) }
    }

    pub(super) fn required(path: &str) -> Self {
        Issue { expression: path.to_owned(), ..Issue::new("required", "is required") }
    }

    pub(super) fn value(path: &str, diagnostics: impl Into<String>) -> Self {
        Issue { expression: path.to_owned(), ..Issue::new("value", diagnostics) }
    }
}

impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.expression.as_str() {
            "" => write!(f, "{}", self.diagnostics),
            path => write!(f, "{path}: {}", self.diagnostics),
        }
    }
}

pub fn operation_outcome(issues: &[Issue]) -> Value {
    let issues: Vec<Value> = issues
        .iter()
        .map(|issue| {
            let mut told = Map::new();
            told.insert("severity".to_owned(), json!("error"));
            told.insert("code".to_owned(), json!(issue.code));
            told.insert("diagnostics".to_owned(), json!(issue.to_string()));
            if !issue.expression.is_empty() {
                told.insert("expression".to_owned(), json!([issue.expression]));
            }
            Value::Object(told)
        })
        .collect();
    json!({"resourceType": "OperationOutcome", "issue": issues})
}

/// The answer to a search. `links` are (relation, URL); `base` is where resources live, without a slash at its end.
pub fn bundle(base: &str, total: Option<u64>, links: &[(&str, String)], resources: Vec<Value>) -> Value {
    let mut bundle = Map::new();
    bundle.insert("resourceType".to_owned(), json!("Bundle"));
    bundle.insert("type".to_owned(), json!("searchset"));
    if let Some(total) = total {
        bundle.insert("total".to_owned(), json!(total));
    }
    let links: Vec<Value> =
        links.iter().map(|(relation, url)| json!({"relation": relation, "url": url})).collect();
    if !links.is_empty() {
        bundle.insert("link".to_owned(), Value::Array(links));
    }
    let entries: Vec<Value> = resources
        .into_iter()
        .map(|resource| {
            let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
            let url = format!("{base}/AuditEvent/{id}");
            holding([
                ("fullUrl", Value::String(url)),
                ("search", json!({"mode": "match"})),
                ("resource", resource),
            ])
        })
        .collect();
    if !entries.is_empty() {
        bundle.insert("entry".to_owned(), Value::Array(entries));
    }
    Value::Object(bundle)
}
