//! An audit message as an AuditEvent.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::system;
use crate::message::{Coded, Content, Message, Object, Participant};

const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const LIFE_CYCLE: &str = "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";

/// Without an id, which belongs to the entry.
pub fn audit_event(message: &Message) -> Value {
    let mut resource = Map::new();
    let mut put = |name: &str, value: Option<Value>| put(&mut resource, name, value);
    put("resourceType", Some(json!("AuditEvent")));
    put("type", Some(coding(&message.event)));
    put("subtype", list(message.types.iter().map(coding)));
    put("action", message.action.map(|action| json!(action.letter())));
    put("recorded", Some(json!(message.at.to_rfc3339_opts(SecondsFormat::Millis, true))));
    put("outcome", Some(json!(message.outcome.code())));
    put("outcomeDesc", text(&message.description));
    put("purposeOfEvent", list(message.purposes.iter().map(concept)));
    put("agent", list(message.participants.iter().map(agent)));
    put("source", Some(source(&message.source)));
    put("entity", list(message.objects.iter().map(entity)));
    Value::Object(resource)
}

fn agent(participant: &Participant) -> Value {
    let mut agent = Map::new();
    let mut put = |name: &str, value: Option<Value>| put(&mut agent, name, value);
    let mut roles = participant.roles.iter().map(concept);
    put("type", roles.next());
    put("role", list(roles));
    put("who", Some(json!({"identifier": {"value": participant.id}})));
    put("altId", text(&participant.alternative_id));
    put("name", text(&participant.name));
    put("requestor", Some(json!(participant.requestor)));
    put(
        "network",
        participant.network.as_ref().map(|network| match &network.kind {
            Some(kind) => json!({"address": network.address, "type": kind}),
            None => json!({"address": network.address}),
        }),
    );
    Value::Object(agent)
}

fn source(told: &crate::message::Source) -> Value {
    let mut source = Map::new();
    let mut put = |name: &str, value: Option<Value>| put(&mut source, name, value);
    put("site", text(&told.site));
    put("observer", Some(json!({"identifier": {"value": told.id}})));
    put(
        "type",
        list(told.types.iter().map(|kind| match kind.system.is_empty() {
            true => json!({"system": SOURCE_TYPE, "code": kind.code}),
            false => coding(kind),
        })),
    );
    Value::Object(source)
}

fn entity(object: &Object) -> Value {
    let mut entity = Map::new();
    let mut put = |name: &str, value: Option<Value>| put(&mut entity, name, value);
    put("what", Some(what(object)));
    put("type", number(&object.kind, ENTITY_TYPE));
    put("role", number(&object.role, OBJECT_ROLE));
    put("lifecycle", number(&object.life_cycle, LIFE_CYCLE));
    put("securityLabel", object.sensitivity.as_ref().map(|label| json!([{"display": label}])));
    match &object.content {
        Some(Content::Name(name)) => put("name", Some(json!(name))),
        Some(Content::Query(query)) => put("query", Some(json!(query))),
        None => {}
    }
    put(
        "detail",
        list(
            object
                .details
                .iter()
                .map(|detail| json!({"type": detail.kind, "valueBase64Binary": detail.value})),
        ),
    );
    Value::Object(entity)
}

/// A patient's CX as identifier of its authority; anything else under the kind of its id.
fn what(object: &Object) -> Value {
    let mut identifier = Map::new();
    let mut put = |name: &str, value: Option<Value>| put(&mut identifier, name, value);
    put("type", Some(concept(&object.id_type)));
    let id = object.id.as_deref().unwrap_or_default();
    match object.is_patient().then(|| super::patient::of_cx(id)).flatten() {
        Some((value, authority)) => {
            put("system", Some(json!(format!("urn:oid:{authority}"))));
            put("value", Some(json!(value)));
        }
        None => put("value", object.id.as_ref().map(|id| json!(id))),
    }
    match object.is_patient() {
        true => json!({"type": "Patient", "identifier": identifier}),
        false => json!({"identifier": identifier}),
    }
}

fn coding(code: &Coded) -> Value {
    json!({"system": system::uri(&code.system), "code": code.code, "display": code.text})
}

fn concept(code: &Coded) -> Value {
    json!({"coding": [coding(code)]})
}

fn number(value: &Option<String>, system: &str) -> Option<Value> {
    value.as_ref().map(|code| json!({"system": system, "code": code}))
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_ref().filter(|text| !text.is_empty()).map(|text| json!(text))
}

/// FHIR has no empty lists.
fn list(values: impl Iterator<Item = Value>) -> Option<Value> {
    let values: Vec<Value> = values.collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}
