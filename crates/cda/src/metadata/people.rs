//! People and organisations in the forms of HL7 v2: CX, XCN, XON and PID fields (IHE TF-3 Table 4.2.3.1.7-2, with
//! the French additions in the components that IHE leaves free).

use identity::{PROFESSIONAL_AUTHORITY, is_ins_authority};
use xds::metadata;
use xds::value::Cx;

use crate::header::{Agent, AgentName, Author, Coded, Id, Organisation, Patient};

/// `id^^^&root&ISO^kind`; `None` for an identifier without extension. An empty `kind` is left out.
pub(super) fn cx(id: &Id, kind: &str) -> Option<Cx> {
    let (number, authority) = (id.extension.clone()?, id.root_oid());
    let end = if kind.is_empty() { String::new() } else { format!("^{kind}") };
    Some(Cx { text: format!("{}^^^&{authority}&ISO{end}", escape(&number)), id: number, authority })
}

/// The author; `None` when the document names neither a person or device nor an organisation.
pub(super) fn author(author: &Author) -> Option<metadata::Author> {
    let person = xcn(&author.agent);
    let institutions: Vec<String> = author.organisation.as_ref().and_then(xon).into_iter().collect();
    if person.is_none() && institutions.is_empty() {
        return None;
    }
    Some(metadata::Author {
        person,
        institutions,
        roles: author.role.iter().map(label).collect(),
        specialties: author.specialty.iter().map(specialty).collect(),
        telecommunications: Vec::new(),
    })
}

/// `id^family^given^^^^^^&root&ISO^type^^^id type`; `None` when neither an id nor a name is known.
///
/// A device has its software and its model in the place of the names. The type of name is `D` for people and `U` for
/// devices; the type of identifier tells a national identifier (`IDNPS`) from one that an organisation gives (`EI`,
/// written `organisation/number`), a device's (`RI`) and a patient's INS (`NH`).
pub(super) fn xcn(agent: &Agent) -> Option<String> {
    let part = |text: &Option<String>| text.as_deref().map(escape).unwrap_or_default();
    let (family, given, is_device) = match &agent.name {
        Some(AgentName::Person { family, given }) => (part(family), part(given), false),
        Some(AgentName::Device { software, model }) => (part(software), part(model), true),
        None => (String::new(), String::new(), false),
    };
    let Some((number, id)) = agent.id.as_ref().and_then(|id| Some((id.extension.as_deref()?, id))) else {
        return (!family.is_empty()).then(|| format!("^{family}^{given}"));
    };
    let kind = match id.root.as_str() {
        _ if is_device => "U^^^RI",
        root if is_ins_authority(root) => "D^^^NH",
        PROFESSIONAL_AUTHORITY if number.contains('/') => "D^^^EI",
        PROFESSIONAL_AUTHORITY => "D^^^IDNPS",
        _ => "D",
    };
    Some(format!("{}^{family}^{given}^^^^^^&{}&ISO^{kind}", escape(number), id.root_oid()))
}

/// `name^^^^^&root&ISO^IDNST^^^id`. IHE requires the name, so the identifier stands for one that is not known.
fn xon(organisation: &Organisation) -> Option<String> {
    let name = organisation.name.as_deref().map(escape);
    match &organisation.id {
        None => name,
        Some(Id { root, extension: Some(number) }) => {
            let number = escape(number);
            Some(format!("{}^^^^^&{root}&ISO^IDNST^^^{number}", name.unwrap_or_else(|| number.clone())))
        }
        Some(Id { root, extension: None }) => {
            Some(format!("{}^^^^^^^^^{root}", name.unwrap_or_else(|| root.clone())))
        }
    }
}

/// authorRole is the text of the function.
fn label(role: &Coded) -> String {
    role.display.clone().unwrap_or_else(|| role.code.clone())
}

/// authorSpecialty: `code^display^system`.
fn specialty(coded: &Coded) -> String {
    let display = coded.display.as_deref().unwrap_or(&coded.code);
    let system = coded.system.as_deref().unwrap_or_default();
    format!("{}^{}^{system}", escape(&coded.code), escape(display))
}

/// The PID fields that a CDA gives: identifier, names at birth (`L`) and in use (`D`), date of birth, sex.
pub(super) fn source_patient_info(patient: &Patient, patient_id: &Cx) -> Vec<String> {
    let name = |family: &Option<String>, given: Option<&String>, kind: &str| {
        let given = given.map(|text| escape(text)).unwrap_or_default();
        Some(format!("PID-5|{}^{given}^^^^^{kind}", escape(family.as_deref()?)))
    };
    let used_given = patient.used_given.as_ref().or(patient.birth_given.as_ref());
    let fields = [
        Some(format!("PID-3|{}", patient_id.text)),
        name(&patient.birth_name, patient.birth_given.as_ref(), "L"),
        name(&patient.used_name, used_given, "D"),
        patient.birth_date.as_ref().map(|date| format!("PID-7|{}", escape(date))),
        patient.gender.as_deref().map(|gender| format!("PID-8|{}", administrative_sex(gender))),
    ];
    fields.into_iter().flatten().collect()
}

/// HL7 v3 says `UN` for a sex that is not known, HL7 v2 (table 0001) says `U`.
fn administrative_sex(gender: &str) -> &str {
    match gender {
        "UN" => "U",
        other => other,
    }
}

/// Writes the separators of HL7 v2 as its escape sequences.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\E\\"),
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            other => out.push(other),
        }
    }
    out
}
