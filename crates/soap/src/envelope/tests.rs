use xml::Limits;

use super::*;
use crate::{FAULT_ACTION, FaultCode, ReceivedFault, Subcode, read_fault};

fn with<T>(text: &str, in_package: bool, look: impl FnOnce(Result<Message<'_>, Fault>) -> T) -> T {
    let document = Document::parse(text, &Limits::default()).unwrap();
    look(read(&document, in_package))
}

fn envelope(header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='{SOAP_1_2}' xmlns:wsa='{ADDRESSING}' xmlns:wsse='{WSSE}'><s:Header>{header}</s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn fault(text: &str) -> Fault {
    with(text, false, |read| read.err().unwrap())
}

#[test]
fn what_is_written_is_read() {
    let header = Header::request("urn:a", "urn:uuid:1", "http://x/");
    let text = write(&header, |w| {
        w.empty("b", &[]);
    });
    with(&text, false, |message| {
        let message = message.unwrap();
        assert_eq!(message.action.as_deref(), Some("urn:a"));
        assert_eq!(message.message_id.as_deref(), Some("urn:uuid:1"));
        assert_eq!(message.to.as_deref(), Some("http://x/"));
        assert_eq!(message.reply_to, None);
        assert_eq!(message.body.name(), "b");
    });
}

#[test]
fn addressing_is_trimmed_and_another_reply_address_is_seen() {
    let header = "<wsa:Action s:mustUnderstand='1'>\n urn:a </wsa:Action><wsa:ReplyTo><wsa:Address>http://elsewhere</wsa:Address></wsa:ReplyTo>";
    with(&envelope(header, "<b/>"), false, |message| {
        let message = message.unwrap();
        assert_eq!(message.action.as_deref(), Some("urn:a"));
        assert_eq!(message.reply_to.as_deref(), Some("http://elsewhere"));
    });
}

#[test]
fn a_security_header_that_must_be_understood_is_taken_and_another_is_not() {
    with(&envelope("<wsse:Security s:mustUnderstand='true'/>", "<b/>"), false, |message| {
        assert!(message.unwrap().security.is_some());
    });
    let header = "<wsa:MessageID>m1</wsa:MessageID><x:Strange xmlns:x='urn:x' s:mustUnderstand='1'/>";
    let refused = fault(&envelope(header, "<b/>"));
    assert_eq!(refused.code, FaultCode::MustUnderstand);
    let answer = refused.to_envelope(None);
    assert!(answer.contains("xmlns:h=\"urn:x\" qname=\"h:Strange\"") && answer.contains("m1"), "{answer}");
    let elsewhere = "<x:Strange xmlns:x='urn:x' s:mustUnderstand='1' s:role='urn:somebody-else'/>";
    with(&envelope(elsewhere, "<b/>"), false, |message| assert!(message.is_ok()));
    // Without SOAP's namespace the attribute means nothing.
    with(&envelope("<x:Odd xmlns:x='urn:x' mustUnderstand='1'/>", "<b/>"), false, |message| {
        assert!(message.is_ok())
    });
}

#[test]
fn soap_1_1_is_taken_in_a_package_only() {
    let text = format!("<s:Envelope xmlns:s='{SOAP_1_1}'><s:Body><b/></s:Body></s:Envelope>");
    assert_eq!(fault(&text).code, FaultCode::VersionMismatch);
    with(&text, true, |message| assert_eq!(message.unwrap().body.name(), "b"));
}

#[test]
fn an_envelope_without_exactly_one_body_element_is_a_sender_fault() {
    let two_bodies =
        format!("<s:Envelope xmlns:s='{SOAP_1_2}'><s:Body><a/></s:Body><s:Body><b/></s:Body></s:Envelope>");
    let no_body = format!("<s:Envelope xmlns:s='{SOAP_1_2}'/>");
    for text in [envelope("", ""), envelope("", "<a/><b/>"), "<a/>".to_owned(), no_body, two_bodies] {
        let refused = fault(&text);
        assert_eq!((refused.code, refused.http_status()), (FaultCode::Sender, 400), "{text}");
    }
}

#[test]
fn a_header_that_stands_there_twice_is_refused() {
    for twice in ["wsa:Action", "wsa:MessageID", "wsa:To", "wsa:ReplyTo", "wsse:Security"] {
        let refused = fault(&envelope(&format!("<{twice}>a</{twice}><{twice}>b</{twice}>"), "<b/>"));
        assert_eq!(
            (refused.code, refused.subcode),
            (FaultCode::Sender, Some(Subcode::InvalidCardinality)),
            "{twice}"
        );
    }
    // One message may answer several.
    with(
        &envelope("<wsa:RelatesTo>a</wsa:RelatesTo><wsa:RelatesTo>b</wsa:RelatesTo>", "<b/>"),
        false,
        |message| {
            assert_eq!(message.unwrap().relates_to.as_deref(), Some("a"));
        },
    );
}

#[test]
fn headers_for_other_nodes_are_left_alone() {
    let none = format!("<x:Odd xmlns:x='urn:x' s:mustUnderstand='1' s:role='{SOAP_1_2}/role/none'/>");
    with(&envelope(&none, "<b/>"), false, |message| assert!(message.is_ok()));
    let next = none.replace("/none", "/next");
    assert_eq!(fault(&envelope(&next, "<b/>")).code, FaultCode::MustUnderstand);
}

#[test]
fn a_fault_about_a_header_without_namespace_is_well_formed() {
    let answer = fault(&envelope("<Odd s:mustUnderstand='1'/>", "<b/>")).to_envelope(None);
    with(&answer, false, |message| assert!(message.is_ok(), "{answer}"));
    assert!(answer.contains("qname=\"Odd\""), "{answer}");
}

fn received(fault: &Fault) -> (Option<String>, ReceivedFault) {
    with(&fault.to_envelope(Some("m1")), false, |message| {
        let message = message.unwrap();
        assert_eq!(message.relates_to.as_deref(), Some("m1"));
        assert_eq!(message.action.as_deref(), Some(fault.action()));
        (message.action, read_fault(message.body).unwrap())
    })
}

#[test]
fn a_fault_is_read_as_it_was_written() {
    let (action, fault) = received(&Fault::action_mismatch("not <that>"));
    assert_eq!(action.as_deref(), Some("http://www.w3.org/2005/08/addressing/fault"));
    assert_eq!(
        (fault.code.as_str(), fault.reason.as_str()),
        ("Sender/InvalidAddressingHeader/ActionMismatch", "not <that>")
    );
    let (action, fault) = received(&Fault::receiver("a\u{1}b"));
    assert_eq!(action.as_deref(), Some(FAULT_ACTION));
    assert_eq!(
        (fault.code.as_str(), fault.reason.as_str()),
        ("Receiver", "a b"),
        "XML cannot hold that character"
    );
}

#[test]
fn a_fault_of_soap_1_1_is_read() {
    let text = format!(
        "<s:Envelope xmlns:s='{SOAP_1_1}'><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring> no </faultstring>\
         </s:Fault></s:Body></s:Envelope>"
    );
    with(&text, true, |message| {
        let expected = ReceivedFault { code: "Client".to_owned(), reason: "no".to_owned() };
        assert_eq!(read_fault(message.unwrap().body), Some(expected));
    });
}
