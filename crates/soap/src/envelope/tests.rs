use xml::Limits;

use super::*;
use crate::{FaultCode, read_fault};

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
    with(&envelope("<x:Odd xmlns:x='urn:x' mustUnderstand='1'/>", "<b/>"), false, |message| assert!(message.is_ok()));
}

#[test]
fn soap_1_1_is_taken_in_a_package_only() {
    let text = format!("<s:Envelope xmlns:s='{SOAP_1_1}'><s:Body><b/></s:Body></s:Envelope>");
    assert_eq!(fault(&text).code, FaultCode::VersionMismatch);
    with(&text, true, |message| assert_eq!(message.unwrap().body.name(), "b"));
}

#[test]
fn an_envelope_without_exactly_one_body_element_is_a_sender_fault() {
    for text in [envelope("", ""), envelope("", "<a/><b/>"), "<a/>".to_owned(), format!("<s:Envelope xmlns:s='{SOAP_1_2}'/>")] {
        let refused = fault(&text);
        assert_eq!((refused.code, refused.http_status()), (FaultCode::Sender, 400), "{text}");
    }
}

#[test]
fn a_fault_is_read_as_it_was_written() {
    let text = Fault::action_mismatch("not <that>").to_envelope(Some("m1"));
    with(&text, false, |message| {
        let message = message.unwrap();
        assert_eq!(message.relates_to.as_deref(), Some("m1"));
        let received = read_fault(message.body).unwrap();
        assert_eq!((received.code.as_str(), received.reason.as_str()), ("Sender/ActionMismatch", "not <that>"));
    });
}
