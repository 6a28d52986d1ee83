//! ADT messages of a Patient Identity Source (TF-2 §3.8.4): what they ask for, and how they are written.

use crate::ack::escape;
use crate::{Ack, Header, Message, Problem, ProblemCode, Segment, Value};

/// Trigger events that are understood only if the Affinity Domain wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Events {
    /// A28 adds a patient, like A01.
    pub a28: bool,
    /// A31 revises a patient, like A08.
    pub a31: bool,
}

/// A CX: an id and who assigned it.
#[derive(Clone, PartialEq, Eq)]
pub struct Identifier {
    pub id: String,
    /// CX.4.1
    pub namespace: String,
    /// CX.4.2
    pub universal_id: String,
    /// CX.4.3
    pub universal_id_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A01, A04, A05, A28: PID-3.
    Add(Vec<Identifier>),
    /// A08, A31: PID-3.
    Revise(Vec<Identifier>),
    /// A40: MRG-1 is subsumed by PID-3.
    Merge { subsumed: Vec<Identifier>, surviving: Vec<Identifier> },
}

/// A message that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub header: Header,
    pub request: Request,
}

/// A message that was not, with its answer. The header is as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub header: Header,
    pub ack: Ack,
}

/// Reads a message. Segments and fields that the registry does not need are ignored, whatever they hold.
pub fn read(octets: &[u8], events: &Events) -> Result<Notice, Box<Refusal>> {
    let message = match Message::parse(octets) {
        Ok(message) => message,
        Err(error) => {
            use crate::ParseError::{Charset, NoHeader, Separators, UnknownCharset};
            let (location, code) = match error {
                NoHeader => ("MSH^1", ProblemCode::SegmentSequence),
                Separators => ("MSH^1^2", ProblemCode::DataType),
                UnknownCharset => ("MSH^1^18", ProblemCode::TableValueNotFound),
                Charset => ("MSH^1^18", ProblemCode::DataType),
            };
            let ack = Ack::reject(Problem::new(location, code, error.to_string()));
            return Err(Box::new(Refusal { header: header_of(octets), ack }));
        }
    };
    let header = message.header();
    match request(&message, &header, events) {
        Ok(request) => Ok(Notice { header, request }),
        Err(ack) => Err(Box::new(Refusal { header, ack })),
    }
}

/// The header of a message of which nothing else can be used, so that its sender finds its MSH-10 in the answer.
pub fn header_of(octets: &[u8]) -> Header {
    let octets = octets.trim_ascii_start();
    let end = octets.iter().position(|octet| matches!(octet, b'\r' | b'\n')).unwrap_or(octets.len());
    let line = String::from_utf8_lossy(octets.get(..end).unwrap_or_default());
    // Without MSH-18, which may be what is wrong.
    let fields: Vec<&str> = line.split('|').take(17).collect();
    Message::parse(fields.join("|").as_bytes()).map(|message| message.header()).unwrap_or_default()
}

fn request(message: &Message, header: &Header, events: &Events) -> Result<Request, Ack> {
    use ProblemCode::{RequiredFieldMissing, SegmentSequence, UnsupportedEvent, UnsupportedMessageType};
    if header.control_id.is_empty() {
        let text = "MSH-10 is empty: an answer could not be told from others";
        return Err(Ack::reject(Problem::new("MSH^1^10", RequiredFieldMissing, text)));
    }
    if header.message_type != "ADT" {
        let text = "only messages of type ADT are understood here";
        return Err(Ack::reject(Problem::new("MSH^1^9^1^1", UnsupportedMessageType, text)));
    }
    let kind: fn(Vec<Identifier>) -> Request = match header.trigger_event.as_str() {
        "A01" | "A04" | "A05" => Request::Add,
        "A28" if events.a28 => Request::Add,
        "A08" => Request::Revise,
        "A31" if events.a31 => Request::Revise,
        "A40" => |surviving| Request::Merge { subsumed: Vec::new(), surviving },
        _ => {
            let text = "the trigger events of this feed are A01, A04, A05, A08 and A40";
            return Err(Ack::reject(Problem::new("MSH^1^9^1^2", UnsupportedEvent, text)));
        }
    };
    let segment = |name: &str, location| {
        let problem = || Problem::new(location, SegmentSequence, format!("the segment {name} is missing"));
        message.segment(name).ok_or_else(|| Ack::error(problem()))
    };
    let patient = identifiers(segment("PID", "PID^1")?, 3, "PID^1^3")?;
    Ok(match kind(patient) {
        Request::Merge { surviving, .. } => {
            if message.segments().filter(|segment| matches!(segment.name, "PID" | "MRG")).count() > 2 {
                let text = "one merge in one message: more than one PID or MRG";
                return Err(Ack::error(Problem::new("MRG^2", SegmentSequence, text)));
            }
            let subsumed = identifiers(segment("MRG", "MRG^1")?, 1, "MRG^1^1")?;
            Request::Merge { subsumed, surviving }
        }
        request => request,
    })
}

fn identifiers(segment: Segment<'_>, number: usize, location: &'static str) -> Result<Vec<Identifier>, Ack> {
    let found: Vec<Identifier> = segment
        .field(number)
        .repetitions()
        .map(Identifier::read)
        .filter(|identifier| !identifier.id.is_empty())
        .collect();
    match found.is_empty() {
        false => Ok(found),
        true => {
            let text = format!("{}-{number} holds no patient identifier", segment.name);
            Err(Ack::error(Problem::new(location, ProblemCode::RequiredFieldMissing, text)))
        }
    }
}

impl Identifier {
    pub fn new(id: &str, oid: &str) -> Identifier {
        Identifier {
            id: id.to_owned(),
            namespace: String::new(),
            universal_id: oid.to_owned(),
            universal_id_type: "ISO".to_owned(),
        }
    }

    fn read(cx: Value<'_>) -> Identifier {
        let authority = cx.component(4);
        let part = |number| authority.subcomponent(number).get().into_owned();
        Identifier {
            id: cx.component(1).get().into_owned(),
            namespace: part(1),
            universal_id: part(2),
            universal_id_type: part(3),
        }
    }

    fn write(&self) -> String {
        let Identifier { id, namespace, universal_id, universal_id_type } = self;
        format!(
            "{}^^^{}&{}&{}",
            escape(id),
            escape(namespace),
            escape(universal_id),
            escape(universal_id_type)
        )
    }
}

/// Identifiers of patients do not belong in logs.
impl std::fmt::Debug for Identifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identifier(… of {}&{})", self.namespace, self.universal_id)
    }
}

/// A message that adds (A01, A04, A05, A28) or revises (A08, A31) a patient, as a source would send it.
pub fn add(event: &str, control_id: &str, patient: &[Identifier]) -> String {
    let ids: Vec<String> = patient.iter().map(Identifier::write).collect();
    format!("{}PID|||{}||DOE^JOHN\rPV1||N\r", head(event, control_id), ids.join("~"))
}

/// A message that merges (A40).
pub fn merge(control_id: &str, surviving: &Identifier, subsumed: &Identifier) -> String {
    let (surviving, subsumed) = (surviving.write(), subsumed.write());
    format!("{}PID|||{surviving}||DOE^JOHN\rMRG|{subsumed}\r", head("A40", control_id))
}

fn head(event: &str, control_id: &str) -> String {
    const TIME: &str = "20260102030405";
    let control_id = escape(control_id);
    format!(
        "MSH|^~\\&|SOURCE|HOSPITAL|CARNET|DOMAIN|{TIME}||ADT^{event}|{control_id}|P|2.3.1||||||UNICODE UTF-8\r\
         EVN||{TIME}\r"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AckCode;

    const HEAD: &str = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.3.1\r";

    fn understood(text: &str) -> Request {
        read(text.as_bytes(), &Events::default()).unwrap().request
    }

    fn refused(text: &str, events: Events) -> (AckCode, &'static str, &'static str) {
        let refusal = read(text.as_bytes(), &events).unwrap_err();
        let [problem] = refusal.ack.problems.as_slice() else { panic!("{refusal:?}") };
        (refusal.ack.code, problem.code.number(), problem.location)
    }

    #[test]
    fn all_repetitions_of_pid_3_are_read_with_their_authorities() {
        let request = understood(&format!("{HEAD}PID|||1^^^NS~2^^^&1.2&ISO~\"\"~3||X\r"));
        let Request::Add(ids) = request else { panic!("not an addition") };
        let read: Vec<_> =
            ids.iter().map(|i| (i.id.as_str(), i.namespace.as_str(), i.universal_id.as_str())).collect();
        assert_eq!(read, [("1", "NS", ""), ("2", "", "1.2"), ("3", "", "")]);
    }

    #[test]
    fn trigger_events_are_told_apart() {
        let ids = [Identifier::new("1", "1.2")];
        for event in ["A01", "A04", "A05"] {
            assert_eq!(understood(&add(event, "7", &ids)), Request::Add(ids.to_vec()));
        }
        assert_eq!(understood(&add("A08", "7", &ids)), Request::Revise(ids.to_vec()));
        let other = Identifier::new("2", "1.2");
        let [one] = &ids;
        assert_eq!(
            understood(&merge("7", one, &other)),
            Request::Merge { subsumed: vec![other], surviving: ids.to_vec() }
        );
        let all = Events { a28: true, a31: true };
        for event in ["A28", "A31", "A02", "A24", ""] {
            let message = add(event, "7", &ids);
            assert_eq!(
                refused(&message, Events::default()),
                (AckCode::Reject, "201", "MSH^1^9^1^2"),
                "{event}"
            );
            assert_eq!(read(message.as_bytes(), &all).is_ok(), matches!(event, "A28" | "A31"), "{event}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let events = Events::default();
        assert_eq!(refused("hello", events), (AckCode::Reject, "100", "MSH^1"));
        assert_eq!(
            refused("MSH|^~\\&|A|B|C|D|E||ORU^R01|7|P|2.3.1\r", events),
            (AckCode::Reject, "200", "MSH^1^9^1^1")
        );
        assert_eq!(
            refused("MSH|^~\\&|A|B|C|D|E||ADT^A01||P|2.3.1\r", events),
            (AckCode::Reject, "101", "MSH^1^10")
        );
        assert_eq!(refused(HEAD, events), (AckCode::Error, "100", "PID^1"));
        assert_eq!(refused(&format!("{HEAD}PID|||^^^NS||X\r"), events), (AckCode::Error, "101", "PID^1^3"));
        let merge = HEAD.replace("A01", "A40");
        assert_eq!(refused(&format!("{merge}PID|||1\r"), events), (AckCode::Error, "100", "MRG^1"));
        assert_eq!(refused(&format!("{merge}PID|||1\rMRG|\r"), events), (AckCode::Error, "101", "MRG^1^1"));
        assert_eq!(
            refused(&format!("{merge}PID|||1\rMRG|2\rPID|||3\rMRG|4\r"), events),
            (AckCode::Error, "100", "MRG^2")
        );
    }

    #[test]
    fn the_answer_to_a_message_that_cannot_be_read_knows_its_control_id() {
        let text = "MSH|^~\\&|A|B|C|D|E||ADT^A01|7|P|2.3.1||||||KLINGON\rPID|||1\r";
        let refusal = read(text.as_bytes(), &Events::default()).unwrap_err();
        assert_eq!((refusal.header.control_id.as_str(), refusal.ack.name()), ("7", "AR"));
        let refusal =
            read(b"MSH|^~\\&|A|B|C|D|E||ADT^A01|7|P\rPID|||\xFF\r", &Events::default()).unwrap_err();
        assert_eq!((refusal.header.control_id.as_str(), refusal.ack.codes().as_str()), ("7", "102"));
    }

    #[test]
    fn an_identifier_is_not_shown_in_logs() {
        assert!(
            !format!("{:?}", understood(&add("A01", "7", &[Identifier::new("SECRET", "1.2")])))
                .contains("SECRET")
        );
    }
}
