//! Answers on connections of their own.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use client::{Client, RawAnswer};
use xds::query::{Request, ReturnType, Status};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};
use crate::wire::text;

const SIMPLE: (&str, &str) = ("Content-Type", "application/soap+xml");
const PACKAGE: (&str, &str) = ("Content-Type", "multipart/related; boundary=b");
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What arrived: path, Content-Type and body.
type Arrived = Arc<Mutex<Vec<(String, String, String)>>>;

/// Somebody who waits for answers.
pub struct Reader {
    pub url: String,
    arrived: Arrived,
    pub handle: ServerHandle,
}

impl Reader {
    /// Answers with each of these statuses in turn, the last one for ever.
    pub fn start(statuses: &'static [u16]) -> Reader {
        let arrived = Arrived::default();
        let kept = arrived.clone();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/answers", listener.local_addr().unwrap());
        let server = HttpServer::new(move || {
            let kept = kept.clone();
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                let kept = kept.clone();
                async move {
                    let kind = request.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
                    let body = String::from_utf8_lossy(&body).into_owned();
                    let mut kept = kept.lock().unwrap();
                    kept.push((request.path().to_owned(), kind, body));
                    let status = statuses.get(kept.len() - 1).or(statuses.last()).copied().unwrap();
                    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                    HttpResponse::build(status).insert_header(("Location", "/elsewhere")).finish()
                }
            }))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Reader { url, arrived, handle }
    }

    pub async fn wait_for(&self, count: usize) -> Vec<(String, String, String)> {
        let began = Instant::now();
        loop {
            let arrived = self.arrived.lock().unwrap().clone();
            if arrived.len() >= count {
                return arrived;
            }
            assert!(began.elapsed() < PATIENCE, "{} of {count} answers have come", arrived.len());
            tokio::task::yield_now().await;
        }
    }
}

async fn server(reader: &Reader) -> Server {
    Server::with(&settings(&reader.url)).await
}

fn settings(allowed: &str) -> [(&str, &str); 4] {
    [
        ("CARNET_PATIENTS__UNKNOWN", "open"),
        ("CARNET_ASYNCHRONOUS__REPLY_TO", allowed),
        ("CARNET_ASYNCHRONOUS__RETRY_SECONDS", "0"),
        ("CARNET_ASYNCHRONOUS__ATTEMPTS", "3"),
    ]
}

fn envelope(action: &str, headers: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:wsa='http://www.w3.org/2005/08/addressing'>\
         <s:Header><wsa:Action s:mustUnderstand='1'>{action}</wsa:Action>{headers}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

pub fn reply_to(url: &str) -> String {
    format!(
        "<wsa:MessageID>urn:uuid:question</wsa:MessageID>\
         <wsa:ReplyTo s:mustUnderstand='1'><wsa:Address>\n {url} </wsa:Address></wsa:ReplyTo>"
    )
}

fn query() -> String {
    let mut w = xml::Writer::new();
    Request::find_documents(&patient(), &[Status::Approved], ReturnType::LeafClass).write(&mut w);
    w.finish()
}

async fn ask(server: &Server, headers: &str) -> RawAnswer {
    ask_at(&server.client, &server.url, headers).await
}

pub async fn ask_at(client: &Client, url: &str, headers: &str) -> RawAnswer {
    let url = format!("{url}/services/registry");
    let question = envelope("urn:ihe:iti:2007:RegistryStoredQuery", headers, &query());
    client.post(&url, &[SIMPLE], question).await.unwrap()
}

fn retrieval(submission: &Submission, headers: &str) -> String {
    let body = format!(
        "<RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'><DocumentRequest>\
         <RepositoryUniqueId>{REPOSITORY}</RepositoryUniqueId><DocumentUniqueId>{}</DocumentUniqueId>\
         </DocumentRequest></RetrieveDocumentSetRequest>",
        submission.entry.unique_id
    );
    let envelope = envelope("urn:ihe:iti:2007:RetrieveDocumentSet", headers, &body);
    format!("--b\r\n\r\n{envelope}\r\n--b--")
}

/// Waits until nothing is under way any more.
async fn settled(server: &Server, given_up: i64) {
    let began = Instant::now();
    let waiting = "select count(*) from outbox where given_up_at is null";
    while server.count(waiting).await > 0 {
        assert!(began.elapsed() < PATIENCE, "answers still wait");
    }
    assert_eq!(server.count("select count(*) from outbox where given_up_at is not null").await, given_up);
}

#[actix_web::test]
async fn an_answer_goes_where_it_is_wanted_and_tells_to_what_it_relates() {
    let reader = Reader::start(&[202]);
    let server = server(&reader).await;
    let to = format!("{}/1?who=me", reader.url);
    let answer = ask(&server, &reply_to(&to)).await;
    assert_eq!((answer.status, answer.body.len()), (202, 0), "{}", text(&answer));
    let [(path, kind, body)] = reader.wait_for(1).await.try_into().unwrap();
    assert_eq!(path, "/answers/1");
    assert!(kind.starts_with("application/soap+xml"), "{kind}");
    for part in [
        "urn:ihe:iti:2007:RegistryStoredQueryResponse",
        "<wsa:RelatesTo>urn:uuid:question</wsa:RelatesTo>",
        "<wsa:MessageID>urn:uuid:",
        &format!("<wsa:To>{to}</wsa:To>"),
        "AdhocQueryResponse",
        "ResponseStatusType:Success",
    ] {
        assert!(body.contains(part), "{part}\n{body}");
    }
    settled(&server, 0).await;
    assert_eq!(server.messages(&[&format!("UserID=\"{to}\"")]).await, 1);
    server.stop().await;
    reader.handle.stop(false).await;
}

#[actix_web::test]
async fn documents_are_filed_and_retrieved_this_way_in_packages() {
    let reader = Reader::start(&[200]);
    let server = server(&reader).await;
    let filed = crate::wire::request(
        "lettre",
        &format!("{}{}", crate::wire::ACTION.split("<wsa:MessageID>").next().unwrap(), reply_to(&reader.url)),
        "cid:1",
    );
    let body = format!("--b\r\n\r\n{}\r\n--b\r\nContent-ID: <1>\r\n\r\nlettre\r\n--b--", filed.envelope);
    let url = format!("{}/services/repository", server.url);
    let answer = server.client.post(&url, &[PACKAGE], body).await.unwrap();
    assert_eq!(answer.status, 202, "{}", text(&answer));
    let arrived = reader.wait_for(1).await;
    assert!(arrived[0].1.starts_with("multipart/related"), "{}", arrived[0].1);
    assert!(arrived[0].2.contains("ResponseStatusType:Success"), "{}", arrived[0].2);
    assert_eq!(server.read(&filed.submission.entry.unique_id).await.unwrap(), b"lettre");

    let left = "select count(*) from audit_trail where act = 'iti43-repository' and outcome = 'success'";
    let before = server.count(left).await;
    let body = retrieval(&filed.submission, &reply_to(&reader.url));
    let answer = server.client.post(&url, &[PACKAGE], body).await.unwrap();
    assert_eq!(answer.status, 202, "{}", text(&answer));
    let arrived = reader.wait_for(2).await;
    let (_, kind, body) = &arrived[1];
    assert!(kind.starts_with("multipart/related"), "{kind}");
    assert!(body.contains("\r\n\r\nlettre\r\n") && body.contains("RetrieveDocumentSetResponse"), "{body}");
    assert!(body.contains("<wsa:RelatesTo>urn:uuid:question</wsa:RelatesTo>"), "{body}");
    settled(&server, 0).await;
    assert_eq!(server.count(left).await, before + 1);
    server.stop().await;
    reader.handle.stop(false).await;
}

#[actix_web::test]
async fn an_address_that_is_not_allowed_is_refused_and_nothing_is_done() {
    let reader = Reader::start(&[200]);
    for allowed in ["", "http://host.example/answers"] {
        let server = Server::with(&settings(allowed)).await;
        let before = server.count("select count(*) from audit_trail").await;
        for headers in [
            reply_to(&reader.url),
            reply_to("http://host.example@127.0.0.1/answers"),
            format!(
                "<wsa:MessageID>1</wsa:MessageID><wsa:FaultTo><wsa:Address>{}</wsa:Address></wsa:FaultTo>",
                reader.url
            ),
        ] {
            let answer = ask(&server, &headers).await;
            assert_eq!(answer.status, 400);
            assert!(text(&answer).contains("wsa:OnlyAnonymousAddressSupported"), "{}", text(&answer));
        }
        // Each refusal leaves its trace, and nothing else.
        assert_eq!(server.count("select count(*) from audit_trail").await, before + 3);
        assert_eq!(server.count("select count(*) from audit_trail where kind = 1").await, 0);
        assert_eq!(server.count("select count(*) from outbox").await, 0);
        server.stop().await;
    }
    let server = server(&reader).await;
    let nameless = reply_to(&reader.url).replace("urn:uuid:question", "");
    let answer = ask(&server, &nameless).await;
    assert!(text(&answer).contains("wsa:MessageAddressingHeaderRequired"), "{}", text(&answer));
    assert!(reader.arrived.lock().unwrap().is_empty());
    server.stop().await;
    reader.handle.stop(false).await;
}

#[actix_web::test]
async fn faults_go_where_faults_go_and_nobody_gets_what_nobody_wants() {
    let reader = Reader::start(&[200]);
    let server = server(&reader).await;
    let url = format!("{}/services/registry", server.url);
    let post = async |headers: &str, body: &str| {
        let message = envelope("urn:unknown", headers, body);
        server.client.post(&url, &[SIMPLE], message).await.unwrap()
    };
    let unknown = "<x:What xmlns:x='urn:x'/>";
    assert_eq!(post(&reply_to(&reader.url), unknown).await.status, 202);
    let fault_to = format!("<wsa:FaultTo><wsa:Address>{}/faults</wsa:Address></wsa:FaultTo>", reader.url);
    assert_eq!(post(&(reply_to(&reader.url) + &fault_to), unknown).await.status, 202);
    let arrived = reader.wait_for(2).await;
    for (_, _, body) in &arrived {
        assert!(body.contains("wsa:ActionNotSupported") && body.contains("addressing/fault"), "{body}");
        assert!(body.contains("<wsa:RelatesTo>urn:uuid:question</wsa:RelatesTo>"), "{body}");
    }
    let paths: Vec<&str> = arrived.iter().map(|(path, _, _)| path.as_str()).collect();
    assert!(paths.contains(&"/answers/faults") && paths.contains(&"/answers"), "{paths:?}");

    let here = "<wsa:FaultTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:FaultTo>";
    assert_eq!(post(&(reply_to(&reader.url) + here), unknown).await.status, 400);
    let none = reply_to("http://www.w3.org/2005/08/addressing/none");
    let before = server.count("select count(*) from audit_trail").await;
    let answer = ask(&server, &none).await;
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    assert_eq!(server.count("select count(*) from audit_trail").await, before + 1, "it was carried out");
    settled(&server, 0).await;
    assert_eq!(reader.arrived.lock().unwrap().len(), 2);
    server.stop().await;
    reader.handle.stop(false).await;
}

#[actix_web::test]
async fn an_answer_is_tried_again_under_the_same_name_and_given_up_in_the_end() {
    let reader = Reader::start(&[500, 307, 200]);
    let server = server(&reader).await;
    assert_eq!(ask(&server, &reply_to(&reader.url)).await.status, 202);
    let arrived = reader.wait_for(3).await;
    assert!(arrived.iter().all(|(path, _, body)| path == "/answers" && *body == arrived[0].2), "{arrived:?}");
    settled(&server, 0).await;

    let refusing = Reader::start(&[503]);
    let server = server.restart(&settings(&refusing.url)).await;
    assert_eq!(ask(&server, &reply_to(&refusing.url)).await.status, 202);
    settled(&server, 1).await;
    assert_eq!(refusing.wait_for(3).await.len(), 3);
    let kept = "select count(*) from outbox where attempts = 3 and last_error like '%503%'";
    assert_eq!(server.count(kept).await, 1);
    server.stop().await;
    reader.handle.stop(false).await;
    refusing.handle.stop(false).await;
}

#[actix_web::test]
async fn an_answer_under_way_stays_with_its_server_and_is_free_soon_when_that_ends() {
    // It takes the connection, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}/answers", silent.local_addr().unwrap());
    let server = Server::with(&settings(&to)).await;
    assert_eq!(ask(&server, &reply_to(&to)).await.status, 202);
    let until = "select extract(epoch from max(next_attempt_at))::bigint from outbox where attempts = 1";
    let wait_for = async |later_than: i64| {
        let began = Instant::now();
        loop {
            let taken_until = server.count(until).await;
            if taken_until > later_than {
                return taken_until;
            }
            assert!(began.elapsed() < PATIENCE, "it is not renewed");
        }
    };
    let taken = "select count(*) from outbox where attempts = 1";
    let began = Instant::now();
    while server.count(taken).await == 0 {
        assert!(began.elapsed() < PATIENCE, "it is not taken");
    }
    let first = wait_for(0).await;
    wait_for(first).await;
    let soon = "select count(*) from outbox
        where attempts = 1 and next_attempt_at between now() and now() + interval '30 seconds'";
    assert_eq!(server.count(soon).await, 1);
    drop(silent);
    server.stop().await;
}

#[actix_web::test]
async fn an_answer_survives_a_restart() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}/answers", nobody.local_addr().unwrap());
    drop(nobody);
    let allowed = "http://127.0.0.1:*/answers";
    let slow = [
        ("CARNET_PATIENTS__UNKNOWN", "open"),
        ("CARNET_ASYNCHRONOUS__REPLY_TO", allowed),
        ("CARNET_ASYNCHRONOUS__RETRY_SECONDS", "3600"),
    ];
    let server = Server::with(&slow).await;
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&server.file(&submission).await);
    let url = format!("{}/services/repository", server.url);
    assert_eq!(ask(&server, &reply_to(&away)).await.status, 202);
    let answer =
        server.client.post(&url, &[PACKAGE], retrieval(&submission, &reply_to(&away))).await.unwrap();
    assert_eq!(answer.status, 202);
    let began = Instant::now();
    while server.count("select count(*) from outbox where last_error is not null").await < 2 {
        assert!(began.elapsed() < PATIENCE, "no attempt was made");
    }
    // The reader comes back somewhere else, and it is time again.
    let reader = Reader::start(&[200]);
    let due = format!("update outbox set recipient = '{}', next_attempt_at = now()", reader.url);
    let server = {
        let database = server.database.clone();
        database.get().await.unwrap().batch_execute(&due).await.unwrap();
        server.restart(&slow).await
    };
    let arrived = reader.wait_for(2).await;
    assert!(arrived.iter().any(|(_, _, body)| body.contains("AdhocQueryResponse")), "{arrived:?}");
    assert!(arrived.iter().any(|(_, _, body)| body.contains("\r\n\r\nlettre\r\n")), "{arrived:?}");
    settled(&server, 0).await;
    server.stop().await;
    reader.handle.stop(false).await;
}
