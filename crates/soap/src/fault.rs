use xml::{Element, Writer};

use crate::{ADDRESSING, SOAP_1_1, SOAP_1_2};

/// wsa:Action of every fault.
pub const FAULT_ACTION: &str = "http://www.w3.org/2005/08/addressing/fault";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    Sender,
    Receiver,
    VersionMismatch,
    MustUnderstand,
}

/// A SOAP 1.2 fault to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: FaultCode,
    /// A local name of WS-Addressing, such as `ActionMismatch`.
    pub subcode: Option<&'static str>,
    /// What is wrong and where, for the developer at the other end.
    pub reason: String,
    /// (namespace, name) of the headers that must be understood and are not.
    not_understood: Vec<(String, String)>,
    relates_to: Option<String>,
}

impl Fault {
    fn new(code: FaultCode, subcode: Option<&'static str>, reason: impl Into<String>) -> Self {
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

    /// WS-Addressing SOAP Binding §6.4.1.
    pub fn action_mismatch(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, Some("ActionMismatch"), reason)
    }

    /// WS-Addressing SOAP Binding §6.4.2.
    pub fn action_not_supported(reason: impl Into<String>) -> Self {
        Fault::new(FaultCode::Sender, Some("ActionNotSupported"), reason)
    }

    pub(crate) fn version_mismatch(namespace: &str) -> Self {
        let version = if namespace == SOAP_1_1 { "SOAP 1.1" } else { "an Envelope of an unknown namespace" };
        Fault::new(FaultCode::VersionMismatch, None, format!("{version} was sent, this service speaks SOAP 1.2"))
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

    /// `relates_to` wins over what [`Fault::relating_to`] set.
    pub fn to_envelope(&self, relates_to: Option<&str>) -> String {
        let mut w = Writer::new();
        w.open("s:Envelope", &[("xmlns:s", SOAP_1_2), ("xmlns:wsa", ADDRESSING)]).open("s:Header", &[]);
        w.element("wsa:Action", &[("s:mustUnderstand", "1")], FAULT_ACTION);
        if let Some(id) = relates_to.or(self.relates_to.as_deref()) {
            w.element("wsa:RelatesTo", &[], id);
        }
        for (namespace, name) in &self.not_understood {
            w.empty("s:NotUnderstood", &[("xmlns:h", namespace), ("qname", &format!("h:{name}"))]);
        }
        if self.code == FaultCode::VersionMismatch {
            w.open("s:Upgrade", &[]).empty("s:SupportedEnvelope", &[("qname", "s:Envelope")]).close();
        }
        w.close().open("s:Body", &[]).open("s:Fault", &[]).open("s:Code", &[]);
        w.element("s:Value", &[], &format!("s:{:?}", self.code));
        if let Some(subcode) = self.subcode {
            w.open("s:Subcode", &[]).element("s:Value", &[], &format!("wsa:{subcode}")).close();
        }
        w.close().open("s:Reason", &[]).element("s:Text", &[("xml:lang", "en")], &self.reason);
        w.finish()
    }
}

/// A fault as a client receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFault {
    /// Code and subcode, without prefixes.
    pub code: String,
    pub reason: String,
}

/// Reads a fault of either SOAP version; `None` when the body is something else.
pub fn read_fault(body: Element<'_>) -> Option<ReceivedFault> {
    let local = |element: Element<'_>| element.text().trim().rsplit(':').next().unwrap_or_default().to_owned();
    if body.is(SOAP_1_2, "Fault") {
        let value = |path: &[&str]| body.path(SOAP_1_2, path).map(local);
        let code = value(&["Code", "Value"]).unwrap_or_default();
        let code = match value(&["Code", "Subcode", "Value"]) {
            Some(subcode) => format!("{code}/{subcode}"),
            None => code,
        };
        let reason = body.path(SOAP_1_2, &["Reason", "Text"]).map(|e| e.text().trim().to_owned());
        return Some(ReceivedFault { code, reason: reason.unwrap_or_default() });
    }
    if body.is(SOAP_1_1, "Fault") {
        let code = body.child("", "faultcode").map(local).unwrap_or_default();
        let reason = body.child("", "faultstring").map(|e| e.text().trim().to_owned()).unwrap_or_default();
        return Some(ReceivedFault { code, reason });
    }
    None
}
