//! DICOM audit message (PS3.15 A.5.1), filled as the IHE transactions say (ITI TF-2, Security Considerations of each).

use std::net::IpAddr;

use access::{Authentication, Requester};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use xml::Writer;

use crate::table::codes::{
    NODE_ID, PATIENT_NUMBER, REPORT_NUMBER, SECURITY_ALERT, SUBMISSION_SET, URI, metadata,
};
use crate::table::{Code, Row};
use crate::{Act, Event, MessageId, Object, Outcome, RegistryObjectKind};

/// What an entryUUID is said to be (RMD supplement, §3.62.5.1).
const fn registry_object(kind: RegistryObjectKind) -> Code {
    use RegistryObjectKind::*;
    let (code, text) = match kind {
        DocumentEntry => ("urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1", "document entry object type"),
        OnDemandDocumentEntry => {
            ("urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248", "on-demand document entry object type")
        }
        SubmissionSet => {
            ("urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd", "submission set classification node")
        }
        Folder => ("urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2", "folder classification node"),
        HasMember => {
            ("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember", "has-member association type")
        }
        Replacement => ("urn:ihe:iti:2007:AssociationType:RPLC", "replacement relationship association type"),
        Transformation => {
            ("urn:ihe:iti:2007:AssociationType:XFRM", "transformation relationship association type")
        }
        Addendum => ("urn:ihe:iti:2007:AssociationType:APND", "addendum relationship association type"),
        TransformationAndReplacement => (
            "urn:ihe:iti:2007:AssociationType:XFRM_RPLC",
            "replace-transformation relationship association type",
        ),
        Signature => {
            ("urn:ihe:iti:2007:AssociationType:signs", "digital signature relationship association type")
        }
        Snapshot => {
            ("urn:ihe:iti:2010:AssociationType:IsSnapshotOf", "is-snapshot-of relationship association type")
        }
        Reference => ("urn:ihe:iti:2017:ObjectRef", "registry object reference"),
    };
    metadata(code, text)
}

/// How the trace names itself when it was read.
const AUDIT_LOG: &str = "carnet:audit";
/// What the trace says of a security header that nobody checked.
const UNVERIFIED: &str = "security header unverified";

/// The event as `<AuditMessage>` XML, without an XML declaration. Only what the event holds goes into it, so that it is the
/// same wherever and whenever it is made.
pub fn render(event: &Event) -> String {
    let row = event.act.row();
    let mut w = Writer::new();
    w.open("AuditMessage", &[]);
    identification(&mut w, event, row);
    let [asking, ours] = row.roles;
    requester(&mut w, &event.requester, asking);
    ourselves(&mut w, event, ours);
    let mut source = vec![("AuditSourceID", event.source.id.as_str())];
    if let Some(site) = &event.source.enterprise_site {
        source.push(("AuditEnterpriseSiteID", site));
    }
    w.empty("AuditSourceIdentification", &source);
    if let Some(patient) = &event.patient {
        let w = object(&mut w, patient, ["1", "1"], PATIENT_NUMBER);
        match &event.message {
            Some(MessageId::ControlId(id)) => detail(w, "MSH-10", id),
            Some(MessageId::Ii(id)) => detail(w, "II", id),
            None => {}
        }
        w.close();
    }
    event.objects.iter().for_each(|object| write_object(&mut w, event.act, object));
    if row.event == SECURITY_ALERT && !row.touches_log {
        alert_subject(&mut w, event);
    }
    if row.touches_log {
        let w = object(&mut w, AUDIT_LOG, ["2", "13"], URI);
        w.element("ParticipantObjectName", &[], "Security Audit Log").close();
    }
    w.finish()
}

/// The node that an alert is about: the peer, or without one ourselves.
fn alert_subject(w: &mut Writer, event: &Event) {
    let peer = event.requester.network_address.map(|address| address.to_string());
    object(w, peer.as_deref().unwrap_or(&event.source.id), ["2", "13"], NODE_ID);
    if let Some(description) = &event.outcome_description {
        detail(w, "Alert Description", description);
    }
    w.close();
}

fn identification(w: &mut Writer, event: &Event, row: &Row) {
    let outcome = match event.outcome {
        Outcome::Success => "0",
        Outcome::MinorFailure => "4",
        Outcome::SeriousFailure => "8",
    };
    let at = event.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let attributes = [
        ("EventActionCode", row.action.letter()),
        ("EventDateTime", at.as_str()),
        ("EventOutcomeIndicator", outcome),
    ];
    w.open("EventIdentification", &attributes);
    code(w, "EventID", row.event);
    row.types.iter().for_each(|kind| code(w, "EventTypeCode", *kind));
    let unverified = (event.requester.authentication == Authentication::Unverified).then_some(UNVERIFIED);
    let description: Vec<&str> = event.outcome_description.as_deref().into_iter().chain(unverified).collect();
    if !description.is_empty() {
        w.element("EventOutcomeDescription", &[], &description.join("; "));
    }
    w.close();
}

/// The machine that asked and, when it is known, the person behind it. At our own command line the person is all
/// there is.
fn requester(w: &mut Writer, requester: &Requester, role: Code) {
    let address = requester.network_address.map(|address| address.to_string());
    let mut person = requester.who.as_deref();
    let id = match requester.authentication {
        Authentication::LocalAccount => person.take(),
        Authentication::None | Authentication::Unverified => {
            requester.application.as_deref().or(requester.reply_to.as_deref()).or(address.as_deref())
        }
    };
    let mut attributes = vec![("UserID", id.unwrap_or("unknown")), ("UserIsRequestor", "true")];
    if let Some(address) = &address {
        attributes.extend([("NetworkAccessPointID", address.as_str()), ("NetworkAccessPointTypeCode", "2")]);
    }
    w.open("ActiveParticipant", &attributes);
    code(w, "RoleIDCode", role);
    w.close();
    if let Some(person) = person {
        w.empty("ActiveParticipant", &[("UserID", person), ("UserIsRequestor", "true")]);
    }
}

fn ourselves(w: &mut Writer, event: &Event, role: Code) {
    let endpoint = event.requester.endpoint.as_str();
    let process = event.source.process.to_string();
    let mut attributes = vec![("UserID", endpoint)];
    if event.source.process != 0 {
        attributes.push(("AlternativeUserID", &process));
    }
    attributes.push(("UserIsRequestor", "false"));
    if let Some(host) = host(endpoint) {
        let kind = if host.parse::<IpAddr>().is_ok() { "2" } else { "1" };
        attributes.extend([("NetworkAccessPointID", host), ("NetworkAccessPointTypeCode", kind)]);
    }
    w.open("ActiveParticipant", &attributes);
    code(w, "RoleIDCode", role);
    w.close();
}

/// The host in a URL, an IPv6 address without its brackets; a command has none.
fn host(endpoint: &str) -> Option<&str> {
    let (_, rest) = endpoint.split_once("://")?;
    match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => rest.split([':', '/']).next(),
    }
}

fn write_object(w: &mut Writer, act: Act, touched: &Object) {
    match touched {
        Object::SubmissionSet { unique_id, .. } => {
            object(w, unique_id, ["2", "20"], SUBMISSION_SET);
        }
        Object::Document { unique_id, repository_unique_id, home_community_id, title } => {
            object(w, unique_id, ["2", "3"], REPORT_NUMBER);
            if let Some(title) = title {
                w.element("ParticipantObjectName", &[], title);
            }
            let repository = match act {
                Act::Iti86Repository => "urn:ihe:iti:xds:2007:repositoryUniqueId",
                _ => "Repository Unique ID",
            };
            detail(w, repository, repository_unique_id);
            if let Some(home) = home_community_id {
                detail(w, "ihe:homeCommunityID", home);
            }
        }
        Object::RegistryObject { entry_uuid, kind } => {
            object(w, entry_uuid, ["2", "3"], registry_object(*kind));
        }
        Object::Query { id, request, home_community_id } => {
            object(w, id, ["2", "24"], act.row().type_code());
            w.element("ParticipantObjectQuery", &[], &STANDARD.encode(request));
            detail(w, "QueryEncoding", "UTF-8");
            if let Some(home) = home_community_id {
                detail(w, "urn:ihe:iti:xca:2010:homeCommunityId", home);
            }
        }
    }
    w.close();
}

/// Opens an object by its id, its type and role, and the kind of its id.
fn object<'a>(w: &'a mut Writer, id: &str, [kind, role]: [&str; 2], id_kind: Code) -> &'a mut Writer {
    let attributes = [
        ("ParticipantObjectID", id),
        ("ParticipantObjectTypeCode", kind),
        ("ParticipantObjectTypeCodeRole", role),
    ];
    w.open("ParticipantObjectIdentification", &attributes);
    code(w, "ParticipantObjectIDTypeCode", id_kind);
    w
}

/// The schema wants base64 even where the tables speak of a plain text.
fn detail(w: &mut Writer, kind: &str, value: &str) {
    w.empty("ParticipantObjectDetail", &[("type", kind), ("value", &STANDARD.encode(value))]);
}

fn code(w: &mut Writer, name: &'static str, Code { code, system, text }: Code) {
    w.empty(name, &[("csd-code", code), ("codeSystemName", system), ("originalText", text)]);
}

#[cfg(test)]
mod tests;
