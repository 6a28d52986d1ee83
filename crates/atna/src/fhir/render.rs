//! An audit message as an AuditEvent.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::system;
use crate::message::{Coded, Content, Detail, Message, Object, Participant};

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
    put("who", reference(&participant.id));
    put("altId", text(&participant.alternative_id));
    put("name", text(&participant.name));
    put("requestor", Some(json!(participant.requestor)));
    put(
        "network",
        participant.network.as_ref().filter(|network| !network.address.is_empty()).map(|network| {
            match &network.kind {
                Some(kind) => json!({"address": network.address, "type": kind}),
                None => json!({"address": network.address}),
            }
        }),
    );
    Value::Object(agent)
}

fn source(told: &crate::message::Source) -> Value {
    let mut source = Map::new();
    let mut put = |name: &str, value: Option<Value>| put(&mut source, name, value);
    put("site", text(&told.site));
    put("observer", Some(reference(&told.id).unwrap_or_else(|| json!({"display": "unknown"}))));
    put(
        "type",
        list(told.types.iter().map(|kind| match kind.system.is_empty() {
            true => json!({"system": SOURCE_TYPE, "code": code(kind)}),
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
    put("securityLabel", text(&object.sensitivity).map(|label| json!([{"display": label}])));
    match &object.content {
        Some(Content::Name(name)) => put("name", some(name)),
        Some(Content::Query(query)) => put("query", some(query)),
        None => {}
    }
    put("detail", list(object.details.iter().map(detail)));
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
        None => put("value", text(&object.id)),
    }
    match object.is_patient() {
        true => holding([("type", json!("Patient")), ("identifier", Value::Object(identifier))]),
        false => holding([("identifier", Value::Object(identifier))]),
    }
}

/// A detail has a type and a value, which may not be empty.
fn detail(told: &Detail) -> Value {
    let kind = some(&told.kind).unwrap_or_else(|| json!("unknown"));
    match told.value.is_empty() {
        true => json!({"type": kind, "valueString": "-"}),
        false => json!({"type": kind, "valueBase64Binary": told.value}),
    }
}

fn coding(told: &Coded) -> Value {
    let mut coding = Map::new();
    put(&mut coding, "system", some(&told.system).map(|_| json!(system::uri(&told.system))));
    put(&mut coding, "code", Some(json!(code(told))));
    put(&mut coding, "display", some(&told.text));
    Value::Object(coding)
}

/// A code is never empty.
fn code(told: &Coded) -> &str {
    if told.code.is_empty() { "unknown" } else { &told.code }
}

fn reference(id: &str) -> Option<Value> {
    some(id).map(|id| json!({"identifier": {"value": id}}))
}

fn concept(code: &Coded) -> Value {
    holding([("coding", Value::Array(vec![coding(code)]))])
}

fn number(value: &Option<String>, system: &str) -> Option<Value> {
    value.as_ref().map(|code| json!({"system": system, "code": code}))
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_deref().and_then(some)
}

/// FHIR has no empty texts.
fn some(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!(text))
}

/// FHIR has no empty lists.
fn list(values: impl Iterator<Item = Value>) -> Option<Value> {
    let values: Vec<Value> = values.collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

/// Of members that are moved, where `json!` would copy them with all that they hold.
pub(super) fn holding<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}
