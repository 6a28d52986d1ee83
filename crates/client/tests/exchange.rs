#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

//! The client against a server that answers as it is told.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use bytes::Bytes;
use client::{Client, Encoding, Endpoints, Error, Outgoing, Timeouts};
use soap::ContentType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::message::{
    Content, DocumentRequest, DocumentResponse, ProvideAndRegister, QueryResult, RegistryResponse,
    ResponseStatus, write_query_response, write_retrieve_response,
};
use xds::query::{Request, ReturnType};
use xml::{Document, Limits, Writer};

/// What came.
#[derive(Clone)]
struct Received {
    path: String,
    content_type: String,
    content_length: Option<usize>,
    body: Bytes,
}

/// What goes: status, Content-Type, body.
type Canned = (u16, String, Vec<u8>);

struct Server {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
    handle: ServerHandle,
}

impl Server {
    /// Answers every request with `canned`.
    fn start(canned: Canned) -> Server {
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = received.clone();
        let server = HttpServer::new(move || {
            let (log, canned) = (log.clone(), canned.clone());
            let answer = move |request: HttpRequest, body: Bytes| {
                let header =
                    |name: &str| Some(request.headers().get(name)?.to_str().unwrap_or_default().to_owned());
                log.lock().unwrap().push(Received {
                    path: request.path().to_owned(),
                    content_type: header("content-type").unwrap_or_default(),
                    content_length: header("content-length").and_then(|length| length.parse().ok()),
                    body,
                });
                let (status, content_type, body) = canned.clone();
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                std::future::ready(HttpResponse::build(status).content_type(content_type).body(body))
            };
            App::new().app_data(web::PayloadConfig::new(10 << 20)).default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Server { url, received, handle }
    }

    fn client(&self) -> Client {
        Client::new(Endpoints::of_server(&self.url))
    }

    /// The one request that came.
    async fn stop(self) -> Received {
        self.handle.stop(false).await;
        let received = self.received.lock().unwrap();
        assert_eq!(received.len(), 1, "requests");
        received[0].clone()
    }
}

fn simple(status: u16, envelope: String) -> Canned {
    (status, soap::simple_content_type("urn:x"), envelope.into_bytes())
}

fn envelope(body: impl FnOnce(&mut Writer)) -> String {
    soap::write(&soap::Header::response("urn:x", None), body)
}

fn success() -> Canned {
    simple(200, envelope(|w| RegistryResponse::of(vec![]).write(w)))
}

/// Keeps parts in memory.
#[derive(Default)]
struct Memory(Vec<u8>);

impl mtom::PartSink for Memory {
    type Part = Vec<u8>;
    type Error = Infallible;

    async fn begin(&mut self, _: &str) -> Result<(), Infallible> {
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Infallible> {
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    async fn end(&mut self) -> Result<Vec<u8>, Infallible> {
        Ok(std::mem::take(&mut self.0))
    }
}

/// The envelope and the parts of a package that came.
async fn unpack(received: &Received) -> mtom::ReceivedPackage<Vec<u8>> {
    let content_type = ContentType::parse(&received.content_type).unwrap();
    let limits = mtom::Limits { root_bytes: 1 << 20, total_bytes: 10 << 20, parts: 10 };
    let body = futures_util::stream::iter([Ok::<_, Infallible>(received.body.clone())]);
    mtom::read_package(&content_type, body, &limits, &mut Memory::default()).await.unwrap()
}

/// (id, content) of each document in an ITI-41 request.
fn documents(envelope: &[u8]) -> Vec<(String, Content<'static>)> {
    let text = xml::decode(envelope).unwrap();
    let document = Document::parse(&text, &Limits::default()).unwrap();
    let message = soap::read(&document, false).unwrap();
    assert_eq!(message.action.as_deref(), Some(xds::constants::action::ITI_41));
    let own = |content: &Content<'_>| match content {
        Content::Part(id) => Content::Part(id.clone()),
        Content::Inline(text) => Content::Inline(text.to_string().into()),
    };
    let request = ProvideAndRegister::read(message.body).unwrap();
    request.documents.iter().map(|(id, content)| (id.clone(), own(content))).collect()
}

/// Octets that are no text, and lines that look like boundaries.
const OCTETS: &[u8] = b"\0\xff\r\n--carnet-\r\n--b2\r\n--b x\r\n--b--x\r\n--\r\n";

#[actix_web::test]
async fn documents_travel_beside_the_envelope_octet_by_octet() {
    let server = Server::start(success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    let large: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&file, &large).unwrap();
    let outgoing =
        vec![Outgoing::bytes("D1", "text/goofy", OCTETS), Outgoing::file("D2", "application/pdf", &file)];
    let client = server.client();
    let response =
        client.provide_and_register(SubmitObjects::default(), outgoing, Encoding::Mtom).await.unwrap();
    assert_eq!(response.status, ResponseStatus::Success);
    let received = server.stop().await;
    assert_eq!(received.path, "/services/repository");
    assert_eq!(received.content_length, Some(received.body.len()), "sizes of files are known beforehand");
    let mut package = unpack(&received).await;
    let documents = documents(&package.root);
    for ((id, content), (expected_id, octets)) in documents.into_iter().zip([("D1", OCTETS), ("D2", &large)])
    {
        let Content::Part(content_id) = content else { panic!("{id} is not beside the envelope") };
        assert_eq!(id, expected_id);
        assert!(package.parts.remove(&content_id).unwrap() == octets, "{id}");
    }
    assert!(package.parts.is_empty());
}

#[actix_web::test]
async fn in_plain_soap_documents_are_base64_inside_the_envelope() {
    let server = Server::start(success());
    let outgoing = vec![Outgoing::bytes("D1", "text/plain", "lettre")];
    let client = server.client();
    client.provide_and_register(SubmitObjects::default(), outgoing, Encoding::Simple).await.unwrap();
    let received = server.stop().await;
    assert!(received.content_type.starts_with("application/soap+xml"), "{}", received.content_type);
    assert_eq!(documents(&received.body), [("D1".to_owned(), Content::Inline("bGV0dHJl".into()))]);
}

#[actix_web::test]
async fn what_the_registry_finds_wrong_is_no_error_of_the_client() {
    let finding = Finding::error(ErrorCode::XDSUnknownPatientId, None, "who is that?");
    let server = Server::start(simple(200, envelope(|w| RegistryResponse::of(vec![finding]).write(w))));
    let response = server.client().register(&SubmitObjects::default()).await.unwrap();
    assert_eq!(response.status, ResponseStatus::Failure);
    assert_eq!(response.errors[0].context, "who is that?");
    let received = server.stop().await;
    assert_eq!(received.path, "/services/registry");
    assert!(String::from_utf8_lossy(&received.body).contains("SubmitObjectsRequest"));
}

#[actix_web::test]
async fn a_query_gives_what_the_registry_answers() {
    let result = QueryResult::ObjectRefs(vec![uuid::Uuid::nil()]);
    let server = Server::start(simple(200, envelope(|w| write_query_response(w, &[], &result))));
    let request = Request::get_documents_by_unique_id(["1.2.3"], ReturnType::ObjectRef);
    let answer = server.client().query(&request).await.unwrap();
    assert_eq!(answer.object_refs, ["urn:uuid:00000000-0000-0000-0000-000000000000"]);
    let received = server.stop().await;
    assert_eq!(received.path, "/services/registry");
    assert!(String::from_utf8_lossy(&received.body).contains("1.2.3"));
}

fn request(unique_id: &str) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: "1.9".to_owned(),
        document_unique_id: unique_id.to_owned(),
    }
}

fn found(documents: &[(&str, Content<'static>)]) -> String {
    let documents: Vec<DocumentResponse<'_>> = documents
        .iter()
        .map(|(unique_id, content)| DocumentResponse {
            request: request(unique_id),
            made: None,
            mime_type: "text/goofy".to_owned(),
            content: content.clone(),
        })
        .collect();
    envelope(|w| write_retrieve_response(w, &RegistryResponse::of(vec![]), &documents))
}

/// A package whose documents stand before its envelope.
fn package(parts: &[(&str, &[u8])], envelope: &str) -> Canned {
    let mut body = Vec::new();
    for (id, octets) in parts {
        body.extend_from_slice(format!("--b\r\nContent-ID: {id}\r\n\r\n").as_bytes());
        body.extend_from_slice(octets);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--b\r\nContent-ID: <root>\r\n\r\n{envelope}\r\n--b--").as_bytes());
    (200, "multipart/related; boundary=b; start=\"<root>\"; type=\"application/xop+xml\"".to_owned(), body)
}

async fn retrieve(server: &Server, folder: &Path) -> Result<client::Retrieved, Error> {
    server.client().retrieve(&[request("1"), request("2")], Encoding::Mtom, folder).await
}

#[actix_web::test]
async fn retrieved_documents_become_files_wherever_they_stand_in_the_answer() {
    let contents = [
        ("1", Content::Part("é 1@x".to_owned())),
        ("2", Content::Part("2@x".to_owned())),
        ("3", Content::Inline("bGV0\n dHJl".into())),
    ];
    // The first Content-ID is percent-encoded as in its URL, the second one is not.
    let parts: [(&str, &[u8]); 2] = [("%C3%A9%201@x", OCTETS), ("<2@x>", b"")];
    let server = Server::start(package(&parts, &found(&contents)));
    let folder = tempfile::tempdir().unwrap();
    let retrieved = retrieve(&server, folder.path()).await.unwrap();
    assert_eq!(retrieved.response.status, ResponseStatus::Success);
    let expected: [(&str, &[u8]); 3] = [("1", OCTETS), ("2", b""), ("3", b"lettre")];
    assert_eq!(retrieved.documents.len(), expected.len());
    for (document, (unique_id, octets)) in retrieved.documents.iter().zip(expected) {
        assert_eq!(document.request, request(unique_id));
        assert_eq!(document.mime_type, "text/goofy");
        assert_eq!(document.size, octets.len() as u64);
        assert_eq!(std::fs::read(&document.path).unwrap(), octets, "{unique_id}");
        assert_eq!(document.path.parent(), Some(folder.path()));
    }
    assert_eq!(server.stop().await.path, "/services/repository");
}

#[actix_web::test]
async fn an_answer_without_the_part_that_it_speaks_of_is_an_error() {
    let server = Server::start(package(&[], &found(&[("1", Content::Part("1@x".to_owned()))])));
    let folder = tempfile::tempdir().unwrap();
    let error = retrieve(&server, folder.path()).await.unwrap_err();
    assert!(matches!(&error, Error::Answer(reason) if reason.contains("cid:1@x")), "{error}");
}

#[actix_web::test]
async fn an_attachment_that_nobody_asked_for_is_refused() {
    let answer = envelope(|w| RegistryResponse::of(vec![]).write(w));
    let server = Server::start(package(&[("1", b"x")], &answer));
    let error = server.client().register(&SubmitObjects::default()).await.unwrap_err();
    assert!(matches!(&error, Error::Answer(reason) if reason.contains("attachment")), "{error}");
}

#[actix_web::test]
async fn faults_of_both_soap_versions_are_errors_with_code_and_reason() {
    let new = simple(400, soap::Fault::action_not_supported("what is that?").to_envelope(None));
    let old = format!(
        "<s:Envelope xmlns:s='{}'><s:Body><s:Fault><faultcode>s:Client</faultcode>\
         <faultstring>what is that?</faultstring></s:Fault></s:Body></s:Envelope>",
        soap::SOAP_1_1
    );
    let old = (500, "text/xml".to_owned(), old.into_bytes());
    for (canned, expected) in [(new, "Sender/ActionNotSupported"), (old, "Client")] {
        let server = Server::start(canned);
        let error = server.client().register(&SubmitObjects::default()).await.unwrap_err();
        let Error::Fault { code, reason } = error else { panic!("{error}") };
        assert_eq!((code.as_str(), reason.as_str()), (expected, "what is that?"));
    }
}

#[actix_web::test]
async fn what_a_proxy_answers_is_told_by_its_status() {
    for content_type in ["text/html", "text/xml"] {
        let page = b"<html><br>Bad Gateway</html>".to_vec();
        let server = Server::start((502, content_type.to_owned(), page));
        let error = server.client().register(&SubmitObjects::default()).await.unwrap_err();
        assert!(matches!(error, Error::Status(502)), "{content_type}: {error}");
    }
}

#[actix_web::test]
async fn where_nobody_listens_the_error_names_the_address() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error =
        Client::new(Endpoints::of_server(&url)).register(&SubmitObjects::default()).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&url) && text.contains("is the server running?"), "{text}");
}

/// A server that reads a request, writes `answer` and then does what `then` does with the connection.
async fn by_hand<F: Future<Output = ()> + 'static>(
    answer: &'static [u8],
    then: impl FnOnce(tokio::net::TcpStream) -> F + 'static,
) -> Client {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    rt::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"Envelope>") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer).await.unwrap();
        then(stream).await;
    });
    let timeouts = Timeouts { answer: Duration::from_millis(100), ..Timeouts::default() };
    Client::with_timeouts(Endpoints::of_server(&url), timeouts)
}

#[actix_web::test]
async fn a_server_that_falls_silent_is_given_up() {
    let head =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 100\r\n\r\n<s:Envelope";
    for answer in [b"".as_slice(), head] {
        let client = by_hand(answer, |stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await;
        let error = client.register(&SubmitObjects::default()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
    }
}

#[actix_web::test]
async fn a_connection_that_ends_before_the_answer_is_not_taken_for_a_server_that_is_away() {
    let client = by_hand(b"", |stream| async move { drop(stream) }).await;
    let error = client.register(&SubmitObjects::default()).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
}

#[actix_web::test]
async fn an_answer_that_ends_early_is_an_error() {
    let cut =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 100\r\n\r\n<s:Envelope";
    let package = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/related; boundary=b\r\nContent-Length: 12\r\n\r\n--b\r\n\r\n<a/>\r";
    for answer in [cut.as_slice(), package] {
        let client = by_hand(answer, |stream| async move { drop(stream) }).await;
        let error = client.register(&SubmitObjects::default()).await.unwrap_err();
        assert!(matches!(error, Error::Answer(_)), "{error}");
    }
}

#[actix_web::test]
async fn progress_reaches_the_size_of_all_documents_together() {
    let server = Server::start(success());
    let told = Rc::new(std::cell::RefCell::new(Vec::new()));
    let client = server.client().with_progress(Rc::new({
        let told = told.clone();
        move |octets| told.borrow_mut().push(octets)
    }));
    let outgoing =
        [vec![b'x'; 600_000], vec![b'y'; 1]].map(|octets| Outgoing::bytes("D", "text/plain", octets));
    client.provide_and_register(SubmitObjects::default(), outgoing.into(), Encoding::Mtom).await.unwrap();
    let told = told.borrow();
    assert!(told.is_sorted() && told.len() > 2, "{told:?}");
    assert_eq!(told.last(), Some(&600_001));
}

#[actix_web::test]
async fn a_file_that_is_not_there_is_an_error_that_names_it_and_nothing_is_sent() {
    let server = Server::start(success());
    let path = Path::new("/nowhere/letter.xml");
    for encoding in [Encoding::Mtom, Encoding::Simple] {
        let outgoing = vec![Outgoing::file("D1", "text/xml", path)];
        let error = server
            .client()
            .provide_and_register(SubmitObjects::default(), outgoing, encoding)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("/nowhere/letter.xml"), "{error}");
    }
    assert!(server.received.lock().unwrap().is_empty());
}
