//! Patients, professionals, devices and organisations.

use identity::{PROFESSIONAL_AUTHORITY, is_ins_authority};
use xml::Element;

use super::{HL7, attribute, coded, id, text};
use crate::header::{Agent, AgentName, Author, Id, Organisation, Patient};

pub(super) fn patient(role: Element<'_>) -> Patient {
    let mut ids: Vec<Id> = role.children_named(HL7, "id").filter_map(id).collect();
    ids.sort_by_key(|id| !is_ins_authority(&id.root));
    let Some(person) = role.child(HL7, "patient") else {
        return Patient { ids, ..Patient::default() };
    };
    let part = |element, qualifier| {
        person.children_named(HL7, "name").find_map(|name| part(name, element, qualifier))
    };
    Patient {
        ids,
        birth_name: part("family", Some("BR")).or_else(|| part("family", None)),
        birth_given: part("given", Some("BR")).or_else(|| part("given", None)),
        birth_givens: part("given", None),
        used_name: part("family", Some("CL")).or_else(|| part("family", Some("SP"))),
        used_given: part("given", Some("CL")).or_else(|| part("given", Some("SP"))),
        gender: person.child(HL7, "administrativeGenderCode").and_then(|e| attribute(e, "code")),
        birth_date: person.child(HL7, "birthTime").and_then(|e| attribute(e, "value")),
        birth_place: person.path(HL7, &["birthplace", "place", "addr", "county"]).and_then(text),
    }
}

pub(super) fn author(author: Element<'_>) -> Option<Author> {
    let assigned = author.child(HL7, "assignedAuthor")?;
    Some(Author {
        agent: agent(assigned).unwrap_or(Agent { id: None, name: None }),
        role: author.child(HL7, "functionCode").and_then(coded),
        specialty: assigned.child(HL7, "code").and_then(coded),
        organisation: assigned.child(HL7, "representedOrganization").and_then(organisation),
    })
}

/// The person or device of an `assignedEntity` or `assignedAuthor`; `None` when neither id nor name is known. Of several
/// identifiers the national one counts.
pub(super) fn agent(assigned: Element<'_>) -> Option<Agent> {
    let mut ids: Vec<Id> = assigned.children_named(HL7, "id").filter_map(id).collect();
    ids.sort_by_key(|id| id.root != PROFESSIONAL_AUTHORITY);
    let id = ids.into_iter().next();
    let name = match assigned.child(HL7, "assignedAuthoringDevice") {
        Some(device) => device_name(device),
        None => assigned
            .child(HL7, "assignedPerson")
            .and_then(|person| person.children_named(HL7, "name").find_map(person_name)),
    };
    (id.is_some() || name.is_some()).then_some(Agent { id, name })
}

fn person_name(name: Element<'_>) -> Option<AgentName> {
    // Professionals have one name; when there are several parts, the one without qualifier is the plain one.
    let any =
        |element| part(name, element, None).or_else(|| name.children_named(HL7, element).find_map(text));
    // A name need not be cut into parts.
    let family = any("family").or_else(|| text(name));
    let given = any("given");
    (family.is_some() || given.is_some()).then_some(AgentName::Person { family, given })
}

fn device_name(device: Element<'_>) -> Option<AgentName> {
    let software = device.child(HL7, "softwareName").and_then(text);
    let model = device.child(HL7, "manufacturerModelName").and_then(text);
    (software.is_some() || model.is_some()).then_some(AgentName::Device { software, model })
}

pub(super) fn organisation(element: Element<'_>) -> Option<Organisation> {
    let id = element.children_named(HL7, "id").find_map(id);
    let name = element.children_named(HL7, "name").find_map(text);
    (id.is_some() || name.is_some()).then_some(Organisation { id, name })
}

/// The first part of a name whose qualifiers include `qualifier`, or that has none if `qualifier` is `None`.
fn part(name: Element<'_>, element: &str, qualifier: Option<&str>) -> Option<String> {
    let fits = |e: &Element<'_>| match (qualifier, e.attribute("qualifier")) {
        (Some(wanted), Some(list)) => list.split_whitespace().any(|q| q == wanted),
        (wanted, list) => wanted.is_none() && list.is_none(),
    };
    name.children_named(HL7, element).filter(fits).find_map(text)
}
