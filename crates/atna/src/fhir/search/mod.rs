//! What a search for AuditEvents asks (ITI-81), decided on the resource as it is rendered. The store only narrows, by
//! [`Parameters::range`] and [`Parameters::patients`].

mod date;
mod value;

pub use date::Range;
pub(crate) use date::{Condition, hull};
use serde_json::Value;
pub(crate) use value::unescape;
use value::{Reference, Token};

use super::{Issue, audit_event, balp, patient};
use crate::{Entry, Unreadable};

/// A search: all filters must hold, and of each one alternative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    filters: Vec<Filter>,
    /// `_count`.
    pub count: Option<u32>,
    /// `_cursor`: where the next page begins, in words of the one who gave it.
    pub cursor: Option<String>,
    /// `_format`.
    pub xml: Option<bool>,
    /// `_profile`: only what has this form, in this form.
    pub profile: Vec<String>,
    /// The parameters that were understood, as they came.
    pub used: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Filter {
    Date(Vec<Condition>),
    Id(Vec<String>),
    /// Codes and identifiers.
    Token(&'static Place, Vec<Token>),
    /// Starts so, whatever the case.
    Text(&'static Place, Match, Vec<String>),
    Reference(&'static Place, Vec<Reference>),
    Patient(Vec<Reference>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Start,
    Exact,
    Contained,
}

/// Where in a resource a parameter looks.
#[derive(Debug, PartialEq)]
struct Place {
    parameter: &'static str,
    kind: Kind,
    path: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Token,
    Text,
    Reference,
}

const fn place(parameter: &'static str, kind: Kind, path: &'static [&'static str]) -> Place {
    Place { parameter, kind, path }
}

static PLACES: [Place; 16] = [
    place("action", Kind::Token, &["action"]),
    place("address", Kind::Text, &["agent", "network", "address"]),
    place("agent", Kind::Reference, &["agent", "who"]),
    place("agent-name", Kind::Text, &["agent", "name"]),
    place("agent-role", Kind::Token, &["agent", "role", "coding"]),
    place("agent-type", Kind::Token, &["agent", "type", "coding"]),
    place("altid", Kind::Token, &["agent", "altId"]),
    place("entity", Kind::Reference, &["entity", "what"]),
    place("entity-name", Kind::Text, &["entity", "name"]),
    place("entity-role", Kind::Token, &["entity", "role"]),
    place("entity-type", Kind::Token, &["entity", "type"]),
    place("outcome", Kind::Token, &["outcome"]),
    place("site", Kind::Token, &["source", "site"]),
    place("source", Kind::Reference, &["source", "observer"]),
    place("subtype", Kind::Token, &["subtype"]),
    place("type", Kind::Token, &["type"]),
];

/// The parameters that are known, and of which type of FHIR each is.
pub fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    let places = PLACES.iter().map(|place| {
        let kind = match place.kind {
            Kind::Token => "token",
            Kind::Text => "string",
            Kind::Reference => "reference",
        };
        (place.parameter, kind)
    });
    [("_id", "token"), ("_profile", "uri"), ("date", "date"), ("patient", "reference")]
        .into_iter()
        .chain(places)
}

impl Parameters {
    /// From the name and value pairs of a query, decoded. Parameters that are not known are passed over; what is known and
    /// cannot be understood is told.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<Issue>> {
        let mut parameters = Parameters::default();
        let mut issues = Vec::new();
        for (name, value) in pairs {
            if let Err(reason) = parameters.add(name, value) {
                issues.push(Issue::new("invalid", format!("{name}: {reason}")));
            }
        }
        if issues.is_empty() { Ok(parameters) } else { Err(issues) }
    }

    /// The reasons name a known parameter, never its value.
    fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let alternatives = || alternatives(value);
        // A parameter without a value asks nothing.
        if alternatives().next().is_none() {
            return Ok(());
        }
        match name {
            "_count" => self.count = Some(value.parse::<u32>().map_err(|_| "is not a number")?),
            "_cursor" => self.cursor = Some(value.to_owned()),
            "_format" => self.xml = Some(format(value)?),
            "_profile" => self.profile = alternatives().map(value::unescape).collect(),
            "_id" => self.filters.push(Filter::Id(alternatives().map(value::unescape).collect())),
            "date" => {
                let conditions = alternatives().map(Condition::parse).collect::<Result<_, _>>()?;
                self.filters.push(Filter::Date(conditions));
            }
            _ => match filter(name, &mut alternatives())? {
                None => return Ok(()),
                Some(Filter::Patient(_)) if self.patients().is_some() => {
                    return Err("is there twice; alternatives stand between commas".to_owned());
                }
                Some(filter) => self.filters.push(filter),
            },
        }
        self.used.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The time in which everything that is asked for lies.
    pub fn range(&self) -> Range {
        let dates = self.filters.iter().filter_map(|filter| match filter {
            Filter::Date(conditions) => Some(hull(conditions)),
            _ => None,
        });
        dates.fold(Range::default(), Range::and)
    }

    /// Whether the search says anything about time, as ITI-81 wants.
    pub fn has_date(&self) -> bool {
        self.filters.iter().any(|filter| matches!(filter, Filter::Date(_)))
    }

    /// The patients of whom one is asked for: identifier and, where it is told, the OID of its authority. `None`: of any.
    pub fn patients(&self) -> Option<Vec<(String, Option<String>)>> {
        self.filters.iter().find_map(|filter| match filter {
            Filter::Patient(patients) => Some(patients.iter().map(Reference::patient).collect()),
            _ => None,
        })
    }

    /// Takes in the other identifiers (and the OID of each authority) under which the patients that are asked for are known.
    pub fn also_known_as(&mut self, identifiers: &[(String, String)]) {
        for filter in &mut self.filters {
            if let Filter::Patient(patients) = filter {
                patients
                    .extend(identifiers.iter().map(|(id, authority)| Reference::of_patient(id, authority)));
            }
        }
    }

    /// The entry as it is answered, if it is asked for: as AuditEvent, or in the form of the profile that is asked for.
    pub fn answer(&self, entry: &Entry) -> Result<Option<Value>, Unreadable> {
        let resource = audit_event(entry)?;
        if !self.matches(&resource) {
            return Ok(None);
        }
        match self.profile.is_empty() {
            true => Ok(Some(resource)),
            false => Ok(balp::audit_event(entry)
                .filter(|(profile, _)| self.profile.contains(profile))
                .map(|(_, resource)| resource)),
        }
    }

    /// Whether a rendered AuditEvent is asked for.
    pub fn matches(&self, resource: &Value) -> bool {
        self.filters.iter().all(|filter| filter.holds(resource))
    }
}

/// What stands between commas, still escaped.
pub(crate) fn alternatives(value: &str) -> impl Iterator<Item = &str> {
    value::split(value, ',').into_iter().filter(|text| !text.is_empty())
}

/// The filter of a parameter; `None` for one that is not known.
fn filter(name: &str, alternatives: &mut dyn Iterator<Item = &str>) -> Result<Option<Filter>, String> {
    let (name, modifier) = name.split_once(':').map_or((name, None), |(name, rest)| (name, Some(rest)));
    // `source.identifier`, `patient:identifier` and `patient:Patient.identifier` are one.
    let (name, chained) = match name.split_once('.') {
        Some((name, element)) => (name, Some(element)),
        None => (name, None),
    };
    let (by_identifier, modifier) = match (chained, modifier) {
        (Some("identifier"), modifier) => (true, modifier),
        (None, Some("identifier")) => (true, None),
        (None, Some(modifier)) if modifier.ends_with(".identifier") => (true, None),
        (Some(_), _) => return Ok(None),
        (None, modifier) => (false, modifier),
    };
    if name == "patient" {
        return match modifier {
            Some(_) => Err("this modifier is not supported".to_owned()),
            None => Ok(Some(Filter::Patient(alternatives.map(Reference::parse_patient).collect()))),
        };
    }
    let Some(place) = PLACES.iter().find(|place| place.parameter == name) else { return Ok(None) };
    if by_identifier && place.kind != Kind::Reference {
        return Ok(None);
    }
    let filter = match (place.kind, modifier) {
        (Kind::Token, None) => Filter::Token(place, alternatives.map(Token::parse).collect()),
        (Kind::Reference, None) if by_identifier => Filter::Reference(
            place,
            alternatives.map(|text| Reference::Identifier(Token::parse(text))).collect(),
        ),
        (Kind::Reference, None) => Filter::Reference(place, alternatives.map(Reference::parse).collect()),
        (Kind::Text, None | Some("exact" | "contains")) => {
            let (how, fold): (Match, fn(String) -> String) = match modifier {
                Some("exact") => (Match::Exact, |text| text),
                Some(_) => (Match::Contained, |text| text.to_lowercase()),
                None => (Match::Start, |text| text.to_lowercase()),
            };
            Filter::Text(place, how, alternatives.map(value::unescape).map(fold).collect())
        }
        _ => return Err("this modifier is not supported".to_owned()),
    };
    Ok(Some(filter))
}

/// `_format`: whether XML is wanted.
pub fn format(value: &str) -> Result<bool, String> {
    // A plus sign may have come as a space.
    match value.split(';').next().unwrap_or_default().trim().replace(' ', "+").as_str() {
        "json" | "application/json" | "application/fhir+json" | "text/json" => Ok(false),
        "xml" | "application/xml" | "application/fhir+xml" | "text/xml" => Ok(true),
        _ => Err("is neither json nor xml".to_owned()),
    }
}

impl Filter {
    fn holds(&self, resource: &Value) -> bool {
        match self {
            Filter::Date(conditions) => date::recorded(resource)
                .is_some_and(|at| conditions.iter().any(|condition| condition.holds(at))),
            Filter::Id(ids) => resource
                .get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| ids.iter().any(|asked| asked == id)),
            Filter::Token(place, tokens) => {
                let found = found(resource, place.path);
                tokens.iter().any(|token| found.iter().any(|value| token.matches(value)))
            }
            Filter::Text(place, how, texts) => {
                let found = found(resource, place.path);
                let is = |found: &str, asked: &str| match how {
                    Match::Exact => found == asked,
                    Match::Contained => found.to_lowercase().contains(asked),
                    Match::Start => found.to_lowercase().starts_with(asked),
                };
                found
                    .iter()
                    .filter_map(|value| value.as_str())
                    .any(|found| texts.iter().any(|asked| is(found, asked)))
            }
            Filter::Reference(place, references) => {
                let found = found(resource, place.path);
                references.iter().any(|reference| found.iter().any(|value| reference.matches(value)))
            }
            Filter::Patient(references) => {
                let found = found(resource, &["entity", "what"]);
                let patients = found.iter().filter(|what| patient::is_patient(what));
                patients.into_iter().any(|what| references.iter().any(|reference| reference.matches(what)))
            }
        }
    }
}

/// The values at a path, through lists.
fn found<'v>(value: &'v Value, path: &[&str]) -> Vec<&'v Value> {
    if let Value::Array(values) = value {
        return values.iter().flat_map(|value| found(value, path)).collect();
    }
    match path {
        [] => vec![value],
        [name, rest @ ..] => value.get(name).map(|value| found(value, rest)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
