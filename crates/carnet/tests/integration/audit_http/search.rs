//! ITI-81.

use std::collections::BTreeSet;

use access::Requester;
use atna::fhir::{self, Encoding};
use atna::{Act, Event, Object, Outcome, Source};
use serde_json::{Value, json};
use xds::value::Cx;

use super::{JSON, Reader, XML, ids, read, traces, write};
use crate::harness::{AUTHORITY, Server, patient};
use crate::merge::merge;

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const P1: &str = "1001^^^&1.2.250.1.999.3&ISO";
const P2: &str = "1002^^^&1.2.250.1.999.3&ISO";

/// A refused registration.
fn registered() -> Event {
    let mut requester = Requester::remote("198.51.100.9".parse().ok(), "http://h/services/registry");
    requester.who = Some("paul".to_owned());
    requester.name = Some("Paul Durand".to_owned());
    let source = Source { id: "carnet-b".to_owned(), enterprise_site: Some("south".to_owned()), process: 42 };
    let mut event = Event::new(Act::Iti42Registry, Outcome::MinorFailure, &requester, &source)
        .patient(Some(P2))
        .object(Object::SubmissionSet { unique_id: "1.2.9".to_owned(), titles: vec![] });
    event.at = "2026-02-05T10:00:00Z".parse().unwrap();
    event
}

/// What another node told.
fn told() -> Value {
    json!({
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "vread"}],
        "action": "E",
        "recorded": "2026-03-05T11:00:00+01:00",
        "outcome": "8",
        "agent": [{
            "type": {"coding": [{"system": DCM, "code": "110150"}]},
            "role": [{"coding": [{"system": "urn:x", "code": "nurse"}]}],
            "who": {"reference": "Practitioner/7"},
            "altId": "alt-7",
            "name": "Zoé",
            "requestor": true,
            "network": {"address": "pacs.example", "type": "1"}
        }],
        "source": {"site": "east", "observer": {"reference": "Device/pacs"}},
        "entity": [
            {"what": {"reference": "Patient/9"}},
            {
                "what": {"reference": "ImagingStudy/3"},
                "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "4"},
                "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "8"},
                "name": "Scanner"
            }
        ]
    })
}

#[actix_web::test]
async fn the_answer_depends_on_every_parameter() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let [a, b] = [read("2026-01-05T10:00:00Z", P1), registered()];
    write(&server, &[a.clone(), b.clone()]).await;
    let posted = reader.post("/fhir/AuditEvent", JSON, told().to_string()).await;
    let c = posted.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let names = [(a.id.to_string(), 'a'), (b.id.to_string(), 'b'), (c.clone(), 'c')];
    let cases: Vec<(String, &str)> = [
        ("date=2026-01-05", "a"),
        ("date=ge2026-02-01", "bc"),
        ("date=2026-01,2026-03", "ac"),
        ("date=ge2026-01-05T10:00:00Z&date=lt2026-03-05T10:00:00Z", "ab"),
        ("date=2026&action=R", "a"),
        ("date=2026&action=R,E", "ac"),
        ("date=2026&address=192.0.2.7", "a"),
        ("date=2026&address=pacs", "c"),
        ("date=2026&address:exact=pacs", ""),
        ("date=2026&agent=Practitioner/7", "c"),
        ("date=2026&agent.identifier=paul", "b"),
        ("date=2026&agent-name=anne", "a"),
        ("date=2026&agent-name:contains=DURAND", "b"),
        ("date=2026&agent-role=urn:x|nurse", "c"),
        ("date=2026&agent-type=110150", "c"),
        ("date=2026&altid=42", "b"),
        ("date=2026&entity=ImagingStudy/3", "c"),
        ("date=2026&entity.identifier=1.2.9", "b"),
        ("date=2026&entity-name=compte", "a"),
        ("date=2026&entity-role=3", "a"),
        ("date=2026&entity-role=20,8", "bc"),
        ("date=2026&entity-type=http://terminology.hl7.org/CodeSystem/audit-entity-type|4", "c"),
        ("date=2026&outcome=4", "b"),
        ("date=2026&outcome=4,8", "bc"),
        ("date=2026&site=north", "a"),
        ("date=2026&source=Device/pacs", "c"),
        ("date=2026&source.identifier=carnet-b", "b"),
        ("date=2026&subtype=urn:ihe:event-type-code|ITI-43", "a"),
        ("date=2026&type=http://dicom.nema.org/resources/ontology/DCM|110107", "b"),
        ("date=2026&type=rest", "c"),
        ("date=2026&_profile=https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead", "a"),
        ("patient.identifier=urn:oid:1.2.250.1.999.3|1001", "a"),
        ("patient:identifier=urn:oid:1.2.250.1.999.3|1002", "b"),
        ("patient.identifier=urn:oid:1.2.250.1.999.4|1001", ""),
        ("patient=1001^^^%261.2.250.1.999.3%26ISO", "a"),
        ("patient=1001,1002", "ab"),
        ("patient=9", "c"),
        ("patient=Patient/9", "c"),
        ("patient=Patient/9&outcome=0", ""),
        ("date=2026&type=110106&outcome=4", ""),
        ("date=2026&unknown=1&_sort=date&type=", "abc"),
    ]
    .into_iter()
    .map(|(query, found)| (query.to_owned(), found))
    .chain([(format!("date=2026&_id={c}"), "c")])
    .collect();
    for (query, expected) in &cases {
        let found = reader.search(&format!("/fhir/AuditEvent?{query}")).await;
        // Each search leaves a trace, which the next one finds.
        let is_search = |event: &&Value| event["subtype"][0]["code"] == "ITI-81";
        let found: Vec<&Value> = found.iter().filter(|event| !is_search(event)).collect();
        let found: Vec<&str> = found.iter().map(|event| event["id"].as_str().unwrap()).collect();
        let known = names.iter().filter(|(id, _)| found.contains(&id.as_str())).map(|(_, name)| *name);
        assert_eq!(known.collect::<String>(), *expected, "{query}");
        // Of nobody there are start and the like.
        if query.starts_with("patient") {
            assert_eq!(found.len(), expected.len(), "{query}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_search_by_pages_gives_each_event_once_while_others_are_written() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let at = |second: u32| format!("2026-01-05T10:00:{second:02}.123456789Z");
    // Several of one moment.
    let events: Vec<Event> = (0..9).map(|number| read(&at(number / 3), P1)).collect();
    write(&server, &events).await;
    let search = "/fhir/AuditEvent?patient=urn:oid:1.2.250.1.999.3|1001&_count=2";
    let (mut found, mut next) = reader.page(search).await;
    let mut pages = 1;
    while let Some(url) = next {
        assert!(found.len() <= 2 * pages);
        write(&server, &[read("2026-11-05T10:00:00Z", P1), read("2026-11-05T10:00:01Z", P2)]).await;
        let (more, after) = reader.page(&url).await;
        found.extend(more);
        (next, pages) = (after, pages + 1);
    }
    assert!(pages > 4);
    let expected: BTreeSet<String> = events.iter().map(|event| event.id.to_string()).collect();
    assert_eq!((found.len(), ids(&found).into_iter().collect::<BTreeSet<_>>()), (9, expected));
    let times: Vec<&str> = found.iter().map(|event| event["recorded"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    server.stop().await;
}

#[actix_web::test]
async fn what_is_looked_at_for_one_answer_is_bounded_and_the_answer_leads_on() {
    let server =
        Server::with(&[("CARNET_AUDIT__HTTP_EXAMINED", "3"), ("CARNET_AUDIT__HTTP_EVENTS", "2")]).await;
    let reader = Reader::of(&server);
    let mut events: Vec<Event> =
        (0..8).map(|second| read(&format!("2026-01-05T10:00:0{second}Z"), P1)).collect();
    events[1].outcome = Outcome::MinorFailure;
    write(&server, &events).await;
    let by_outcome = "/fhir/AuditEvent?date=2026-01-05&outcome=4";
    let (first, next) = reader.page(by_outcome).await;
    assert!(first.is_empty() && next.is_some(), "three were looked at and none was it");
    assert_eq!(ids(&reader.search(by_outcome).await), [events[1].id.to_string()]);
    assert_eq!(reader.page("/fhir/AuditEvent?date=2026-01-05&_count=50").await.0.len(), 2);
    assert_eq!(reader.search("/fhir/AuditEvent?date=2026-01-05").await.len(), 8);
    server.stop().await;
}

#[actix_web::test]
async fn json_and_xml_say_the_same_wherever_the_form_is_asked_for() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let event = read("2026-01-05T10:00:00Z", P1);
    write(&server, std::slice::from_ref(&event)).await;
    let one = format!("/fhir/AuditEvent/{}", event.id);
    for path in ["/fhir/AuditEvent?date=2026-01-05", &one, "/fhir/metadata"] {
        let json = reader.get_as(path, JSON).await;
        assert_eq!(json.header("content-type"), Some("application/fhir+json; charset=utf-8"));
        let and = if path.contains('?') { "&" } else { "?" };
        for xml in [
            reader.get_as(path, XML).await,
            reader.get(&format!("{path}{and}_format=xml")).await,
            reader.get_as(&format!("{path}{and}_format=application/fhir%2Bxml"), JSON).await,
        ] {
            assert_eq!(
                (xml.status, xml.header("content-type")),
                (200, Some("application/fhir+xml; charset=utf-8"))
            );
            let mut read =
                fhir::read(std::str::from_utf8(&xml.body).unwrap(), Encoding::Xml, 1 << 20).unwrap();
            // Only what asks for the form is another.
            if let Some(link) = read.get_mut("link") {
                *link = json.json()["link"].clone();
            }
            assert_eq!(read, json.json());
        }
    }
    let lost = reader.get_as("/fhir/AuditEvent/00000000-0000-4000-8000-000000000000", XML).await;
    assert_eq!(lost.status, 404);
    assert!(
        String::from_utf8(lost.body).unwrap().starts_with("<OperationOutcome xmlns=\"http://hl7.org/fhir\">")
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_form_in_the_body_asks_the_same() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    write(&server, &[read("2026-01-05T10:00:00Z", P1), registered()]).await;
    let (path, form) = ("/fhir/AuditEvent/_search?outcome=0", "application/x-www-form-urlencoded");
    let body = "patient.identifier=urn%3Aoid%3A1.2.250.1.999.3%7C1001";
    let bundle = reader.post(path, form, body).await.json();
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 1);
    assert_eq!(reader.post(path, JSON, "{}").await.refusal().0, 415);
    assert_eq!(reader.post(path, form, "x".repeat(70_000)).await.refusal().0, 413);
    server.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_understood_is_told_and_leaves_a_trace() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    for (query, status, sentence) in [
        ("", 400, "date: is required where no patient is named"),
        ("type=110106", 400, "date: is required where no patient is named"),
        ("patient=&date=", 400, "date: is required where no patient is named"),
        ("date=yesterday", 400, "date: is not a date"),
        ("date=yesterday&_count=many", 400, "_count: is not a number"),
        ("date=2026&_count=0", 400, "_count: is 0"),
        ("date=2026&_cursor=1", 400, "_cursor: is not one that this server gave"),
        ("date=2026&type:not=1", 400, "type:not: this modifier is not supported"),
        ("patient=1&patient=2", 400, "patient: is there twice"),
        ("patient=urn:oid:1.2|", 400, "patient: not every one has an identifier"),
        ("patient=a%00b", 400, "patient: not every one has an identifier"),
        (
            "date=2026&_format=turtle",
            406,
            "this is given as application/fhir+json or application/fhir+xml only",
        ),
    ] {
        let refusal = reader.get(&format!("/fhir/AuditEvent?{query}")).await.refusal();
        assert!(refusal.0 == status && refusal.1.contains(sentence), "{query}: {refusal:?}");
    }
    assert_eq!(reader.get_as("/fhir/AuditEvent?date=2026", "text/turtle").await.refusal().0, 406);
    assert_eq!(reader.get("/fhir/Patient?name=x").await.refusal().0, 404);
    assert_eq!(reader.post("/fhir/metadata", JSON, "{}").await.status, 405);
    assert_eq!(traces(&server, "iti81-audit-repository", "outcome = 'minor-failure'").await, 13);
    assert_eq!(traces(&server, "iti81-audit-repository", "outcome = 'success'").await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_merged_patient_is_found_under_every_identifier() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let (old, new) = (patient(), patient());
    for cx in [&old, &new] {
        let requester = Requester::local("test", "test");
        registry::patients::open(&server.database, &requester, &Source::here("test", None), cx)
            .await
            .unwrap();
    }
    merge(&server.database, &old, &new).await.unwrap();
    write(&server, &[read("2026-01-05T10:00:00Z", &old.text), read("2026-01-06T10:00:00Z", &new.text)]).await;
    let of =
        |cx: &Cx| format!("/fhir/AuditEvent?patient.identifier=urn:oid:{AUTHORITY}|{}&type=110106", cx.id);
    for cx in [&old, &new] {
        assert_eq!(reader.search(&of(cx)).await.len(), 2);
    }
    server.stop().await;
}

#[actix_web::test]
async fn reading_is_traced_for_each_patient_that_is_asked_for_before_the_answer() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let event = read("2026-01-05T10:00:00Z", P1);
    write(&server, std::slice::from_ref(&event)).await;
    let about = async |patient: &str| {
        let of = format!("patient_id = '{patient}' and outcome = 'success'");
        traces(&server, "iti81-audit-repository", &of).await
    };
    reader.search("/fhir/AuditEvent?patient=urn:oid:1.2.250.1.999.3|1001,urn:oid:1.2.250.1.999.3|7").await;
    assert_eq!((about("1001").await, about("7").await), (1, 1));
    assert_eq!(reader.get(&format!("/fhir/AuditEvent/{}", event.id)).await.status, 200);
    assert_eq!(about("1001").await, 2);
    reader.search("/fhir/AuditEvent?patient=1001").await;
    assert_eq!(about("1001").await, 3);
    reader.search("/fhir/AuditEvent?date=2025").await;
    assert_eq!(traces(&server, "iti81-audit-repository", "patient_id is null").await, 1);
    // The requester is the token's name.
    let named = "content -> 'requester' ->> 'who' = 'first' and content -> 'requester' ->> 'authentication' = 'token'";
    assert_eq!(traces(&server, "iti81-audit-repository", named).await, 5);
    let used = server.messages(&["110101", "Security Audit Log", "UserID=\"first\"", "ITI-81"]).await;
    assert_eq!(used, 5);

    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();
    for path in [
        "/fhir/AuditEvent?date=2026".to_owned(),
        format!("/fhir/AuditEvent/{}", event.id),
        "/syslogsearch?date=2026".to_owned(),
        "/fhir/AuditEvent?date=wrong".to_owned(),
    ] {
        let answer = reader.get(&path).await;
        assert!(answer.refusal().0 >= 500, "{path}");
        assert!(!String::from_utf8(answer.body).unwrap().contains("Anne"), "{path}");
    }
    let stranger = Reader { base: server.url.clone(), token: "x".to_owned() };
    assert!(stranger.get("/fhir/AuditEvent?date=2026").await.refusal().0 >= 500);
    assert!(reader.post("/fhir/AuditEvent", JSON, told().to_string()).await.refusal().0 >= 500);
    server.database.get().await.unwrap().batch_execute("drop trigger refuse on audit_inbox").await.unwrap();
    assert_eq!(reader.get("/fhir/AuditEvent?date=2026").await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn a_profile_gives_the_events_that_conform_to_it_in_its_form() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    write(&server, &[read("2026-01-05T10:00:00Z", P1), registered()]).await;
    let profile = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead";
    let mut event = read("2026-01-06T10:00:00Z", P1);
    event.requester.endpoint = "http://dmp.example/services/repository".to_owned();
    write(&server, std::slice::from_ref(&event)).await;
    let found =
        reader.search(&format!("/fhir/AuditEvent?date=2026-01-06&_profile={profile}&type=rest")).await;
    assert_eq!(ids(&found), [event.id.to_string()]);
    assert_eq!(found[0]["meta"]["profile"], json!([profile]));
    server.stop().await;
}

#[actix_web::test]
async fn what_the_server_does_is_told_as_a_capability_statement() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let told = reader.get("/fhir/metadata").await.json();
    assert_eq!(
        (&told["resourceType"], &told["fhirVersion"]),
        (&json!("CapabilityStatement"), &json!("4.0.1"))
    );
    assert_eq!(told["implementation"]["url"], format!("{}/fhir", server.url));
    let parameters = told["rest"][0]["resource"][0]["searchParam"].as_array().unwrap();
    let named: Vec<&str> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    for wanted in [
        "address",
        "agent",
        "date",
        "entity",
        "entity-role",
        "entity-type",
        "outcome",
        "patient",
        "source",
        "subtype",
        "type",
    ] {
        assert!(named.contains(&wanted), "{wanted}");
    }
    server.stop().await;
}
