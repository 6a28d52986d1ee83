//! The patient identity feed over real sockets: ITI-8 over MLLP, ITI-44 over SOAP.

use client::mllp::{Acknowledgement, Connection};
use client::{Identity, Timeouts};
use futures_util::future::join_all;
use hl7v2::adt::{self, Identifier};
use test_support::certificates::{NOW, Node};
use uuid::Uuid;
use xds::query::{Request, ReturnType, Status};
use xds::value::Cx;

use crate::harness::{AUTHORITY, Server, Submission, assert_filed, codes, patient};

const DEVICE: &str = "1.2.250.1.999.55";

/// Records are opened by the feed only.
async fn server(more: &[(&str, &str)]) -> Server {
    let settings = [("CARNET_FEED__MLLP", "127.0.0.1:0"), ("CARNET_FEED__AUTHORITY", AUTHORITY)];
    Server::with(&[settings.as_slice(), more].concat()).await
}

async fn connect(server: &Server) -> Connection {
    Connection::open(&server.feed.unwrap().to_string(), &Timeouts::default()).await.unwrap()
}

fn identifier(patient: &Cx) -> Identifier {
    Identifier::new(&patient.id, &patient.authority)
}

fn add(event: &str, patient: &Cx) -> String {
    adt::add(event, &Uuid::new_v4().simple().to_string(), &[identifier(patient)])
}

fn merge(subsumed: &Cx, surviving: &Cx) -> String {
    adt::merge(&Uuid::new_v4().simple().to_string(), &identifier(surviving), &identifier(subsumed))
}

async fn send(connection: &mut Connection, message: &str) -> Acknowledgement {
    connection.acknowledged(message.as_bytes()).await.unwrap()
}

/// MSA-1 and the numbers of the problems.
fn outcome(ack: &Acknowledgement) -> (&str, Vec<&str>) {
    (ack.code.as_str(), ack.errors.iter().map(String::as_str).collect())
}

async fn found(server: &Server, patient: &Cx) -> usize {
    let request = Request::find_documents(patient, &[Status::Approved], ReturnType::ObjectRef);
    server.client.query(&request).await.unwrap().object_refs.len()
}

/// (act, outcome, patient, detail of the message) in order of act.
async fn events(server: &Server) -> Vec<(String, String, String)> {
    let sql = "select act, outcome, coalesce(patient_id, '') from audit_trail
        where act like 'iti8-%' or act like 'iti44-%' or act = 'node-refused' order by act, at";
    let client = server.database.get().await.unwrap();
    client.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[actix_web::test]
async fn patients_announced_over_mllp_can_be_filed_for_and_merged() {
    let server = server(&[]).await;
    let mut feed = connect(&server).await;
    let (a, b) = (patient(), patient());
    assert_eq!(codes(&server.file(&Submission::new(&a, "early")).await), ["XDSUnknownPatientId"]);
    for (event, patient) in [("A01", &a), ("A04", &b), ("A05", &b)] {
        let message = add(event, patient);
        let control_id = hl7v2::Message::parse(message.as_bytes()).unwrap().header().control_id;
        let ack = send(&mut feed, &message).await;
        assert_eq!((outcome(&ack), &ack.control_id), (("AA", vec![]), &control_id));
    }
    for patient in [&a, &b] {
        assert_filed(&server.file(&Submission::new(patient, "one")).await);
    }
    assert_eq!(outcome(&send(&mut feed, &merge(&a, &b)).await), ("AA", vec![]));
    assert_eq!((found(&server, &a).await, found(&server, &b).await), (0, 2));
    assert_eq!(codes(&server.file(&Submission::new(&a, "late")).await), ["XDSUnknownPatientId"]);
    server.stop().await;
}

#[actix_web::test]
async fn the_answer_tells_what_was_not_done_and_nothing_is_done() {
    let server = server(&[]).await;
    let mut feed = connect(&server).await;
    let (a, b, c, unknown) = (patient(), patient(), patient(), patient());
    for patient in [&a, &b, &c] {
        send(&mut feed, &add("A04", patient)).await;
    }
    send(&mut feed, &merge(&a, &b)).await;
    let elsewhere = Cx::new("1", "1.2.3.4");
    let records = "select count(*) * 1000 + count(survivor) from record";
    let before = server.count(records).await;
    for (subsumed, surviving) in
        [(&a, &c), (&c, &a), (&b, &b), (&unknown, &b), (&b, &unknown), (&elsewhere, &b), (&b, &elsewhere)]
    {
        let ack = send(&mut feed, &merge(subsumed, surviving)).await;
        assert_eq!(outcome(&ack), ("AE", vec!["204"]), "{ack:?}");
        assert_eq!(ack.texts.len(), 1);
        assert!(!ack.texts[0].contains(&b.id), "{ack:?}");
    }
    assert_eq!(outcome(&send(&mut feed, &add("A04", &a)).await), ("AE", vec!["205"]));
    assert_eq!(outcome(&send(&mut feed, &add("A02", &c)).await), ("AR", vec!["201"]));
    assert_eq!(outcome(&send(&mut feed, &add("A28", &c)).await), ("AR", vec!["201"]));
    let result = add("A01", &c).replace("ADT^A01", "ORU^R01");
    assert_eq!(outcome(&send(&mut feed, &result).await), ("AR", vec!["200"]));
    assert_eq!(outcome(&send(&mut feed, "hello").await), ("AR", vec!["100"]));
    assert_eq!(server.count(records).await, before);
    server.stop().await;
}

#[actix_web::test]
async fn only_identifiers_of_the_domain_are_taken_by_oid_by_namespace_or_by_naming_none() {
    let namespaces = format!("OURS={AUTHORITY},THEIRS=1.2.3.4");
    let server = server(&[("CARNET_FEED__NAMESPACES", &namespaces)]).await;
    let mut feed = connect(&server).await;
    let id = || Uuid::new_v4().simple().to_string();
    let known = async |id: &str| {
        server.count(&format!("select count(*) from patient_identifier where value = '{id}'")).await == 1
    };
    for (authority, ours) in [
        (format!("&{AUTHORITY}&ISO"), true),
        (format!("ANY&{AUTHORITY}&ISO"), true),
        ("OURS".to_owned(), true),
        (String::new(), true),
        ("THEIRS".to_owned(), false),
        ("UNKNOWN".to_owned(), false),
        ("OURS&1.2.3.4&ISO".to_owned(), false),
        (format!("&{AUTHORITY}&DNS"), false),
    ] {
        let id = id();
        let message = add("A01", &patient());
        let start = message.find("PID|").unwrap();
        let message = format!("{}PID|||{id}^^^{authority}~{id}^^^&1.2.3.5&ISO\r", &message[..start]);
        assert_eq!(outcome(&send(&mut feed, &message).await), ("AA", vec![]), "{authority}");
        assert_eq!(known(&id).await, ours, "{authority}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn revisions_are_acknowledged_and_further_events_by_setting() {
    let server = server(&[("CARNET_FEED__A28", "true"), ("CARNET_FEED__A31", "true")]).await;
    let mut feed = connect(&server).await;
    let patient = patient();
    for event in ["A28", "A08", "A31"] {
        assert_eq!(outcome(&send(&mut feed, &add(event, &patient)).await), ("AA", vec![]), "{event}");
    }
    assert_filed(&server.file(&Submission::new(&patient, "one")).await);
    server.stop().await;
}

#[actix_web::test]
async fn every_change_and_every_refusal_is_traced_for_each_patient() {
    let server = server(&[]).await;
    let mut feed = connect(&server).await;
    let (a, b) = (Cx::new("A", AUTHORITY), Cx::new("B", AUTHORITY));
    send(&mut feed, &add("A01", &a)).await;
    send(&mut feed, &add("A08", &a)).await;
    send(&mut feed, &merge(&a, &b)).await;
    send(&mut feed, &add("A01", &b)).await;
    send(&mut feed, &merge(&a, &b)).await;
    let expected = [
        ("iti8-added", "success", "A"),
        ("iti8-added", "success", "B"),
        ("iti8-revised", "success", "A"),
        ("iti8-subsumed", "minor-failure", "A"),
        ("iti8-subsumed", "success", "A"),
        ("iti8-survived", "minor-failure", "B"),
        ("iti8-survived", "success", "B"),
    ];
    let expected = expected.map(|(act, outcome, patient)| (act.into(), outcome.into(), patient.into()));
    assert_eq!(events(&server).await, expected);
    let named = ["UserID=\"HOSPITAL|SOURCE\"", "UserID=\"DOMAIN|CARNET\"", "type=\"MSH-10\""];
    assert_eq!(server.messages(&named).await, 7);
    server.stop().await;
}

#[actix_web::test]
async fn garbage_portions_and_several_messages_at_once_are_survived() {
    let server = server(&[("CARNET_FEED__MESSAGE", "4KiB")]).await;
    let mut feed = connect(&server).await;
    let wrapped = |message: &str| hl7v2::wrap(message.as_bytes());
    let code =
        async |feed: &mut Connection| Acknowledgement::read(&feed.receive().await.unwrap()).unwrap().code;
    let both = [wrapped(&add("A01", &patient())), wrapped(&add("A02", &patient()))].concat();
    feed.send(&[b"noise\r\n".as_slice(), &both, b"\x1C\rmore noise"].concat()).await.unwrap();
    assert_eq!((code(&mut feed).await, code(&mut feed).await), ("AA".to_owned(), "AR".to_owned()));
    for octet in wrapped(&add("A04", &patient())) {
        feed.send(&[octet]).await.unwrap();
    }
    assert_eq!(code(&mut feed).await, "AA");
    // A message that never ends, and the next one.
    feed.send(b"\x0BMSH|^~\\&|half a message").await.unwrap();
    feed.send(&wrapped(&add("A04", &patient()))).await.unwrap();
    assert_eq!(code(&mut feed).await, "AA");
    // One that is too long is answered by its own control id, and the connection goes on.
    let long = format!("{}NTE|{}\r", add("A04", &patient()), "x".repeat(8192));
    let ack = send(&mut feed, &long).await;
    assert_eq!(outcome(&ack), ("AR", vec!["102"]));
    assert!(!ack.control_id.is_empty() && long.contains(&ack.control_id));
    assert_eq!(send(&mut feed, &add("A04", &patient())).await.code, "AA");
    assert_eq!(server.count("select count(*) from record").await, 4);
    server.stop().await;
}

#[actix_web::test]
async fn many_connections_announce_one_patient_once() {
    let server = server(&[]).await;
    let patient = patient();
    let sent = (0..8).map(async |_| send(&mut connect(&server).await, &add("A01", &patient)).await.code);
    assert_eq!(join_all(sent).await, vec!["AA"; 8]);
    assert_eq!(server.count("select count(*) from record").await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn who_is_not_in_the_list_changes_nothing_and_is_traced() {
    let server = server(&[("CARNET_FEED__SENDERS", "SOURCE|HOSPITAL,1.2.250.1.999.55")]).await;
    let mut feed = connect(&server).await;
    let (a, b) = (patient(), patient());
    assert_eq!(send(&mut feed, &add("A01", &a)).await.code, "AA");
    let stranger = add("A01", &b).replace("SOURCE|HOSPITAL", "SOURCE|ELSEWHERE");
    assert_eq!(outcome(&send(&mut feed, &stranger).await), ("AR", vec!["103"]));
    assert_eq!(server.client.add_patient("1.2.250.1.999.56", &b).await.unwrap().code, "CR");
    assert_eq!(server.count("select count(*) from record").await, 1);
    assert_eq!(server.client.add_patient(DEVICE, &b).await.unwrap().code, "CA");
    assert_eq!(server.count("select count(*) from audit_trail where act = 'node-refused'").await, 2);

    let server =
        server.restart(&[("CARNET_FEED__MLLP", "127.0.0.1:0"), ("CARNET_FEED__SENDERS", "192.0.2.1")]).await;
    let mut feed = connect(&server).await;
    let refused = feed.acknowledged(add("A01", &patient()).as_bytes()).await;
    assert!(matches!(refused, Err(client::Error::Interrupted { .. })), "{refused:?}");
    assert_eq!(server.client.add_patient(DEVICE, &patient()).await.unwrap().code, "CR");
    assert_eq!(server.count("select count(*) from record").await, 2);
    assert_eq!(server.count("select count(*) from audit_trail where act = 'node-refused'").await, 4);
    server.stop().await;
}

#[actix_web::test]
async fn connections_are_counted_and_idle_ones_end() {
    let server = server(&[("CARNET_FEED__CONNECTIONS", "1"), ("CARNET_FEED__IDLE_SECONDS", "1")]).await;
    let mut first = connect(&server).await;
    assert_eq!(send(&mut first, &add("A01", &patient())).await.code, "AA");
    let mut second = connect(&server).await;
    let refused = second.acknowledged(add("A01", &patient()).as_bytes()).await;
    assert!(matches!(refused, Err(client::Error::Interrupted { .. })), "{refused:?}");
    // The first one says nothing for a second.
    assert!(matches!(first.receive().await, Err(client::Error::Interrupted { .. })));
    assert_eq!(send(&mut connect(&server).await, &add("A01", &patient())).await.code, "AA");
    server.stop().await;
}

#[actix_web::test]
async fn a_stop_ends_idle_connections() {
    let server = server(&[]).await;
    let mut feed = connect(&server).await;
    assert_eq!(send(&mut feed, &add("A01", &patient())).await.code, "AA");
    server.stop().await;
    assert!(matches!(feed.receive().await, Err(client::Error::Interrupted { .. })));
}

#[actix_web::test]
async fn with_tls_the_feed_is_encrypted_and_its_certificate_traced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let authority = Node::authority("authority");
    authority.write(folder.path(), "authorities");
    authority.issue("server", NOW).write(folder.path(), "server");
    let node = authority.issue("hospital", NOW);
    let own = node.write(folder.path(), "client");
    let server = server(&[
        ("CARNET_TLS__CERTIFICATE", &path("server.pem")),
        ("CARNET_TLS__KEY", &path("server.key")),
        ("CARNET_TLS__AUTHORITIES", &path("authorities.pem")),
        ("CARNET_TLS__CLIENT_CERTIFICATES", "required"),
    ])
    .await;
    let address = server.feed.unwrap().to_string();
    let open = async |certificate| {
        let authorities = Some(path("authorities.pem").into());
        let tls = Identity { authorities, certificate, check_host: true }.connector().unwrap();
        let mut connection = Connection::open_encrypted(&address, &Timeouts::default(), &tls).await?;
        connection.acknowledged(add("A01", &patient()).as_bytes()).await
    };
    assert_eq!(open(Some(own)).await.unwrap().code, "AA");
    assert!(open(None).await.is_err());
    let mut plain = connect(&server).await;
    assert!(plain.acknowledged(add("A01", &patient()).as_bytes()).await.is_err());
    assert_eq!(server.count("select count(*) from record").await, 1);
    let traced = format!(
        "select count(*) from audit_trail where act = 'iti8-added'
            and content -> 'requester' ->> 'certificate_fingerprint' = '{}'",
        node.fingerprint()
    );
    assert_eq!(server.count(&traced).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn patients_announced_over_soap_can_be_filed_for_and_merged() {
    let server = server(&[]).await;
    let (a, b) = (patient(), patient());
    for patient in [&a, &b, &a] {
        let answer = server.client.add_patient(DEVICE, patient).await.unwrap();
        assert_eq!((answer.code.as_str(), answer.details.len()), ("CA", 0));
        assert_eq!(answer.target.0, DEVICE);
    }
    assert_eq!(server.client.revise_patient(DEVICE, &a).await.unwrap().code, "CA");
    for patient in [&a, &b] {
        assert_filed(&server.file(&Submission::new(patient, "one")).await);
    }
    assert_eq!(server.client.merge_patients(DEVICE, &a, &b).await.unwrap().code, "CA");
    assert_eq!((found(&server, &a).await, found(&server, &b).await), (0, 2));
    let again = server.client.merge_patients(DEVICE, &a, &b).await.unwrap();
    assert_eq!((again.code.as_str(), again.details[0].0.as_str()), ("CE", "KEY204"));
    let reopened = server.client.add_patient(DEVICE, &a).await.unwrap();
    assert_eq!((reopened.code.as_str(), reopened.details[0].0.as_str()), ("CE", "KEY205"));
    let acts: Vec<String> =
        events(&server).await.into_iter().map(|(act, outcome, _)| format!("{act} {outcome}")).collect();
    let expected = [
        "iti44-added success",
        "iti44-added success",
        "iti44-added success",
        "iti44-added minor-failure",
        "iti44-revised success",
        "iti44-subsumed success",
        "iti44-subsumed minor-failure",
        "iti44-survived success",
        "iti44-survived minor-failure",
    ];
    assert_eq!(acts, expected);
    server.stop().await;
}

#[actix_web::test]
async fn a_message_over_soap_that_breaks_rules_is_rejected_with_all_of_them() {
    let server = server(&[]).await;
    let action = "urn:hl7-org:v3:PRPA_IN201304UV02";
    let header = soap::Header::request(action, "urn:uuid:1", &server.url);
    let envelope = soap::write(&header, |w| {
        w.empty("PRPA_IN201304UV02", &[("xmlns", "urn:hl7-org:v3"), ("ITSVersion", "XML_1.0")]);
    });
    let url = format!("{}/services/registry", server.url);
    let content_type = soap::simple_content_type(action);
    let answer =
        server.client.post(&url, &[("Content-Type", content_type.as_str())], envelope.clone()).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        text.contains("urn:hl7-org:v3:MCCI_IN000002UV01") && text.contains("<typeCode code=\"CR\"/>"),
        "{text}"
    );
    assert_eq!(text.matches("<acknowledgementDetail ").count(), 6, "{text}");

    let server = server.restart(&[("CARNET_FEED__ITI44", "false")]).await;
    let url = format!("{}/services/registry", server.url);
    let answer =
        server.client.post(&url, &[("Content-Type", content_type.as_str())], envelope).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.contains("ActionNotSupported"), "{text}");
    server.stop().await;
}

#[actix_web::test]
async fn without_its_trace_nothing_is_acknowledged() {
    let senders = format!("SOURCE|HOSPITAL,{DEVICE}");
    let server = server(&[("CARNET_FEED__MESSAGE", "4KiB"), ("CARNET_FEED__SENDERS", &senders)]).await;
    let mut feed = connect(&server).await;
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();
    let stranger = add("A01", &patient()).replace("SOURCE|HOSPITAL", "SOURCE|ELSEWHERE");
    let long = format!("{}NTE|{}\r", add("A04", &patient()), "x".repeat(8192));
    for message in [add("A01", &patient()), add("A02", &patient()), stranger.clone(), long.clone()] {
        assert_eq!(
            outcome(&send(&mut feed, &message).await),
            ("AE", vec!["207"]),
            "{} octets",
            message.len()
        );
    }
    for device in [DEVICE, "1.2.250.1.999.56"] {
        let answer = server.client.add_patient(device, &patient()).await.unwrap();
        assert_eq!((answer.code.as_str(), answer.details[0].0.as_str()), ("CE", "INTERR"), "{device}");
    }
    assert_eq!(server.count("select count(*) from record").await, 0);
    let allow = "drop trigger refuse on audit_inbox";
    server.database.get().await.unwrap().batch_execute(allow).await.unwrap();
    for (message, code) in [(stranger, "103"), (long, "102")] {
        assert_eq!(outcome(&send(&mut feed, &message).await), ("AR", vec![code]));
    }
    let refusals = "select count(*) from audit_trail where act in ('node-refused', 'request-refused')";
    assert_eq!(server.count(refusals).await, 2);
    assert_eq!(send(&mut feed, &add("A01", &patient())).await.code, "AA");
    server.stop().await;
}
