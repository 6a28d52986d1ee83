//! Basic Audit Log Patterns (IHE BALP 1.1): an event as one of its profiles. They are made for RESTful interactions and fix
//! `type` to `rest`, where the mapping of DICOM messages has the EventID; so an event takes this form only when it is
//! asked for by profile, and only where it then conforms.

use serde_json::{Value, json};

use super::{patient, render};
use crate::table::{Action, Kind, Row, codes};
use crate::{Entry, Message, Outcome};

const BASE: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";

/// A family of profiles, each with and without a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    Create,
    Read,
    Update,
    Delete,
    Query,
}

impl Pattern {
    /// Its name in the profiles, and the interaction.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Pattern::Create => ("Create", "create"),
            Pattern::Read => ("Read", "read"),
            Pattern::Update => ("Update", "update"),
            Pattern::Delete => ("Delete", "delete"),
            Pattern::Query => ("Query", "search"),
        }
    }

    pub fn of(row: &Row) -> Option<Self> {
        match row.action {
            _ if row.event == codes::QUERY => Some(Pattern::Query),
            Action::Create => Some(Pattern::Create),
            Action::Read => Some(Pattern::Read),
            Action::Update => Some(Pattern::Update),
            Action::Delete => Some(Pattern::Delete),
            Action::Execute => None,
        }
    }
}

/// The canonical URL of the profile that an entry conforms to, and the entry in its form.
pub fn audit_event(entry: &Entry) -> Option<(String, Value)> {
    let Entry::Own(event) = entry else { return None };
    // Failures have other profiles.
    if event.outcome != Outcome::Success {
        return None;
    }
    let row = event.act.row();
    let pattern = Pattern::of(row).filter(|_| row.kind == Kind::Access)?;
    let (name, interaction) = pattern.names();
    let message = Message::from(event);
    let mut resource = render::audit_event(&message);
    let agents = resource.get("agent").and_then(Value::as_array)?;
    // Client and server each have a network address.
    let networked = |agent: &&Value| agent.get("type").is_some() && agent.get("network").is_some();
    if agents.iter().filter(networked).count() != 2 {
        return None;
    }
    let person = match pattern {
        Pattern::Read | Pattern::Query => "IRCP",
        _ => "AUT",
    };
    for agent in resource.get_mut("agent").and_then(Value::as_array_mut)? {
        if agent.get("type").is_none() {
            let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
            agent
                .as_object_mut()?
                .insert("type".to_owned(), json!({"coding": [{"system": system, "code": person}]}));
        }
    }
    let entities = resource.get_mut("entity").and_then(Value::as_array_mut)?;
    let (patients, mut data): (Vec<Value>, Vec<Value>) = std::mem::take(entities)
        .into_iter()
        .partition(|entity| entity.get("what").is_some_and(patient::is_patient));
    // Each profile has one object of data, and those with a patient one patient.
    let [object] = data.as_mut_slice() else { return None };
    if pattern == Pattern::Query {
        let object = object.as_object_mut()?;
        object.remove("what");
        object.remove("detail");
        object.get("query")?;
    } else if !["3", "4", "20"].contains(&object.pointer("/role/code")?.as_str()?) {
        return None;
    }
    let subject = if patients.is_empty() { "" } else { "Patient" };
    *entities = patients.into_iter().chain(data).collect();
    let profile = format!("{BASE}{subject}{name}");
    let object = resource.as_object_mut()?;
    object.insert("id".to_owned(), json!(event.id.to_string()));
    object.insert("meta".to_owned(), json!({"profile": [profile]}));
    let subtypes = object.get("subtype").and_then(Value::as_array).cloned().unwrap_or_default();
    let event_id = object.insert(
        "type".to_owned(),
        json!({
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "Restful Operation",
        }),
    );
    let interaction = json!({"system": INTERACTION, "code": interaction});
    let subtypes: Vec<Value> = [interaction].into_iter().chain(event_id).chain(subtypes).collect();
    object.insert("subtype".to_owned(), Value::Array(subtypes));
    Some((profile, resource))
}
