//! Resources as XML and back (FHIR R4 §2.6.2), by their shapes.

use serde_json::{Map, Value, json};
use xml::{Element, Writer};

use super::outcome::Issue;
use super::shape::{self, Kind, Shape};
use crate::dicom::allowed;

const FHIR: &str = "http://hl7.org/fhir";
/// What every element may have and nobody here reads.
const PASSED_OVER: [&str; 6] =
    ["extension", "modifierExtension", "text", "contained", "language", "implicitRules"];

/// One of the resources that have a shape, as XML. What its shape does not know is left out.
pub fn to_xml(resource: &Value) -> String {
    let mut w = Writer::new();
    write_resource(&mut w, resource, &[("xmlns", FHIR)]);
    allowed(w.finish())
}

fn write_resource(w: &mut Writer, resource: &Value, attributes: &[(&str, &str)]) {
    let name = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    if let Some(shape) = shape::resource(name) {
        w.open(shape.name, attributes);
        write_fields(w, resource, shape);
        w.close();
    }
}

fn write_fields(w: &mut Writer, value: &Value, shape: &Shape) {
    for field in shape.fields {
        let values = match value.get(field.name) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        for value in values {
            match &field.kind {
                Kind::Text => w.empty(field.name, &[("value", value.as_str().unwrap_or_default())]),
                Kind::Boolean | Kind::Number => w.empty(field.name, &[("value", &value.to_string())]),
                Kind::Of(shape) => {
                    w.open(field.name, &[]);
                    write_fields(w, value, shape);
                    w.close()
                }
                Kind::Resource => {
                    w.open(field.name, &[]);
                    write_resource(w, value, &[]);
                    w.close()
                }
            };
        }
    }
}

/// The resource in an element, as its JSON would be.
pub fn resource(element: Element<'_>, path: &str, issues: &mut Vec<Issue>) -> Value {
    let Some(shape) = shape::resource(element.name()).filter(|_| element.namespace() == FHIR) else {
        issues.push(Issue::structure(path, "is not a resource that is taken here"));
        return Value::Null;
    };
    let path = match path.is_empty() {
        true => shape.name.to_owned(),
        false => path.to_owned(),
    };
    let mut value = fields(element, shape, &path, issues);
    if let Some(object) = value.as_object_mut() {
        object.insert("resourceType".to_owned(), json!(shape.name));
    }
    value
}

fn fields(element: Element<'_>, shape: &Shape, path: &str, issues: &mut Vec<Issue>) -> Value {
    let mut object = Map::new();
    for child in element.children() {
        let name = child.name();
        let Some(field) = shape.field(name).filter(|_| child.namespace() == FHIR) else {
            if !PASSED_OVER.contains(&name) {
                issues.push(Issue::structure(path, format!("line {}: an unknown element", child.line())));
            }
            continue;
        };
        let path = format!("{path}.{}", field.name);
        let value = match &field.kind {
            Kind::Of(shape) => Some(fields(child, shape, &path, issues)),
            Kind::Resource => child.children().next().map(|inner| resource(inner, &path, issues)),
            Kind::Text => child.attribute("value").map(|text| json!(text)),
            Kind::Boolean => {
                child.attribute("value").and_then(|text| text.parse::<bool>().ok()).map(Value::from)
            }
            Kind::Number => {
                child.attribute("value").and_then(|text| text.parse::<i64>().ok()).map(Value::from)
            }
        };
        let Some(value) = value else {
            issues
                .push(Issue::structure(&path, format!("line {}: no value, or not such a one", child.line())));
            continue;
        };
        match (field.many, object.get_mut(field.name)) {
            (true, Some(Value::Array(values))) => values.push(value),
            (true, _) => drop(object.insert(field.name.to_owned(), Value::Array(vec![value]))),
            (false, None) => drop(object.insert(field.name.to_owned(), value)),
            (false, Some(_)) => issues.push(Issue::structure(&path, "more than once")),
        }
    }
    Value::Object(object)
}

/// What is wrong with the JSON of a resource, by its shape.
pub fn check(resource: &Value, path: &str, issues: &mut Vec<Issue>) {
    let name = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    match shape::resource(name) {
        Some(shape) if path.is_empty() => check_fields(resource, shape, shape.name, issues),
        Some(shape) => check_fields(resource, shape, path, issues),
        None => issues.push(Issue::structure(path, "is not a resource that is taken here")),
    }
}

/// What FHIR lets a text be; the database takes no U+0000.
fn is_text(text: &str) -> bool {
    let control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    !text.is_empty() && !text.contains(control)
}

fn check_fields(value: &Value, shape: &Shape, path: &str, issues: &mut Vec<Issue>) {
    let Some(object) = value.as_object() else {
        issues.push(Issue::structure(path, "is not an object"));
        return;
    };
    for (name, value) in object {
        let Some(field) = shape.field(name) else {
            let passed_over = PASSED_OVER.contains(&name.as_str()) || name.starts_with('_');
            if !passed_over && name != "resourceType" {
                issues.push(Issue::structure(path, "has an unknown element"));
            }
            continue;
        };
        let path = format!("{path}.{}", field.name);
        let values = match (value, field.many) {
            (Value::Array(values), true) if !values.is_empty() => values.as_slice(),
            (_, true) => {
                issues.push(Issue::structure(&path, "is not a list of at least one"));
                continue;
            }
            (value, false) => std::slice::from_ref(value),
        };
        for value in values {
            let as_expected = match &field.kind {
                Kind::Text => value.as_str().is_some_and(is_text),
                Kind::Boolean => value.is_boolean(),
                Kind::Number => value.is_number(),
                Kind::Of(shape) => {
                    check_fields(value, shape, &path, issues);
                    true
                }
                Kind::Resource => {
                    check(value, &path, issues);
                    true
                }
            };
            if !as_expected {
                issues.push(Issue::structure(&path, "is empty or of another type"));
            }
        }
    }
}
