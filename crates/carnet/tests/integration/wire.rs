//! What senders of other vendors write, and the pages beside the services.

use bytes::Bytes;
use client::{Client, Encoding, Endpoints, RawAnswer};
use xds::value::uuid_urn;

use crate::harness::{Server, Submission, assert_filed, patient};

/// The parts of an ITI-41 request, to be put together by hand.
pub struct Request {
    pub submission: Submission,
    pub envelope: String,
}

pub fn request(octets: &str, header: &str, href: &str) -> Request {
    let submission = Submission::new(&patient(), octets);
    let mut w = xml::Writer::new();
    submission.objects().write(&mut w);
    let metadata = w.finish();
    let id = uuid_urn(submission.entry.entry_uuid);
    let envelope = format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:wsa='http://www.w3.org/2005/08/addressing'>\
         <s:Header>{header}</s:Header><s:Body><x:ProvideAndRegisterDocumentSetRequest xmlns:x='urn:ihe:iti:xds-b:2007'>\
         {metadata}<x:Document id='{id}'>\n <xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='{href}'/>\n\
         </x:Document></x:ProvideAndRegisterDocumentSetRequest></s:Body></s:Envelope>"
    );
    Request { submission, envelope }
}

pub const ACTION: &str = "<wsa:Action s:mustUnderstand='1'>urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b</wsa:Action>\
    <wsa:MessageID>urn:uuid:76A2C3D9BCD3AECFF31217932910053</wsa:MessageID>";

async fn post(server: &Server, headers: &[(&str, &str)], body: impl Into<Bytes>) -> RawAnswer {
    let url = format!("{}/si-dmp-server/v2/services/repository", server.url);
    server.client.post(&url, headers, body).await.unwrap()
}

pub fn text(answer: &RawAnswer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[actix_web::test]
async fn packages_are_taken_however_they_are_put_together() {
    let server = Server::start().await;
    let root = |envelope: &str| {
        format!(
            "--b\r\nContent-Type: application/xop+xml;\r\n charset=UTF-8; type=\"application/soap+xml\"\r\nContent-ID: <root@x>\r\n\r\n{envelope}\r\n"
        )
    };
    let document =
        |id: &str| format!("--b  \r\ncontent-id: {id}\r\nContent-Type: text/goofy\r\n\r\nlettre\r\n");
    let cases: [(&str, &str, &str, bool); 4] = [
        (
            "multipart/related; boundary=b; type=\"application/xop+xml\"; start=\"<root@x>\"",
            "<doc@x>",
            "cid:doc@x",
            false,
        ),
        ("multipart/related; boundary=\"b\"; start=root@x", "<doc@x>", "cid:doc%40x", true),
        ("Multipart/Related;boundary=b;start=<root@x>", "doc%40x", "cid:doc@x", true),
        ("multipart/related; boundary=b", "<doc@x>", " cid:doc@x ", false),
    ];
    for (content_type, id, href, document_first) in cases {
        let request = request("lettre", ACTION, href.trim());
        let (root, document) = (root(&request.envelope), document(id));
        let parts = if document_first { document + &root } else { root + &document };
        let answer = post(&server, &[("Content-Type", content_type)], format!("{parts}--b--\r\n")).await;
        let text = text(&answer);
        assert_eq!(answer.status, 200, "{content_type}\n{text}");
        assert!(text.contains("ResponseStatusType:Success"), "{content_type}\n{text}");
        assert!(text.contains("76A2C3D9BCD3AECFF31217932910053"), "RelatesTo is missing\n{text}");
        let is_package = answer
            .headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.starts_with("multipart/related"));
        assert!(is_package, "{:?}", answer.headers);
        assert_eq!(server.read(&request.submission.entry.unique_id).await.unwrap(), b"lettre");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_document_in_base64_is_kept_as_what_it_says_and_in_bad_base64_not_at_all() {
    let server = Server::start().await;
    let content_type = [("Content-Type", "multipart/related; boundary=b")];
    let package = |envelope: &str, written: &str| {
        format!(
            "--b\r\n\r\n{envelope}\r\n--b\r\nContent-ID: <1>\r\nContent-Transfer-Encoding: base64\r\n\r\n{written}\r\n--b--"
        )
    };
    let refused = request("lettre", ACTION, "cid:1");
    let answer = post(&server, &content_type, package(&refused.envelope, "bGV0dHJ")).await;
    assert_eq!(answer.status, 400);
    assert!(
        text(&answer).contains("part &quot;1&quot;") || text(&answer).contains("part \"1\""),
        "{}",
        text(&answer)
    );
    assert_eq!(server.blobs(), 0);
    let request = request("lettre", ACTION, "cid:1");
    let answer = post(&server, &content_type, package(&request.envelope, "bGV0\r\ndHJl")).await;
    assert!(text(&answer).contains("ResponseStatusType:Success"), "{}", text(&answer));
    assert_eq!(server.read(&request.submission.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

#[actix_web::test]
async fn a_part_that_is_missing_is_a_fault_that_names_it() {
    let server = Server::start().await;
    let request = request("lettre", ACTION, "cid:nowhere@x");
    let body = format!("--b\r\n\r\n{}\r\n--b--", request.envelope);
    let answer = post(&server, &[("Content-Type", "multipart/related; boundary=b")], body).await;
    assert_eq!(answer.status, 400);
    assert!(text(&answer).contains("cid:nowhere@x"), "{}", text(&answer));
    assert_eq!(server.blobs(), 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_security_header_is_accepted_and_called_unverified() {
    let server = Server::start().await;
    let security = "<wsse:Security xmlns:wsse='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd' s:mustUnderstand='1'>\
        <saml:Assertion xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'>Dr Imposteur</saml:Assertion></wsse:Security>";
    let request = request("lettre", &format!("{ACTION}{security}"), "cid:1");
    let body = format!("--b\r\n\r\n{}\r\n--b\r\nContent-ID: <1>\r\n\r\nlettre\r\n--b--", request.envelope);
    let answer = post(&server, &[("Content-Type", "multipart/related; boundary=b")], body).await;
    assert!(text(&answer).contains("Success"), "{}", text(&answer));
    assert_eq!(server.messages(&["unverified"]).await, 2);
    let believed = "select count(*) from audit_trail where content::text like '%Imposteur%'";
    assert_eq!(server.count(believed).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn an_action_that_is_not_that_of_the_body_is_a_fault() {
    let server = Server::start().await;
    let other = ACTION.replace("ProvideAndRegisterDocumentSet-b", "RetrieveDocumentSet");
    let request = request("lettre", &other, "cid:1");
    let body = format!("--b\r\n\r\n{}\r\n--b\r\nContent-ID: <1>\r\n\r\nlettre\r\n--b--", request.envelope);
    let answer = post(&server, &[("Content-Type", "multipart/related; boundary=b")], body).await;
    assert!(text(&answer).contains("ActionMismatch"), "{}", text(&answer));
    assert_eq!(server.blobs(), 0);
    server.stop().await;
}

#[actix_web::test]
async fn soap_1_1_is_read_inside_a_package_only_and_answered_in_1_2() {
    const SOAP_1_1: &str = "http://schemas.xmlsoap.org/soap/envelope/";
    const SOAP_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";
    let server = Server::start().await;
    let request = request("lettre", ACTION, "cid:1");
    let envelope = request.envelope.replace(SOAP_1_2, SOAP_1_1);
    let answer = post(&server, &[("Content-Type", "text/xml")], envelope.clone()).await;
    assert_eq!(answer.status, 500);
    for part in ["s:VersionMismatch", "s:Upgrade", "SOAP 1.1 was sent", SOAP_1_2] {
        assert!(text(&answer).contains(part), "{}", text(&answer));
    }
    assert_eq!(server.blobs(), 0);
    let body = format!("--b\r\n\r\n{envelope}\r\n--b\r\nContent-ID: <1>\r\n\r\nlettre\r\n--b--");
    let answer = post(&server, &[("Content-Type", "multipart/related; boundary=b")], body).await;
    assert!(text(&answer).contains("ResponseStatusType:Success"), "{}", text(&answer));
    assert!(text(&answer).contains(SOAP_1_2) && !text(&answer).contains(SOAP_1_1), "{}", text(&answer));
    assert_eq!(server.read(&request.submission.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

#[actix_web::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start().await;
    let address = server.url.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let body = "<a/>";
    let head = format!(
        "POST /services/registry HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/soap+xml\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 400"), "{rest}");
    server.stop().await;
}

#[actix_web::test]
async fn each_service_describes_itself_and_the_home_page_shows_no_patient() {
    let server = Server::start().await;
    for path in [
        "/services/registry",
        "/services/repository",
        "/si-dmp-server/v2/services/registry",
        "/si-dmp-server/v2/services/repository",
    ] {
        let page = server.client.page(&format!("{}{path}?wsdl", server.url)).await.unwrap();
        let wsdl = String::from_utf8(page.body.to_vec()).unwrap();
        xml::Document::parse(&wsdl, &xml::Limits::default()).unwrap();
        assert!(wsdl.contains(&format!("location=\"{}{path}\"", server.url)), "{wsdl}");
    }
    let patient = patient();
    assert_filed(&server.file(&Submission::new(&patient, "lettre")).await);
    let home = server.client.page(&server.url).await.unwrap();
    let home = String::from_utf8(home.body.to_vec()).unwrap();
    assert!(home.contains("/services/repository?wsdl") && home.contains("Ready"), "{home}");
    assert!(!home.contains(&patient.id));
    server.stop().await;
}

#[actix_web::test]
async fn an_address_with_a_slash_behind_it_leads_to_the_service() {
    let server = Server::start().await;
    for service in ["registry", "repository"] {
        let page = server.client.page(&format!("{}/services/{service}/?wsdl", server.url)).await.unwrap();
        let text = text(&page);
        assert_eq!(page.status, 200);
        assert!(text.contains(&format!("\"{}/services/{service}\"", server.url)), "{text}");
    }
    let client = Client::new(Endpoints {
        registry: format!("{}/services/registry/", server.url),
        repository: format!("{}/services/repository/", server.url),
    });
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&submission.send(&client, Encoding::Mtom).await);
    assert_eq!(
        crate::harness::read(&client, &submission.entry.unique_id, Encoding::Mtom).await.unwrap(),
        b"lettre"
    );
    server.stop().await;
}
