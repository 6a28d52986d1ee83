//! Acknowledgements: MSH, MSA and an ERR for each problem (TF-2 Appendix C.1.3).

use crate::Header;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckCode {
    /// AA: done.
    Accept,
    /// AE: understood, and not done.
    Error,
    /// AR: not understood, not supported, or not allowed.
    Reject,
}

/// HL7 table 0357.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemCode {
    SegmentSequence,
    RequiredFieldMissing,
    DataType,
    TableValueNotFound,
    UnsupportedMessageType,
    UnsupportedEvent,
    UnknownKey,
    DuplicateKey,
    Internal,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// ERR-2: segment, its number, field, and parts of it, such as `MSH^1^9^1^2`.
    pub location: &'static str,
    pub code: ProblemCode,
    /// A sentence for the developer at the other end, without identifiers.
    pub text: String,
}

/// An answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    pub code: AckCode,
    pub problems: Vec<Problem>,
}

impl ProblemCode {
    fn number_and_text(self) -> (&'static str, &'static str) {
        match self {
            ProblemCode::SegmentSequence => ("100", "Segment sequence error"),
            ProblemCode::RequiredFieldMissing => ("101", "Required field missing"),
            ProblemCode::DataType => ("102", "Data type error"),
            ProblemCode::TableValueNotFound => ("103", "Table value not found"),
            ProblemCode::UnsupportedMessageType => ("200", "Unsupported message type"),
            ProblemCode::UnsupportedEvent => ("201", "Unsupported trigger event"),
            ProblemCode::UnknownKey => ("204", "Unknown key identifier"),
            ProblemCode::DuplicateKey => ("205", "Duplicate key identifier"),
            ProblemCode::Internal => ("207", "Application internal error"),
        }
    }

    /// Its number in HL7 table 0357.
    pub fn number(self) -> &'static str {
        self.number_and_text().0
    }
}

impl Problem {
    pub fn new(location: &'static str, code: ProblemCode, text: impl Into<String>) -> Problem {
        Problem { location, code, text: text.into() }
    }
}

impl Ack {
    pub fn accept() -> Ack {
        Ack { code: AckCode::Accept, problems: Vec::new() }
    }

    pub fn error(problem: Problem) -> Ack {
        Ack { code: AckCode::Error, problems: vec![problem] }
    }

    pub fn reject(problem: Problem) -> Ack {
        Ack { code: AckCode::Reject, problems: vec![problem] }
    }

    /// MSA-1.
    pub fn name(&self) -> &'static str {
        match self.code {
            AckCode::Accept => "AA",
            AckCode::Error => "AE",
            AckCode::Reject => "AR",
        }
    }

    /// The numbers of the problems, for logs and traces.
    pub fn codes(&self) -> String {
        self.problems.iter().map(|problem| problem.code.number()).collect::<Vec<_>>().join(" ")
    }

    /// The answer to the message with that header, in its character set. `time`: MSH-7, `YYYYMMDDHHMMSS`. `control_id`: our
    /// MSH-10. An unreadable message has the default header, and an empty MSA-2.
    pub fn write(&self, to: &Header, time: &str, control_id: &str) -> Vec<u8> {
        let event = match to.trigger_event.is_empty() {
            true => "ACK".to_owned(),
            false => format!("ACK^{}", escape(&to.trigger_event)),
        };
        let or = |text: &str, default: &str| escape(if text.is_empty() { default } else { text });
        let mut text = format!(
            "MSH|^~\\&|{}|{}|{}|{}|{time}||{event}|{}|{}|{}||||||{}\rMSA|{}|{}\r",
            escape(&to.receiving_application),
            escape(&to.receiving_facility),
            escape(&to.sending_application),
            escape(&to.sending_facility),
            escape(control_id),
            or(&to.processing_id, "P"),
            or(&to.version, "2.3.1"),
            to.charset.name(),
            self.name(),
            escape(&to.control_id),
        );
        for Problem { location, code, text: sentence } in &self.problems {
            let (number, name) = code.number_and_text();
            text.push_str(&format!("ERR||{location}|{number}^{name}^HL70357|E||||{}\r", escape(sentence)));
        }
        to.charset.encode(&text).into_owned()
    }
}

/// Makes a text safe between the usual separators. Line ends would end the segment.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Charset, Message};

    fn header() -> Header {
        Header {
            sending_application: "APP".into(),
            sending_facility: "FAC".into(),
            receiving_application: "CARNET".into(),
            receiving_facility: "HOME".into(),
            message_type: "ADT".into(),
            trigger_event: "A01".into(),
            control_id: "4|2".into(),
            processing_id: "P".into(),
            version: "2.5".into(),
            charset: Charset::Latin1,
        }
    }

    #[test]
    fn sender_and_receiver_change_places_and_the_control_id_comes_back() {
        let octets = Ack::accept().write(&header(), "20260102030405", "9");
        let expected =
            "MSH|^~\\&|CARNET|HOME|APP|FAC|20260102030405||ACK^A01|9|P|2.5||||||8859/1\rMSA|AA|4\\F\\2\r";
        assert_eq!(String::from_utf8(octets.clone()).unwrap(), expected);
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.segment("MSA").unwrap().field(2).get(), "4|2");
    }

    #[test]
    fn a_problem_has_its_place_its_code_and_a_sentence() {
        let problem = Problem::new("MSH^1^9^1^2", ProblemCode::UnsupportedEvent, "use A01\r& others é");
        let octets = Ack::reject(problem).write(&header(), "20260102030405", "9");
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.segment("MSA").unwrap().field(1).get(), "AR");
        let err = message.segment("ERR").unwrap();
        assert_eq!(err.field(2).component(5).get(), "2");
        assert_eq!(err.field(3).component(1).get(), "201");
        assert_eq!(err.field(3).component(3).get(), "HL70357");
        assert_eq!((err.field(4).get(), err.field(8).get()), ("E".into(), "use A01 & others é".into()));
    }

    #[test]
    fn an_unreadable_message_is_answered_too() {
        let problem = Problem::new("MSH^1", ProblemCode::SegmentSequence, "no MSH");
        let octets = Ack::reject(problem).write(&Header::default(), "20260102030405", "9");
        let header = Message::parse(&octets).unwrap().header();
        assert_eq!((header.message_type.as_str(), header.version.as_str()), ("ACK", "2.3.1"));
    }
}
