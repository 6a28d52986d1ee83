use access::Requester;
use chrono::Utc;
use serde_json::json;

use super::*;
use crate::{Act, Arrival, Event, MessageId, Object, Outcome, Source};

const PATIENT: &str = "123^^^&1.2.250.1.213.1.4.10&ISO";

fn event(act: Act) -> Event {
    let mut requester =
        Requester::remote("192.0.2.7".parse().ok(), "https://dmp.example.org/services/repository");
    requester.who = Some("801234567897".to_owned());
    requester.name = Some("Dr Anne Martin".to_owned());
    requester.certificate_subject = Some("CN=gateway, O=hospital".to_owned());
    let mut source = Source::here("carnet", Some("region".to_owned()));
    source.process = 42;
    let mut event = Event::new(act, Outcome::Success, &requester, &source).patient(Some(PATIENT));
    event.id = "6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c11".parse().unwrap();
    event.at = "2026-11-24T10:11:12.5Z".parse().unwrap();
    event
}

fn document() -> Object {
    Object::Document {
        unique_id: "1.2.4".to_owned(),
        repository_unique_id: "1.2.5".to_owned(),
        home_community_id: None,
        title: Some("Compte rendu".to_owned()),
    }
}

fn query() -> Object {
    Object::Query {
        id: "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d".to_owned(),
        request: "<q/>".to_owned(),
        home_community_id: None,
    }
}

fn arrival() -> Arrival {
    Arrival { at: Utc::now(), peer: "192.0.2.9".to_owned() }
}

#[test]
fn a_read_document_is_an_audit_event() {
    let event = event(Act::Iti43Repository).object(document());
    let dcm = |code: &str, text: &str| json!({"system": "http://dicom.nema.org/resources/ontology/DCM", "code": code, "display": text});
    assert_eq!(
        audit_event(&event.into()).unwrap(),
        json!({
            "resourceType": "AuditEvent",
            "id": "6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c11",
            "type": dcm("110106", "Export"),
            "subtype": [
                {"system": "urn:ihe:event-type-code", "code": "ITI-43", "display": "Retrieve Document Set"}
            ],
            "action": "R",
            "recorded": "2026-11-24T10:11:12.500Z",
            "outcome": "0",
            "agent": [
                {
                    "type": {"coding": [dcm("110152", "Destination Role ID")]},
                    "who": {"identifier": {"value": "192.0.2.7"}},
                    "name": "CN=gateway, O=hospital",
                    "requestor": true,
                    "network": {"address": "192.0.2.7", "type": "2"}
                },
                {
                    "who": {"identifier": {"value": "801234567897"}},
                    "name": "Dr Anne Martin",
                    "requestor": true
                },
                {
                    "type": {"coding": [dcm("110153", "Source Role ID")]},
                    "who": {"identifier": {"value": "https://dmp.example.org/services/repository"}},
                    "altId": "42",
                    "requestor": false,
                    "network": {"address": "dmp.example.org", "type": "1"}
                }
            ],
            "source": {"site": "region", "observer": {"identifier": {"value": "carnet"}}},
            "entity": [
                {
                    "what": {
                        "type": "Patient",
                        "identifier": {
                            "type": {"coding": [
                                {"system": "urn:ietf:rfc:3881", "code": "2", "display": "Patient Number"}
                            ]},
                            "system": "urn:oid:1.2.250.1.213.1.4.10",
                            "value": "123"
                        }
                    },
                    "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1"},
                    "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1"}
                },
                {
                    "what": {"identifier": {
                        "type": {"coding": [
                            {"system": "urn:ietf:rfc:3881", "code": "9", "display": "Report Number"}
                        ]},
                        "value": "1.2.4"
                    }},
                    "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "2"},
                    "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "3"},
                    "name": "Compte rendu",
                    "detail": [{"type": "Repository Unique ID", "valueBase64Binary": "MS4yLjU="}]
                }
            ]
        })
    );
}

#[test]
fn it_is_written_as_xml_in_the_order_of_fhir() {
    let event = Event { patient: None, ..event(Act::Iti18Registry) }.object(query());
    assert_eq!(
        to_xml(&audit_event(&event.into()).unwrap()),
        concat!(
            r#"<AuditEvent xmlns="http://hl7.org/fhir"><id value="6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c11"/>"#,
            r#"<type><system value="http://dicom.nema.org/resources/ontology/DCM"/><code value="110112"/>"#,
            r#"<display value="Query"/></type><subtype><system value="urn:ihe:event-type-code"/>"#,
            r#"<code value="ITI-18"/><display value="Registry Stored Query"/></subtype><action value="E"/>"#,
            r#"<recorded value="2026-11-24T10:11:12.500Z"/><outcome value="0"/><agent><type><coding>"#,
            r#"<system value="http://dicom.nema.org/resources/ontology/DCM"/><code value="110153"/>"#,
            r#"<display value="Source Role ID"/></coding></type><who><identifier><value value="192.0.2.7"/>"#,
            r#"</identifier></who><name value="CN=gateway, O=hospital"/><requestor value="true"/><network>"#,
            r#"<address value="192.0.2.7"/><type value="2"/></network></agent><agent><who><identifier>"#,
            r#"<value value="801234567897"/></identifier></who><name value="Dr Anne Martin"/>"#,
            r#"<requestor value="true"/></agent><agent><type><coding>"#,
            r#"<system value="http://dicom.nema.org/resources/ontology/DCM"/><code value="110152"/>"#,
            r#"<display value="Destination Role ID"/></coding></type><who><identifier>"#,
            r#"<value value="https://dmp.example.org/services/repository"/></identifier></who><altId value="42"/>"#,
            r#"<requestor value="false"/><network><address value="dmp.example.org"/><type value="1"/></network>"#,
            r#"</agent><source><site value="region"/><observer><identifier><value value="carnet"/></identifier>"#,
            r#"</observer></source><entity><what><identifier><type><coding>"#,
            r#"<system value="urn:ihe:event-type-code"/><code value="ITI-18"/>"#,
            r#"<display value="Registry Stored Query"/></coding></type>"#,
            r#"<value value="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"/></identifier></what><type>"#,
            r#"<system value="http://terminology.hl7.org/CodeSystem/audit-entity-type"/><code value="2"/></type>"#,
            r#"<role><system value="http://terminology.hl7.org/CodeSystem/object-role"/><code value="24"/></role>"#,
            r#"<query value="PHEvPg=="/><detail><type value="QueryEncoding"/>"#,
            r#"<valueBase64Binary value="VVRGLTg="/></detail></entity></AuditEvent>"#
        )
    );
}

/// Every act with every outcome, with everything beside.
fn all() -> Vec<Event> {
    let outcomes = [Outcome::Success, Outcome::MinorFailure, Outcome::SeriousFailure];
    let with = |act, outcome| {
        let event = event(act).object(document()).object(query()).described("a < b & \"c\"");
        Event { outcome, message: Some(MessageId::ControlId("4".to_owned())), ..event }
    };
    Act::ALL.iter().flat_map(|act| outcomes.map(|outcome| with(*act, outcome))).collect()
}

#[test]
fn what_a_message_leaves_empty_is_left_out() {
    let empty = concat!(
        r#"<AuditMessage><EventIdentification EventDateTime="2026-11-24T10:11:12" EventOutcomeIndicator="0">"#,
        r#"<EventID csd-code="110100" codeSystemName="" originalText=""/></EventIdentification>"#,
        r#"<ActiveParticipant UserID="" UserName="" NetworkAccessPointID="" UserIsRequestor="true"/>"#,
        r#"<AuditSourceIdentification AuditSourceID="" AuditEnterpriseSiteID=""/>"#,
        r#"<ParticipantObjectIdentification ParticipantObjectID="">"#,
        r#"<ParticipantObjectIDTypeCode csd-code="" codeSystemName="" originalText=""/>"#,
        r#"<ParticipantObjectName/></ParticipantObjectIdentification></AuditMessage>"#
    );
    let told = Received::dicom(empty.to_owned(), None, arrival(), 1 << 20).unwrap();
    let resource = audit_event(&Entry::Received(told.clone())).unwrap();
    assert_eq!(
        resource,
        json!({
            "resourceType": "AuditEvent",
            "id": told.id.to_string(),
            "type": {"code": "110100"},
            "recorded": "2026-11-24T10:11:12.000Z",
            "outcome": "0",
            "agent": [{"requestor": true}],
            "source": {"observer": {"display": "unknown"}},
            "entity": [{"what": {"identifier": {"type": {"coding": [{"code": "unknown"}]}}}}]
        })
    );
    assert_eq!(read(&resource.to_string(), Encoding::Json, 1 << 20).unwrap(), resource);
}

#[test]
fn an_event_is_the_same_whether_it_is_rendered_or_went_as_a_dicom_message() {
    for event in all() {
        let told = Received::dicom(dicom::render(&event), None, arrival(), 1 << 20).unwrap();
        assert_eq!(told.at, event.at);
        assert_eq!(told.patients, [PATIENT]);
        let told = Received { id: event.id, ..told };
        assert_eq!(audit_event(&Entry::Received(told)).unwrap(), audit_event(&event.into()).unwrap());
    }
}

#[test]
fn what_is_written_as_json_or_xml_is_taken_by_the_feed_and_given_again() {
    for event in all() {
        let sent = audit_event(&event.clone().into()).unwrap();
        for (text, encoding) in [(sent.to_string(), Encoding::Json), (to_xml(&sent), Encoding::Xml)] {
            let read = read(&text, encoding, 1 << 20).unwrap();
            assert_eq!(read, sent);
            let told = received(&read, text, encoding, arrival()).unwrap();
            assert_eq!((told.at, told.patients.as_slice()), (event.at, &[PATIENT.to_owned()][..]));
            let told = Received { id: event.id, ..told };
            assert_eq!(audit_event(&Entry::Received(told)).unwrap(), sent);
        }
    }
}

fn minimal() -> Value {
    json!({
        "resourceType": "AuditEvent",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
        "type": {"code": "rest"},
        "recorded": "2026-11-24T10:11:12+01:00",
        "agent": [{"requestor": true}],
        "source": {"observer": {"reference": "Device/1"}},
        "entity": [{"what": {"reference": "Patient/9"}}]
    })
}

fn refused(resource: &Value) -> Vec<String> {
    let text = resource.to_string();
    let read = match read(&text, Encoding::Json, 1 << 20) {
        Ok(read) => read,
        Err(issues) => return issues.iter().map(ToString::to_string).collect(),
    };
    received(&read, text, Encoding::Json, arrival()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_least_that_fhir_asks_for_is_taken() {
    let text = minimal().to_string();
    let told = received(&minimal(), text, Encoding::Json, arrival()).unwrap();
    assert_eq!(told.at.to_rfc3339(), "2026-11-24T09:11:12+00:00");
    assert_eq!(told.patients, ["Patient/9"]);
    assert_eq!(told.format, Format::FhirJson);
}

#[test]
fn every_required_element_that_is_missing_is_told() {
    let mut empty = minimal();
    for name in ["type", "recorded", "agent", "source"] {
        empty.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        refused(&empty),
        [
            "AuditEvent.type.code: is required",
            "AuditEvent.recorded: is required",
            "AuditEvent.agent: is required",
            "AuditEvent.source.observer: is required",
        ]
    );
    let mut wrong = minimal();
    wrong["recorded"] = json!("2026-11-24");
    wrong["action"] = json!("X");
    wrong["outcome"] = json!("1");
    wrong["agent"] = json!([{"name": "SECRET"}]);
    wrong["entity"] = json!([{"name": "a", "query": "YQ=="}]);
    assert_eq!(
        refused(&wrong),
        [
            "AuditEvent.recorded: is not an instant with a time zone",
            "AuditEvent.action: is not C, R, U, D or E",
            "AuditEvent.outcome: is not 0, 4, 8 or 12",
            "AuditEvent.agent[0].requestor: is required",
            "AuditEvent.entity[0]: has both a name and a query (sev-1)",
        ]
    );
}

#[test]
fn elements_of_another_shape_are_told() {
    let mut wrong = minimal();
    wrong["agent"] = json!({"requestor": true});
    wrong["source"]["observer"] = json!("SECRET");
    wrong["outcome"] = json!(0);
    wrong["entity"] = json!([{"what": {"reference": "Patient/SECRET\u{0}"}}]);
    wrong["secret"] = json!("SECRET");
    assert_eq!(
        refused(&wrong),
        [
            "AuditEvent.agent: is not a list of at least one",
            "AuditEvent.entity.what.reference: is empty or of another type",
            "AuditEvent.outcome: is empty or of another type",
            "AuditEvent: has an unknown element",
            "AuditEvent.source.observer: is not an object",
        ]
    );
    assert_eq!(refused(&json!({"resourceType": "Patient"})), ["is not a resource that is taken here"]);
    assert_eq!(refused(&json!({"resourceType": "Bundle", "type": "batch"})), ["is not an AuditEvent"]);
}

#[test]
fn what_is_not_json_or_xml_is_told_by_its_place() {
    let told = |text: &str, encoding| read(text, encoding, 100).unwrap_err()[0].to_string();
    assert_eq!(told(r#"{"a": SECRET}"#, Encoding::Json), "not JSON at line 1, column 7");
    assert_eq!(told(&"x".repeat(101), Encoding::Json), "more than 100 bytes");
    assert_eq!(told("<!DOCTYPE a><a/>", Encoding::Xml), "a document type declaration (DTD) is not allowed");
    assert_eq!(told("<AuditEvent/>", Encoding::Xml), "is not a resource that is taken here");
    let twice = r#"<AuditEvent xmlns="http://hl7.org/fhir"><id value="1"/><id value="2"/></AuditEvent>"#;
    assert_eq!(told(twice, Encoding::Xml), "AuditEvent.id: more than once");
    let unknown = r#"<AuditEvent xmlns="http://hl7.org/fhir"><secret value="1"/></AuditEvent>"#;
    assert_eq!(told(unknown, Encoding::Xml), "AuditEvent: line 1: an unknown element");
}

#[test]
fn a_batch_is_judged_entry_by_entry() {
    let post = json!({"method": "POST", "url": "AuditEvent"});
    let mut wrong = minimal();
    wrong.as_object_mut().unwrap().remove("recorded");
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": minimal(), "request": post},
        {"resource": wrong, "request": post},
        {"resource": minimal(), "request": {"method": "PUT", "url": "AuditEvent/1"}},
    ]});
    for (text, encoding) in [(bundle.to_string(), Encoding::Json), (to_xml(&bundle), Encoding::Xml)] {
        let members = batch(&read(&text, encoding, 1 << 20).unwrap(), &arrival()).unwrap();
        let members: Vec<_> = members.into_iter().map(|member| member.map(|_| uuid::Uuid::nil())).collect();
        let outcome = |code: &str, diagnostics: &str, path: &str| {
            json!({"response": {"status": "400 Bad Request", "outcome": {
                "resourceType": "OperationOutcome",
                "issue": [{
                    "severity": "error", "code": code, "diagnostics": diagnostics, "expression": [path]
                }]
            }}})
        };
        assert_eq!(
            batch_response(&members),
            json!({"resourceType": "Bundle", "type": "batch-response", "entry": [
                {"response": {
                    "status": "201 Created", "location": "AuditEvent/00000000-0000-0000-0000-000000000000"
                }},
                outcome("required", "AuditEvent.recorded: is required", "AuditEvent.recorded"),
                outcome("value", "Bundle.entry[2].request.method: is not POST", "Bundle.entry[2].request.method"),
            ]})
        );
    }
    let other = json!({"resourceType": "Bundle", "type": "transaction"});
    assert_eq!(batch(&other, &arrival()).unwrap_err()[0].to_string(), "Bundle.type: is not batch");
}

#[test]
fn a_search_is_answered_by_a_bundle() {
    let resource = json!({"resourceType": "AuditEvent", "id": "1"});
    let links = [("self", "http://h/fhir/AuditEvent?date=2026".to_owned())];
    assert_eq!(
        bundle("http://h/fhir", None, &links, vec![resource.clone()]),
        json!({
            "resourceType": "Bundle", "type": "searchset",
            "link": [{"relation": "self", "url": "http://h/fhir/AuditEvent?date=2026"}],
            "entry": [{
                "fullUrl": "http://h/fhir/AuditEvent/1", "search": {"mode": "match"}, "resource": resource
            }]
        })
    );
    assert_eq!(
        to_xml(&bundle("http://h/fhir", Some(0), &[], vec![])),
        r#"<Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/><total value="0"/></Bundle>"#
    );
}

#[test]
fn a_successful_access_takes_the_form_of_its_pattern_when_that_is_asked_for() {
    let form = |event: Event| balp::audit_event(&event.into());
    let short = |profile: String| profile.rsplit('/').next().unwrap().to_owned();
    let set = Object::SubmissionSet { unique_id: "1.2.3".to_owned(), titles: Vec::new() };
    for (act, object, profile, interaction) in [
        (Act::Iti43Repository, document(), "IHE.BasicAudit.PatientRead", "read"),
        (Act::Iti41Repository, set.clone(), "IHE.BasicAudit.PatientCreate", "create"),
        (Act::Iti57Registry, set, "IHE.BasicAudit.PatientUpdate", "update"),
        (Act::Iti86Repository, document(), "IHE.BasicAudit.PatientDelete", "delete"),
        (Act::Iti18Registry, query(), "IHE.BasicAudit.PatientQuery", "search"),
    ] {
        let (claimed, resource) = form(event(act).object(object)).unwrap();
        assert_eq!(short(claimed.clone()), profile);
        assert_eq!(resource["meta"]["profile"], json!([claimed]));
        assert_eq!(resource["type"]["code"], "rest");
        assert_eq!(resource["subtype"][0]["code"], interaction);
        assert_eq!(resource["subtype"][1]["code"], act.row().event.code);
        assert_eq!(
            resource["agent"][1]["type"]["coding"][0]["system"].as_str().unwrap().rsplit('/').next(),
            Some("v3-ParticipationType")
        );
        assert_eq!(resource["entity"][0]["what"]["type"], "Patient");
        assert_eq!(resource["entity"].as_array().unwrap().len(), 2);
    }
    let (_, query_form) = form(event(Act::Iti18Registry).object(query())).unwrap();
    assert_eq!(query_form["entity"][1]["query"], "PHEvPg==");
    assert_eq!((query_form["entity"][1].get("what"), query_form["entity"][1].get("detail")), (None, None));
    let (alone, _) = form(Event { patient: None, ..event(Act::Iti18Registry).object(query()) }).unwrap();
    assert_eq!(short(alone), "IHE.BasicAudit.Query");
}

#[test]
fn a_search_by_profile_finds_what_has_that_form_in_that_form() {
    let read: Entry = event(Act::Iti43Repository).object(document()).into();
    let answer = |profile: &str| {
        let profile =
            format!("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{profile}");
        let asked = [("_profile", profile.as_str()), ("type", "110106")];
        search::Parameters::parse(asked).unwrap().answer(&read).unwrap()
    };
    assert_eq!(answer("PatientRead").unwrap()["type"]["code"], "rest");
    assert_eq!(answer("PatientCreate"), None);
    let plain = search::Parameters::parse([("subtype", "ITI-43")]).unwrap().answer(&read).unwrap();
    assert_eq!(plain.unwrap(), audit_event(&read).unwrap());
    let other = search::Parameters::parse([("subtype", "ITI-18")]).unwrap().answer(&read).unwrap();
    assert_eq!(other, None);
}

#[test]
fn what_does_not_conform_to_a_pattern_does_not_claim_it() {
    let form = |event: Event| balp::audit_event(&event.into());
    let failed = Event { outcome: Outcome::MinorFailure, ..event(Act::Iti43Repository).object(document()) };
    assert_eq!(form(failed), None);
    assert_eq!(form(event(Act::Iti43Repository).object(document()).object(document())), None);
    assert_eq!(form(event(Act::Iti43Repository)), None);
    assert_eq!(form(event(Act::ServerStarted)), None);
    let mut nowhere = event(Act::Iti43Repository).object(document());
    nowhere.requester.network_address = None;
    assert_eq!(form(nowhere), None);
}
