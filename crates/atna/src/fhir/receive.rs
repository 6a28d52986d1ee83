//! The FHIR feed of ITI-20: AuditEvents that other nodes post, one by one or as a batch.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;
use xml::{Document, Limits};

use super::outcome::{Issue, operation_outcome};
use super::{patient, xml as form};
use crate::entry::Arrival;
use crate::message::Indicator;
use crate::table::Action;
use crate::{Format, Received};

/// Deeper than any resource that is taken.
const DEPTH: u32 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Json,
    Xml,
}

/// The resource in a text of at most `bytes` bytes: well-formed, and with the elements that FHIR gives it.
pub fn read(text: &str, encoding: Encoding, bytes: usize) -> Result<Value, Vec<Issue>> {
    if text.len() > bytes {
        return Err(vec![Issue::new("too-long", format!("more than {bytes} bytes"))]);
    }
    let mut issues = Vec::new();
    let value = match encoding {
        Encoding::Json => {
            let value = serde_json::from_str(text).map_err(|error| vec![json_issue(&error)])?;
            form::check(&value, "", &mut issues);
            value
        }
        Encoding::Xml => {
            let limits = Limits { bytes, depth: DEPTH, ..Limits::default() };
            let document = Document::parse(text, &limits)
                .map_err(|error| vec![Issue::new("structure", error.to_string())])?;
            form::resource(document.root(), "", &mut issues)
        }
    };
    if issues.is_empty() { Ok(value) } else { Err(issues) }
}

/// serde_json's own words may quote.
fn json_issue(error: &serde_json::Error) -> Issue {
    let (line, column) = (error.line(), error.column());
    Issue::new("structure", format!("not JSON at line {line}, column {column}"))
}

/// What is stored of an AuditEvent that was read from `text`.
pub fn received(
    resource: &Value,
    text: String,
    encoding: Encoding,
    arrival: Arrival,
) -> Result<Received, Vec<Issue>> {
    let at = requirements(resource)?;
    Ok(Received {
        id: Uuid::new_v4(),
        at,
        received_at: arrival.at,
        peer: arrival.peer,
        format: match encoding {
            Encoding::Json => Format::FhirJson,
            Encoding::Xml => Format::FhirXml,
        },
        octets: text,
        header: None,
        patients: patient::all(resource),
    })
}

/// Each AuditEvent of a batch by itself. It is stored as JSON, since it did not come alone.
#[allow(clippy::type_complexity, reason = "a verdict on the whole, then on each")]
pub fn batch(bundle: &Value, arrival: &Arrival) -> Result<Vec<Result<Received, Vec<Issue>>>, Vec<Issue>> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    if text(bundle, "resourceType").as_deref() != Some("Bundle") {
        return Err(vec![Issue::structure("", "is not a Bundle")]);
    }
    if text(bundle, "type").as_deref() != Some("batch") {
        return Err(vec![Issue::value("Bundle.type", "is not batch")]);
    }
    let entries = bundle.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let one = |(index, entry): (usize, &Value)| {
        let path = format!("Bundle.entry[{index}]");
        let request = entry.get("request").unwrap_or(&Value::Null);
        if text(request, "method").as_deref() != Some("POST") {
            return Err(vec![Issue::value(&format!("{path}.request.method"), "is not POST")]);
        }
        if text(request, "url").as_deref().map(|url| url.trim_matches('/')) != Some("AuditEvent") {
            return Err(vec![Issue::value(&format!("{path}.request.url"), "is not AuditEvent")]);
        }
        let Some(resource) = entry.get("resource") else {
            return Err(vec![Issue::required(&format!("{path}.resource"))]);
        };
        received(resource, resource.to_string(), Encoding::Json, arrival.clone())
    };
    Ok(entries.iter().enumerate().map(one).collect())
}

/// The answer to a batch; a member was stored under its id, or was not for these reasons.
pub fn batch_response(members: &[Result<Uuid, Vec<Issue>>]) -> Value {
    let entries: Vec<Value> = members
        .iter()
        .map(|member| match member {
            Ok(id) => json!({"response": {"status": "201 Created", "location": format!("AuditEvent/{id}")}}),
            Err(issues) => {
                json!({"response": {"status": "400 Bad Request", "outcome": operation_outcome(issues)}})
            }
        })
        .collect();
    match entries.is_empty() {
        true => json!({"resourceType": "Bundle", "type": "batch-response"}),
        false => json!({"resourceType": "Bundle", "type": "batch-response", "entry": entries}),
    }
}

/// When it happened, if everything is there that an AuditEvent must have.
fn requirements(resource: &Value) -> Result<DateTime<Utc>, Vec<Issue>> {
    let mut issues = Vec::new();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if text(resource.get("resourceType")).as_deref() != Some("AuditEvent") {
        return Err(vec![Issue::structure("", "is not an AuditEvent")]);
    }
    if text(resource.pointer("/type/code")).is_none() {
        issues.push(Issue::required("AuditEvent.type.code"));
    }
    let recorded = text(resource.get("recorded"));
    let at = recorded.as_deref().map(DateTime::parse_from_rfc3339);
    match at {
        None => issues.push(Issue::required("AuditEvent.recorded")),
        Some(Err(_)) => {
            issues.push(Issue::value("AuditEvent.recorded", "is not an instant with a time zone"))
        }
        Some(Ok(_)) => {}
    }
    match text(resource.get("action")) {
        Some(letter) if Action::from_letter(&letter).is_none() => {
            issues.push(Issue::value("AuditEvent.action", "is not C, R, U, D or E"));
        }
        _ => {}
    }
    match text(resource.get("outcome")) {
        Some(code) if Indicator::from_code(&code).is_none() => {
            issues.push(Issue::value("AuditEvent.outcome", "is not 0, 4, 8 or 12"));
        }
        _ => {}
    }
    let list = |name: &str| resource.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if list("agent").is_empty() {
        issues.push(Issue::required("AuditEvent.agent"));
    }
    for (index, agent) in list("agent").iter().enumerate() {
        if agent.get("requestor").is_none() {
            issues.push(Issue::required(&format!("AuditEvent.agent[{index}].requestor")));
        }
    }
    if resource.pointer("/source/observer").is_none() {
        issues.push(Issue::required("AuditEvent.source.observer"));
    }
    for (index, entity) in list("entity").iter().enumerate() {
        if entity.get("name").is_some() && entity.get("query").is_some() {
            let path = format!("AuditEvent.entity[{index}]");
            issues.push(Issue {
                code: "invariant",
                ..Issue::value(&path, "has both a name and a query (sev-1)")
            });
        }
    }
    match at {
        Some(Ok(at)) if issues.is_empty() => Ok(at.to_utc()),
        _ => Err(issues),
    }
}
