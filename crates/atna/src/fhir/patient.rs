//! Patients in traces: CX, and FHIR's references to them.

use serde_json::Value;

/// CX.1 and the OID in CX.4.
pub fn of_cx(cx: &str) -> Option<(&str, &str)> {
    let mut parts = cx.split('^');
    let id = parts.next().filter(|id| !id.is_empty())?;
    let authority = parts.nth(2)?.split('&').nth(1)?;
    Some((id, authority)).filter(|(_, authority)| !authority.is_empty())
}

/// Whether an `entity.what` leads to a patient.
pub fn is_patient(what: &Value) -> bool {
    let kind = what.get("type").and_then(Value::as_str);
    let reference = what.get("reference").and_then(Value::as_str).unwrap_or_default();
    kind == Some("Patient") || reference.starts_with("Patient/") || reference.contains("/Patient/")
}

/// The patients of an AuditEvent, as CX where an identifier has an OID, else as it refers to them.
pub fn all(resource: &Value) -> Vec<String> {
    let entities = resource.get("entity").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    entities
        .iter()
        .filter(|entity| {
            let code = |name: &str| entity.get(name)?.get("code")?.as_str();
            let person = code("type") == Some("1") && code("role") == Some("1");
            person || entity.get("what").is_some_and(is_patient)
        })
        .filter_map(|entity| named(entity.get("what")?))
        .collect()
}

fn named(what: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let identifier = what.get("identifier").and_then(|identifier| {
        let value = text(identifier, "value")?;
        let system = text(identifier, "system")?;
        system.strip_prefix("urn:oid:").map(|oid| format!("{value}^^^&{oid}&ISO"))
    });
    let plain = || text(what.get("identifier")?, "value");
    identifier.or_else(|| text(what, "reference")).or_else(plain)
}
