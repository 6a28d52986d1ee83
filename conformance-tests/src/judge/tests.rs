use actix_web::http::StatusCode;
use bytes::Bytes;

use super::*;
use crate::context::Sent;
use crate::entry::Entry;
use crate::placeholder::Placeholders;
use crate::scenario::Encoding;

const ACTION: &str = "urn:ihe:iti:2007:RegistryStoredQueryResponse";

fn envelope(action: &str, relates_to: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:a='http://www.w3.org/2005/08/addressing'>
         <s:Header><a:Action s:mustUnderstand='1'>{action}</a:Action><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header>
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn query_response(status: &str, inside: &str) -> String {
    let body = format!(
        "<q:AdhocQueryResponse xmlns:q='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'
         xmlns:rs='urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0' xmlns:rim='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'
         status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:{status}'>{inside}</q:AdhocQueryResponse>"
    );
    envelope(ACTION, "urn:uuid:1", &body)
}

fn error(code: &str) -> String {
    format!(
        "<rs:RegistryErrorList><rs:RegistryError errorCode='{code}' codeContext='c' severity='Error'/></rs:RegistryErrorList><rim:RegistryObjectList/>"
    )
}

/// A context that has sent the document `document1`, uniqueId 1.2.3, entryUUID urn:uuid:d.
fn context() -> Context {
    let mut context = Context::new(Placeholders::new("1.2.3"), false);
    let text = "<rim:ExtrinsicObject xmlns:rim='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0' id='urn:uuid:d'>
        <rim:ExternalIdentifier identificationScheme='urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab' value='1.2.3'/>
        </rim:ExtrinsicObject>";
    let document = xml::Document::parse(text, &xml::Limits::default()).unwrap();
    let sent = Sent { entry: Entry::read(document.root()), octets: Some(Bytes::new()) };
    context.objects.insert("document1".into(), sent);
    context
}

async fn wrong_with(expect: &str, status: u16, body: String) -> Vec<String> {
    let expect: Expect = toml::from_str(expect).unwrap();
    let message = Message {
        transaction: Transaction::Iti18,
        encoding: Encoding::Simple,
        id: Some("urn:uuid:1".into()),
    };
    let received = Received {
        status: StatusCode::from_u16(status).unwrap(),
        content_type: "application/soap+xml; charset=UTF-8".into(),
        content_encoding: String::new(),
        body: body.into(),
    };
    let answer = Answer::read(&received).await;
    judge(&expect, Some(&message), &received, answer.as_ref().map_err(ToString::to_string), &mut context())
}

async fn is_right(expect: &str, body: String) {
    assert_eq!(wrong_with(expect, 200, body).await, [""; 0]);
}

async fn is_wrong(expect: &str, body: String, reason: &str) {
    let wrong = wrong_with(expect, 200, body).await;
    assert!(wrong.iter().any(|line| line.contains(reason)), "{wrong:?}");
}

const EMPTY: &str = "<rim:RegistryObjectList/>";
const REF: &str = "<rim:RegistryObjectList><rim:ObjectRef id='urn:uuid:d'/></rim:RegistryObjectList>";

#[actix_web::test]
async fn results_are_compared_as_a_whole() {
    is_right("documents = ['document1']", query_response("Success", REF)).await;
    is_right("documents = []", query_response("Success", EMPTY)).await;
    is_wrong("documents = []", query_response("Success", REF), "should not have come: document1").await;
    is_wrong("documents = ['document1']", query_response("Success", EMPTY), "missing: document1").await;
    is_wrong("count = 2", query_response("Success", REF), "came 1").await;
}

#[actix_web::test]
async fn codes_are_compared_as_a_whole() {
    let failure = || query_response("Failure", &error("XDSRegistryError"));
    is_right("status = 'Failure'\nerrors = ['XDSRegistryError']", failure()).await;
    is_right("status = 'Failure'\nerrors_among = ['XDSRegistryError', 'Other']", failure()).await;
    is_wrong("status = 'Failure'\nerrors = ['XDSRegistryError', 'Other']", failure(), "errors: expected")
        .await;
    is_wrong("status = 'Failure'\nerrors_among = ['Other']", failure(), "errors: expected among").await;
    is_wrong("", failure(), "Success is expected").await;
}

#[actix_web::test]
async fn an_answer_that_contradicts_itself_is_wrong() {
    is_wrong("", query_response("Success", &error("X")), "Success with errors").await;
    is_wrong("status = 'Failure'", query_response("Failure", EMPTY), "Failure without an error").await;
    is_wrong("status = 'Failure'", query_response("Failure", REF), "Failure with results").await;
    is_wrong("", query_response("Success", ""), "RegistryObjectList is missing").await;
}

#[actix_web::test]
async fn addressing_is_checked_whatever_the_step_expects() {
    let right = query_response("Success", EMPTY);
    is_wrong("", right.replace(ACTION, "urn:other"), "wsa:Action").await;
    is_wrong("", right.replace("<a:RelatesTo>urn:uuid:1", "<a:RelatesTo>urn:uuid:2"), "wsa:RelatesTo").await;
    is_wrong("", right.replace(" s:mustUnderstand='1'", ""), "mustUnderstand").await;
}

#[actix_web::test]
async fn a_fault_is_told_from_a_response() {
    let fault = "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>why</s:Text></s:Reason></s:Fault>";
    let fault = envelope("urn:fault", "urn:uuid:1", fault);
    assert_eq!(wrong_with("fault = 'Sender'", 400, fault.clone()).await, [""; 0]);
    assert_eq!(wrong_with("fault = 'MustUnderstand'", 500, fault.clone()).await.len(), 1);
    assert_eq!(wrong_with("fault = 'Sender'", 200, fault.clone()).await, ["HTTP status 200"]);
    is_wrong("", fault, "SOAP fault Sender: why").await;
    is_wrong("fault = 'Sender'", query_response("Success", EMPTY), "a Sender fault is expected").await;
}

#[actix_web::test]
async fn documents_that_are_not_the_scenarios_do_not_count_for_a_shared_patient() {
    let body = query_response("Success", &REF.replace("urn:uuid:d", "urn:uuid:foreign"));
    is_wrong("documents = []", body.clone(), "urn:uuid:foreign").await;
    let received = Received {
        status: StatusCode::OK,
        content_type: "application/soap+xml".into(),
        content_encoding: String::new(),
        body: body.into(),
    };
    let answer = Answer::read(&received).await.unwrap();
    let mut shared = Context { patient_is_shared: true, ..context() };
    let expect: Expect = toml::from_str("documents = []\ncount = 0").unwrap();
    assert_eq!(judge(&expect, None, &received, Ok(&answer), &mut shared), [""; 0]);
}
