use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Message {
    Message::parse(text.as_bytes()).unwrap()
}

fn field(message: &Message, segment: &str, number: usize) -> String {
    message.segment(segment).unwrap().field(number).get().into_owned()
}

#[test]
fn fields_are_counted_as_in_the_standard() {
    let message =
        parse("MSH|^~\\&|APP|FAC|RA|RF|2026||ADT^A01^ADT_A01|42|P|2.3.1\rEVN|A01|2026\rPID|1||7^^^NS\r");
    let header = message.header();
    assert_eq!(header.sending_application, "APP");
    assert_eq!(header.sending_facility, "FAC");
    assert_eq!((header.receiving_application, header.receiving_facility), ("RA".to_owned(), "RF".to_owned()));
    assert_eq!((header.message_type.as_str(), header.trigger_event.as_str()), ("ADT", "A01"));
    assert_eq!(
        (header.control_id.as_str(), header.processing_id.as_str(), header.version.as_str()),
        ("42", "P", "2.3.1")
    );
    assert_eq!(field(&message, "MSH", 2), "^~\\&");
    assert_eq!(field(&message, "EVN", 1), "A01");
    assert_eq!(field(&message, "PID", 99), "");
    assert!(message.segment("ZZZ").is_none());
}

#[test]
fn the_separators_are_those_of_the_header() {
    let message = parse("MSH#*+!%#A\rPID###1!S!2*b*%x+3\r");
    let id = message.segment("PID").unwrap().field(3);
    let ids: Vec<_> = id.repetitions().map(|r| r.component(1).get().into_owned()).collect();
    assert_eq!(ids, ["1*2", "3"]);
    assert_eq!(id.component(3).subcomponent(2).get(), "x");
}

#[test]
fn segments_end_with_carriage_return_or_line_feed_or_both() {
    for end in ["\r", "\n", "\r\n"] {
        let message = parse(&format!("MSH|^~\\&|A{end}{end}PID|1{end}MRG|2{end}"));
        assert_eq!(message.segments().map(|s| s.name).collect::<Vec<_>>(), ["MSH", "PID", "MRG"], "{end:?}");
        assert_eq!(field(&message, "MRG", 1), "2");
    }
    let message = parse("MSH|^~\\&|A\rOBX|text\nMRG|2\rPID|1\r");
    assert!(message.segment("MRG").is_none(), "a line feed inside a segment began another one");
}

#[test]
fn escapes_of_separators_are_undone_and_others_stay() {
    let value = |text: &str| field(&parse(&format!("MSH|^~\\&|A\rPID|{text}\r")), "PID", 1);
    assert_eq!(value("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"), "a|b^c&d~e\\f");
    assert_eq!(value("a\\.br\\b\\X41\\\\"), "a\\.br\\b\\X41\\\\");
    assert_eq!(value("\\E\\F\\"), "\\F\\");
    assert_eq!(value("\"\""), "");
}

#[test]
fn the_character_set_is_that_of_msh_18() {
    let message = |charset: &str, octets: &[u8]| {
        let head = format!("MSH|^~\\&|A|B|C|D|E|F|ADT^A01|1|P|2.5||||||{charset}\rPID|");
        Message::parse(&[head.as_bytes(), octets].concat()).map(|m| field(&m, "PID", 1))
    };
    assert_eq!(message("8859/1", b"caf\xE9").unwrap(), "café");
    assert_eq!(message("UNICODE UTF-8", "café".as_bytes()).unwrap(), "café");
    assert_eq!(message("8859/1~UNICODE UTF-8", b"\xE9").unwrap(), "é");
    assert_eq!(message("", "café".as_bytes()).unwrap(), "café");
    assert_eq!(message("", b"caf\xE9"), Err(ParseError::Charset));
    assert_eq!(message("UNICODE UTF-16", b"a"), Err(ParseError::UnknownCharset));
}

#[test]
fn what_is_no_message_is_refused() {
    let refused = |text: &str| Message::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused(""), ParseError::NoHeader);
    assert_eq!(refused("PID|1"), ParseError::NoHeader);
    for text in ["MSH", "MSH|^~\\", "MSH|^^\\&|A", "MSH|^~A&|A", "MSH|^~\\&xy|A", "MSH|^~\\&é"] {
        assert_eq!(refused(text), ParseError::Separators, "{text}");
    }
    assert!(Message::parse(b"\r\n MSH|^~\\&|A").is_ok());
    assert_eq!(field(&parse("MSH|^~\\&#|A"), "MSH", 3), "A");
}

proptest! {
    #[test]
    fn garbage_never_panics(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = crate::adt::read(&octets, &crate::adt::Events::default());
    }

    #[test]
    fn garbage_after_a_header_never_panics(
        head in "MSH[|#][\\^|]~\\\\&[|]{0,20}",
        rest in prop::collection::vec(
            prop_oneof![Just(b'|'), Just(b'^'), Just(b'~'), Just(b'\\'), Just(b'\r'), Just(b'&'), any::<u8>()], 0..200),
    ) {
        let _ = crate::adt::read(&[head.as_bytes(), &rest].concat(), &crate::adt::Events::default());
    }

    #[test]
    fn an_identifier_that_is_written_is_read_back(id in "[ -~é]{1,20}") {
        prop_assume!(id.trim() == id && id != "\"\"");
        let text = crate::adt::add("A04", "7", &[crate::adt::Identifier::new(&id, "1.2.3")]);
        let notice = crate::adt::read(text.as_bytes(), &crate::adt::Events::default()).unwrap();
        let crate::adt::Request::Add(ids) = notice.request else { panic!("not an addition") };
        prop_assert_eq!(&ids[0].id, &id);
    }
}
