//! What was touched, in words.

use serde_json::Value;

use super::Language;
use crate::Event;
use crate::event::Object;
use crate::fhir::patient;

/// Titles that are told of more than one document.
const TITLES: usize = 3;

pub fn of_event(event: &Event, language: Language) -> String {
    let named = documents(std::slice::from_ref(event));
    if !named.is_empty() {
        return several(&named, language);
    }
    let removed =
        event.objects.iter().filter(|object| matches!(object, Object::RegistryObject { .. })).count();
    let set = event.objects.iter().find_map(|object| match object {
        Object::SubmissionSet { unique_id, titles } => Some((unique_id, titles)),
        _ => None,
    });
    match (set, removed) {
        (Some((unique_id, titles)), _) if titles.is_empty() => {
            language.of(format!("l'envoi {unique_id}"), format!("submission {unique_id}"))
        }
        (Some((_, titles)), _) => {
            let named: Vec<Named<'_>> =
                titles.iter().map(|title| Named { id: "", title: Some(title) }).collect();
            several(&named, language)
        }
        (None, 0) => language.of("un document", "a document").to_owned(),
        (None, 1) => language.of("un objet", "an object").to_owned(),
        (None, many) => language.of(format!("{many} objets"), format!("{many} objects")),
    }
}

/// Of an AuditEvent of another node.
pub fn of_resource(resource: &Value, language: Language) -> String {
    let entities = resource.get("entity").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let id = |entity: &'_ Value| {
        let text = |path: &str| entity.pointer(path).and_then(Value::as_str).map(str::to_owned);
        text("/what/identifier/value").or_else(|| text("/what/reference"))
    };
    let code = |entity: &Value, name: &str| Some(entity.get(name)?.get("code")?.as_str()?.to_owned());
    let is_document = |entity: &&Value| {
        code(entity, "type").as_deref() == Some("2") && code(entity, "role").as_deref() == Some("3")
    };
    let ids: Vec<String> = entities.iter().filter(is_document).filter_map(id).collect();
    let titles = entities.iter().filter(is_document).filter(|entity| id(entity).is_some());
    let documents: Vec<Named<'_>> = ids
        .iter()
        .zip(titles.map(|entity| entity.get("name").and_then(Value::as_str)))
        .map(|(id, title)| Named { id, title })
        .collect();
    let is_patient = |entity: &&Value| {
        code(entity, "type").as_deref() == Some("1") || entity.get("what").is_some_and(patient::is_patient)
    };
    match (documents.is_empty(), entities.iter().filter(|entity| !is_patient(entity)).find_map(id)) {
        (false, _) => several(&documents, language),
        (true, Some(id)) => language.of(format!("l'objet {id}"), format!("object {id}")),
        (true, None) => language.of("le dossier", "the record").to_owned(),
    }
}

/// A document by its title, or else by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'e> {
    pub id: &'e str,
    pub title: Option<&'e str>,
}

/// The different documents of events, in their order.
pub fn documents(events: &[impl std::borrow::Borrow<Event>]) -> Vec<Named<'_>> {
    let mut found: Vec<Named<'_>> = Vec::new();
    for object in events.iter().flat_map(|event| &event.borrow().objects) {
        if let Object::Document { unique_id, title, .. } = object
            && !found.iter().any(|named| named.id == unique_id)
        {
            found.push(Named { id: unique_id, title: title.as_deref() });
        }
    }
    found
}

pub fn several(documents: &[Named<'_>], language: Language) -> String {
    if let [one] = documents {
        return match one.title {
            Some(title) => quoted(title, language),
            None => language.of(format!("le document {}", one.id), format!("document {}", one.id)),
        };
    }
    let count = documents.len();
    let titles: Vec<String> =
        documents.iter().filter_map(|one| one.title).map(|title| quoted(title, language)).collect();
    let shown = titles.iter().take(TITLES).cloned().collect::<Vec<_>>().join(", ");
    let more = if shown.is_empty() || count <= TITLES && titles.len() == count { "" } else { "…" };
    match shown.is_empty() {
        true => format!("{count} documents"),
        false => format!("{count} documents ({shown}{more})"),
    }
}

fn quoted(title: &str, language: Language) -> String {
    language.of(format!("«\u{a0}{title}\u{a0}»"), format!("\"{title}\""))
}
