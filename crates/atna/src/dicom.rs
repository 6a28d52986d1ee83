//! DICOM audit message (PS3.15 A.5.1), filled as the IHE transactions say (ITI TF-2, Security Considerations of each).

use std::net::IpAddr;

use access::{Authentication, Requester};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use xml::Writer;

use crate::{Act, Event, MessageId, Object, Outcome, RegistryObjectKind};

/// A coded value: code, system, text.
type Code = (&'static str, &'static str, &'static str);

/// One row of the event table.
struct Row {
    event: Code,
    action: &'static str,
    kind: Code,
    /// RoleIDCode of the one who asked, and ours.
    roles: [Code; 2],
}

const IMPORT: Code = ("110107", "DCM", "Import");
const EXPORT: Code = ("110106", "DCM", "Export");
const QUERY: Code = ("110112", "DCM", "Query");
const PATIENT_RECORD: Code = ("110110", "DCM", "Patient Record");
const SECURITY_ALERT: Code = ("110113", "DCM", "Security Alert");
const AUDIT_LOG_USED: Code = ("110101", "DCM", "Audit Log Used");
const APPLICATION_ACTIVITY: Code = ("110100", "DCM", "Application Activity");

const ITI_41: Code = ("ITI-41", "IHE Transactions", "Provide and Register Document Set-b");
const ITI_42: Code = ("ITI-42", "IHE Transactions", "Register Document Set-b");
const ITI_57: Code = ("ITI-57", "IHE Transactions", "Update Document Set");
const ITI_92: Code = ("ITI-92", "IHE Transactions", "Restricted Update Document Set");
const ITI_18: Code = ("ITI-18", "IHE Transactions", "Registry Stored Query");
const ITI_51: Code = ("ITI-51", "IHE Transactions", "Multi-Patient Query");
const ITI_43: Code = ("ITI-43", "IHE Transactions", "Retrieve Document Set");
const ITI_61: Code = ("ITI-61", "IHE Transactions", "Register On-Demand Document Entry");
const ITI_62: Code = ("ITI-62", "IHE Transactions", "Remove Metadata");
const ITI_86: Code = ("ITI-86", "IHE Transactions", "Remove Documents");
const ITI_8: Code = ("ITI-8", "IHE Transactions", "Patient Identity Feed");
const ITI_44: Code = ("ITI-44", "IHE Transactions", "Patient Identity Feed");
const PATIENT_MERGE: Code = ("patient-merge", "Carnet", "Fusion de dossiers");
const NODE_AUTHENTICATION: Code = ("110126", "DCM", "Node Authentication");
const PATIENT_OPEN: Code = ("patient-open", "Carnet", "Ouverture du dossier");
const AUDIT_READ: Code = ("audit-read", "Carnet", "Audit read");
const START: Code = ("110120", "DCM", "Application Start");
const STOP: Code = ("110121", "DCM", "Application Stop");

const SOURCE: Code = ("110153", "DCM", "Source Role ID");
const DESTINATION: Code = ("110152", "DCM", "Destination Role ID");
const APPLICATION: Code = ("110150", "DCM", "Application");
const LAUNCHER: Code = ("110151", "DCM", "Application Launcher");
/// What is asked comes to us.
const TO_US: [Code; 2] = [SOURCE, DESTINATION];
/// Octets leave us: the one who asked for them is where they go (ITI-43, unlike all others).
const FROM_US: [Code; 2] = [DESTINATION, SOURCE];
const LAUNCHED: [Code; 2] = [LAUNCHER, APPLICATION];

const PATIENT_NUMBER: Code = ("2", "RFC-3881", "Patient Number");
const REPORT_NUMBER: Code = ("9", "RFC-3881", "Report Number");
const URI: Code = ("12", "RFC-3881", "URI");
const SUBMISSION_SET: Code = (
    "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
    "IHE XDS Metadata",
    "submission set classificationNode",
);

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
    (code, "IHE XDS Metadata", text)
}

/// How the trace names itself when it was read.
const AUDIT_LOG: &str = "carnet:audit";
/// What the trace says of a security header that nobody checked.
const UNVERIFIED: &str = "security header unverified";

const fn row(act: Act) -> Row {
    const fn row(event: Code, action: &'static str, kind: Code, roles: [Code; 2]) -> Row {
        Row { event, action, kind, roles }
    }
    match act {
        Act::Iti41Repository => row(IMPORT, "C", ITI_41, TO_US),
        Act::Iti42Registry => row(IMPORT, "C", ITI_42, TO_US),
        Act::Iti42Repository => row(EXPORT, "R", ITI_42, FROM_US),
        Act::Iti57Registry => row(IMPORT, "U", ITI_57, TO_US),
        Act::Iti92Registry => row(IMPORT, "U", ITI_92, TO_US),
        Act::Iti18Registry => row(QUERY, "E", ITI_18, TO_US),
        Act::Iti51Registry => row(QUERY, "E", ITI_51, TO_US),
        Act::Iti43Repository => row(EXPORT, "R", ITI_43, FROM_US),
        Act::Iti61Registry => row(IMPORT, "C", ITI_61, TO_US),
        Act::Iti62Registry => row(PATIENT_RECORD, "D", ITI_62, TO_US),
        Act::Iti86Repository => row(PATIENT_RECORD, "D", ITI_86, TO_US),
        Act::PatientOpened => row(PATIENT_RECORD, "C", PATIENT_OPEN, TO_US),
        Act::Iti8Added => row(PATIENT_RECORD, "C", ITI_8, TO_US),
        Act::Iti8Revised | Act::Iti8Survived => row(PATIENT_RECORD, "U", ITI_8, TO_US),
        Act::Iti8Subsumed => row(PATIENT_RECORD, "D", ITI_8, TO_US),
        Act::Iti44Added => row(PATIENT_RECORD, "C", ITI_44, TO_US),
        Act::Iti44Revised | Act::Iti44Survived => row(PATIENT_RECORD, "U", ITI_44, TO_US),
        Act::Iti44Subsumed => row(PATIENT_RECORD, "D", ITI_44, TO_US),
        Act::PatientSurvived => row(PATIENT_RECORD, "U", PATIENT_MERGE, TO_US),
        Act::PatientSubsumed => row(PATIENT_RECORD, "D", PATIENT_MERGE, TO_US),
        Act::NodeRefused => row(SECURITY_ALERT, "E", NODE_AUTHENTICATION, TO_US),
        Act::AuditRead => row(AUDIT_LOG_USED, "R", AUDIT_READ, FROM_US),
        Act::ServerStarted => row(APPLICATION_ACTIVITY, "E", START, LAUNCHED),
        Act::ServerStopped => row(APPLICATION_ACTIVITY, "E", STOP, LAUNCHED),
    }
}

/// The event as `<AuditMessage>` XML, without an XML declaration. The process id in it is that of this process, so an
/// event is rendered where it happens and kept.
pub fn render(event: &Event) -> String {
    let row = row(event.act);
    let mut w = Writer::new();
    w.open("AuditMessage", &[]);
    identification(&mut w, event, &row);
    let [asking, ours] = row.roles;
    requester(&mut w, &event.requester, asking);
    ourselves(&mut w, &event.requester.endpoint, ours);
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
    if event.act == Act::AuditRead {
        let w = object(&mut w, AUDIT_LOG, ["2", "13"], URI);
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

fn ourselves(w: &mut Writer, endpoint: &str, role: Code) {
    let process = std::process::id().to_string();
    let mut attributes =
        vec![("UserID", endpoint), ("AlternativeUserID", &process), ("UserIsRequestor", "false")];
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
        Object::SubmissionSet { unique_id } => {
            object(w, unique_id, ["2", "20"], SUBMISSION_SET);
        }
        Object::Document { unique_id, repository_unique_id, home_community_id } => {
            object(w, unique_id, ["2", "3"], REPORT_NUMBER);
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
            object(w, id, ["2", "24"], row(act).kind);
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

fn code(w: &mut Writer, name: &'static str, (code, system, text): Code) {
    w.empty(name, &[("csd-code", code), ("codeSystemName", system), ("originalText", text)]);
}

#[cfg(test)]
mod tests;
