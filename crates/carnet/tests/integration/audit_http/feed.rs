//! The FHIR feed of ITI-20.

use atna::fhir;
use serde_json::{Value, json};

use super::{JSON, Reader, XML};
use crate::harness::Server;

fn event(id: &str) -> Value {
    json!({
        "resourceType": "AuditEvent",
        "id": "theirs",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "recorded": "2026-03-05T11:00:00.25+01:00",
        "agent": [{"who": {"identifier": {"value": "é"}}, "requestor": true}],
        "source": {"observer": {"reference": "Device/pacs"}},
        "entity": [{"what": {"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.999.3", "value": id}}}]
    })
}

async fn kept_apart(server: &Server) -> Vec<(String, String, String, i64)> {
    let client = server.database.get().await.unwrap();
    let sql = "select peer, transport, reason, length from audit_rejected order by id";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

#[actix_web::test]
async fn an_event_of_another_node_is_kept_as_it_came_and_found_again() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    for (content_type, octets) in [
        (JSON, event("1").to_string()),
        ("application/json; charset=utf-8", event("1").to_string()),
        (XML, fhir::to_xml(&event("1"))),
        ("text/xml", format!("<?xml version=\"1.0\"?>\n{}", fhir::to_xml(&event("1")))),
    ] {
        let answer = reader.post("/fhir/AuditEvent", content_type, octets.clone()).await;
        assert_eq!((answer.status, answer.body.len()), (201, 0), "{content_type}");
        let location = answer.header("location").unwrap().to_owned();
        let id = location.strip_prefix(&format!("{}/fhir/AuditEvent/", server.url)).unwrap();
        let mut expected = event("1");
        expected["id"] = json!(id);
        assert_eq!(reader.get(&location).await.json(), expected);
        let client = server.database.get().await.unwrap();
        let row = client
            .query_one(
                "select kind, content ->> 'octets', content ->> 'peer' from audit_trail where id::text = $1",
                &[&id],
            )
            .await
            .unwrap();
        assert_eq!((row.get::<_, i16>(0), row.get::<_, &str>(1)), (3, octets.as_str()));
        assert_eq!(row.get::<_, &str>(2), "127.0.0.1 (token first)");
    }
    assert_eq!(reader.search("/fhir/AuditEvent?patient=urn:oid:1.2.250.1.999.3|1&type=rest").await.len(), 4);
    server.stop().await;
}

#[actix_web::test]
async fn what_is_no_audit_event_is_told_by_its_element_and_kept_apart() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let mut incomplete = event("1");
    incomplete.as_object_mut().unwrap().remove("source");
    incomplete["agent"] = json!([{"name": "SECRET"}]);
    let dtd = format!("<!DOCTYPE x [<!ENTITY e \"SECRET\">]>{}", fhir::to_xml(&event("1")));
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            JSON,
            incomplete.to_string().into(),
            "AuditEvent.agent[0].requestor: is required; AuditEvent.source.observer: is required",
        ),
        (JSON, b"{\"SECRET\": ".to_vec(), "not JSON at line 1"),
        (JSON, b"{\"resourceType\": \"Patient\"}".to_vec(), "is not a resource that is taken here"),
        (JSON, b"\"\xff\"".to_vec(), "the body is not UTF-8, from octet 1 on"),
        (JSON, "[".repeat(10_000).into(), "not JSON"),
        (XML, dtd.into(), "a document type declaration (DTD) is not allowed"),
        (XML, event("1").to_string().into(), "line 1"),
    ];
    for (index, (content_type, octets, sentence)) in cases.iter().enumerate() {
        let answer = reader.post("/fhir/AuditEvent", content_type, octets.clone()).await;
        let told = if *content_type == JSON {
            answer.refusal().1
        } else {
            String::from_utf8(answer.body.clone()).unwrap()
        };
        assert!(
            answer.status == 400 && told.contains(sentence) && !told.contains("SECRET"),
            "{sentence}: {told}"
        );
        let (peer, transport, reason, length) = kept_apart(&server).await.pop().unwrap();
        assert_eq!((peer.as_str(), transport.as_str()), ("127.0.0.1 (token first)", "fhir"));
        assert!(reason.contains(sentence) && !reason.contains("SECRET"), "{reason}");
        assert_eq!((length, kept_apart(&server).await.len()), (octets.len() as i64, index + 1));
    }
    assert_eq!(server.count("select count(*) from audit_trail where kind = 3").await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_body_that_is_too_large_or_of_another_kind_is_refused() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(10 << 20));
    for path in ["/fhir/AuditEvent", "/fhir"] {
        let refusal = reader.post(path, JSON, large.clone()).await.refusal();
        assert_eq!(refusal, (413, "the body is larger than 1048576 octets".to_owned()));
        assert_eq!(reader.post(path, "text/plain", event("1").to_string()).await.refusal().0, 415);
    }
    assert_eq!(server.count("select count(*) from audit_trail where kind = 3").await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn each_event_of_a_batch_is_taken_by_itself() {
    let server = Server::with(&[("CARNET_AUDIT__HTTP_BATCH", "3")]).await;
    let reader = Reader::of(&server);
    let post = json!({"method": "POST", "url": "AuditEvent"});
    let mut wrong = event("2");
    wrong.as_object_mut().unwrap().remove("recorded");
    let entry = |resource: &Value| json!({"resource": resource, "request": post});
    let bundle = |entries: Vec<Value>| json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let mixed = bundle(vec![entry(&event("1")), entry(&wrong), entry(&event("3"))]);
    for (path, content_type, octets) in
        [("/fhir", JSON, mixed.to_string()), ("/fhir/", XML, fhir::to_xml(&mixed))]
    {
        let answer = reader.post(path, content_type, octets).await;
        assert_eq!(answer.status, 200);
        let response = match content_type {
            JSON => answer.json(),
            _ => {
                fhir::read(std::str::from_utf8(&answer.body).unwrap(), fhir::Encoding::Xml, 1 << 20).unwrap()
            }
        };
        assert_eq!(response["type"], "batch-response");
        let entries = response["entry"].as_array().unwrap();
        let status: Vec<&str> =
            entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
        assert_eq!(status, ["201 Created", "400 Bad Request", "201 Created"]);
        assert_eq!(
            entries[1]["response"]["outcome"]["issue"][0]["expression"],
            json!(["AuditEvent.recorded"])
        );
        let location = entries[2]["response"]["location"].as_str().unwrap();
        let found = reader.get(&format!("/fhir/{location}")).await.json();
        assert_eq!(found["entity"], event("3")["entity"]);
    }
    let rejected = kept_apart(&server).await;
    assert_eq!(rejected.len(), 2);
    assert_eq!(rejected[0].2, "AuditEvent.recorded: is required");
    assert_eq!(server.count("select count(*) from audit_trail where kind = 3").await, 4);

    let four = bundle((0..4).map(|_| entry(&event("1"))).collect());
    let mut transaction = bundle(vec![entry(&event("1"))]);
    transaction["type"] = json!("transaction");
    for (bundle, sentence) in [
        (four, "more than 3 entries"),
        (transaction, "Bundle.type: is not batch"),
        (event("1"), "is not a Bundle"),
    ] {
        assert_eq!(
            reader.post("/fhir", JSON, bundle.to_string()).await.refusal(),
            (400, sentence.to_owned())
        );
    }
    assert_eq!(server.count("select count(*) from audit_trail where kind = 3").await, 4);
    assert_eq!(reader.post("/fhir", JSON, bundle(vec![]).to_string()).await.status, 400);
    server.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_kept_apart_does_not_make_a_batch_come_again() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more room'; end $$;
        create trigger refuse before insert on audit_rejected for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();
    let batch = |resources: &[Value]| {
        let post = json!({"method": "POST", "url": "AuditEvent"});
        let entries: Vec<Value> =
            resources.iter().map(|resource| json!({"resource": resource, "request": post})).collect();
        json!({"resourceType": "Bundle", "type": "batch", "entry": entries}).to_string()
    };
    let mut wrong = event("2");
    wrong.as_object_mut().unwrap().remove("recorded");
    let mixed = reader.post("/fhir", JSON, batch(&[event("1"), wrong.clone()])).await;
    assert_eq!(mixed.status, 200);
    let verdicts = mixed.json()["entry"].as_array().unwrap().clone();
    let verdicts: Vec<&str> =
        verdicts.iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["201 Created", "400 Bad Request"]);
    assert_eq!(server.count("select count(*) from audit_trail where kind = 3").await, 1);
    // Where nothing was taken it may come again.
    assert_eq!(reader.post("/fhir", JSON, batch(std::slice::from_ref(&wrong))).await.status, 500);
    server
        .database
        .get()
        .await
        .unwrap()
        .batch_execute("drop trigger refuse on audit_rejected")
        .await
        .unwrap();
    assert_eq!(reader.post("/fhir", JSON, batch(std::slice::from_ref(&wrong))).await.status, 200);
    assert_eq!(kept_apart(&server).await.len(), 1);
    server.stop().await;
}

#[actix_web::test]
async fn what_is_taken_and_what_is_not_is_counted() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    reader.post("/fhir/AuditEvent", JSON, event("1").to_string()).await;
    reader.post("/fhir/AuditEvent", JSON, "{}").await;
    let metrics = String::from_utf8(reader.get("/metrics").await.body).unwrap();
    for line in [
        "carnet_audit_received_total{transport=\"fhir\"} 1",
        "carnet_audit_rejected_total{transport=\"fhir\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    server.stop().await;
}
