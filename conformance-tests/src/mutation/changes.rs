//! Changes that several mutations make, or that need more than a line.

use awc::http::StatusCode;
use bytes::Bytes;

use super::edit::*;
use crate::request::Request;
use crate::scenario::Encoding;
use crate::transaction::Transaction;
use crate::wire::Received;

use Transaction::*;

pub const SUCCESS: &str = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success";

pub type Edit = fn(&str) -> Option<String>;

/// The answer with other text.
pub fn edited(received: &Received, edit: Edit) -> Option<Received> {
    let body = octets(&edit(&text(&received.body))?);
    Some(Received { body, ..received.clone() })
}

/// The request with other text, if it is one of these transactions.
pub fn of(
    request: &Request,
    transactions: &[Transaction],
    edit: impl Fn(&str) -> Option<String>,
) -> Option<Request> {
    is_of(request, transactions).then_some(())?;
    let body = octets(&edit(&text(&request.body))?);
    Some(Request { body, ..request.clone() })
}

pub fn is_of(request: &Request, transactions: &[Transaction]) -> bool {
    request.message.as_ref().is_some_and(|message| transactions.contains(&message.transaction))
}

pub fn is_submission(request: &Request) -> bool {
    is_of(request, &[Iti41, Iti42])
}

/// The query without that parameter, if it is this one.
pub fn without_parameter(request: &Request, query: &str, parameter: &str) -> Option<Request> {
    of(request, &[Iti18, Iti51], |text| {
        let asked = elements(text, "AdhocQuery").into_iter().next()?;
        text[asked.clone()].contains(query).then_some(())?;
        let named = format!("name=\"{parameter}\"");
        let mut rest = without_element(text, "Slot", |slot| slot.contains(&named))?;
        while let Some(less) = without_element(&rest, "Slot", |slot| slot.contains(&named)) {
            rest = less;
        }
        Some(rest)
    })
}

pub fn slot(text: &str, object: &str, name: &str, value: impl Fn(&str) -> String) -> Option<String> {
    let mark = format!("name=\"{name}\"");
    change_element(text, object, |object| {
        change_element(object, "Slot", |slot| {
            slot.contains(&mark).then(|| change_element(slot, "Value", |v| with_text(v, &value))).flatten()
        })
    })
}

pub fn other_code(error: &str) -> Option<String> {
    with_attribute(error, "errorCode", |code| match code {
        "XDSRegistryError" => "XDSRepositoryError".to_owned(),
        _ => "XDSRegistryError".to_owned(),
    })
}

pub fn twice(element: &str) -> Option<String> {
    Some(element.repeat(2))
}

pub fn attribute_lost(element: &str, name: &str) -> Option<String> {
    let tag_end = element.find('>')?;
    let start = element[..tag_end].find(&format!(" {name}=\""))?;
    let value = start + name.len() + 3;
    let end = value + element[value..].find('"')? + 1;
    Some([&element[..start], &element[end..]].concat())
}

pub fn with_id(element: &str) -> Option<&str> {
    let start = element.find(" id=\"")? + 5;
    Some(&element[start..start + element[start..].find('"')?])
}

pub fn other_status(received: &Received) -> Option<Received> {
    let status = if received.status == StatusCode::OK { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    Some(Received { status, ..received.clone() })
}

pub fn other_type(received: &Received) -> Option<Received> {
    Some(Received { content_type: "text/plain".into(), ..received.clone() })
}

pub fn empty(received: &Received) -> Option<Received> {
    (!received.body.is_empty()).then(|| Received { body: Bytes::new(), ..received.clone() })
}

/// The root part alone.
pub fn unpacked(received: &Received) -> Option<Received> {
    received.content_type.starts_with("multipart/").then_some(())?;
    let text = text(&received.body);
    let envelope = elements(&text, "Envelope").into_iter().next()?;
    let content_type = "application/soap+xml; charset=UTF-8".into();
    Some(Received { content_type, body: octets(&text[envelope]), ..received.clone() })
}

/// Of the last part of a package.
pub fn other_octet(received: &Received) -> Option<Received> {
    received.content_type.starts_with("multipart/").then_some(())?;
    let text = text(&received.body);
    elements(&text, "DocumentResponse").first()?;
    let start = text.rfind("\r\n\r\n")? + 4;
    // An empty document has no octet.
    (!text[start..].starts_with("\r\n--")).then_some(())?;
    let mut body = received.body.to_vec();
    let place = text[..start].chars().count();
    *body.get_mut(place)? ^= 1;
    Some(Received { body: body.into(), ..received.clone() })
}

/// Success, in the form in which the request came.
pub fn success(request: &Request) -> Option<Received> {
    let message = request.message.as_ref()?;
    if message.transaction == Iti8 {
        let ack = format!("MSH|^~\\&|||||20240101||ACK|1|P|2.3.1\rMSA|AA|{}\r", message.id.as_deref()?);
        return Some(received("application/hl7-v2".into(), ack));
    }
    let action = message.transaction.response_actions().into_iter().next()?;
    let relates_to = message.id.as_deref().unwrap_or_default();
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">\
         <s:Header><a:Action s:mustUnderstand=\"1\">{action}</a:Action><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header>\
         <s:Body><rs:RegistryResponse xmlns:rs=\"{}\" status=\"{SUCCESS}\"/></s:Body></s:Envelope>",
        xds::constants::ns::RS
    );
    if message.encoding == Encoding::Simple {
        return Some(received("application/soap+xml; charset=UTF-8".into(), envelope));
    }
    let part = "Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\nContent-ID: <root>\r\n\r\n";
    let content_type = "multipart/related; boundary=\"b\"; type=\"application/xop+xml\"; start=\"<root>\"; start-info=\"application/soap+xml\"";
    Some(received(content_type.into(), format!("--b\r\n{part}{envelope}\r\n--b--\r\n")))
}

pub fn received(content_type: String, body: String) -> Received {
    Received { status: StatusCode::OK, content_type, content_encoding: String::new(), body: body.into() }
}
