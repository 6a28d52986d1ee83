use super::*;
use crate::{Act, Object, Outcome};

/// An event as the first version wrote it.
const FIRST: &str = r#"{
    "id": "6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c11",
    "at": "2026-11-24T10:11:12.123456789Z",
    "act": "iti43-repository",
    "outcome": "success",
    "outcome_description": null,
    "requester": {
        "who": null, "role": null, "organisation": null, "purpose": null, "authentication": "none",
        "network_address": "192.0.2.7", "endpoint": "http://127.0.0.1:8080/services/repository",
        "reply_to": null, "certificate_fingerprint": null, "patient": null, "secret_session": false
    },
    "source": {"id": "carnet", "enterprise_site": null},
    "patient": "123^^^&1.2.250.1.213.1.4.10&ISO",
    "objects": [
        {"document": {"unique_id": "1.2.4", "repository_unique_id": "1.2.5", "home_community_id": null}}
    ]
}"#;

fn received() -> Received {
    Received {
        id: "6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c12".parse().unwrap(),
        at: "2026-11-24T10:11:12Z".parse().unwrap(),
        received_at: "2026-11-24T10:11:13.5Z".parse().unwrap(),
        peer: "192.0.2.9 CN=gateway".to_owned(),
        format: Format::Dicom,
        octets: "<AuditMessage/>".to_owned(),
        header: Some("<85>1 2026-11-24T10:11:12Z gateway xds 42 IHE+RFC-3881 -".to_owned()),
        patients: vec!["123^^^&1.2.250.1.213.1.4.10&ISO".to_owned()],
    }
}

#[test]
fn an_event_of_the_first_version_is_read_as_our_own() {
    let Entry::Own(event) = serde_json::from_str(FIRST).unwrap() else { panic!("not our own") };
    assert_eq!((event.act, event.outcome), (Act::Iti43Repository, Outcome::Success));
    assert_eq!(event.source.process, 0);
    assert_eq!(event.at.to_rfc3339(), "2026-11-24T10:11:12.123456789+00:00");
    assert!(matches!(event.objects.as_slice(), [Object::Document { unique_id, .. }] if unique_id == "1.2.4"));
}

#[test]
fn what_is_written_names_its_kind_and_is_read_again() {
    let own: Entry = serde_json::from_str(FIRST).unwrap();
    for (entry, tag) in [(own, "own"), (Entry::Received(received()), "received")] {
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.starts_with(&format!(r#"{{"entry":"{tag}","id":""#)), "{text}");
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }
}

#[test]
fn a_received_message_is_stored_in_this_form() {
    assert_eq!(
        serde_json::to_string(&Entry::Received(received())).unwrap(),
        concat!(
            r#"{"entry":"received","id":"6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c12","at":"2026-11-24T10:11:12Z","#,
            r#""received_at":"2026-11-24T10:11:13.500Z","peer":"192.0.2.9 CN=gateway","format":"dicom","#,
            r#""octets":"<AuditMessage/>","header":"<85>1 2026-11-24T10:11:12Z gateway xds 42 IHE+RFC-3881 -","#,
            r#""patients":["123^^^&1.2.250.1.213.1.4.10&ISO"]}"#
        )
    );
}

#[test]
fn an_unknown_kind_and_an_unknown_act_are_errors() {
    let unknown = FIRST.replacen('{', r#"{"entry": "other","#, 1);
    assert!(serde_json::from_str::<Entry>(&unknown).is_err());
    assert!(serde_json::from_str::<Entry>(&FIRST.replace("iti43-repository", "iti99-nobody")).is_err());
}

#[test]
fn the_columns_of_an_entry_come_from_its_content() {
    let own: Entry = serde_json::from_str(FIRST).unwrap();
    assert_eq!((own.kind(), own.patient()), (Kind::Access, Some("123^^^&1.2.250.1.213.1.4.10&ISO")));
    let told = Entry::Received(received());
    assert_eq!((told.kind(), told.patient()), (Kind::Received, Some("123^^^&1.2.250.1.213.1.4.10&ISO")));
    assert_eq!((told.id(), told.at()), (received().id, received().at));
}
