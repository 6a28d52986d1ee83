//! Our own events, filled as the IHE transactions say (ITI TF-2, Security Considerations of each).

use std::net::IpAddr;

use access::{Authentication, Requester};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Content, Detail, Indicator, Message, Network, Object, Participant, Source};
use crate::event;
use crate::table::codes::{
    NODE_ID, PATIENT_NUMBER, REPORT_NUMBER, SECURITY_ALERT, SUBMISSION_SET, URI, metadata,
};
use crate::table::{Code, Row};
use crate::{Act, Event, MessageId, Outcome, RegistryObjectKind};

/// How the trace names itself when it was read.
const AUDIT_LOG: &str = "carnet:audit";
/// What the trace says of a security header that nobody checked.
const UNVERIFIED: &str = "security header unverified";

impl From<Outcome> for Indicator {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Indicator::Success,
            Outcome::MinorFailure => Indicator::MinorFailure,
            Outcome::SeriousFailure => Indicator::SeriousFailure,
        }
    }
}

impl From<&Event> for Message {
    /// Only what the event holds goes into it, so that it is the same wherever and whenever it is made.
    fn from(event: &Event) -> Self {
        let row = event.act.row();
        let unverified = (event.requester.authentication == Authentication::Unverified).then_some(UNVERIFIED);
        let description: Vec<&str> =
            event.outcome_description.as_deref().into_iter().chain(unverified).collect();
        let [asking, ours] = row.roles;
        let mut participants = requesters(&event.requester, asking);
        participants.push(ourselves(event, ours));
        Message {
            event: row.event.into(),
            types: row.types.iter().map(|kind| (*kind).into()).collect(),
            action: Some(row.action),
            at: event.at,
            outcome: event.outcome.into(),
            description: (!description.is_empty()).then(|| description.join("; ")),
            purposes: Vec::new(),
            participants,
            source: Source {
                id: event.source.id.clone(),
                site: event.source.enterprise_site.clone(),
                types: Vec::new(),
            },
            objects: objects(event, row),
        }
    }
}

/// The machine that asked and, when it is known, the person behind it. At our own command line the person is all
/// there is.
fn requesters(requester: &Requester, role: Code) -> Vec<Participant> {
    let address = requester.network_address.map(|address| address.to_string());
    let mut person = requester.who.clone();
    let id = match requester.authentication {
        Authentication::LocalAccount => person.take(),
        Authentication::None | Authentication::Unverified | Authentication::Token => {
            requester.application.clone().or_else(|| requester.reply_to.clone()).or_else(|| address.clone())
        }
    };
    let machine = Participant {
        id: id.unwrap_or_else(|| "unknown".to_owned()),
        name: requester.certificate_subject.clone(),
        requestor: true,
        network: address.map(|address| Network { address, kind: Some("2".to_owned()) }),
        roles: vec![role.into()],
        ..Participant::default()
    };
    let person = person.map(|id| Participant {
        id,
        name: requester.name.clone(),
        requestor: true,
        ..Participant::default()
    });
    [machine].into_iter().chain(person).collect()
}

fn ourselves(event: &Event, role: Code) -> Participant {
    let endpoint = event.requester.endpoint.as_str();
    Participant {
        id: endpoint.to_owned(),
        alternative_id: (event.source.process != 0).then(|| event.source.process.to_string()),
        network: host(endpoint).map(|host| {
            let kind = if host.parse::<IpAddr>().is_ok() { "2" } else { "1" };
            Network { address: host.to_owned(), kind: Some(kind.to_owned()) }
        }),
        roles: vec![role.into()],
        ..Participant::default()
    }
}

/// The host in a URL, an IPv6 address without its brackets; a command has none.
fn host(endpoint: &str) -> Option<&str> {
    let (_, rest) = endpoint.split_once("://")?;
    match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => rest.split([':', '/']).next(),
    }
}

fn objects(event: &Event, row: &Row) -> Vec<Object> {
    let patient = event.patient.as_deref().map(|patient| {
        let told = match &event.message {
            Some(MessageId::ControlId(id)) => Some(detail("MSH-10", id)),
            Some(MessageId::Ii(id)) => Some(detail("II", id)),
            None => None,
        };
        Object { details: told.into_iter().collect(), ..object(patient, ["1", "1"], PATIENT_NUMBER) }
    });
    let touched = event.objects.iter().map(|touched| touched_object(event.act, touched));
    let subject = (row.event == SECURITY_ALERT && !row.touches_log).then(|| alert_subject(event));
    let states = event.objects.iter().any(|object| matches!(object, event::Object::Gone(_)));
    let log = (row.touches_log && !states).then(audit_log);
    patient.into_iter().chain(touched).chain(subject).chain(log).collect()
}

fn audit_log() -> Object {
    Object {
        content: Some(Content::Name("Security Audit Log".to_owned())),
        ..object(AUDIT_LOG, ["2", "13"], URI)
    }
}

/// The node that an alert is about: the peer, or without one ourselves.
fn alert_subject(event: &Event) -> Object {
    let peer = event.requester.network_address.map(|address| address.to_string());
    let description = event.outcome_description.iter();
    Object {
        details: description.map(|description| detail("Alert Description", description)).collect(),
        ..object(peer.as_deref().unwrap_or(&event.source.id), ["2", "13"], NODE_ID)
    }
}

fn touched_object(act: Act, touched: &event::Object) -> Object {
    match touched {
        event::Object::SubmissionSet { unique_id, .. } => object(unique_id, ["2", "20"], SUBMISSION_SET),
        event::Object::Document { unique_id, repository_unique_id, home_community_id, title } => {
            let repository = match act {
                Act::Iti86Repository => "urn:ihe:iti:xds:2007:repositoryUniqueId",
                _ => "Repository Unique ID",
            };
            let home = home_community_id.iter().map(|home| detail("ihe:homeCommunityID", home));
            Object {
                content: title.clone().map(Content::Name),
                details: [detail(repository, repository_unique_id)].into_iter().chain(home).collect(),
                ..object(unique_id, ["2", "3"], REPORT_NUMBER)
            }
        }
        event::Object::RegistryObject { entry_uuid, kind } => {
            object(entry_uuid, ["2", "3"], registry_object(*kind))
        }
        event::Object::Gone(gone) => {
            let details = gone.details();
            let details = details.iter().map(|(kind, value)| detail(kind, value)).collect();
            Object { details, ..audit_log() }
        }
        event::Object::Query { id, request, home_community_id } => {
            let home =
                home_community_id.iter().map(|home| detail("urn:ihe:iti:xca:2010:homeCommunityId", home));
            Object {
                content: Some(Content::Query(STANDARD.encode(request))),
                details: [detail("QueryEncoding", "UTF-8")].into_iter().chain(home).collect(),
                ..object(id, ["2", "24"], act.row().type_code())
            }
        }
    }
}

fn object(id: &str, [kind, role]: [&str; 2], id_type: Code) -> Object {
    Object {
        id: Some(id.to_owned()),
        id_type: id_type.into(),
        kind: Some(kind.to_owned()),
        role: Some(role.to_owned()),
        life_cycle: None,
        sensitivity: None,
        content: None,
        details: Vec::new(),
    }
}

/// The schema wants base64 even where the tables speak of a plain text.
fn detail(kind: &str, value: &str) -> Detail {
    Detail { kind: kind.to_owned(), value: STANDARD.encode(value) }
}

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
