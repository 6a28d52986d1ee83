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
    let headers: Vec<Element<'_>> = header.into_iter().flat_map(|header| header.children()).collect();
    let not_understood: Vec<Element<'_>> =
        headers.iter().filter(|block| must_understand(block, namespace) && !is_known(block)).copied().collect();
    let text = |name: &str| {
        let block = headers.iter().find(|block| block.is(ADDRESSING, name))?;
        Some(block.text().trim().to_owned()).filter(|text| !text.is_empty())
    };
    let message_id = text("MessageID");
    if !not_understood.is_empty() {
        return Err(Fault::must_understand(&not_understood).relating_to(message_id));
    }
    let fail = |reason: &str| Fault::sender(reason).relating_to(message_id.clone());
    let body = envelope.child(namespace, "Body").ok_or_else(|| fail("the SOAP Envelope has no Body"))?;
    let mut content = body.children();
    let first = content.next().ok_or_else(|| fail("the SOAP Body is empty"))?;
    if content.next().is_some() {
        return Err(fail("the SOAP Body has more than one element"));
    }
    let reply_to = headers
        .iter()
        .find(|block| block.is(ADDRESSING, "ReplyTo"))
        .and_then(|block| block.child(ADDRESSING, "Address"))
        .map(|address| address.text().trim().to_owned())
        .filter(|address| !address.is_empty() && address != ANONYMOUS);
    Ok(Message {
        action: text("Action"),
        to: text("To"),
        relates_to: text("RelatesTo"),
        security: headers.iter().find(|block| block.is(WSSE, "Security")).copied(),
        message_id,
        reply_to,
        body: first,
    })
}

/// Only the attribute of SOAP's own namespace counts; samples have one without a namespace.
fn must_understand(block: &Element<'_>, soap: &str) -> bool {
    block.attribute_ns(soap, "mustUnderstand").is_some_and(|value| matches!(value.trim(), "1" | "true"))
        && is_for_us(block, soap)
}

/// SOAP 1.2 Part 1 §2.2: a block without a role is for the last receiver, and so are two roles of SOAP itself.
fn is_for_us(block: &Element<'_>, soap: &str) -> bool {
    match block.attribute_ns(soap, "role").or_else(|| block.attribute_ns(soap, "actor")) {
        None | Some("") => true,
        Some(role) => matches!(role.strip_prefix(soap), Some("/role/next" | "/role/ultimateReceiver")),
    }
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
}

impl<'a> Header<'a> {
    /// A request that wants its answer on the same connection.
    pub fn request(action: &'a str, message_id: &'a str, to: &'a str) -> Self {
        Header { action, message_id: Some(message_id), relates_to: None, to: Some(to) }
    }

    /// `relates_to`: the MessageID of the request, if it had one.
    pub fn response(action: &'a str, relates_to: Option<&'a str>) -> Self {
        Header { action, message_id: None, relates_to, to: None }
    }
}

/// An envelope; `body` writes the one element of its body.
pub fn write(header: &Header<'_>, body: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::new();
    w.open("s:Envelope", &[("xmlns:s", SOAP_1_2), ("xmlns:wsa", ADDRESSING)]).open("s:Header", &[]);
    w.element("wsa:Action", &[("s:mustUnderstand", "1")], header.action);
    if let Some(id) = header.message_id {
        w.element("wsa:MessageID", &[], id);
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
