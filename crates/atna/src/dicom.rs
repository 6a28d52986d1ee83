//! DICOM audit message (PS3.15 A.5.1), filled as the IHE transactions say (ITI TF-2, Security Considerations of each).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use access::Authentication;
use xml::Writer;

use crate::{Act, Event, Object, Outcome};

/// A coded value: code, system, text.
type Code = (&'static str, &'static str, &'static str);

/// One row of the event table.
struct Row {
    event: Code,
    action: &'static str,
    kind: Code,
    /// Who the octets come from.
    from: Side,
}

#[derive(PartialEq, Clone, Copy)]
enum Side {
    Requester,
    Ourselves,
}

const IMPORT: Code = ("110107", "DCM", "Import");
const EXPORT: Code = ("110106", "DCM", "Export");
const QUERY: Code = ("110112", "DCM", "Query");
const PATIENT_RECORD: Code = ("110110", "DCM", "Patient Record");
const AUDIT_LOG_USED: Code = ("110101", "DCM", "Audit Log Used");
const APPLICATION_ACTIVITY: Code = ("110100", "DCM", "Application Activity");
const SOURCE: Code = ("110153", "DCM", "Source Role ID");
const DESTINATION: Code = ("110152", "DCM", "Destination Role ID");
const PATIENT_NUMBER: Code = ("2", "RFC-3881", "Patient Number");
const REPORT_NUMBER: Code = ("9", "RFC-3881", "Report Number");
const STORED_QUERY: Code = ("ITI-18", "IHE Transactions", "Registry Stored Query");
const SUBMISSION_SET: Code =
    ("urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd", "IHE XDS Metadata", "submission set classificationNode");

fn row(act: Act) -> Row {
    let row = |event, action, kind, from| Row { event, action, kind, from };
    match act {
        Act::Iti41Repository => {
            row(IMPORT, "C", ("ITI-41", "IHE Transactions", "Provide and Register Document Set-b"), Side::Requester)
        }
        Act::Iti42Registry => {
            row(IMPORT, "C", ("ITI-42", "IHE Transactions", "Register Document Set-b"), Side::Requester)
        }
        Act::Iti18Registry => row(QUERY, "E", STORED_QUERY, Side::Requester),
        Act::Iti43Repository => {
            row(EXPORT, "R", ("ITI-43", "IHE Transactions", "Retrieve Document Set"), Side::Ourselves)
        }
        Act::PatientOpened => row(PATIENT_RECORD, "C", ("patient-open", "Carnet", "Ouverture du dossier"), Side::Requester),
        Act::AuditRead => row(AUDIT_LOG_USED, "R", ("audit-read", "Carnet", "Audit read"), Side::Ourselves),
        Act::ServerStarted => {
            row(APPLICATION_ACTIVITY, "E", ("110120", "DCM", "Application Start"), Side::Ourselves)
        }
        Act::ServerStopped => {
            row(APPLICATION_ACTIVITY, "E", ("110121", "DCM", "Application Stop"), Side::Ourselves)
        }
    }
}

/// The event as `<AuditMessage>` XML, without an XML declaration.
pub fn render(event: &Event) -> String {
    let row = row(event.act);
    let mut w = Writer::new();
    w.open("AuditMessage", &[]);
    identification(&mut w, event, &row);
    participants(&mut w, event, &row);
    let mut source = vec![("AuditSourceID", event.source.id.as_str())];
    if let Some(site) = &event.source.enterprise_site {
        source.push(("AuditEnterpriseSiteID", site));
    }
    w.empty("AuditSourceIdentification", &source);
    if let Some(patient) = &event.patient {
        w.open("ParticipantObjectIdentification", &object_attributes(patient, "1", "1"));
        code(&mut w, "ParticipantObjectIDTypeCode", PATIENT_NUMBER);
        w.close();
    }
    event.objects.iter().for_each(|object| write_object(&mut w, object));
    if event.act == Act::AuditRead {
        w.open("ParticipantObjectIdentification", &object_attributes(&event.requester.endpoint, "2", "13"));
        code(&mut w, "ParticipantObjectIDTypeCode", ("12", "RFC-3881", "URI"));
        w.element("ParticipantObjectName", &[], "Security Audit Log").close();
    }
    w.finish()
}

fn identification(w: &mut Writer, event: &Event, row: &Row) {
    let outcome = match event.outcome {
        Outcome::Success => "0",
        Outcome::MinorFailure => "4",
        Outcome::SeriousFailure => "8",
    };
    let at = event.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let attributes =
        [("EventActionCode", row.action), ("EventDateTime", at.as_str()), ("EventOutcomeIndicator", outcome)];
    w.open("EventIdentification", &attributes);
    code(w, "EventID", row.event);
    code(w, "EventTypeCode", row.kind);
    let unverified = event.requester.authentication == Authentication::Unverified;
    let description = match (&event.outcome_description, unverified) {
        (Some(text), true) => format!("{text}; {UNVERIFIED}"),
        (Some(text), false) => text.clone(),
        (None, true) => UNVERIFIED.to_owned(),
        (None, false) => String::new(),
    };
    if !description.is_empty() {
        w.element("EventOutcomeDescription", &[], &description);
    }
    w.close();
}

/// What the trace says of a security header that nobody checked.
const UNVERIFIED: &str = "security header unverified";

fn participants(w: &mut Writer, event: &Event, row: &Row) {
    let requester = &event.requester;
    let process = std::process::id().to_string();
    let address = requester.network_address.map(|address| address.to_string());
    if let Act::ServerStarted | Act::ServerStopped = event.act {
        let application = [("UserID", requester.endpoint.as_str()), ("AlternativeUserID", &process), ("UserIsRequestor", "false")];
        w.open("ActiveParticipant", &application);
        code(w, "RoleIDCode", ("110150", "DCM", "Application"));
        w.close();
    } else {
        let sides = match row.from {
            Side::Requester => [(Side::Requester, SOURCE), (Side::Ourselves, DESTINATION)],
            Side::Ourselves => [(Side::Ourselves, SOURCE), (Side::Requester, DESTINATION)],
        };
        for (side, role) in sides {
            let mut attributes: Vec<(&str, &str)> = Vec::new();
            match side {
                Side::Requester => {
                    let id = requester.reply_to.as_deref().or(address.as_deref()).or(requester.who.as_deref());
                    attributes.push(("UserID", id.unwrap_or("unknown")));
                    attributes.push(("UserIsRequestor", "true"));
                    if let Some(address) = &address {
                        attributes.push(("NetworkAccessPointID", address));
                        attributes.push(("NetworkAccessPointTypeCode", "2"));
                    }
                }
                Side::Ourselves => {
                    attributes.push(("UserID", &requester.endpoint));
                    attributes.push(("AlternativeUserID", &process));
                    attributes.push(("UserIsRequestor", "false"));
                    if let Some(host) = host(&requester.endpoint) {
                        attributes.push(("NetworkAccessPointID", host));
                        let numeric = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
                        attributes.push(("NetworkAccessPointTypeCode", if numeric { "2" } else { "1" }));
                    }
                }
            }
            w.open("ActiveParticipant", &attributes);
            code(w, "RoleIDCode", role);
            w.close();
        }
    }
    if let Some(who) = &requester.who {
        let attributes = [("UserID", who.as_str()), ("UserIsRequestor", "true")];
        w.empty("ActiveParticipant", &attributes);
    }
}

/// The host in a URL.
fn host(endpoint: &str) -> Option<&str> {
    let authority = endpoint.split_once("://")?.1.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    }
}

fn write_object(w: &mut Writer, object: &Object) {
    match object {
        Object::SubmissionSet { unique_id } => {
            w.open("ParticipantObjectIdentification", &object_attributes(unique_id, "2", "20"));
            code(w, "ParticipantObjectIDTypeCode", SUBMISSION_SET);
        }
        Object::Document { unique_id, repository_unique_id, home_community_id } => {
            w.open("ParticipantObjectIdentification", &object_attributes(unique_id, "2", "3"));
            code(w, "ParticipantObjectIDTypeCode", REPORT_NUMBER);
            detail(w, "Repository Unique ID", repository_unique_id);
            if let Some(home) = home_community_id {
                detail(w, "ihe:homeCommunityID", home);
            }
        }
        Object::Query { id, request, home_community_id } => {
            w.open("ParticipantObjectIdentification", &object_attributes(id, "2", "24"));
            code(w, "ParticipantObjectIDTypeCode", STORED_QUERY);
            w.element("ParticipantObjectQuery", &[], &STANDARD.encode(request));
            detail(w, "QueryEncoding", "UTF-8");
            if let Some(home) = home_community_id {
                detail(w, "urn:ihe:iti:xca:2010:homeCommunityId", home);
            }
        }
    }
    w.close();
}

fn object_attributes<'a>(id: &'a str, kind: &'a str, role: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("ParticipantObjectID", id),
        ("ParticipantObjectTypeCode", kind),
        ("ParticipantObjectTypeCodeRole", role),
    ]
}

/// The schema wants base64 even where the tables speak of a plain text.
fn detail(w: &mut Writer, kind: &str, value: &str) {
    w.empty("ParticipantObjectDetail", &[("type", kind), ("value", &STANDARD.encode(value))]);
}

fn code(w: &mut Writer, name: &'static str, (code, system, text): Code) {
    w.empty(name, &[("csd-code", code), ("codeSystemName", system), ("originalText", text)]);
}

#[cfg(test)]
mod tests;
