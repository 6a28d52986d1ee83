//! A registry and a repository that know each other by their addresses only.

mod unsettled;

use std::sync::{Arc, Mutex};

use client::{Client, Encoding, Endpoints};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xds::constants::action;
use xds::ebxml::SubmitObjects;
use xds::message::{QueryResult, ResponseStatus, write_query_response};
use xds::query::{Request, ReturnType, Status};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, codes, oid, patient};

const OPEN: (&str, &str) = ("CARNET_PATIENTS__UNKNOWN", "open");

async fn registry(settings: &[(&str, &str)]) -> Server {
    Server::with(&[&[OPEN, ("CARNET_SERVER__ROLE", "registry")], settings].concat()).await
}

fn as_repository(registry: &str) -> Vec<(&str, &str)> {
    vec![("CARNET_SERVER__ROLE", "repository"), ("CARNET_REPOSITORY__REGISTRY", registry)]
}

async fn repository(registry: &str) -> Server {
    Server::with(&as_repository(registry)).await
}

fn address(server: &Server) -> String {
    format!("{}/services/registry", server.url)
}

async fn nothing_is_kept(repository: &Server) {
    for table in ["document", "filing"] {
        assert_eq!(repository.count(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(repository.blobs(), 0);
}

#[actix_web::test]
async fn a_document_is_filed_found_and_read() {
    let registry = registry(&[]).await;
    let repository = Server::with(
        &[as_repository(&address(&registry)), vec![("CARNET_REPOSITORY__REGISTRY_IS_CARNET", "true")]]
            .concat(),
    )
    .await;
    let client = Client::new(Endpoints {
        registry: address(&registry),
        repository: format!("{}/services/repository", repository.url),
    });
    let patient = patient();
    let cda = std::fs::read("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap();
    let mut submission = Submission::new(&patient, cda.clone());
    submission.entry.mime_type = "text/xml".to_owned();
    assert_filed(&submission.send(&client, Encoding::Mtom).await);
    let other = Submission::new(&crate::harness::patient(), "lettre");
    assert_filed(&other.send(&client, Encoding::Mtom).await);

    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let found = client.query(&request).await.unwrap();
    assert_eq!(found.documents.len(), 1);
    assert_eq!(found.documents[0].common.slot_value("repositoryUniqueId"), Some(REPOSITORY));
    assert_eq!(registry.count("select count(*) from header_fact where ins = '257041995001259'").await, 1);

    let folder = tempfile::tempdir().unwrap();
    let requests = [&submission, &other].map(|submission| xds::message::DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: submission.entry.unique_id.clone(),
    });
    let read = client.retrieve(&requests, Encoding::Mtom, folder.path()).await.unwrap();
    let octets: Vec<Vec<u8>> = read.documents.iter().map(|d| std::fs::read(&d.path).unwrap()).collect();
    assert_eq!(octets, [cda, b"lettre".to_vec()], "documents of two patients in one request");

    let acts = "select count(*) from audit_trail where outcome = 'success' and act = ";
    assert_eq!(registry.count(&format!("{acts} 'iti42-registry'")).await, 2);
    assert_eq!(repository.count(&format!("{acts} 'iti42-repository'")).await, 2);
    assert_eq!(repository.count(&format!("{acts} 'iti41-repository'")).await, 2);
    assert_eq!(repository.count("select count(*) from document where state = 'registered'").await, 2);
    assert_eq!(repository.count("select count(*) from filing").await, 0);
    assert_eq!(repository.count("select count(*) from document_entry").await, 0);
    assert_eq!(registry.count("select count(*) from document").await, 0);

    let refused = submission.send(&client, Encoding::Mtom).await;
    assert!(codes(&refused).contains(&"XDSDuplicateUniqueIdInRegistry"), "{refused:?}");
    assert_eq!(repository.count("select count(*) from document").await, 2);

    registry.stop().await;
    assert_eq!(repository.read(&other.entry.unique_id).await, None, "visibility cannot be asked");
    let away = Submission::new(&patient, "lettre");
    assert_eq!(codes(&away.send(&client, Encoding::Mtom).await), ["XDSRegistryNotAvailable"]);
    assert_eq!(repository.count("select count(*) from document").await, 2);
    assert_eq!((repository.count("select count(*) from filing").await, repository.blobs()), (0, 2));
    repository.stop().await;
}

#[actix_web::test]
async fn each_answers_only_what_it_is() {
    let registry = registry(&[]).await;
    let repository = repository(&address(&registry)).await;
    for (server, own, other) in
        [(&registry, "registry", "repository"), (&repository, "repository", "registry")]
    {
        let status = async |path: String| server.client.page(&path).await.unwrap().status;
        assert_eq!(status(format!("{}/services/{own}?wsdl", server.url)).await, 200);
        assert_eq!(status(format!("{}/services/{other}?wsdl", server.url)).await, 404);
        assert_eq!(status(format!("{}/ready", server.url)).await, 200);
        let home = server.client.page(&server.url).await.unwrap();
        let home = String::from_utf8_lossy(&home.body).into_owned();
        assert!(home.contains(&format!("as a {own}")), "{home}");
        assert!(!home.contains(&format!("/services/{other}")), "{home}");
    }
    repository.stop().await;
    registry.stop().await;
}

#[actix_web::test]
async fn who_is_no_source_of_the_registry_is_refused_with_a_trace() {
    let registry = registry(&[("CARNET_REGISTRY__SOURCES", "192.0.2.7")]).await;
    let mut objects = Submission::new(&patient(), "lettre").objects();
    for (slot, value) in [("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("size", "0")] {
        objects.extrinsic_objects[0].common.set_slot(slot, value);
    }
    let response = registry.client.register(&objects).await.unwrap();
    assert_eq!(codes(&response), ["XDSRegistryError"]);
    assert!(response.errors[0].context.contains("registry.sources"), "{response:?}");
    assert_eq!(registry.count("select count(*) from record").await, 0);
    let traced =
        "select count(*) from audit_trail where act = 'iti42-registry' and outcome = 'minor-failure'";
    assert_eq!(registry.count(traced).await, 1);
    registry.stop().await;
}

/// Facts of a document's header come from a repository of ours that is not in the registry's process.
#[actix_web::test]
async fn header_facts_are_believed_of_a_source_by_a_registry_alone_only() {
    let mut objects = Submission::new(&patient(), "lettre").objects();
    let slots = [
        ("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("size", "0"),
        ("repositoryUniqueId", REPOSITORY),
        ("urn:carnet:cda:setId", "1.2.3^4"),
    ];
    for (slot, value) in slots {
        objects.extrinsic_objects[0].common.set_slot(slot, value);
    }
    let alone = registry(&[]).await;
    let both = Server::start().await;
    for (server, facts) in [(&alone, 1), (&both, 0)] {
        assert_filed(&server.client.register(&objects).await.unwrap());
        assert_eq!(server.count("select count(*) from header_fact").await, facts);
    }
    alone.stop().await;
    both.stop_without_documents().await;
}

/// What a registry that is not ours does with a request.
enum Reply {
    Body {
        action: &'static str,
        xml: String,
    },
    /// Closes the connection.
    Nothing,
}

/// A registry made of one function; it keeps what it was sent.
struct Stub {
    url: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    async fn start(reply: impl Fn(&str) -> Reply + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/any/registry", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        actix_web::rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = read_request(stream, |request| reply(request)).await;
                kept.lock().unwrap().push(request);
            }
        });
        Stub { url, received }
    }

    fn received(&self) -> String {
        self.received.lock().unwrap().join("\n")
    }
}

/// Passes requests on to a registry, and all answers but those to registrations back.
async fn losing_answers(registry: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/registry", listener.local_addr().unwrap());
    actix_web::rt::spawn(async move {
        let client = Client::new(Endpoints::of_server(&registry));
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = whole_request(&mut stream).await;
            let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
            let kind = ("Content-Type", "application/soap+xml");
            let answer = client.post(&registry, &[kind], body).await.unwrap();
            if !request.contains("SubmitObjectsRequest") {
                write_answer(&mut stream, &String::from_utf8_lossy(&answer.body)).await;
            }
        }
    });
    url
}

async fn read_request(mut stream: TcpStream, reply: impl Fn(&str) -> Reply) -> String {
    let request = whole_request(&mut stream).await;
    if let Reply::Body { action, xml } = reply(&request) {
        let envelope = soap::write(&soap::Header::response(action, None), |w| {
            w.raw(&xml);
        });
        write_answer(&mut stream, &envelope).await;
    }
    request
}

async fn write_answer(stream: &mut TcpStream, envelope: &str) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{envelope}",
        envelope.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

async fn whole_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let is_whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        body.len() >= length.trim().parse::<usize>().unwrap()
    };
    while !is_whole(&request) {
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the request ended early");
        request.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(request).unwrap()
}

fn registry_response(status: &str, errors: &[(&str, &str, &str)]) -> Reply {
    let errors: String = errors
        .iter()
        .map(|(code, context, severity)| {
            format!(
                "<rs:RegistryError errorCode='{code}' codeContext='{context}' location='there' \
                 severity='urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:{severity}'/>"
            )
        })
        .collect();
    let list = match errors.is_empty() {
        true => String::new(),
        false => format!("<rs:RegistryErrorList>{errors}</rs:RegistryErrorList>"),
    };
    Reply::Body {
        action: "urn:ihe:iti:2007:RegisterDocumentSet-bResponse",
        xml: format!(
            "<rs:RegistryResponse xmlns:rs='urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0' \
             status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:{status}'>{list}</rs:RegistryResponse>"
        ),
    }
}

/// The answer to any query: these objects.
fn objects(objects: &SubmitObjects) -> Reply {
    let mut w = xml::Writer::new();
    objects.write(&mut w);
    // The objects as they stand in the request for their registration.
    let whole = w.finish();
    let first = ["<rim:ExtrinsicObject", "<rim:RegistryPackage"].iter().find_map(|object| whole.find(object));
    let (from, to) = (first, whole.rfind("</rim:RegistryObjectList>"));
    let list = from.zip(to).map(|(from, to)| whole[from..to].to_owned()).unwrap_or_default();
    let mut w = xml::Writer::new();
    write_query_response(&mut w, &[], &QueryResult::Objects(list));
    Reply::Body { action: "urn:ihe:iti:2007:RegistryStoredQueryResponse", xml: w.finish() }
}

fn nothing() -> Reply {
    objects(&SubmitObjects {
        extrinsic_objects: vec![],
        packages: vec![],
        associations: vec![],
        findings: vec![],
    })
}

/// The submission as a registry would show it: with the digest of its document.
fn registered(submission: &Submission) -> SubmitObjects {
    let mut objects = submission.objects();
    let common = &mut objects.extrinsic_objects[0].common;
    common.set_slot("hash", openssl_sha1(&submission.octets));
    common.set_slot("repositoryUniqueId", REPOSITORY);
    objects
}

fn openssl_sha1(octets: &[u8]) -> String {
    openssl::sha::sha1(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

#[actix_web::test]
async fn what_another_registry_says_is_passed_on_as_it_is() {
    let stub = Stub::start(|_| {
        registry_response(
            "Failure",
            &[
                ("XDSLocalRuleBroken", "regle locale", "Error"),
                ("XDSUnknownPatientId", "who is this", "Error"),
                ("XDSOddity", "odd", "Warning"),
            ],
        )
    })
    .await;
    let server = repository(&stub.url).await;
    let cda = std::fs::read("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap();
    let mut submission = Submission::new(&patient(), cda);
    submission.entry.mime_type = "text/xml".to_owned();
    let response = server.file(&submission).await;
    assert_eq!(codes(&response), ["XDSLocalRuleBroken", "XDSUnknownPatientId", "XDSOddity"]);
    assert_eq!(response.errors[0].context, "regle locale");
    assert_eq!(response.errors[0].location.as_deref(), Some("there"));
    assert!(response.errors[2].is_warning);
    nothing_is_kept(&server).await;
    assert!(stub.received().contains(action::ITI_42));
    assert!(!stub.received().contains("urn:carnet:"), "what is between two Carnets");
    let traced = "select count(*) from audit_trail where outcome = 'minor-failure'
        and content ->> 'outcome_description' like 'XDSLocalRuleBroken XDSUnknownPatientId%'";
    assert_eq!(server.count(traced).await, 1);
    server.stop().await;

    let stub = Stub::start(|_| registry_response("Success", &[("XDSOddity", "odd", "Warning")])).await;
    let server = repository(&stub.url).await;
    let response = server.file(&Submission::new(&patient(), "lettre")).await;
    assert_eq!(response.status, ResponseStatus::Success);
    assert_eq!((response.errors[0].code.as_str(), response.errors[0].is_warning), ("XDSOddity", true));
    assert_eq!(server.count("select count(*) from document where state = 'registered'").await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_registration_whose_answer_is_lost_is_looked_for_before_anything_is_answered() {
    let submission = Submission::new(&patient(), "lettre");
    let shown = registered(&submission);
    let stub = Stub::start(move |request| match request.contains("AdhocQueryRequest") {
        true => objects(&shown),
        false => Reply::Nothing,
    })
    .await;
    let server = repository(&stub.url).await;
    assert_filed(&server.file(&submission).await);
    assert!(stub.received().contains("e8e3cb2c-e39c-46b9-99e4-c12f57260b83"), "{}", stub.received());
    assert!(stub.received().contains(&submission.set.unique_id));
    assert_eq!(server.count("select count(*) from document where state = 'registered'").await, 1);
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), b"lettre");

    // The uniqueId of somebody else's SubmissionSet proves nothing.
    let mut other = Submission::new(&patient(), "others");
    other.set.unique_id = submission.set.unique_id.clone();
    other.entry.unique_id = oid();
    let response = server.file(&other).await;
    assert_eq!(codes(&response), ["XDSRepositoryError"]);
    server.stop().await;
}

#[actix_web::test]
async fn a_lost_answer_of_our_own_registry_is_found_there() {
    let registry = registry(&[]).await;
    let repository = repository(&losing_answers(address(&registry)).await).await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&repository.file(&submission).await);
    assert_eq!(registry.count("select count(*) from submission_set").await, 1);
    assert_eq!(repository.count("select count(*) from document where state = 'registered'").await, 1);
    assert_eq!(repository.count("select count(*) from filing").await, 0);
    assert_eq!(repository.read(&submission.entry.unique_id).await.unwrap(), b"lettre");

    // What the registry refused it does not show: the outcome stays unknown.
    let mut refused = Submission::new(&patient(), "lettre");
    refused.entry.entry_uuid = submission.entry.entry_uuid;
    refused.associations[0].target = submission.entry.entry_uuid;
    assert_eq!(codes(&repository.file(&refused).await), ["XDSRepositoryError"]);
    assert_eq!(repository.count("select count(*) from document where state = 'stored'").await, 1);
    repository.stop().await;
    registry.stop().await;
}

/// Waits until so many submissions are not settled.
async fn unsettled(server: &Server, count: i64) {
    let began = std::time::Instant::now();
    while server.count("select count(*) from filing").await > count {
        assert!(began.elapsed().as_secs() < 30, "submissions are not settled");
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn an_unknown_outcome_keeps_the_document_until_the_registry_tells() {
    let stub = Stub::start(|request| match request.contains("AdhocQueryRequest") {
        true => nothing(),
        false => Reply::Nothing,
    })
    .await;
    let server = repository(&stub.url).await;
    let (there, lost) = (Submission::new(&patient(), "lettre"), Submission::new(&patient(), "perdue"));
    for submission in [&there, &lost] {
        let response = server.file(submission).await;
        assert_eq!(codes(&response), ["XDSRepositoryError"]);
        assert!(response.errors[0].context.contains("not known"), "{response:?}");
    }
    assert_eq!(server.count("select count(*) from document where state = 'stored'").await, 2);
    assert_eq!(server.blobs(), 2);
    let filed = "select count(*) from audit_trail where act = 'iti41-repository' and outcome = 'success'";
    let any = "select count(*) from audit_trail where act = 'iti41-repository'";
    assert_eq!(server.count(any).await, 0, "what became of it is not known");

    let (known, set) = (registered(&there), there.set.unique_id.clone());
    let entry = there.entry.unique_id.clone();
    let stub = Stub::start(move |request| match request.contains(&set) || request.contains(&entry) {
        true => objects(&known),
        false => nothing(),
    })
    .await;
    let old = "update filing set begun_at = now() - interval '1 hour'";
    server.database.get().await.unwrap().batch_execute(old).await.unwrap();
    let server = server.restart(&as_repository(&stub.url)).await;
    unsettled(&server, 1).await;
    assert_eq!(server.count("select count(*) from document where state = 'registered'").await, 1);
    assert_eq!(
        server.count("select count(*) from document where state = 'stored'").await,
        1,
        "kept for a day"
    );
    assert_eq!(server.count(filed).await, 1, "the trace is written now");
    assert_eq!(server.read(&there.entry.unique_id).await.unwrap(), b"lettre");

    let older = "update filing set begun_at = now() - interval '25 hours'";
    server.database.get().await.unwrap().batch_execute(older).await.unwrap();
    let server = server.restart(&as_repository(&stub.url)).await;
    unsettled(&server, 0).await;
    assert_eq!(server.count("select count(*) from document").await, 1);
    assert_eq!(server.read(&lost.entry.unique_id).await, None);
    let failed =
        "select count(*) from audit_trail where act = 'iti41-repository' and outcome = 'serious-failure'";
    assert_eq!(server.count(failed).await, 1, "once it is known");
    server.stop().await;
}

#[actix_web::test]
async fn a_registry_that_is_not_there_leaves_nothing_behind() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/registry", nobody.local_addr().unwrap());
    drop(nobody);
    let server = repository(&url).await;
    let response = server.file(&Submission::new(&patient(), "lettre")).await;
    assert_eq!(codes(&response), ["XDSRegistryNotAvailable"]);
    nothing_is_kept(&server).await;
    server.stop().await;
}
