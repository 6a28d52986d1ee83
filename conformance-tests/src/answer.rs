//! An answer taken apart: package, envelope, registry response.

use std::collections::HashMap;

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::percent_decode_str;
use xds::constants::ns;
use xml::{Document, Element, Limits};

use crate::entry::{Entry, flaws};
use crate::scenario::Encoding;
use crate::wire::Received;

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const HL7: &str = "urn:hl7-org:v3";
const WSA: &str = "http://www.w3.org/2005/08/addressing";

/// A SOAP answer.
#[derive(Debug)]
pub struct Answer {
    pub encoding: Encoding,
    pub action: Option<String>,
    pub action_must_be_understood: bool,
    pub relates_to: Option<String>,
    pub body: Body,
}

#[derive(Debug)]
pub enum Body {
    Fault {
        code: String,
        reason: String,
    },
    Response(Response),
    /// Of a feed message.
    Acknowledgement(Acknowledgement),
}

#[derive(Debug)]
pub struct Acknowledgement {
    pub code: String,
    /// The message that is acknowledged.
    pub of: String,
    pub reason: String,
}

/// A registry response in any of its three elements.
#[derive(Debug, Default)]
pub struct Response {
    /// Local name of the body element.
    pub element: String,
    /// Last segment of the URN.
    pub status: String,
    pub errors: Vec<RegistryError>,
    pub entries: Vec<Entry>,
    pub object_refs: Vec<String>,
    pub documents: Vec<Retrieved>,
    /// Whether an AdhocQueryResponse has the object list that its schema asks for.
    pub has_object_list: bool,
    /// What its objects lack.
    pub flaws: Vec<String>,
}

#[derive(Debug)]
pub struct RegistryError {
    pub code: String,
    pub context: String,
    pub location: String,
    pub is_warning: bool,
}

#[derive(Debug)]
pub struct Retrieved {
    pub repository: String,
    pub unique_id: String,
    pub mime_type: String,
    pub new_repository: Option<String>,
    pub new_unique_id: Option<String>,
    pub octets: Bytes,
}

impl Retrieved {
    /// A part of the DocumentResponse by its element's name; `content` is the document as text.
    pub fn part(&self, name: &str) -> Option<String> {
        match name {
            "RepositoryUniqueId" => Some(self.repository.clone()),
            "DocumentUniqueId" => Some(self.unique_id.clone()),
            "NewRepositoryUniqueId" => self.new_repository.clone(),
            "NewDocumentUniqueId" => self.new_unique_id.clone(),
            "mimeType" => Some(self.mime_type.clone()),
            "content" => Some(String::from_utf8_lossy(&self.octets).into_owned()),
            _ => None,
        }
    }
}

/// Why an answer is not one: for the report.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

fn unreadable(what: impl std::fmt::Display) -> Unreadable {
    Unreadable(what.to_string())
}

impl Answer {
    pub async fn read(received: &Received) -> Result<Answer, Unreadable> {
        let media = received.content_type.to_ascii_lowercase();
        let (encoding, root, parts) = if media.starts_with("multipart/related") {
            let (root, parts) = unpack(&received.content_type, &received.body).await?;
            (Encoding::Mtom, root, parts)
        } else if media.starts_with("application/soap+xml") {
            (Encoding::Simple, received.body.clone(), HashMap::new())
        } else if media == "application/hl7-v2" {
            return Ok(read_version_2(&String::from_utf8_lossy(&received.body)));
        } else {
            return Err(unreadable(format!("HTTP {}, Content-Type \"{media}\"", received.status)));
        };
        let text = xml::decode(&root).map_err(unreadable)?;
        let limits = Limits { bytes: usize::MAX, ..Limits::default() };
        let document =
            Document::parse(&text, &limits).map_err(|e| unreadable(format!("the envelope: {e}")))?;
        let envelope = document.root();
        if !envelope.is(SOAP, "Envelope") {
            return Err(unreadable("the answer is not a SOAP 1.2 envelope"));
        }
        let header = |name| envelope.path(SOAP, &["Header"]).and_then(|header| header.child(WSA, name));
        let text = |element: Element<'_>| element.text().trim().to_owned();
        let body = envelope.child(SOAP, "Body").and_then(|body| body.children().next());
        let understood = |action: Element<'_>| action.attribute_ns(SOAP, "mustUnderstand").map(str::to_owned);
        Ok(Answer {
            encoding,
            action: header("Action").map(text),
            action_must_be_understood: header("Action")
                .and_then(understood)
                .is_some_and(|value| value == "1" || value == "true"),
            relates_to: header("RelatesTo").map(text),
            body: match body {
                None => return Err(unreadable("the SOAP body is empty")),
                Some(fault) if fault.is(SOAP, "Fault") => read_fault(fault),
                Some(element) if element.is(HL7, "MCCI_IN000002UV01") => read_version_3(element),
                Some(element) => Body::Response(Response::read(element, &parts)?),
            },
        })
    }
}

fn read_fault(fault: Element<'_>) -> Body {
    let text = |path: &[&str]| fault.path(SOAP, path).map(|e| e.text().trim().to_owned()).unwrap_or_default();
    let code = text(&["Code", "Value"]);
    Body::Fault {
        code: code.rsplit(':').next().unwrap_or_default().to_owned(),
        reason: text(&["Reason", "Text"]),
    }
}

fn read_version_2(text: &str) -> Answer {
    let segment = |name: &str| -> Vec<&str> {
        let line = text.split('\r').find(|line| line.starts_with(name)).unwrap_or_default();
        line.split('|').collect()
    };
    let field = |segment: &[&str], number: usize| segment.get(number).copied().unwrap_or_default().to_owned();
    let (msa, err) = (segment("MSA"), segment("ERR"));
    Answer {
        encoding: Encoding::Simple,
        action: None,
        action_must_be_understood: true,
        relates_to: None,
        body: Body::Acknowledgement(Acknowledgement {
            code: field(&msa, 1),
            of: field(&msa, 2),
            reason: err.join("|"),
        }),
    }
}

fn read_version_3(element: Element<'_>) -> Body {
    let acknowledgement = element.child(HL7, "acknowledgement");
    let attribute = |path: &[&str], name: &str| {
        let element = acknowledgement.and_then(|acknowledgement| acknowledgement.path(HL7, path));
        element.and_then(|element| element.attribute(name)).unwrap_or_default().to_owned()
    };
    Body::Acknowledgement(Acknowledgement {
        code: attribute(&["typeCode"], "code"),
        of: attribute(&["targetMessage", "id"], "root"),
        reason: acknowledgement
            .and_then(|a| a.path(HL7, &["acknowledgementDetail", "text"]))
            .map(|text| text.text().trim().to_owned())
            .unwrap_or_default(),
    })
}

impl Response {
    fn read(element: Element<'_>, parts: &HashMap<String, Bytes>) -> Result<Response, Unreadable> {
        let known = [
            (ns::RS, "RegistryResponse"),
            (ns::QUERY, "AdhocQueryResponse"),
            (ns::XDS, "RetrieveDocumentSetResponse"),
        ];
        if !known.iter().any(|(namespace, name)| element.is(namespace, name)) {
            return Err(unreadable(format!("unexpected body {element:?}")));
        }
        let outcome = element.child(ns::RS, "RegistryResponse").unwrap_or(element);
        let errors = outcome.path(ns::RS, &["RegistryErrorList"]);
        let objects = element.child(ns::RIM, "RegistryObjectList");
        let list = objects.into_iter().flat_map(|list| list.children());
        let mut response = Response {
            element: element.name().to_owned(),
            status: last_segment(outcome.attribute("status")),
            errors: errors
                .iter()
                .flat_map(|list| list.children_named(ns::RS, "RegistryError"))
                .map(error)
                .collect(),
            has_object_list: objects.is_some(),
            ..Response::default()
        };
        for object in list {
            match object.name() {
                "ExtrinsicObject" | "RegistryPackage" | "Association" => {
                    response.entries.push(Entry::read(object));
                    response.flaws.extend(flaws(object));
                }
                "ObjectRef" => response.object_refs.extend(object.attribute("id").map(str::to_owned)),
                _ => {}
            }
        }
        for document in element.children_named(ns::XDS, "DocumentResponse") {
            response.documents.push(retrieved(document, parts)?);
        }
        Ok(response)
    }
}

fn error(error: Element<'_>) -> RegistryError {
    let attribute = |name| error.attribute(name).unwrap_or_default().to_owned();
    RegistryError {
        code: attribute("errorCode"),
        context: attribute("codeContext"),
        location: attribute("location"),
        is_warning: last_segment(error.attribute("severity")) == "Warning",
    }
}

fn last_segment(urn: Option<&str>) -> String {
    urn.and_then(|urn| urn.rsplit(':').next()).unwrap_or_default().to_owned()
}

fn retrieved(element: Element<'_>, parts: &HashMap<String, Bytes>) -> Result<Retrieved, Unreadable> {
    let child = |name| element.child(ns::XDS, name).map(|e| e.text().trim().to_owned());
    let text = |name| child(name).unwrap_or_default();
    let document =
        element.child(ns::XDS, "Document").ok_or_else(|| unreadable("a DocumentResponse has no Document"))?;
    let octets = match document.child(ns::XOP, "Include") {
        Some(include) => {
            let href = include.attribute("href").unwrap_or_default();
            let id = percent_decode_str(href.trim_start_matches("cid:")).decode_utf8_lossy();
            let part = parts.get(&*id);
            part.cloned().ok_or_else(|| unreadable(format!("the package has no part for {href}")))?
        }
        None => {
            let compact: Vec<u8> =
                document.text().bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(compact).map_err(|e| unreadable(format!("a Document is not base64: {e}")))?.into()
        }
    };
    Ok(Retrieved {
        repository: text("RepositoryUniqueId"),
        unique_id: text("DocumentUniqueId"),
        mime_type: text("mimeType"),
        new_repository: child("NewRepositoryUniqueId"),
        new_unique_id: child("NewDocumentUniqueId"),
        octets,
    })
}

/// The root part, and the others by Content-ID.
pub async fn unpack(content_type: &str, body: &Bytes) -> Result<(Bytes, HashMap<String, Bytes>), Unreadable> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(content_type).map_err(unreadable)?;
    headers.insert(CONTENT_TYPE, value);
    let payload = stream::iter([Ok(body.clone())]);
    let mut package = Multipart::new(&headers, payload);
    let mut parts = HashMap::new();
    let mut first = None;
    while let Some(field) = package.next().await {
        let mut field = field.map_err(|e| unreadable(format!("the MTOM package: {e}")))?;
        let id = field.headers().get("Content-ID").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let id = id.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
        let mut octets = Vec::new();
        while let Some(bytes) =
            field.try_next().await.map_err(|e| unreadable(format!("a part of the MTOM package: {e}")))?
        {
            octets.extend_from_slice(&bytes);
        }
        first.get_or_insert_with(|| id.clone());
        parts.insert(id, Bytes::from(octets));
    }
    let start = parameter(content_type, "start");
    let root = start.map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned()).or(first);
    let root = root.and_then(|id| parts.get(&id).cloned());
    Ok((root.ok_or_else(|| unreadable("the MTOM package has no root part"))?, parts))
}

/// A parameter of a Content-Type; a `;` inside quotes does not occur in those that are asked for.
fn parameter(content_type: &str, name: &str) -> Option<String> {
    content_type.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}
