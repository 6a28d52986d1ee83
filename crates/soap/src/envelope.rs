use xml::{Document, Element, Writer};

use crate::fault::Fault;
use crate::{ADDRESSING, ANONYMOUS, SOAP_1_1, SOAP_1_2, WSSE};

/// A message as received. WS-Addressing values are trimmed; samples of the standard have white space around them.
#[derive(Debug)]
pub struct Message<'d> {
    pub action: Option<String>,
    /// An opaque text: many are no valid UUIDs.
    pub message_id: Option<String>,
    pub to: Option<String>,
    /// The address; `None` when it is anonymous or missing, which means the same.
    pub reply_to: Option<String>,
    /// Where a fault goes; `None`: where the answer goes.
    pub fault_to: Option<String>,
    pub relates_to: Option<String>,
    /// `wsse:Security`. Nothing in it has been checked.
    pub security: Option<Element<'d>>,
    /// The one element in the body.
    pub body: Element<'d>,
}

/// Reads an envelope.
///
/// `in_package`: the envelope is the root of an MTOM package. There, and only there, the namespace of SOAP 1.1 is
/// accepted: senders of the DMP are known to write it (TF-2 Appendix V wants 1.2).
pub fn read<'d>(document: &'d Document<'_>, in_package: bool) -> Result<Message<'d>, Fault> {
    let envelope = document.root();
    let namespace = envelope.namespace();
    match (envelope.name(), namespace) {
        ("Envelope", SOAP_1_2) => {}
        ("Envelope", SOAP_1_1) if in_package => {}
        ("Envelope", other) => return Err(Fault::version_mismatch(other)),
        (name, _) => return Err(Fault::sender(format!("the message is a {name}, not a SOAP Envelope"))),
    }
    let header = envelope.child(namespace, "Header");
    let headers: Vec<Element<'_>> = header
        .into_iter()
        .flat_map(|header| header.children())
        .filter(|block| is_for_us(block, namespace))
        .collect();
    let block = |namespace: &str, name: &str| headers.iter().find(|block| block.is(namespace, name)).copied();
    let text = |name: &str| {
        let text = block(ADDRESSING, name)?.text().trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    };
    let message_id = text("MessageID");
    let fail = |fault: Fault| fault.relating_to(message_id.clone());
    let not_understood: Vec<Element<'_>> = headers
        .iter()
        .filter(|block| must_understand(block, namespace) && !is_known(block))
        .copied()
        .collect();
    if !not_understood.is_empty() {
        return Err(fail(Fault::must_understand(&not_understood)));
    }
    for (namespace, name) in SINGLE {
        if headers.iter().filter(|block| block.is(namespace, name)).count() > 1 {
            return Err(fail(Fault::twice(name)));
        }
    }
    let endpoint = |name: &str| {
        let address = block(ADDRESSING, name)?.child(ADDRESSING, "Address")?.text().trim().to_owned();
        Some(address).filter(|address| !address.is_empty())
    };
    let reply_to = endpoint("ReplyTo").filter(|address| address != ANONYMOUS);
    Ok(Message {
        action: text("Action"),
        to: text("To"),
        relates_to: text("RelatesTo"),
        security: block(WSSE, "Security"),
        body: only_body(envelope, namespace).map_err(|reason| fail(Fault::sender(reason)))?,
        message_id,
        reply_to,
        fault_to: endpoint("FaultTo"),
    })
}

/// Headers of which a second one would leave open which of them is meant.
const SINGLE: [(&str, &str); 6] = [
    (ADDRESSING, "Action"),
    (ADDRESSING, "MessageID"),
    (ADDRESSING, "To"),
    (ADDRESSING, "ReplyTo"),
    (ADDRESSING, "FaultTo"),
    (WSSE, "Security"),
];

/// The one element of the one body: what is checked must be what is read.
fn only_body<'d>(envelope: Element<'d>, namespace: &str) -> Result<Element<'d>, &'static str> {
    let mut bodies = envelope.children_named(namespace, "Body");
    let body = bodies.next().ok_or("the SOAP Envelope has no Body")?;
    if bodies.next().is_some() {
        return Err("the SOAP Envelope has more than one Body");
    }
    let mut content = body.children();
    let first = content.next().ok_or("the SOAP Body is empty")?;
    match content.next() {
        Some(_) => Err("the SOAP Body has more than one element"),
        None => Ok(first),
    }
}

/// Whether a header is for the receiver of the message and not for a node on its way (SOAP 1.2 Part 1 §2.2).
fn is_for_us(block: &Element<'_>, soap: &str) -> bool {
    let role =
        block.attribute_ns(soap, if soap == SOAP_1_1 { "actor" } else { "role" }).map_or("", str::trim);
    role.is_empty() || role.ends_with("/next") || role.ends_with("/ultimateReceiver")
}

/// Only the attribute of SOAP's own namespace counts; samples have one without a namespace.
fn must_understand(block: &Element<'_>, soap: &str) -> bool {
    block.attribute_ns(soap, "mustUnderstand").is_some_and(|value| matches!(value.trim(), "1" | "true"))
}

fn is_known(block: &Element<'_>) -> bool {
    block.namespace() == ADDRESSING || block.is(WSSE, "Security")
}

/// The header of a message to be written.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    action: &'a str,
    message_id: Option<&'a str>,
    relates_to: Option<&'a str>,
    to: Option<&'a str>,
    /// The answer is wanted on the same connection.
    wants_answer: bool,
}

impl<'a> Header<'a> {
    /// A request that wants its answer on the same connection.
    pub fn request(action: &'a str, message_id: &'a str, to: &'a str) -> Self {
        Header { action, message_id: Some(message_id), relates_to: None, to: Some(to), wants_answer: true }
    }

    /// `relates_to`: the MessageID of the request, if it had one.
    pub fn response(action: &'a str, relates_to: Option<&'a str>) -> Self {
        Header { action, message_id: None, relates_to, to: None, wants_answer: false }
    }

    /// A response on a connection of its own (TF-2 Appendix V.5).
    pub fn delivery(action: &'a str, message_id: &'a str, relates_to: Option<&'a str>, to: &'a str) -> Self {
        Header { action, message_id: Some(message_id), relates_to, to: Some(to), wants_answer: false }
    }
}

/// An envelope; `body` writes the one element of its body.
pub fn write(header: &Header<'_>, body: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::new();
    w.open("s:Envelope", &[("xmlns:s", SOAP_1_2), ("xmlns:wsa", ADDRESSING)]).open("s:Header", &[]);
    w.element("wsa:Action", &[("s:mustUnderstand", "1")], header.action);
    if let Some(id) = header.message_id {
        w.element("wsa:MessageID", &[], id);
    }
    if header.wants_answer {
        w.open("wsa:ReplyTo", &[]).element("wsa:Address", &[], ANONYMOUS).close();
    }
    if let Some(to) = header.to {
        w.element("wsa:To", &[], to);
    }
    if let Some(relates_to) = header.relates_to {
        w.element("wsa:RelatesTo", &[], relates_to);
    }
    w.close().open("s:Body", &[]);
    body(&mut w);
    w.finish()
}

#[cfg(test)]
mod tests;
