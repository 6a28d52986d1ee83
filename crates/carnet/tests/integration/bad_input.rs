//! Bad input gets a clear error and changes nothing.

use std::time::Duration;

use client::{Encoding, Outgoing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xds::value::uuid_urn;

use crate::harness::{Server, Submission, codes, patient};

const SIMPLE: (&str, &str) = ("Content-Type", "application/soap+xml");

async fn nothing_is_stored(server: &Server) {
    for table in
        ["document_entry", "submission_set", "object", "unique_id", "association", "document", "record"]
    {
        assert_eq!(server.count(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(server.blobs(), 0, "the document store is empty");
}

#[actix_web::test]
async fn what_is_no_message_gets_a_fault_that_says_where() {
    let server = Server::start().await;
    let envelope = |body: &str| {
        format!(
            "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>{body}</s:Body></s:Envelope>"
        )
    };
    let cases = [
        ("<a>\n<b></a>".to_owned(), 400, "line 2"),
        (format!("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{}", envelope("<a>&x;</a>")), 400, "DTD"),
        (envelope("<x:What xmlns:x='urn:x'/>"), 400, "does not know the request {urn:x}What"),
        (envelope(""), 400, "Body is empty"),
        ("<a/>".to_owned(), 400, "not a SOAP Envelope"),
        ("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><a/></s:Body></s:Envelope>".to_owned(), 500, "SOAP 1.1 was sent"),
        (envelope(&("<a>".repeat(200) + &"</a>".repeat(200))), 400, "Sender"),
    ];
    for path in ["registry", "repository"] {
        for (body, status, reason) in &cases {
            let url = format!("{}/services/{path}", server.url);
            let answer = server.client.post(&url, &[SIMPLE], body.clone()).await.unwrap();
            let text = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status, *status, "{body}\n{text}");
            assert!(text.contains(reason), "{body}\n{text}");
        }
    }
    nothing_is_stored(&server).await;
    server.stop().await;
}

#[actix_web::test]
async fn every_defect_of_the_metadata_is_reported_at_once() {
    let server = Server::start().await;
    let submission = Submission::new(&patient(), "lettre");
    let mut objects = submission.objects();
    objects.extrinsic_objects[0].common.set_slot("creationTime", "2026-01-02");
    objects.extrinsic_objects[0]
        .common
        .classifications
        .retain(|c| c.scheme.as_deref() != Some(xds::constants::DOCUMENT_ENTRY_TYPE_CODE));
    objects.packages[0].common.slots.clear();
    let outgoing = Outgoing::bytes(&uuid_urn(submission.entry.entry_uuid), "text/plain", "lettre");
    let response = server.client.provide_and_register(objects, vec![outgoing], Encoding::Mtom).await.unwrap();
    assert_eq!(codes(&response), ["XDSRegistryMetadataError"; 3]);
    for attribute in ["DocumentEntry.creationTime", "DocumentEntry.typeCode", "SubmissionSet.submissionTime"]
    {
        assert!(response.errors.iter().any(|e| e.context.contains(attribute)), "{attribute}: {response:?}");
    }
    nothing_is_stored(&server).await;
    server.stop().await;
}

#[actix_web::test]
async fn the_repositorys_own_findings_end_the_request_before_the_registry_is_asked() {
    let server = Server::start().await;
    let mut submission = Submission::new(&patient(), "lettre");
    submission.entry.hash = Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned());
    submission.entry.size = Some(7);
    let response = server.file(&submission).await;
    assert_eq!(codes(&response), ["XDSRepositoryMetadataError"; 2]);
    let without_document =
        server.client.provide_and_register(submission.objects(), vec![], Encoding::Mtom).await.unwrap();
    assert_eq!(codes(&without_document), ["XDSMissingDocument"]);
    let strange = Outgoing::bytes("Strange", "text/plain", "x");
    let good = Submission::new(&patient(), "lettre");
    let outgoing = Outgoing::bytes(&uuid_urn(good.entry.entry_uuid), "text/plain", "lettre");
    let extra = server
        .client
        .provide_and_register(good.objects(), vec![outgoing, strange], Encoding::Mtom)
        .await
        .unwrap();
    assert_eq!(codes(&extra), ["XDSMissingDocumentMetadata"]);
    nothing_is_stored(&server).await;
    server.stop().await;
}

#[actix_web::test]
async fn limits_end_a_request_without_a_trace_in_the_store() {
    let server = Server::with(&[
        ("CARNET_PATIENTS__UNKNOWN", "open"),
        ("CARNET_LIMITS__REQUEST", "200KiB"),
        ("CARNET_LIMITS__ENVELOPE", "64KiB"),
        ("CARNET_LIMITS__INLINE_DOCUMENT", "30KiB"),
    ])
    .await;
    let large = Submission::new(&patient(), vec![b'x'; 300 << 10]);
    let refused = large.try_send(&server.client, Encoding::Mtom).await.unwrap_err();
    assert!(matches!(refused, client::Error::Status(413)), "{refused}");
    // Without Content-Length the size is only known when it is too late.
    let url = format!("{}/services/repository", server.url);
    let package = ("Content-Type", "multipart/related; boundary=b");
    let answer = chunked(&url, package, 300 << 10).await;
    assert!(answer.contains("XDSRepositoryOutOfResources"), "{answer}");
    let inline = Submission::new(&patient(), vec![b'x'; 40 << 10]);
    assert_eq!(codes(&inline.send(&server.client, Encoding::Simple).await), ["XDSRepositoryOutOfResources"]);
    nothing_is_stored(&server).await;
    server.stop().await;
}

/// Posts a package of one part of `size` octets, chunked.
async fn chunked(url: &str, content_type: (&str, &str), size: usize) -> String {
    let head =
        bytes::Bytes::from_static(b"--b\r\nContent-ID: <root>\r\n\r\n<e/>\r\n--b\r\nContent-ID: <1>\r\n\r\n");
    let chunks = std::iter::once(head).chain((0..size / 1024).map(|_| bytes::Bytes::from(vec![b'x'; 1024])));
    let body = futures_util::stream::iter(chunks.map(Ok::<_, std::io::Error>));
    let mut response =
        awc::Client::new().post(url).insert_header(content_type).send_stream(body).await.unwrap();
    String::from_utf8_lossy(&response.body().await.unwrap()).into_owned()
}

#[actix_web::test]
async fn a_wrong_ins_key_in_a_document_is_a_warning_or_by_configuration_an_error() {
    let cda =
        std::fs::read_to_string("../../conformance-tests/documents/lettre-de-liaison-sortie.xml").unwrap();
    let wrong = cda.replace("257041995001259", "257041995001258");
    assert_ne!(cda, wrong);
    for (policy, refused) in [("warn", false), ("refuse", true)] {
        let settings = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_PATIENTS__INS_KEY", policy)];
        let server = Server::with(&settings).await;
        let mut submission = Submission::new(&patient(), wrong.clone());
        submission.entry.mime_type = "text/xml".to_owned();
        let response = server.file(&submission).await;
        let error = response.errors.iter().find(|error| error.code == "XDSRepositoryMetadataError").unwrap();
        assert_eq!(error.is_warning, !refused, "{response:?}");
        assert_eq!(server.read(&submission.entry.unique_id).await.is_some(), !refused);
        server.stop().await;
    }
}

#[actix_web::test]
async fn only_soap_is_taken() {
    let server = Server::start().await;
    let url = format!("{}/services/repository", server.url);
    let answer = server.client.post(&url, &[("Content-Type", "application/json")], "{}").await.unwrap();
    assert_eq!(answer.status, 415);
    server.stop().await;
}

#[actix_web::test]
async fn a_request_of_which_nothing_more_comes_is_given_up() {
    let settings = [("CARNET_LIMITS__IDLE_SECONDS", "1"), ("CARNET_PATIENTS__UNKNOWN", "open")];
    let server = Server::with(&settings).await;
    let mut connection = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /services/repository HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/soap+xml\r\nContent-Length: 1000\r\n\r\n<half";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = connection.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("less of it came than 100 octets"),
        "{answer}"
    );
    nothing_is_stored(&server).await;
    server.stop().await;
}
