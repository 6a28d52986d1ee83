use std::iter::successors;

use xml::{Element, Writer};

use crate::{ADDRESSING, SOAP_1_1, SOAP_1_2};

/// wsa:Action of the faults that SOAP defines.
pub const FAULT_ACTION: &str = "http://www.w3.org/2005/08/addressing/soap/fault";
/// wsa:Action of the faults that WS-Addressing defines.
const ADDRESSING_FAULT_ACTION: &str = "http://www.w3.org/2005/08/addressing/fault";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    Sender,
    Receiver,
    VersionMismatch,
    MustUnderstand,
}

/// What WS-Addressing finds wrong (SOAP Binding §6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subcode {
    /// The action is not that of the body.
    ActionMismatch,
    /// No such action here.
    ActionNotSupported,
    /// A header stands there twice.
    InvalidCardinality,
    /// The answer goes nowhere but to the connection that the request came by.
    OnlyAnonymousAddressSupported,
    /// A header is missing that the message needs.
    MessageAddressingHeaderRequired,
}

impl Subcode {
    /// From the outer to the inner.
    fn names(self) -> &'static [&'static str] {
        match self {
            Subcode::ActionMismatch => &["wsa:InvalidAddressingHeader", "wsa:ActionMismatch"],
            Subcode::ActionNotSupported => &["wsa:ActionNotSupported"],
            Subcode::InvalidCardinality => &["wsa:InvalidAddressingHeader", "wsa:InvalidCardinality"],
            Subcode::OnlyAnonymousAddressSupported => {
                &["wsa:InvalidAddressingHeader", "wsa:OnlyAnonymousAddressSupported"]
            }
            Subcode::MessageAddressingHeaderRequired => &["wsa:MessageAddressingHeaderRequired"],
        }
    }
}

/// A SOAP 1.2 fault to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: FaultCode,
    pub subcode: Option<Subcode>,
    /// What is wrong and where, for the developer at the other end.
    pub reason: String,
    /// (namespace, name) of the headers that must be understood and are not.
    not_understood: Vec<(String, String)>,
    relates_to: Option<String>,
}

impl Fault {
    fn new(code: FaultCode, subcode: Option<Subcode>, reason: impl Into<String>) -> Self {
        Fault { code, subcode, reason: reason.into(), not_understood: Vec::new(), relates_to: None }
    }

    /// The message is wrong.
    pub fn sender(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, None, reason)
    }

    /// The server failed.
    pub fn receiver(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Receiver, None, reason)
    }

    /// The action is not that of the body.
    pub fn action_mismatch(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, Some(Subcode::ActionMismatch), reason)
    }

    /// Neither action nor body are known here.
    pub fn action_not_supported(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, Some(Subcode::ActionNotSupported), reason)
    }

    /// ReplyTo or FaultTo name a place that this server sends nothing to.
    pub fn only_anonymous(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, Some(Subcode::OnlyAnonymousAddressSupported), reason)
    }

    /// A header is missing that the message needs.
    pub fn header_required(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, Some(Subcode::MessageAddressingHeaderRequired), reason)
    }

    pub(crate) fn twice(header: &str) -> Self {
        let reason = format!("the SOAP Header has more than one {header}");
        Fault::new(FaultCode::Sender, Some(Subcode::InvalidCardinality), reason)
    }

    pub(crate) fn version_mismatch(namespace: &str) -> Self {
        let version = if namespace == SOAP_1_1 { "SOAP 1.1" } else { "an Envelope of an unknown namespace" };
        Fault::new(
            FaultCode::VersionMismatch,
            None,
            format!("{version} was sent, this service speaks SOAP 1.2"),
        )
    }

    pub(crate) fn must_understand(headers: &[Element<'_>]) -> Self {
        let names: Vec<&str> = headers.iter().map(Element::name).collect();
        let reason = format!("these headers must be understood and are not: {}", names.join(", "));
        let not_understood =
            headers.iter().map(|header| (header.namespace().to_owned(), header.name().to_owned())).collect();
        Fault { not_understood, ..Fault::new(FaultCode::MustUnderstand, None, reason) }
    }

    /// The MessageID of the request, where it could be read.
    #[must_use]
    pub fn relating_to(mut self, message_id: Option<String>) -> Self {
        self.relates_to = message_id;
        self
    }

    /// SOAP 1.2 Part 2, Table 20.
    pub fn http_status(&self) -> u16 {
        match self.code {
            FaultCode::Sender => 400,
            _ => 500,
        }
    }

    /// WS-Addressing SOAP Binding §6.
    pub fn action(&self) -> &'static str {
        match self.subcode {
            Some(_) => ADDRESSING_FAULT_ACTION,
            None => FAULT_ACTION,
        }
    }

    /// `relates_to` wins over what [`Fault::relating_to`] set.
    pub fn to_envelope(&self, relates_to: Option<&str>) -> String {
        self.envelope(relates_to, None)
    }

    /// For a connection of its own, with the MessageID and the address that it goes to.
    pub fn to_delivery(&self, message_id: &str, relates_to: Option<&str>, to: &str) -> String {
        self.envelope(relates_to, Some((message_id, to)))
    }

    /// Code and subcodes, without prefixes, such as `Sender/InvalidAddressingHeader/ActionMismatch`.
    pub fn codes(&self) -> String {
        let subcodes = self.subcode.map_or(&[][..], Subcode::names);
        let names = subcodes.iter().map(|name| local(name));
        std::iter::once(format!("{:?}", self.code)).chain(names).collect::<Vec<_>>().join("/")
    }

    fn envelope(&self, relates_to: Option<&str>, delivery: Option<(&str, &str)>) -> String {
        let mut w = Writer::new();
        w.open("s:Envelope", &[("xmlns:s", SOAP_1_2), ("xmlns:wsa", ADDRESSING)]).open("s:Header", &[]);
        w.element("wsa:Action", &[("s:mustUnderstand", "1")], self.action());
        if let Some((message_id, to)) = delivery {
            w.element("wsa:MessageID", &[], message_id).element("wsa:To", &[], to);
        }
        if let Some(id) = relates_to.or(self.relates_to.as_deref()) {
            w.element("wsa:RelatesTo", &[], id);
        }
        for (namespace, name) in &self.not_understood {
            // No prefix can stand for no namespace.
            match namespace.is_empty() {
                true => w.empty("s:NotUnderstood", &[("qname", name)]),
                false => {
                    w.empty("s:NotUnderstood", &[("xmlns:h", namespace), ("qname", &format!("h:{name}"))])
                }
            };
        }
        if self.code == FaultCode::VersionMismatch {
            w.open("s:Upgrade", &[]).empty("s:SupportedEnvelope", &[("qname", "s:Envelope")]).close();
        }
        w.close().open("s:Body", &[]).open("s:Fault", &[]).open("s:Code", &[]);
        w.element("s:Value", &[], &format!("s:{:?}", self.code));
        let subcodes = self.subcode.map_or(&[][..], Subcode::names);
        for subcode in subcodes {
            w.open("s:Subcode", &[]).element("s:Value", &[], subcode);
        }
        for _ in subcodes {
            w.close();
        }
        w.close().open("s:Reason", &[]).element("s:Text", &[("xml:lang", "en")], &printable(&self.reason));
        w.finish()
    }
}

/// Reasons quote what was sent; heads of parts may hold characters that XML cannot.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { ' ' } else { c })
        .collect()
}

/// A fault as a client receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFault {
    /// Code and subcodes, without prefixes, such as `Sender/InvalidSecurity`.
    pub code: String,
    pub reason: String,
}

/// Reads a fault of either SOAP version; `None` when the body is something else.
pub fn read_fault(body: Element<'_>) -> Option<ReceivedFault> {
    let text = |element: Option<Element<'_>>| element.map(|e| e.text().trim().to_owned()).unwrap_or_default();
    if body.is(SOAP_1_2, "Fault") {
        let codes = successors(body.child(SOAP_1_2, "Code"), |code| code.child(SOAP_1_2, "Subcode"));
        let names: Vec<String> = codes.map(|code| local(&text(code.child(SOAP_1_2, "Value")))).collect();
        let reason = text(body.path(SOAP_1_2, &["Reason", "Text"]));
        return Some(ReceivedFault { code: names.join("/"), reason });
    }
    if body.is(SOAP_1_1, "Fault") {
        let code = local(&text(body.child("", "faultcode")));
        return Some(ReceivedFault { code, reason: text(body.child("", "faultstring")) });
    }
    None
}

fn local(qualified: &str) -> String {
    qualified.rsplit(':').next().unwrap_or_default().to_owned()
}
