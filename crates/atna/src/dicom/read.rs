use chrono::{DateTime, Utc};
use xml::{Document, Element, Limits};

use crate::message::{Coded, Content, Detail, Indicator, Message, Network, Object, Participant, Source};
use crate::table::Action;

/// Elements of an audit message lie in no namespace.
const NONE: &str = "";
/// The deepest that the schema goes.
const DEPTH: u32 = 10;

/// Why a text is not an audit message. It names places, and never quotes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Xml(#[from] xml::Error),
    #[error("the root element is not AuditMessage (without a namespace)")]
    Root,
    #[error("line {line}: {element} has no {what}")]
    Missing { line: usize, element: &'static str, what: &'static str },
    #[error("line {line}: {what} of {element} is not {expected}")]
    Value { line: usize, element: &'static str, what: &'static str, expected: &'static str },
}

/// The message in a text of at most `bytes` bytes: what the schema of 2017 requires, and RFC 3881's older names of the parts
/// of codes. What the schema does not know is passed over.
pub fn parse(text: &str, bytes: usize) -> Result<Message, Error> {
    let document = Document::parse(text, &Limits { bytes, depth: DEPTH, ..Limits::default() })?;
    let root = document.root();
    if !root.is(NONE, "AuditMessage") {
        return Err(Error::Root);
    }
    let event = child(root, "AuditMessage", "EventIdentification")?;
    let participants =
        root.children_named(NONE, "ActiveParticipant").map(participant).collect::<Result<Vec<_>, _>>()?;
    if participants.is_empty() {
        return Err(missing(root, "AuditMessage", "ActiveParticipant"));
    }
    let source = child(root, "AuditMessage", "AuditSourceIdentification")?;
    Ok(Message {
        event: code(child(event, "EventIdentification", "EventID")?, "EventID")?,
        types: codes(event, "EventTypeCode")?,
        action: event.attribute("EventActionCode").map(|letter| action(event, letter)).transpose()?,
        at: time(event)?,
        outcome: outcome(event)?,
        description: event.child(NONE, "EventOutcomeDescription").map(|told| told.text().into_owned()),
        purposes: codes(event, "PurposeOfUse")?,
        participants,
        source: Source {
            id: attribute(source, "AuditSourceIdentification", "AuditSourceID")?,
            site: optional(source, "AuditEnterpriseSiteID"),
            types: source
                .children_named(NONE, "AuditSourceTypeCode")
                .map(source_type)
                .collect::<Result<_, _>>()?,
        },
        objects: root
            .children_named(NONE, "ParticipantObjectIdentification")
            .map(object)
            .collect::<Result<_, _>>()?,
    })
}

fn participant(element: Element<'_>) -> Result<Participant, Error> {
    const NAME: &str = "ActiveParticipant";
    let requestor = match element.attribute("UserIsRequestor").map(str::trim) {
        // As RFC 3881 has it, and many senders.
        None | Some("true" | "1") => true,
        Some("false" | "0") => false,
        Some(_) => return Err(wrong(element, NAME, "UserIsRequestor", "true or false")),
    };
    let network = optional(element, "NetworkAccessPointID")
        .map(|address| Network { address, kind: optional(element, "NetworkAccessPointTypeCode") });
    if let Some(Network { kind: Some(kind), .. }) = &network {
        within(element, NAME, "NetworkAccessPointTypeCode", kind, 5, "a number from 1 to 5")?;
    }
    Ok(Participant {
        id: attribute(element, NAME, "UserID")?,
        alternative_id: optional(element, "AlternativeUserID"),
        name: optional(element, "UserName"),
        requestor,
        network,
        roles: codes(element, "RoleIDCode")?,
    })
}

fn object(element: Element<'_>) -> Result<Object, Error> {
    const NAME: &str = "ParticipantObjectIdentification";
    let number = |what: &'static str, last: u8, expected: &'static str| {
        let value = optional(element, what);
        let checked = value.as_deref().map(|value| within(element, NAME, what, value, last, expected));
        checked.transpose().map(|_| value)
    };
    let name = element.child(NONE, "ParticipantObjectName").map(|name| name.text().into_owned());
    let query = element.child(NONE, "ParticipantObjectQuery");
    let content = match (name, query) {
        (_, Some(query)) => {
            Some(Content::Query(base64(query, "ParticipantObjectQuery", "the text", &query.text())?))
        }
        (Some(name), None) => Some(Content::Name(name)),
        (None, None) => None,
    };
    Ok(Object {
        id: optional(element, "ParticipantObjectID"),
        id_type: code(child(element, NAME, "ParticipantObjectIDTypeCode")?, "ParticipantObjectIDTypeCode")?,
        kind: number("ParticipantObjectTypeCode", 4, "a number from 1 to 4")?,
        role: number("ParticipantObjectTypeCodeRole", 26, "a number from 1 to 26")?,
        life_cycle: number("ParticipantObjectDataLifeCycle", 15, "a number from 1 to 15")?,
        sensitivity: optional(element, "ParticipantObjectSensitivity"),
        content,
        details: element
            .children_named(NONE, "ParticipantObjectDetail")
            .map(detail)
            .collect::<Result<_, _>>()?,
    })
}

fn detail(element: Element<'_>) -> Result<Detail, Error> {
    const NAME: &str = "ParticipantObjectDetail";
    let value = attribute(element, NAME, "value")?;
    Ok(Detail { kind: attribute(element, NAME, "type")?, value: base64(element, NAME, "value", &value)? })
}

fn time(event: Element<'_>) -> Result<DateTime<Utc>, Error> {
    const NAME: &str = "EventIdentification";
    let text = attribute(event, NAME, "EventDateTime")?;
    let text = text.trim();
    // Without a zone it is taken as UTC.
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")))
        .map(|time| time.to_utc());
    time.map_err(|_| wrong(event, NAME, "EventDateTime", "a date and time (2026-03-31T08:00:00Z)"))
}

fn outcome(event: Element<'_>) -> Result<Indicator, Error> {
    const NAME: &str = "EventIdentification";
    let code = attribute(event, NAME, "EventOutcomeIndicator")?;
    Indicator::from_code(code.trim())
        .ok_or_else(|| wrong(event, NAME, "EventOutcomeIndicator", "0, 4, 8 or 12"))
}

fn action(event: Element<'_>, letter: &str) -> Result<Action, Error> {
    Action::from_letter(letter.trim())
        .ok_or_else(|| wrong(event, "EventIdentification", "EventActionCode", "C, R, U, D or E"))
}

fn codes(parent: Element<'_>, name: &'static str) -> Result<Vec<Coded>, Error> {
    parent.children_named(NONE, name).map(|element| code(element, name)).collect()
}

/// `csd-code` and `originalText`; before 2011 they were `code` and `displayName`.
fn code(element: Element<'_>, name: &'static str) -> Result<Coded, Error> {
    let either = |new: &'static str, old: &str| {
        optional(element, new).or_else(|| optional(element, old)).ok_or_else(|| missing(element, name, new))
    };
    Ok(Coded {
        code: either("csd-code", "code")?,
        system: attribute(element, name, "codeSystemName")?,
        text: either("originalText", "displayName")?,
    })
}

fn source_type(element: Element<'_>) -> Result<Coded, Error> {
    Ok(Coded {
        code: optional(element, "csd-code")
            .or_else(|| optional(element, "code"))
            .ok_or_else(|| missing(element, "AuditSourceTypeCode", "csd-code"))?,
        system: optional(element, "codeSystemName").unwrap_or_default(),
        text: optional(element, "originalText").unwrap_or_default(),
    })
}

fn within(
    element: Element<'_>,
    name: &'static str,
    what: &'static str,
    value: &str,
    last: u8,
    expected: &'static str,
) -> Result<(), Error> {
    match value.parse::<u8>() {
        Ok(number) if (1..=last).contains(&number) => Ok(()),
        _ => Err(wrong(element, name, what, expected)),
    }
}

/// Without the line breaks that XML allows in it.
fn base64(
    element: Element<'_>,
    name: &'static str,
    what: &'static str,
    value: &str,
) -> Result<String, Error> {
    use base64::Engine as _;
    let value: String = value.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    match base64::engine::general_purpose::STANDARD.decode(&value) {
        Ok(_) => Ok(value),
        Err(_) => Err(wrong(element, name, what, "base64")),
    }
}

fn child<'d>(parent: Element<'d>, name: &'static str, what: &'static str) -> Result<Element<'d>, Error> {
    parent.child(NONE, what).ok_or_else(|| missing(parent, name, what))
}

fn attribute(element: Element<'_>, name: &'static str, what: &'static str) -> Result<String, Error> {
    optional(element, what).ok_or_else(|| missing(element, name, what))
}

fn optional(element: Element<'_>, name: &str) -> Option<String> {
    element.attribute(name).map(str::to_owned)
}

fn missing(element: Element<'_>, name: &'static str, what: &'static str) -> Error {
    Error::Missing { line: element.line(), element: name, what }
}

fn wrong(element: Element<'_>, name: &'static str, what: &'static str, expected: &'static str) -> Error {
    Error::Value { line: element.line(), element: name, what, expected }
}
