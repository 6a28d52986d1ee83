//! Traces in plain language: who did what, and when, as the patient reads it.

mod group;
mod what;

use std::fmt::Display;

use access::{Authentication, Requester};
use chrono::{DateTime, Offset, TimeZone, Utc};
pub use group::{Line, group};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::message::Indicator;
use crate::table::{Action, Said};
use crate::{Act, Entry, Event, Received, fhir};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    Fr,
    En,
}

impl Language {
    /// The one of two words that is of this language.
    fn of<T>(self, fr: T, en: T) -> T {
        match self {
            Language::Fr => fr,
            Language::En => en,
        }
    }
}

/// `Dr Anne Martin, médecin, CHU, a lu « Compte rendu » le 25/11/2026 à 01:02 (UTC)`. Of patients nothing is said: a trace
/// is read in somebody's record.
pub fn sentence<Z: TimeZone>(entry: &Entry, language: Language, zone: &Z) -> String {
    let (who, did) = match entry {
        Entry::Own(event) => (who(&event.requester, language), did(event, language)),
        Entry::Received(received) => told(entry, received, language),
    };
    clean(&format!("{who}{did} {}", when(entry.at(), language, zone)))
}

impl Event {
    /// What was done, in a few English words.
    pub fn summary(&self) -> String {
        clean(&did(self, Language::En))
    }
}

/// With what leads to the verb.
fn who(requester: &Requester, language: Language) -> String {
    let known = requester.known_as();
    let name = known.unwrap_or_else(|| language.of("Un inconnu", "Somebody unknown").to_owned());
    let console = (requester.authentication == Authentication::LocalAccount)
        .then(|| language.of("à la console du serveur", "at the server's console").to_owned());
    let profession = requester.profession.clone().or_else(|| requester.role.clone());
    let parts: Vec<String> =
        [Some(name), console, profession, requester.organisation.clone()].into_iter().flatten().collect();
    let comma = if parts.len() > 1 { ", " } else { " " };
    let doubt = match requester.authentication {
        Authentication::Unverified => language.of(" (identité non vérifiée)", " (identity not verified)"),
        Authentication::None | Authentication::LocalAccount | Authentication::Token => "",
    };
    format!("{}{doubt}{comma}", parts.join(", "))
}

fn did(event: &Event, language: Language) -> String {
    let what = what::of_event(event, language);
    predicate(
        &event.act.row().said,
        event.outcome.into(),
        &what,
        event.outcome_description.as_deref(),
        language,
    )
}

fn predicate(
    said: &Said,
    outcome: Indicator,
    what: &str,
    description: Option<&str>,
    language: Language,
) -> String {
    let [past, infinitive] = language.of(said.fr, said.en);
    let verb = match outcome {
        Indicator::Success => past.to_owned(),
        _ => format!("{} {infinitive}", language.of("n'a pas pu", "could not")),
    };
    let reason = match (description, outcome) {
        (Some(description), _) => format!(" ({description})"),
        (None, Indicator::Success) => String::new(),
        (None, Indicator::MinorFailure) => language.of(" (refusé)", " (refused)").to_owned(),
        (None, _) => language.of(" (erreur du serveur)", " (error of the server)").to_owned(),
    };
    format!("{}{reason}", verb.replace("{}", what))
}

fn when<Z: TimeZone>(at: DateTime<Utc>, language: Language, zone: &Z) -> String {
    let local = at.with_timezone(zone);
    let zone = match local.offset().fix().local_minus_utc() {
        0 => "UTC".to_owned(),
        _ => format!("UTC{}", local.offset().fix()),
    };
    let local = local.naive_local();
    let (on, to) = language.of(("le", "à"), ("on", "at"));
    format!("{on} {} {to} {} ({zone})", local.format("%d/%m/%Y"), local.format("%H:%M"))
}

/// Who and what, as another node told.
fn told(entry: &Entry, received: &Received, language: Language) -> (String, String) {
    let Ok(resource) = fhir::audit_event(entry) else {
        let did = language.of("a transmis une trace illisible", "sent a trace that cannot be read");
        return (format!("{} ", received.peer), did.to_owned());
    };
    let text = |path: &str| resource.pointer(path).and_then(Value::as_str);
    let code = text("/type/code");
    let kind = resource
        .get("subtype")
        .and_then(Value::as_array)
        .and_then(|types| types.last()?.get("code")?.as_str());
    let known = Act::ALL
        .iter()
        .map(|act| act.row())
        .find(|row| code == Some(row.event.code) && kind == Some(row.type_code().code));
    let said = match known {
        Some(row) => row.said,
        None => by_action(text("/action").and_then(Action::from_letter)),
    };
    let outcome = text("/outcome").and_then(Indicator::from_code).unwrap_or(Indicator::Success);
    let what = what::of_resource(&resource, language);
    let did = predicate(&said, outcome, &what, text("/outcomeDesc"), language);
    let source = named(&resource["source"]["observer"]).unwrap_or_else(|| received.peer.clone());
    let by = language.of(format!("(d'après {source})"), format!("(as told by {source})"));
    (format!("{} ", who_told(&resource, language)), format!("{did} {by}"))
}

/// A person rather than a machine, and one who asked rather than another.
fn who_told(resource: &Value, language: Language) -> String {
    let agents = resource.get("agent").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let asked = |agent: &&Value| agent.get("requestor").and_then(Value::as_bool) == Some(true);
    let name = |agent: &Value| agent.get("name").and_then(Value::as_str).map(str::to_owned);
    let person = agents.iter().filter(asked).find(|agent| agent.get("network").is_none());
    let who = person.or_else(|| agents.iter().find(asked)).or_else(|| agents.first());
    who.and_then(|agent| name(agent).or_else(|| named(agent.get("who")?)))
        .unwrap_or_else(|| language.of("Un inconnu", "Somebody unknown").to_owned())
}

/// How a FHIR reference is read.
fn named(reference: &Value) -> Option<String> {
    let text = |path: &str| reference.pointer(path).and_then(Value::as_str).map(str::to_owned);
    text("/display").or_else(|| text("/identifier/value")).or_else(|| text("/reference"))
}

fn by_action(action: Option<Action>) -> Said {
    let (fr, en) = match action {
        Some(Action::Create) => (["a créé {}", "créer {}"], ["created {}", "create {}"]),
        Some(Action::Read) => (["a consulté {}", "consulter {}"], ["read {}", "read {}"]),
        Some(Action::Update) => (["a modifié {}", "modifier {}"], ["updated {}", "update {}"]),
        Some(Action::Delete) => (["a supprimé {}", "supprimer {}"], ["deleted {}", "delete {}"]),
        Some(Action::Execute) | None => (
            ["a fait une opération sur {}", "faire une opération sur {}"],
            ["operated on {}", "operate on {}"],
        ),
    };
    Said { fr, en }
}

/// Names and titles come from elsewhere: no line break, no control of a terminal, no turning of the direction of writing.
fn clean(text: &impl Display) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.to_string().chars().filter(|c| !turns(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
