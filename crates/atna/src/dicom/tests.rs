use std::path::PathBuf;
use std::process::{Command, Stdio};

use access::{Authentication, Requester};
use xml::{Document, Limits};

use super::*;
use crate::Source;

const ACTS: [Act; 8] = [
    Act::Iti41Repository,
    Act::Iti42Registry,
    Act::Iti18Registry,
    Act::Iti43Repository,
    Act::PatientOpened,
    Act::AuditRead,
    Act::ServerStarted,
    Act::ServerStopped,
];

fn remote() -> Requester {
    let mut requester =
        Requester::remote("192.0.2.7".parse().ok(), "http://127.0.0.1:8080/services/registry");
    requester.authentication = Authentication::Unverified;
    requester
}

fn source() -> Source {
    Source { id: "carnet".to_owned(), enterprise_site: Some("region".to_owned()) }
}

/// Every act with every outcome, by a remote and by a local requester, with and without patient and objects.
fn all() -> Vec<Event> {
    let objects = [
        Object::SubmissionSet { unique_id: "1.2.3".to_owned() },
        Object::Document {
            unique_id: "1.2.4".to_owned(),
            repository_unique_id: "1.2.5".to_owned(),
            home_community_id: Some("urn:oid:1.9".to_owned()),
        },
        Object::Query {
            id: "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d".to_owned(),
            request: "<query:AdhocQueryRequest/>".to_owned(),
            home_community_id: None,
        },
    ];
    let mut events = Vec::new();
    for act in ACTS {
        for outcome in [Outcome::Success, Outcome::MinorFailure, Outcome::SeriousFailure] {
            for requester in [remote(), Requester::local("operator", "carnet audit"), Requester::remote(None, "x")] {
                events.push(Event::new(act, outcome, &requester, &source()));
                let mut full = Event::new(act, outcome, &requester, &source())
                    .patient(Some("123^^^&1.2.250.1.213.1.4.10&ISO"))
                    .described("XDSUnknownPatientId");
                full.objects = objects.to_vec();
                events.push(full);
            }
        }
    }
    events
}

fn count(message: &str, names: &[&str]) -> usize {
    let document = Document::parse(message, &Limits::default()).unwrap();
    let (last, path) = names.split_last().unwrap();
    document.root().path("", path).map_or(0, |element| element.children_named("", last).count())
}

#[test]
fn every_event_says_who_where_and_with_what_outcome() {
    for event in all() {
        let message = render(&event);
        assert!(count(&message, &["ActiveParticipant"]) >= 1, "{message}");
        assert_eq!(count(&message, &["AuditSourceIdentification"]), 1, "{message}");
        assert_eq!(count(&message, &["EventIdentification", "EventTypeCode"]), 1, "{message}");
    }
}

#[test]
fn a_submission_comes_from_its_source_and_a_document_goes_to_its_consumer() {
    let first = |act| {
        let message = render(&Event::new(act, Outcome::Success, &remote(), &source()));
        let document = Document::parse(&message, &Limits::default()).unwrap();
        let participant = document.root().child("", "ActiveParticipant").unwrap();
        let role = participant.child("", "RoleIDCode").unwrap().attribute("csd-code").unwrap().to_owned();
        (participant.attribute("UserID").unwrap().to_owned(), role)
    };
    assert_eq!(first(Act::Iti41Repository), ("192.0.2.7".to_owned(), "110153".to_owned()));
    let ourselves = "http://127.0.0.1:8080/services/registry".to_owned();
    assert_eq!(first(Act::Iti43Repository), (ourselves, "110153".to_owned()));
}

#[test]
fn a_security_header_that_nobody_checked_is_called_unverified() {
    let message = render(&Event::new(Act::Iti18Registry, Outcome::Success, &remote(), &source()));
    assert!(message.contains("<EventOutcomeDescription>security header unverified<"), "{message}");
    let local = Requester::local("operator", "carnet audit");
    assert!(!render(&Event::new(Act::AuditRead, Outcome::Success, &local, &source())).contains("unverified"));
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
    let folder = std::env::temp_dir().join(format!("carnet-dicom-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let files: Vec<PathBuf> = all()
        .iter()
        .map(|event| {
            let file = folder.join(format!("{}.xml", event.id));
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
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
