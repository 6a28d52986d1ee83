//! Messages that others put on the wire.

use std::path::PathBuf;

use xml::{Document, Limits};

use crate::multipart::{Event, Parser};
use crate::{ContentType, Encoding, Fault, Message, read};

/// The octets of a sample.
fn sample(path: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("CARNET_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: CARNET_CORPUS is not set");
        return None;
    };
    let octets = std::fs::read(folder.join("data/xds-samples").join(path)).unwrap();
    Some(String::from_utf8(octets).unwrap())
}

fn with<T>(text: &str, in_package: bool, look: impl FnOnce(Result<Message<'_>, Fault>) -> T) -> T {
    let document = Document::parse(text, &Limits::default()).unwrap();
    look(read(&document, in_package))
}

/// (Content-ID, content) of each part.
fn parts(boundary: &str, body: &str) -> Vec<(String, Vec<u8>)> {
    let mut parser = Parser::new(boundary).unwrap();
    parser.push(body.as_bytes());
    parser.finish();
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(event) = parser.next_event().unwrap() {
        match event {
            Event::Part(head) => parts.push((head.content_id().unwrap(), Vec::new())),
            Event::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(&data),
            Event::EndOfPart | Event::End => {}
        }
    }
    parts
}

#[test]
fn corpus_plain_messages_are_read_with_their_addressing() {
    for (path, action, message_id) in [
        ("ihe/ProvideAndRegisterDocumentSet-bRequest_SOAP.xml", "2007:ProvideAndRegisterDocumentSet-b", true),
        (
            "ihe/ProvideAndRegisterDocumentSet-bResponse_SOAP.xml",
            "2007:ProvideAndRegisterDocumentSet-bResponse",
            false,
        ),
        ("ihe/RegisterDocumentSet-bRequest_SOAP.xml", "2007:RegisterDocumentSet-b", true),
        ("ihe/RegisterDocumentSet-bResponse_SOAP.xml", "2007:RegisterDocumentSet-bResponse", false),
        ("ihe/RegistryStoredQueryRequest_SOAP.xml", "2007:RegistryStoredQuery", true),
        ("ihe/RegistryStoredQueryResponse_SOAP.xml", "2007:RegistryStoredQueryResponse", false),
        ("ihe/RetrieveDocumentSetRequest_SOAP.xml", "2007:RetrieveDocumentSet", true),
        ("ihe/RetrieveDocumentSetResponse_SOAP.xml", "2007:RetrieveDocumentSetResponse", false),
        ("epd/ITI-18_request_raw.xml", "2007:RegistryStoredQuery", true),
        ("epd/ITI-18_response_raw.xml", "2007:RegistryStoredQueryResponse", false),
        ("xca/IT_iti-18_request.xml", "2007:RegistryStoredQuery", true),
        ("xca/IT_iti-62_request.xml", "2010:DeleteDocumentSet", true),
        ("xca/PnR_request.xml", "2007:ProvideAndRegisterDocumentSet-b", true),
    ] {
        let Some(text) = sample(path) else { return };
        with(&text, false, |message| {
            let message = message.unwrap_or_else(|fault| panic!("{path}: {}", fault.reason));
            assert_eq!(message.action.as_deref(), Some(format!("urn:ihe:iti:{action}").as_str()), "{path}");
            assert_eq!(
                (message.message_id.is_some(), message.relates_to.is_some()),
                (message_id, !message_id),
                "{path}"
            );
            assert_eq!(message.reply_to, None, "{path}: anonymous");
            assert_eq!(
                message.security.is_some(),
                path.starts_with("xca") || path == "epd/ITI-18_request_raw.xml"
            );
        });
    }
}

#[test]
fn corpus_a_package_of_the_swiss_record_is_taken_apart() {
    let Some(dump) = sample("epd/ITI-41_response_raw.xml") else { return };
    let header = dump.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap();
    let content_type = ContentType::parse(header).unwrap();
    assert_eq!(content_type.encoding(), Some(Encoding::Mtom));
    let parts = parts(content_type.parameter("boundary").unwrap(), &dump);
    let [(id, envelope)] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    assert_eq!(content_type.parameter("start"), Some(format!("<{id}>").as_str()));
    with(std::str::from_utf8(envelope).unwrap(), true, |message| {
        let message = message.unwrap();
        assert_eq!(message.body.name(), "RegistryResponse");
        assert_eq!(message.relates_to.as_deref(), Some("d22ebb69-8368-4eb6-929b-b382f1b37c72"));
    });
}

#[test]
fn corpus_the_document_of_a_submission_is_beside_its_envelope() {
    let Some(dump) = sample("epd/ITI-41_request_raw.xml") else { return };
    // The dump was taken behind a proxy that wrote another boundary into the header, and a line of its log at the end.
    let boundary = dump.lines().find_map(|line| line.strip_prefix("--")).unwrap();
    let end = dump.rfind("Target endpoint").unwrap();
    let parts = parts(boundary, &dump[..end]);
    let [(root, _), (document, octets)] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    assert_eq!(root, "root.message@cxf.apache.org");
    assert_eq!(document, "8ba22b9e-fcff-49d8-945e-438a11f25b0f-1@urn:ihe:iti:xds-b:2007");
    assert!(octets.starts_with(b"{") && octets.ends_with(b"}"), "a FHIR document");
}
