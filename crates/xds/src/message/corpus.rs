//! Bodies written by others, and the schema's verdict on ours.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use uuid::Uuid;
use xml::{Document, Element, Limits, Writer};

use super::*;
use crate::constants::ns::{QUERY, RS, XDS};
use crate::error::{ErrorCode, Finding};
use crate::query::{QueryKind, Request, ReturnType, Status, find_documents};
use crate::value::{Cx, Dtm};

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("CARNET_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: CARNET_CORPUS is not set");
    }
    folder
}

/// Hands the first element of that name in a sample to `check`.
fn with_sample(path: &str, namespace: &str, name: &str, check: impl Fn(Element<'_>)) {
    let Some(corpus) = corpus() else { return };
    let octets = std::fs::read(corpus.join("data/xds-samples").join(path)).unwrap();
    let text = String::from_utf8_lossy(&octets);
    let document = Document::parse(without_http(&text), &Limits::default()).unwrap();
    let root = document.root();
    let body = if root.is(namespace, name) { root } else { root.descendant(namespace, name).unwrap() };
    check(body);
}

/// What is XML in a dump of HTTP. One of them has an envelope that is not well-formed around a good body.
fn without_http(text: &str) -> &str {
    ["xds:ProvideAndRegisterDocumentSetRequest", "soap:Envelope"]
        .iter()
        .find_map(|tag| {
            let end = format!("</{tag}>");
            text.get(text.find(&format!("<{tag}"))?..text.find(&end)? + end.len())
        })
        .unwrap_or(text)
}

fn with_query(path: &str, check: impl Fn(Request)) {
    with_sample(path, QUERY, "AdhocQueryRequest", |body| check(Request::read(body).unwrap()));
}

/// (code, parameter) of each finding.
fn refusals(request: &Request) -> Vec<(ErrorCode, String)> {
    let findings = request.parse().unwrap_err();
    findings.iter().map(|f| (f.code, f.context.split(':').next().unwrap().to_owned())).collect()
}

#[test]
fn corpus_a_query_of_the_swiss_record_is_understood() {
    with_query("epd/ITI-18_request_raw.xml", |request| {
        let query = request.parse().unwrap();
        let QueryKind::FindDocuments(find) = query.kind else { panic!("{query:?}") };
        assert_eq!((query.return_type, find.filter.status), (ReturnType::ObjectRef, vec![Status::Approved]));
        assert_eq!(find.patient_id.authority, "1.3.6.1.4.1.21367.2017.2.5.45");
        assert_eq!(request.patient_ids(), [find.patient_id.text]);
    });
}

#[test]
fn corpus_a_list_over_several_values_is_one_group() {
    with_query("xca/IT_iti-18_request.xml", |request| {
        let query = request.parse().unwrap();
        let QueryKind::FindDocuments(find) = query.kind else { panic!("{query:?}") };
        assert_eq!(find.filter.confidentiality_codes.iter().map(Vec::len).collect::<Vec<_>>(), [5]);
    });
}

#[test]
fn corpus_an_attempt_to_leave_the_quotes_is_refused() {
    with_query("ipf/iti18request.xml", |request| {
        assert_eq!(
            refusals(&request),
            [(ErrorCode::XDSRegistryError, find_documents::PATIENT_ID.to_owned())]
        );
    });
}

#[test]
fn corpus_the_faults_of_the_official_sample_are_all_named() {
    with_query("ihe/RegistryStoredQueryRequest_SOAP.xml", |request| {
        let expected = [
            (ErrorCode::XDSRegistryError, find_documents::PATIENT_ID),
            (ErrorCode::XDSStoredQueryMissingParam, find_documents::STATUS),
            (ErrorCode::XDSRegistryError, find_documents::HEALTHCARE_FACILITY_TYPE_CODE),
        ];
        assert_eq!(refusals(&request), expected.map(|(code, name)| (code, name.to_owned())));
    });
}

#[test]
fn corpus_query_responses_are_read() {
    for path in ["ihe/RegistryStoredQueryResponse_SOAP.xml", "epd/ITI-18_response_raw.xml"] {
        with_sample(path, QUERY, "AdhocQueryResponse", |body| {
            let received = read_query_response(body).unwrap();
            assert_eq!(received.response.status, ResponseStatus::Success, "{path}");
            assert!(!received.documents.is_empty(), "{path}");
            assert!(received.documents.iter().all(|d| d.common.id.starts_with("urn:uuid:")), "{path}");
        });
    }
}

#[test]
fn corpus_retrieve_requests_are_read() {
    for (path, home, count) in [
        ("ihe/RetrieveDocumentSetRequest_SOAP.xml", None, 2),
        ("xca/IT_iti-43_request.xml", Some("2.16.578.1.12.4.1.2.5604"), 1),
    ] {
        with_sample(path, XDS, "RetrieveDocumentSetRequest", |body| {
            let RetrieveRequest(requests) = RetrieveRequest::read(body).unwrap();
            assert_eq!(requests.len(), count, "{path}");
            assert!(requests.iter().all(|r| r.home_community_id.as_deref() == home), "{path}");
        });
    }
}

#[test]
fn corpus_a_retrieve_response_is_read() {
    with_sample("ihe/RetrieveDocumentSetResponse_SOAP.xml", XDS, "RetrieveDocumentSetResponse", |body| {
        let (response, documents) = read_retrieve_response(body).unwrap();
        assert_eq!(response.status, ResponseStatus::Success);
        assert_eq!(documents.len(), 2);
        assert!(
            documents.iter().all(|d| d.mime_type == "text/xml" && matches!(d.content, Content::Inline(_)))
        );
    });
}

#[test]
fn corpus_submissions_are_read_with_their_documents() {
    for path in [
        "ihe/ProvideAndRegisterDocumentSet-bRequest_SOAP.xml",
        "openxds/openxds_PnR-bRequest.xml",
        "xca/PnR_request.xml",
        "epd/ITI-41_request_raw.xml",
    ] {
        with_sample(path, XDS, "ProvideAndRegisterDocumentSetRequest", |body| {
            let request = ProvideAndRegister::read(body).unwrap();
            assert_eq!(request.documents.len(), 1, "{path}");
            let (id, content) = &request.documents[0];
            assert!(request.objects.extrinsic_objects.iter().any(|o| o.common.id == *id), "{path}: {id}");
            match content {
                Content::Inline(base64) => assert!(!base64.trim().is_empty(), "{path}"),
                Content::Part(id) => {
                    assert_eq!(id, "8ba22b9e-fcff-49d8-945e-438a11f25b0f-1@urn:ihe:iti:xds-b:2007")
                }
            }
        });
    }
}

#[test]
fn corpus_registry_responses_are_read() {
    for path in ["ihe/ProvideAndRegisterDocumentSet-bResponse_SOAP.xml", "epd/ITI-41_response_raw.xml"] {
        with_sample(path, RS, "RegistryResponse", |body| {
            assert_eq!(RegistryResponse::read(body).unwrap().status, ResponseStatus::Success, "{path}");
        });
    }
}

/// Asks xmllint whether what is written is valid by the schemas of XDS.b.
fn assert_valid(write: impl Fn(&mut Writer)) {
    let Some(corpus) = corpus() else { return };
    let schemas = corpus.join("schemas");
    let mut w = Writer::new();
    write(&mut w);
    let text = w.finish();
    let xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schemas.join("ihe-iti-info/schema/IHE/XDS.b_DocumentRepository.xsd"))
        .arg("-")
        .env("XML_CATALOG_FILES", schemas.join("catalog.xml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut xmllint) = xmllint else {
        eprintln!("skipped: xmllint is not installed");
        return;
    };
    xmllint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let verdict = xmllint.wait_with_output().unwrap();
    assert!(verdict.status.success(), "{}\n{text}", String::from_utf8_lossy(&verdict.stderr));
}

fn findings() -> Vec<Finding> {
    vec![
        Finding::error(ErrorCode::XDSDocumentUniqueIdError, Some("1.2"), "no document 1.2 is available here"),
        Finding::warning(ErrorCode::XDSExtraMetadataNotSaved, None, "<&>\""),
    ]
}

fn request(home: Option<&str>) -> DocumentRequest {
    DocumentRequest {
        home_community_id: home.map(str::to_owned),
        repository_unique_id: "1.2.3".into(),
        document_unique_id: "4.5.6".into(),
    }
}

#[test]
fn corpus_registry_responses_are_valid_by_the_schema() {
    assert_valid(|w| RegistryResponse::of(vec![]).write(w));
    assert_valid(|w| RegistryResponse::of(findings()).write(w));
}

#[test]
fn corpus_retrieve_requests_and_responses_are_valid_by_the_schema() {
    assert_valid(|w| RetrieveRequest(vec![request(None), request(Some("urn:oid:1.9"))]).write(w));
    let response = RegistryResponse { status: ResponseStatus::PartialSuccess, findings: findings() };
    let documents = [None, Some("urn:oid:1.9")].map(|home| DocumentResponse {
        request: request(home),
        made: None,
        mime_type: "text/xml".into(),
        content: Content::Inline("QUJD".into()),
    });
    assert_valid(|w| write_retrieve_response(w, &response, &documents));
    assert_valid(|w| write_retrieve_response(w, &RegistryResponse::of(findings()), &[]));
}

#[test]
fn corpus_query_requests_are_valid_by_the_schema() {
    let unique_ids: Vec<String> = (0..50).map(|n| format!("1.2.250.1.999.2026.{n}")).collect();
    let mut by_id = Request::get_documents_by_unique_id(unique_ids, ReturnType::ObjectRef);
    by_id.home = Some("urn:oid:1.9".into());
    assert_valid(|w| by_id.write(w));
    let find = Request::find_documents(&Cx::new("O'1", "1.2.3"), &[Status::Approved], ReturnType::LeafClass)
        .with_time(find_documents::CREATION_TIME_FROM, &Dtm::parse("2024").unwrap());
    assert_valid(|w| find.write(w));
}

#[test]
fn corpus_query_responses_are_valid_by_the_schema() {
    assert_valid(|w| write_query_response(w, &findings(), &QueryResult::Objects(String::new())));
    assert_valid(|w| write_query_response(w, &[], &QueryResult::ObjectRefs(vec![Uuid::nil(), Uuid::max()])));
    let objects = "<rim:ExtrinsicObject id='urn:uuid:1' objectType='urn:x' mimeType='text/xml'><rim:Slot name='a'>\
        <rim:ValueList><rim:Value>v</rim:Value></rim:ValueList></rim:Slot></rim:ExtrinsicObject>\
        <rim:Association id='urn:uuid:3' associationType='t' sourceObject='s' targetObject='o'/>";
    assert_valid(|w| write_query_response(w, &[], &QueryResult::Objects(objects.into())));
}

#[test]
fn corpus_submissions_are_valid_by_the_schema() {
    with_sample(
        "ihe/ProvideAndRegisterDocumentSet-bRequest_SOAP.xml",
        XDS,
        "ProvideAndRegisterDocumentSetRequest",
        |body| assert_valid(|w| ProvideAndRegister::read(body).unwrap().write(w)),
    );
}
