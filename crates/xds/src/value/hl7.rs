//! HL7 v2 values: components by `^`, subcomponents by `&` (TF-3 §4.2.3.1.7).

use super::{ValueError, check_oid, clip, refuse};

/// `id^^^&OID&ISO`: a patient identifier. Only the id and the authority identify; further components are kept and
/// never compared.
#[derive(Clone)]
pub struct Cx {
    pub id: String,
    /// OID of the assigning authority.
    pub authority: String,
    /// The value as it was sent.
    pub text: String,
}

impl Cx {
    /// Reads a CX. The reason of a refusal does not quote it.
    pub fn parse(text: &str) -> Result<Cx, ValueError> {
        let id = component(text, 1);
        let authority = universal_id(component(text, 4))?;
        match (id, authority) {
            ("", _) => refuse("a CX needs an id in its first component (id^^^&OID&ISO)"),
            (_, None) => refuse("a CX needs the authority's OID in its fourth component (id^^^&OID&ISO)"),
            (id, Some(authority)) => {
                Ok(Cx { id: unescape(id), authority: authority.to_owned(), text: text.to_owned() })
            }
        }
    }

    /// `id` as it is, without escapes.
    pub fn new(id: &str, authority: &str) -> Cx {
        let text = format!("{}^^^&{authority}&ISO", escape(id));
        Cx { id: id.into(), authority: authority.into(), text }
    }
}

impl PartialEq for Cx {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.authority == other.authority
    }
}

impl Eq for Cx {}

/// Identifiers of patients do not belong in logs.
impl std::fmt::Debug for Cx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cx(… of {})", self.authority)
    }
}

/// Component `number`, counted from 1; empty when it is missing.
pub(crate) fn component(text: &str, number: usize) -> &str {
    text.split('^').nth(number - 1).unwrap_or_default()
}

/// `namespace&OID&ISO`: the OID, or `None` when there is none. A wrong OID or another type is refused.
fn universal_id(authority: &str) -> Result<Option<&str>, ValueError> {
    let mut parts = authority.split('&');
    let (oid, kind) = (parts.nth(1).unwrap_or_default(), parts.next().unwrap_or_default());
    match (oid, kind) {
        ("", _) => Ok(None),
        (oid, "ISO") => check_oid(oid).map(|()| Some(oid)),
        _ => refuse("the type of an assigning authority must be ISO (…^^^&OID&ISO)"),
    }
}

/// The escapes of HL7 v2; any other backslash stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let escapes = [("F\\", '|'), ("S\\", '^'), ("T\\", '&'), ("R\\", '~'), ("E\\", '\\')];
        let found =
            escapes.iter().find_map(|(escape, character)| Some((after.strip_prefix(escape)?, *character)));
        let (following, character) = found.unwrap_or((after, '\\'));
        out.push(character);
        rest = following;
    }
    out.push_str(rest);
    out
}

/// The reverse of [`unescape`].
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            other => out.push(other),
        }
    }
    out
}

/// True when only these components say something; trailing delimiters are nothing.
fn has_only(text: &str, allowed: &[usize]) -> bool {
    text.split('^')
        .enumerate()
        .all(|(index, component)| component.is_empty() || allowed.contains(&(index + 1)))
}

/// A CX as metadata carry it: id and authority, and the type and dates that French senders add (components 5, 7, 8).
pub fn check_cx(text: &str) -> Result<(), ValueError> {
    Cx::parse(text)?;
    let authority = component(text, 4);
    if !authority.starts_with('&') || authority.split('&').count() > 3 {
        return refuse("the authority of a CX is &OID&ISO, without a namespace (id^^^&OID&ISO)");
    }
    match has_only(text, &[1, 4, 5, 7, 8]) {
        true => Ok(()),
        false => refuse("a CX has nothing but an id and its authority (id^^^&OID&ISO)"),
    }
}

/// XCN: an id or a family name.
pub fn check_xcn(text: &str) -> Result<(), ValueError> {
    if component(text, 1).is_empty() && component(text, 2).is_empty() {
        return refuse("an XCN needs an id or a family name (id^family^given)");
    }
    universal_id(component(text, 9)).map(|_| ())
}

/// XON: a name; an id that is no OID needs its authority. Component 7 is the type of the id, which French senders add.
pub fn check_xon(text: &str) -> Result<(), ValueError> {
    if component(text, 1).is_empty() {
        return refuse("an XON needs the organisation's name in its first component");
    }
    if !has_only(text, &[1, 6, 7, 10]) {
        return refuse("an XON has nothing but a name, an authority and an id (name^^^^^&OID&ISO^^^^id)");
    }
    let authority = universal_id(component(text, 6))?;
    let id = component(text, 10);
    match id.is_empty() || authority.is_some() || check_oid(id).is_ok() {
        true => Ok(()),
        false => {
            refuse("an XON whose id (component 10) is no OID needs the authority's OID (^^^^^&OID&ISO^^^^id)")
        }
    }
}

/// XTN: an e-mail address, or a number with the type of its equipment.
pub fn check_xtn(text: &str) -> Result<(), ValueError> {
    let filled = |number| !component(text, number).is_empty();
    let good = match component(text, 3) {
        "Internet" => filled(4) && matches!(component(text, 2), "" | "NET") && has_only(text, &[2, 3, 4]),
        kind => !kind.is_empty() && filled(7) && has_only(text, &[2, 3, 5, 6, 7, 8]),
    };
    match good {
        true => Ok(()),
        false => refuse(
            "an XTN is an e-mail address (^^Internet^address) or a number (^^PH^^country^area^number), and nothing else",
        ),
    }
}

type Check = fn(&str) -> Result<(), ValueError>;

/// `XON|XCN|XTN`, at least one of them.
pub fn check_recipient(text: &str) -> Result<(), ValueError> {
    let mut parts = text.split('|');
    let checks: [Check; 3] = [check_xon, check_xcn, check_xtn];
    let mut filled = false;
    for check in checks {
        match parts.next().unwrap_or_default() {
            "" => {}
            part => {
                filled = true;
                check(part)?;
            }
        }
    }
    match filled && parts.next().is_none() {
        true => Ok(()),
        false => refuse("a recipient is XON|XCN|XTN with at least one of the three"),
    }
}

/// CXi: a reference id with its type (TF-3 §4.2.3.1.7).
pub fn check_cxi(text: &str) -> Result<(), ValueError> {
    if component(text, 1).is_empty() {
        return refuse("a CXi needs a value in its first component");
    }
    if component(text, 5).is_empty() {
        return refuse(format!("\"{}\": a CXi needs its type in the fifth component", clip(text)));
    }
    if !has_only(text, &[1, 4, 5, 6]) {
        return refuse(
            "a CXi has a value, an authority and a type (value^^^&OID&ISO^type), and nothing else",
        );
    }
    universal_id(component(text, 4)).map(|_| ())
}

/// `PID-n|value`. The reason of a refusal does not quote it.
pub fn check_pid_field(text: &str) -> Result<(), ValueError> {
    let number = text.split_once('|').and_then(|(field, _)| field.strip_prefix("PID-")?.parse::<u8>().ok());
    match number {
        Some(1..=39) => Ok(()),
        _ => refuse("a value of sourcePatientInfo is PID-n|value"),
    }
}
