//! `/metrics` of a server that was used.

use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use client::mllp::Connection;
use client::{Encoding, Timeouts};
use hl7v2::adt::{self, Identifier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;
use xds::constants::action::ITI_43;
use xds::constants::{QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, STATUS_APPROVED, STATUS_DEPRECATED};
use xds::message::{DocumentRequest, RemoveObjects, ResponseStatus, RetrieveRequest};
use xds::query::{Request, ReturnType, Status, find_documents};
use xds::value::{Cx, uuid_urn};

use crate::audit_http::{JSON, Reader};
use crate::harness::{AUTHORITY, REPOSITORY, Server, Submission, assert_filed, oid, patient};
use crate::on_demand::on_demand;
use crate::update::{self, Update};

const DEVICE: &str = "1.2.250.1.999.55";
const TRANSACTIONS: [&str; 15] = [
    "ITI-8", "ITI-18", "ITI-20", "ITI-41", "ITI-42", "ITI-43", "ITI-44", "ITI-51", "ITI-57", "ITI-61",
    "ITI-62", "ITI-81", "ITI-82", "ITI-86", "ITI-92",
];

pub async fn page(server: &Server) -> String {
    let answer = server.client.page(&format!("{}/metrics", server.url)).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The value that follows a name with its labels.
pub fn value(page: &str, of: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(of)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

fn counted(page: &str, transaction: &str, outcome: &str) -> f64 {
    let of = format!("carnet_transactions_total{{transaction=\"{transaction}\",outcome=\"{outcome}\"}}");
    value(page, &of).unwrap_or_else(|| panic!("{of} is not in\n{page}"))
}

async fn read(server: &Server, unique_id: &str) -> ResponseStatus {
    let folder = tempfile::tempdir().unwrap();
    let requests = [document(unique_id)];
    server.client.retrieve(&requests, Encoding::Mtom, folder.path()).await.unwrap().response.status
}

fn document(unique_id: &str) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: unique_id.to_owned(),
    }
}

async fn feed(server: &Server, patient: &Cx) {
    let address = server.feed.unwrap().to_string();
    let mut mllp = Connection::open(&address, &Timeouts::default()).await.unwrap();
    let identifiers = [Identifier::new(&patient.id, &patient.authority)];
    let announced = adt::add("A01", &Uuid::new_v4().simple().to_string(), &identifiers);
    assert_eq!(mllp.acknowledged(announced.as_bytes()).await.unwrap().code, "AA");
    assert_eq!(mllp.acknowledged(b"hello").await.unwrap().code, "AR");
    server.client.add_patient(DEVICE, patient).await.unwrap();
    server.client.merge_patients(DEVICE, &self::patient(), patient).await.unwrap();
}

async fn submit(server: &Server, patient: &Cx, stranger: &Cx) -> Submission {
    let (submission, refused) = (Submission::new(patient, "one"), Submission::new(stranger, "two"));
    assert_filed(&server.file(&submission).await);
    assert_eq!(server.file(&refused).await.status, ResponseStatus::Failure);
    let mut registered = Submission::new(patient, "elsewhere");
    registered.entry.repository_unique_id = Some(oid());
    registered.entry.hash = Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned());
    registered.entry.size = Some(9);
    let refused = server.client.register(&Submission::new(stranger, "").objects()).await.unwrap();
    assert_eq!(refused.status, ResponseStatus::Failure);
    assert_filed(&server.client.register(&registered.objects()).await.unwrap());
    assert_filed(&server.client.register_on_demand(&on_demand(patient).objects()).await.unwrap());
    let refused = server.client.register_on_demand(&on_demand(stranger).objects()).await.unwrap();
    assert_eq!(refused.status, ResponseStatus::Failure);

    let ids = [registered.set.entry_uuid, registered.entry.entry_uuid, registered.associations[0].entry_uuid];
    let removed = server.client.remove_metadata(&RemoveObjects::of(ids)).await.unwrap();
    assert_eq!(removed.status, ResponseStatus::Success);
    let again = server.client.remove_metadata(&RemoveObjects::of(ids)).await.unwrap();
    assert_eq!(again.status, ResponseStatus::Failure);
    submission
}

async fn find(server: &Server, patient: &Cx) {
    for (statuses, expected) in
        [(&[Status::Approved] as &[_], ResponseStatus::Success), (&[], ResponseStatus::Failure)]
    {
        let request = Request::find_documents(patient, statuses, ReturnType::LeafClass);
        assert_eq!(server.client.query(&request).await.unwrap().response.status, expected);
    }
    let request = Request::new(QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, ReturnType::LeafClass);
    let answer = server.client.multi_patient_query(&request).await.unwrap();
    assert_eq!(answer.response.status, ResponseStatus::Failure);
    let complete = request
        .with_list("$XDSDocumentEntryPatientId", [patient.text.as_str()])
        .with_list(find_documents::STATUS, [STATUS_APPROVED]);
    let answer = server.client.multi_patient_query(&complete).await.unwrap();
    assert_eq!(answer.response.status, ResponseStatus::Success);
}

async fn change(server: &Server, patient: &Cx, submission: &Submission) {
    let id = submission.entry.entry_uuid;
    let current = update::entry(server, id).await;
    let renewed = Update::of(patient).document(&current, "1", |common| update::title(common, "Corrigé"));
    assert_filed(&server.client.restricted_update(&renewed.objects()).await.unwrap());
    let newest = uuid_urn(update::newest(server, id).await);
    let deprecated = || Update::of(patient).status(&newest, STATUS_APPROVED, STATUS_DEPRECATED);
    let refused = server.client.restricted_update(&deprecated().objects()).await.unwrap();
    assert_eq!(refused.status, ResponseStatus::Failure);
    deprecated().accepted(server).await;
    assert_eq!(deprecated().send(server).await.status, ResponseStatus::Failure);
}

async fn audit(server: &Server) {
    let reader = Reader::of(server);
    let event = r#"{"resourceType": "AuditEvent", "recorded": "2026-03-05T11:00:00Z",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "agent": [{"requestor": true}], "source": {"observer": {"reference": "Device/pacs"}}}"#;
    for (body, status) in [(event, 201), ("{}", 400)] {
        assert_eq!(reader.post("/fhir/AuditEvent", JSON, body).await.status, status);
    }
    for (path, status) in [
        ("/fhir/AuditEvent?date=ge2020-01-01", 200),
        ("/fhir/AuditEvent", 400),
        ("/fhir/syslogsearch?date=ge2020-01-01", 200),
        ("/fhir/syslogsearch", 400),
    ] {
        assert_eq!(reader.get(path).await.status, status, "{path}");
    }
}

#[actix_web::test]
async fn every_transaction_is_counted_by_its_outcome_and_the_page_names_nobody() {
    let settings = [("CARNET_FEED__MLLP", "127.0.0.1:0"), ("CARNET_FEED__AUTHORITY", AUTHORITY)];
    let server = Server::with(&settings).await;
    let (patient, stranger) = (patient(), patient());
    feed(&server, &patient).await;
    let submission = submit(&server, &patient, &stranger).await;
    find(&server, &patient).await;
    assert_eq!(read(&server, &submission.entry.unique_id).await, ResponseStatus::Success);
    assert_eq!(read(&server, &oid()).await, ResponseStatus::Failure);
    let asked_by_updates = 1.0;
    change(&server, &patient, &submission).await;
    let (ours, unknown) = (document(&submission.entry.unique_id), document(&oid()));
    assert_eq!(server.client.remove_documents(&[ours]).await.unwrap().status, ResponseStatus::Success);
    assert_eq!(server.client.remove_documents(&[unknown]).await.unwrap().status, ResponseStatus::Failure);
    audit(&server).await;
    let mut raw = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    raw.write_all(b"POST /services/registry HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(raw.read(&mut [0; 1024]).await.unwrap() > 0);

    let page = page(&server).await;
    for transaction in TRANSACTIONS {
        let queries = if transaction == "ITI-18" { asked_by_updates } else { 0.0 };
        assert_eq!(counted(&page, transaction, "success"), 1.0 + queries, "{transaction}\n{page}");
        assert_eq!(counted(&page, transaction, "refused"), 1.0, "{transaction}\n{page}");
        assert_eq!(counted(&page, transaction, "failed"), 0.0, "{transaction}\n{page}");
        let of = |what: &str| {
            format!("carnet_transaction_duration_seconds_{what}{{transaction=\"{transaction}\"}}")
        };
        assert_eq!(value(&page, &of("count")), Some(2.0 + queries), "{transaction}\n{page}");
        assert!(value(&page, &of("sum")).unwrap() > 0.0, "{transaction}\n{page}");
    }
    assert_eq!(
        page.matches("outcome=\"success\"").count(),
        TRANSACTIONS.len(),
        "a transaction is not tried here"
    );
    assert_eq!(value(&page, "carnet_unread_requests_total"), Some(1.0));

    assert!(value(&page, "carnet_http_connections").unwrap() >= 1.0, "{page}");
    assert!(value(&page, "carnet_database_connections_max").unwrap() > 1.0, "{page}");
    let connections: f64 = ["in_use", "idle"]
        .iter()
        .map(|state| value(&page, &format!("carnet_database_connections{{state=\"{state}\"}}")).unwrap())
        .sum();
    assert!(connections >= 1.0, "{page}");
    for zero in ["carnet_database_waiting", "carnet_audit_traces_waiting"] {
        assert_eq!(value(&page, zero), Some(0.0), "{page}");
    }
    let inbox = value(&page, "carnet_audit_inbox").unwrap();
    assert!(inbox <= server.count("select count(*) from audit_trail").await as f64, "{page}");
    let room = |what: &str| value(&page, &format!("carnet_document_store_{what}_bytes")).unwrap();
    assert!(0.0 < room("free") && room("free") <= room("size"), "{page}");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(value(&page, &format!("carnet_build_info{{version=\"{version}\"}}")), Some(1.0));
    assert!(value(&page, "carnet_start_time_seconds").unwrap() > 1_700_000_000.0, "{page}");

    let private = [&patient.id, &stranger.id, &submission.entry.unique_id, AUTHORITY, "127.0.0.1", DEVICE];
    for private in private {
        assert!(!page.contains(private), "{private} is in\n{page}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn connections_are_counted_as_long_as_they_are_open() {
    let server = Server::start().await;
    let open = |page: &str| value(page, "carnet_http_connections").unwrap();
    let before = open(&page(&server).await);
    let address = server.url.strip_prefix("http://").unwrap();
    let mut connections = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        connections.push(stream);
    }
    assert!(open(&page(&server).await) >= before.max(1.0) - 1.0 + 5.0);
    drop(connections);
    while open(&page(&server).await) > before.max(1.0) {}
    server.stop().await;
}

#[actix_web::test]
async fn an_answer_of_which_nothing_is_taken_is_given_up() {
    let server =
        Server::with(&[("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_LIMITS__IDLE_SECONDS", "1")]).await;
    let submission = Submission::new(&patient(), vec![b'x'; 16 << 20]);
    assert_filed(&server.file(&submission).await);
    let open = |page: &str| value(page, "carnet_http_connections").unwrap();
    let before = open(&page(&server).await);
    let request = RetrieveRequest(vec![DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: submission.entry.unique_id.clone(),
    }]);
    let envelope = soap::write(&soap::Header::request(ITI_43, "urn:uuid:1", ""), |w| request.write(w));
    let head = format!(
        "POST /services/repository HTTP/1.1\r\nHost: h\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n",
        envelope.len()
    );
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all((head + &envelope).as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let deadline = Instant::now() + Duration::from_secs(60);
    while open(&page(&server).await) > before {
        assert!(Instant::now() < deadline, "the connection is still there");
    }
    // What had left before is all that is ever there.
    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest).await;
    assert!(end.is_err() || rest.len() < 16 << 20, "{} octets", rest.len());
    server.stop().await;
}

#[actix_web::test]
async fn events_that_wait_for_the_log_are_counted() {
    let server = Server::start().await;
    let mut client = server.database.get().await.unwrap();
    // As another server that is at it does: nothing is moved out of the inbox meanwhile.
    let transaction = client.transaction().await.unwrap();
    transaction.query_one("select pg_advisory_xact_lock(7305419825)", &[]).await.unwrap();
    let waiting = || server.count("select count(*) from audit_inbox");
    let before = waiting().await;
    assert_filed(&server.file(&Submission::new(&patient(), "one")).await);
    let told = value(&page(&server).await, "carnet_audit_inbox").unwrap();
    assert!(told > before as f64);
    assert_eq!(told, waiting().await as f64);
    transaction.commit().await.unwrap();
    while value(&page(&server).await, "carnet_audit_inbox").unwrap() > 0.0 {}
    drop(client);
    server.stop().await;
}

/// Asks until a gauge has come to a value.
async fn until(server: &Server, gauge: &str, holds: impl Fn(f64) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let told = value(&page(server).await, gauge).unwrap();
        if holds(told) {
            return;
        }
        assert!(Instant::now() < deadline, "{gauge} {told}");
    }
}

/// Begins a query, whose answer is awaited later.
fn begin(server: &Server, patient: &Cx) -> JoinHandle<ResponseStatus> {
    let request = Request::find_documents(patient, &[Status::Approved], ReturnType::LeafClass);
    let client = server.client.clone();
    actix_web::rt::spawn(async move { client.query(&request).await.unwrap().response.status })
}

#[actix_web::test]
async fn who_waits_for_a_connection_to_the_database_is_counted_until_there_is_one() {
    // Two for each of the two threads.
    let settings = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_DATABASE__POOL", "2")];
    let server = Server::with(&settings).await;
    let patient = patient();
    assert_filed(&server.file(&Submission::new(&patient, "one")).await);
    let mut client = server.database.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("lock table document_entry in access exclusive mode").await.unwrap();
    let begun: Vec<_> = (0..12).map(|_| begin(&server, &patient)).collect();
    until(&server, "carnet_database_waiting", |waiting| waiting >= 8.0).await;
    transaction.commit().await.unwrap();
    for answer in begun {
        assert_eq!(answer.await.unwrap(), ResponseStatus::Success);
    }
    until(&server, "carnet_database_waiting", |waiting| waiting == 0.0).await;
    drop(client);
    server.stop().await;
}

#[actix_web::test]
async fn accesses_whose_trace_cannot_be_written_yet_are_counted_until_it_is() {
    let server = Server::start().await;
    let patient = patient();
    assert_filed(&server.file(&Submission::new(&patient, "one")).await);
    let mut client = server.database.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    // Who reads it goes on.
    transaction.batch_execute("lock table audit_inbox in share mode").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    let mut begun = Vec::new();
    // The first of each thread are being written, and no longer wait; those behind them do.
    while value(&page(&server).await, "carnet_audit_traces_waiting") == Some(0.0) {
        assert!(Instant::now() < deadline, "{} accesses and none waits", begun.len());
        if begun.len() < 20 {
            begun.push(begin(&server, &patient));
        }
    }
    assert!(begun.iter().all(|answer| !answer.is_finished()), "an answer without its trace");
    transaction.commit().await.unwrap();
    for answer in begun {
        assert_eq!(answer.await.unwrap(), ResponseStatus::Success);
    }
    until(&server, "carnet_audit_traces_waiting", |waiting| waiting == 0.0).await;
    drop(client);
    server.stop().await;
}
