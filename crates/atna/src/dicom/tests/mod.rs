use std::path::PathBuf;
use std::process::{Command, Stdio};

use xml::{Document, Element, Limits};

mod codes;
mod read;

use access::{Authentication, Requester};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::{
    Act, Blanked, Expired, Gone, Kind, Loss, MessageId, Object, Outcome, Part, RegistryObjectKind, Source,
    Sum,
};

const ENDPOINT: &str = "http://127.0.0.1:8080/services/registry";
const PATIENT: &str = "123^^^&1.2.250.1.213.1.4.10&ISO";

fn remote() -> Requester {
    Requester::remote("192.0.2.7".parse().ok(), ENDPOINT)
}

/// Callers of every kind: by address, unknown, with unchecked claims, by name, with an address for answers, local.
fn requesters() -> Vec<Requester> {
    vec![
        remote(),
        Requester::remote("2001:db8::7".parse().ok(), "https://dmp.example.org/services/repository"),
        Requester::remote(None, "http://[::1]:8080/services/registry"),
        Requester { authentication: Authentication::Unverified, ..remote() },
        Requester { who: Some("801234567897".to_owned()), ..remote() },
        Requester {
            who: Some("801234567897".to_owned()),
            name: Some("Dr Anne \"<Martin>\"".to_owned()),
            certificate_subject: Some("CN=gateway, O=R&D".to_owned()),
            ..remote()
        },
        Requester { application: Some("HOSPITAL|ADT".to_owned()), ..remote() },
        Requester { reply_to: Some("http://hospital.example.org/answers?a=1&b=2".to_owned()), ..remote() },
        Requester::local("operator", "carnet audit"),
    ]
}

fn source(enterprise_site: Option<&str>) -> Source {
    Source::here("carnet", enterprise_site.map(str::to_owned))
}

fn event(act: Act, outcome: Outcome, requester: &Requester) -> Event {
    Event::new(act, outcome, requester, &source(Some("region")))
}

fn set() -> Object {
    Object::SubmissionSet { unique_id: "1.2.3".to_owned(), titles: vec!["Lettre".to_owned()] }
}

fn document(home: Option<&str>) -> Object {
    Object::Document {
        unique_id: "1.2.4".to_owned(),
        repository_unique_id: "1.2.5".to_owned(),
        home_community_id: home.map(str::to_owned),
        title: None,
    }
}

/// With a title that needs escaping.
fn titled() -> Object {
    Object::Document {
        unique_id: "1.2.6".to_owned(),
        repository_unique_id: "1.2.5".to_owned(),
        home_community_id: None,
        title: Some("Bilan <1> & suite".to_owned()),
    }
}

fn query(home: Option<&str>) -> Object {
    Object::Query {
        id: "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d".to_owned(),
        request: "<query:AdhocQueryRequest>é</query:AdhocQueryRequest>".to_owned(),
        home_community_id: home.map(str::to_owned),
    }
}

fn gone() -> [Object; 2] {
    let month = chrono::NaiveDate::from_ymd_opt(2016, 1, 1).unwrap();
    let gone = Sum { count: 2, digest: "4OFYHNYBiZFDvnBUEFXZFtoQABFQP2n+mGzGUkdfqz8=".to_owned() };
    let kinds = vec![Kind::Access, Kind::Operation];
    let expired = Loss::Expired(Expired { month, kinds, first: 3, until: 9, gone: gone.clone() });
    let blanked = Loss::Blanked(Blanked {
        events: 2,
        from: "2016-01-02T03:04:05Z".parse().unwrap(),
        until: "2016-01-03T03:04:05Z".parse().unwrap(),
        patient: gone.digest.clone(),
        parts: vec![Part { month, kind: Kind::Access, gone }],
    });
    [expired, blanked].map(|loss| {
        Object::Gone(Gone { origin: "carnet".to_owned(), loss, signature: "— carnet AAAA\n".to_owned() })
    })
}

/// Every act with every outcome and every kind of caller, with everything and with nothing beside.
fn all() -> Vec<Event> {
    let home = Some("urn:oid:1.9");
    let removed = Object::RegistryObject {
        entry_uuid: "urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf".to_owned(),
        kind: RegistryObjectKind::HasMember,
    };
    let [expired, blanked] = gone();
    let objects = [
        set(),
        document(None),
        titled(),
        document(home),
        query(None),
        query(home),
        removed,
        expired,
        blanked,
    ];
    let mut events = Vec::new();
    for &act in Act::ALL {
        for outcome in [Outcome::Success, Outcome::MinorFailure, Outcome::SeriousFailure] {
            for requester in requesters() {
                events.push(Event::new(act, outcome, &requester, &source(None)));
                events.push(event(act, outcome, &requester).patient(Some(PATIENT)));
                let mut full = event(act, outcome, &requester)
                    .patient(Some(PATIENT))
                    .described("a < b & \"c\": XDSUnknownPatientId");
                full.objects = objects.to_vec();
                full.message = Some(MessageId::ControlId("4 & 2".to_owned()));
                events.push(full);
            }
        }
    }
    events
}

/// The rendered message with every element as one line: its name, and its attributes in the order of `ATTRIBUTES`.
fn lines(event: &Event) -> Vec<String> {
    let message = render(event);
    let document = Document::parse(&message, &Limits::default()).unwrap();
    let mut lines = Vec::new();
    collect(document.root(), &mut lines);
    lines
}

fn collect(element: Element<'_>, lines: &mut Vec<String>) {
    for child in element.children() {
        let values = ATTRIBUTES.iter().filter_map(|name| child.attribute(name));
        let words: Vec<&str> = [child.name()].into_iter().chain(values).collect();
        lines.push(format!("{} {}", words.join(" "), child.text()).trim_end().to_owned());
        collect(child, lines);
    }
}

const ATTRIBUTES: [&str; 20] = [
    "EventActionCode",
    "EventOutcomeIndicator",
    "csd-code",
    "codeSystemName",
    "originalText",
    "UserID",
    "UserName",
    "AlternativeUserID",
    "UserIsRequestor",
    "NetworkAccessPointID",
    "NetworkAccessPointTypeCode",
    "AuditSourceID",
    "AuditEnterpriseSiteID",
    "ParticipantObjectTypeCode",
    "ParticipantObjectTypeCodeRole",
    "ParticipantObjectDataLifeCycle",
    "ParticipantObjectSensitivity",
    "ParticipantObjectID",
    "type",
    "value",
];

fn starting<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    lines.iter().filter_map(|line| line.strip_prefix(name)).map(str::trim_start).collect()
}

#[test]
fn a_message_is_complete_and_in_the_order_of_the_schema() {
    let process = std::process::id();
    let event = event(Act::Iti18Registry, Outcome::MinorFailure, &remote())
        .described("XDSUnknownPatientId")
        .patient(Some(PATIENT))
        .object(query(Some("urn:oid:1.9")));
    let encoded = |text: &str| STANDARD.encode(text);
    assert_eq!(
        lines(&event),
        [
            "EventIdentification E 4".to_owned(),
            "EventID 110112 DCM Query".to_owned(),
            "EventTypeCode ITI-18 IHE Transactions Registry Stored Query".to_owned(),
            "EventOutcomeDescription XDSUnknownPatientId".to_owned(),
            "ActiveParticipant 192.0.2.7 true 192.0.2.7 2".to_owned(),
            "RoleIDCode 110153 DCM Source Role ID".to_owned(),
            format!("ActiveParticipant {ENDPOINT} {process} false 127.0.0.1 2"),
            "RoleIDCode 110152 DCM Destination Role ID".to_owned(),
            "AuditSourceIdentification carnet region".to_owned(),
            format!("ParticipantObjectIdentification 1 1 {PATIENT}"),
            "ParticipantObjectIDTypeCode 2 RFC-3881 Patient Number".to_owned(),
            "ParticipantObjectIdentification 2 24 urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d".to_owned(),
            "ParticipantObjectIDTypeCode ITI-18 IHE Transactions Registry Stored Query".to_owned(),
            format!(
                "ParticipantObjectQuery {}",
                encoded("<query:AdhocQueryRequest>é</query:AdhocQueryRequest>")
            ),
            format!("ParticipantObjectDetail QueryEncoding {}", encoded("UTF-8")),
            format!(
                "ParticipantObjectDetail urn:ihe:iti:xca:2010:homeCommunityId {}",
                encoded("urn:oid:1.9")
            ),
        ]
    );
}

#[test]
fn a_failure_in_the_request_is_4_and_one_in_the_server_8() {
    let indicator = |outcome| lines(&event(Act::Iti41Repository, outcome, &remote())).swap_remove(0);
    assert_eq!(indicator(Outcome::MinorFailure), "EventIdentification C 4");
    assert_eq!(indicator(Outcome::SeriousFailure), "EventIdentification C 8");
}

#[test]
fn a_document_goes_from_us_to_the_one_who_asked() {
    let lines = lines(&event(Act::Iti43Repository, Outcome::Success, &remote()));
    let after = |start: &str| {
        let at = lines.iter().position(|line| line.starts_with(start)).unwrap();
        lines[at + 1].as_str()
    };
    assert_eq!(after("ActiveParticipant 192.0.2.7"), "RoleIDCode 110152 DCM Destination Role ID");
    assert_eq!(after("ActiveParticipant http://"), "RoleIDCode 110153 DCM Source Role ID");
}

#[test]
fn the_requester_is_its_reply_address_or_its_address_or_unknown() {
    let first = |requester: &Requester| {
        let lines = lines(&event(Act::Iti41Repository, Outcome::Success, requester));
        starting(&lines, "ActiveParticipant")[0].to_owned()
    };
    assert_eq!(first(&remote()), "192.0.2.7 true 192.0.2.7 2");
    assert_eq!(first(&Requester::remote(None, ENDPOINT)), "unknown true");
    let answers = "http://hospital.example.org/answers?a=1&b=2";
    let requester = Requester { reply_to: Some(answers.to_owned()), ..remote() };
    assert_eq!(first(&requester), format!("{answers} true 192.0.2.7 2"));
}

#[test]
fn a_feed_names_its_sender_its_receiver_and_its_message() {
    let requester = Requester {
        application: Some("HOSPITAL|ADT".to_owned()),
        endpoint: "DOMAIN|CARNET".to_owned(),
        ..remote()
    };
    let told = |act, message| {
        let event = event(act, Outcome::Success, &requester).patient(Some(PATIENT)).message(Some(message));
        let lines = lines(&event);
        let participants = starting(&lines, "ActiveParticipant");
        assert_eq!(participants[0], "HOSPITAL|ADT true 192.0.2.7 2");
        assert!(participants[1].starts_with("DOMAIN|CARNET "), "{participants:?}");
        starting(&lines, "ParticipantObjectDetail").iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()
    };
    let control_id = MessageId::ControlId("42".to_owned());
    assert_eq!(told(Act::Iti8Added, control_id), [format!("MSH-10 {}", STANDARD.encode("42"))]);
    let ii = MessageId::Ii("7^^^&1.2&ISO".to_owned());
    assert_eq!(told(Act::Iti44Subsumed, ii), [format!("II {}", STANDARD.encode("7^^^&1.2&ISO"))]);
}

#[test]
fn a_known_person_is_a_participant_beside_the_machine() {
    let requester = Requester { who: Some("801234567897".to_owned()), ..remote() };
    let lines = lines(&event(Act::Iti41Repository, Outcome::Success, &requester));
    let participants = starting(&lines, "ActiveParticipant");
    assert_eq!(participants[..2], ["192.0.2.7 true 192.0.2.7 2", "801234567897 true"]);
    assert_eq!(participants.len(), 3);
}

#[test]
fn at_the_command_line_there_is_a_person_and_no_machine() {
    let local = Requester::local("operator", "carnet patient open");
    let lines = lines(&event(Act::PatientOpened, Outcome::Success, &local));
    let ours = format!("carnet patient open {} false", std::process::id());
    assert_eq!(starting(&lines, "ActiveParticipant"), ["operator true", ours.as_str()]);
}

#[test]
fn our_own_access_point_is_the_host_of_the_address_that_was_called() {
    for (endpoint, expected) in [
        ("http://[::1]:8080/x", Some("::1 2")),
        ("https://dmp.example.org/x", Some("dmp.example.org 1")),
        ("http://dmp.example.org:80", Some("dmp.example.org 1")),
        ("carnet audit", None),
    ] {
        let lines = lines(&event(Act::Iti18Registry, Outcome::Success, &Requester::remote(None, endpoint)));
        let ours = starting(&lines, "ActiveParticipant")[1].to_owned();
        let (_, access_point) = ours.split_once(" false").unwrap();
        assert_eq!(access_point.trim_start(), expected.unwrap_or(""), "{endpoint}");
    }
}

#[test]
fn a_security_header_that_nobody_checked_is_called_unverified() {
    let requester = Requester { authentication: Authentication::Unverified, ..remote() };
    let description = |event: &Event| {
        starting(&lines(event), "EventOutcomeDescription").first().map(|text| (*text).to_owned())
    };
    let event = event(Act::Iti18Registry, Outcome::Success, &requester);
    assert_eq!(description(&event).unwrap(), "security header unverified");
    let refused = event.described("XDSUnknownPatientId");
    assert_eq!(description(&refused).unwrap(), "XDSUnknownPatientId; security header unverified");
    assert_eq!(description(&Event { requester: remote(), outcome_description: None, ..refused }), None);
}

#[test]
fn details_are_base64_and_named_as_the_transaction_names_them() {
    let event =
        event(Act::Iti43Repository, Outcome::Success, &remote()).object(document(Some("urn:oid:1.9")));
    let expected = [
        format!("Repository Unique ID {}", STANDARD.encode("1.2.5")),
        format!("ihe:homeCommunityID {}", STANDARD.encode("urn:oid:1.9")),
    ];
    assert_eq!(starting(&lines(&event), "ParticipantObjectDetail"), expected);
    assert_eq!(starting(&lines(&event), "ParticipantObjectIdentification"), ["2 3 1.2.4"]);
}

#[test]
fn a_document_is_named_by_its_title_where_it_is_known() {
    let lines = lines(&event(Act::Iti43Repository, Outcome::Success, &remote()).object(titled()));
    assert_eq!(starting(&lines, "ParticipantObjectName"), ["Bilan <1> & suite"]);
}

#[test]
fn what_is_removed_is_named_by_its_kind() {
    let removed = |kind| Object::RegistryObject { entry_uuid: "urn:uuid:1".to_owned(), kind };
    let event = event(Act::Iti62Registry, Outcome::Success, &remote())
        .object(removed(RegistryObjectKind::DocumentEntry))
        .object(removed(RegistryObjectKind::Replacement))
        .object(removed(RegistryObjectKind::Reference));
    let lines = lines(&event);
    assert_eq!(starting(&lines, "ParticipantObjectIdentification"), ["2 3 urn:uuid:1"; 3]);
    let kinds = [
        "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1 IHE XDS Metadata document entry object type",
        "urn:ihe:iti:2007:AssociationType:RPLC IHE XDS Metadata replacement relationship association type",
        "urn:ihe:iti:2017:ObjectRef IHE XDS Metadata registry object reference",
    ];
    assert_eq!(starting(&lines, "ParticipantObjectIDTypeCode"), kinds);
}

#[test]
fn a_removed_document_names_its_repository_as_iti_86_does() {
    let event = event(Act::Iti86Repository, Outcome::Success, &remote()).object(document(None));
    let expected = [format!("urn:ihe:iti:xds:2007:repositoryUniqueId {}", STANDARD.encode("1.2.5"))];
    assert_eq!(starting(&lines(&event), "ParticipantObjectDetail"), expected);
}

#[test]
fn a_submission_is_named_by_its_unique_id() {
    let event = event(Act::Iti42Registry, Outcome::Success, &remote()).object(set());
    let lines = lines(&event);
    assert_eq!(starting(&lines, "ParticipantObjectIdentification"), ["2 20 1.2.3"]);
    let kind =
        "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd IHE XDS Metadata submission set classificationNode";
    assert_eq!(starting(&lines, "ParticipantObjectIDTypeCode"), [kind]);
}

#[test]
fn reading_the_trace_names_the_trace() {
    let lines =
        lines(&event(Act::AuditRead, Outcome::Success, &Requester::local("operator", "carnet audit")));
    assert_eq!(starting(&lines, "ParticipantObjectIdentification"), ["2 13 carnet:audit"]);
    assert_eq!(starting(&lines, "ParticipantObjectName"), ["Security Audit Log"]);
}

#[test]
fn the_trace_is_named_wherever_it_is_touched() {
    for act in [Act::Iti81AuditRepository, Act::AuditExported, Act::AuditExpired, Act::AuditBlanked] {
        let lines = lines(&event(act, Outcome::Success, &remote()));
        assert!(lines.contains(&"ParticipantObjectIdentification 2 13 carnet:audit".to_owned()), "{act:?}");
    }
}

#[test]
fn an_alert_says_which_node_it_is_about() {
    let refused = event(Act::NodeRefused, Outcome::MinorFailure, &remote()).described("unknown certificate");
    let subject = |event: &Event| {
        lines(event)
            .into_iter()
            .skip_while(|line| !line.ends_with("192.0.2.7") && !line.ends_with(" carnet"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        subject(&refused),
        [
            "ParticipantObjectIdentification 2 13 192.0.2.7".to_owned(),
            "ParticipantObjectIDTypeCode 110182 DCM Node ID".to_owned(),
            format!("ParticipantObjectDetail Alert Description {}", STANDARD.encode("unknown certificate")),
        ]
    );
    let clock =
        event(Act::ClockUnsynchronised, Outcome::MinorFailure, &Requester::local("carnet", "carnet serve"));
    assert_eq!(
        subject(&clock),
        ["ParticipantObjectIdentification 2 13 carnet", "ParticipantObjectIDTypeCode 110182 DCM Node ID"]
    );
}

#[test]
fn a_message_is_the_same_wherever_it_is_made() {
    let mut event = event(Act::Iti18Registry, Outcome::Success, &remote());
    event.source.process = 4711;
    assert_eq!(
        starting(&lines(&event), "ActiveParticipant")[1],
        format!("{ENDPOINT} 4711 false 127.0.0.1 2")
    );
    event.source.process = 0;
    assert_eq!(starting(&lines(&event), "ActiveParticipant")[1], format!("{ENDPOINT} false 127.0.0.1 2"));
}

#[test]
fn what_xml_cannot_hold_is_marked() {
    let requester = Requester { application: Some("A\u{1}|B\u{ffff}\tC".to_owned()), ..remote() };
    let lines = lines(&event(Act::Iti8Added, Outcome::Success, &requester));
    assert!(starting(&lines, "ActiveParticipant")[0].starts_with("A\u{fffd}|B\u{fffd}\tC true"), "{lines:?}");
}

#[test]
fn a_person_and_a_certificate_are_told_by_name() {
    let requester = Requester {
        who: Some("801234567897".to_owned()),
        name: Some("Dr Anne Martin".to_owned()),
        certificate_subject: Some("CN=gateway".to_owned()),
        ..remote()
    };
    let lines = lines(&event(Act::Iti41Repository, Outcome::Success, &requester));
    let participants = starting(&lines, "ActiveParticipant");
    assert_eq!(
        participants[..2],
        ["192.0.2.7 CN=gateway true 192.0.2.7 2", "801234567897 Dr Anne Martin true"]
    );
}

#[test]
fn every_participant_says_whether_it_asked() {
    for event in all() {
        for participant in starting(&lines(&event), "ActiveParticipant") {
            assert!(participant.contains(" true") || participant.contains(" false"), "{participant}");
        }
    }
}

#[test]
fn corpus_every_message_is_valid_by_the_dicom_schema() {
    let Some(corpus) = std::env::var_os("CARNET_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: CARNET_CORPUS is not set");
        return;
    };
    if Command::new("xmllint").arg("--version").stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: xmllint is not installed");
        return;
    }
    let folder = test_support::folder();
    let files: Vec<PathBuf> = all()
        .iter()
        .map(|event| {
            let file = folder.path().join(format!("{}.xml", event.id));
            std::fs::write(&file, render(event)).unwrap();
            file
        })
        .collect();
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(corpus.join("schemas/audit-ipf/dicom2017c.xsd"))
        .args(&files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
