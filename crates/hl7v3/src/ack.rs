//! The acknowledgement, MCCI_IN000002UV01 (TF-2 Appendix O.1.2). Its codes are those of the commit level: acceptAckCode AL
//! asked for them.

use xml::Writer;

use crate::{ACKNOWLEDGEMENT, Head, Ii, NAMESPACE};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckCode {
    /// CA: done.
    Accept,
    /// CE: understood, and not done.
    Error,
    /// CR: breaks rules, or is not allowed.
    Reject,
}

/// HL7 AcknowledgementDetailCode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemCode {
    Syntax,
    Missing,
    UnknownKey,
    DuplicateKey,
    /// The sender may not send, or the interaction is not offered.
    NotSupported,
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: ProblemCode,
    /// The elements concerned.
    pub location: &'static str,
    /// A sentence for the developer at the other end, without identifiers.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    pub code: AckCode,
    pub problems: Vec<Problem>,
}

impl ProblemCode {
    pub fn code(self) -> &'static str {
        match self {
            ProblemCode::Syntax => "SYN",
            ProblemCode::Missing => "SYN105",
            ProblemCode::UnknownKey => "KEY204",
            ProblemCode::DuplicateKey => "KEY205",
            ProblemCode::NotSupported => "NS200",
            ProblemCode::Internal => "INTERR",
        }
    }
}

impl Ack {
    pub fn accept() -> Ack {
        Ack { code: AckCode::Accept, problems: Vec::new() }
    }

    pub fn error(problem: Problem) -> Ack {
        Ack { code: AckCode::Error, problems: vec![problem] }
    }

    pub fn reject(problems: Vec<Problem>) -> Ack {
        Ack { code: AckCode::Reject, problems }
    }

    pub fn name(&self) -> &'static str {
        match self.code {
            AckCode::Accept => "CA",
            AckCode::Error => "CE",
            AckCode::Reject => "CR",
        }
    }

    /// The codes of the problems, for logs and traces.
    pub fn codes(&self) -> String {
        self.problems.iter().map(|problem| problem.code.code()).collect::<Vec<_>>().join(" ")
    }

    /// The answer to the message with that head. `time`: `YYYYMMDDHHMMSS`; `id`: of the answer itself.
    pub fn write(&self, to: &Head, time: &str, id: &Ii, w: &mut Writer) {
        w.open(ACKNOWLEDGEMENT, &[("xmlns", NAMESPACE), ("ITSVersion", "XML_1.0")]);
        identifier(w, id);
        w.empty("creationTime", &[("value", time)]);
        w.empty("interactionId", &[("root", "2.16.840.1.113883.1.6"), ("extension", ACKNOWLEDGEMENT)]);
        w.empty("processingCode", &[("code", &to.processing_code)]);
        w.empty("processingModeCode", &[("code", "T")]);
        w.empty("acceptAckCode", &[("code", "NE")]);
        device(w, "receiver", "RCV", &to.sender);
        device(w, "sender", "SND", &to.receiver);
        w.open("acknowledgement", &[]);
        w.empty("typeCode", &[("code", self.name())]);
        w.open("targetMessage", &[]);
        identifier(w, &to.id);
        w.close();
        for problem in &self.problems {
            w.open("acknowledgementDetail", &[("typeCode", "E")]);
            let code = problem.code.code();
            w.empty("code", &[("code", code), ("codeSystem", "2.16.840.1.113883.5.1100")]);
            w.element("text", &[], &problem.text);
            w.element("location", &[], problem.location);
            w.close();
        }
        w.close().close();
    }
}

pub(crate) fn device(w: &mut Writer, name: &'static str, kind: &str, id: &Ii) {
    w.open(name, &[("typeCode", kind)]);
    w.open("device", &[("classCode", "DEV"), ("determinerCode", "INSTANCE")]);
    identifier(w, id);
    w.close().close();
}

/// What was not sent is "no information".
pub(crate) fn identifier(w: &mut Writer, id: &Ii) {
    match (id.root.as_str(), id.extension.as_str()) {
        ("", _) => w.empty("id", &[("nullFlavor", "NI")]),
        (root, "") => w.empty("id", &[("root", root)]),
        (root, extension) => w.empty("id", &[("root", root), ("extension", extension)]),
    };
}
