//! From a step to the octets of a request: body, SOAP envelope, MTOM package.

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use xds::constants::ns;
use xml::{Writer, escape_attribute};

use crate::context::Context;
use crate::feed;
use crate::scenario::{Change, Encoding, Endpoint, Query, Removal, Retrieve, Start, Step};
use crate::stored_query::query_id;
use crate::submission::{self, BuiltDocument};
use crate::template::{self, ENVELOPE, edited, render};
use crate::transaction::Transaction;

const RMD: &str = "urn:ihe:iti:rmd:2017";
const BOUNDARY: &str = "conformance-test-boundary-7d3f";
const ROOT: &str = "root@conformance.test";
const ENVELOPE_TYPE: &str = "application/soap+xml";

#[derive(Debug, Clone)]
pub struct Request {
    pub to: Endpoint,
    /// A GET with this query string.
    pub get: Option<String>,
    pub content_type: String,
    pub body: Bytes,
    pub chunked: bool,
    pub expect_continue: bool,
    pub gzip: bool,
    pub accept_gzip: bool,
    /// What an answer must refer to; `None` when the request is not SOAP by the book.
    pub message: Option<Message>,
}

/// What the answer is held against.
#[derive(Debug, Clone)]
pub struct Message {
    pub transaction: Transaction,
    pub encoding: Encoding,
    /// wsa:MessageID, or MSH-10, if there is one.
    pub id: Option<String>,
}

/// Where things are.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// For `wsa:To`.
    pub to: String,
    /// For `wsa:ReplyTo`, when the step is asynchronous.
    pub reply_to: String,
}

/// `number`: of the step.
pub fn build(
    step: &Step,
    number: usize,
    addresses: impl Fn(Endpoint) -> Addresses,
    context: &mut Context,
) -> Result<Request, submission::Error> {
    let mut request = Request {
        to: endpoint(step),
        get: step.http.get.clone(),
        content_type: format!("{ENVELOPE_TYPE}; charset=UTF-8"),
        body: Bytes::new(),
        chunked: step.http.chunked,
        expect_continue: step.http.expect_continue,
        gzip: step.http.gzip,
        accept_gzip: step.http.accept_gzip,
        message: None,
    };
    if let Some(transaction) = step.send {
        let encoding = step.encoding.unwrap_or(transaction.encoding());
        let id = match transaction {
            Transaction::Iti8 => {
                let (text, id) = feed::version_2(&step.feed, number, &mut context.placeholders)?;
                request.content_type = "application/hl7-v2".into();
                request.body = text.into();
                id
            }
            _ => {
                let addresses = addresses(request.to);
                let (content_type, body, id) = soap(step, number, transaction, encoding, addresses, context)?;
                (request.content_type, request.body) = (content_type, body);
                id
            }
        };
        request.message = Some(Message { transaction, encoding, id });
    }
    let placeholders = &mut context.placeholders;
    if let Some(content_type) = &step.http.content_type {
        request.content_type = placeholders.text(content_type).map_err(template::Error::from)?;
    }
    if let Some(body) = &step.http.body {
        request.body = placeholders.xml(body).map_err(template::Error::from)?.into();
    }
    Ok(request)
}

/// Where the request of a step goes.
pub fn endpoint(step: &Step) -> Endpoint {
    step.http.to.or(step.send.map(Transaction::endpoint)).unwrap_or(Endpoint::Registry)
}

impl Request {
    /// The body as it goes over the wire.
    pub fn octets(&self) -> Bytes {
        if !self.gzip {
            return self.body.clone();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing into memory does not fail.
        let _ = encoder.write_all(&self.body);
        encoder.finish().unwrap_or_default().into()
    }
}

/// Content-Type, body, and wsa:MessageID if there is one.
fn soap(
    step: &Step,
    number: usize,
    transaction: Transaction,
    encoding: Encoding,
    addresses: Addresses,
    context: &mut Context,
) -> Result<(String, Bytes, Option<String>), submission::Error> {
    let mut action = transaction.action().to_owned();
    let (body, documents) = match transaction {
        Transaction::Iti44 => {
            let (body, own) = feed::version_3(&step.feed, number, &mut context.placeholders)?;
            action = own;
            (body, Vec::new())
        }
        _ => body(step, number, transaction, encoding, context)?,
    };
    let id = step.soap.values.get("messageId").cloned();
    let id = id.unwrap_or_else(|| format!("urn:uuid:{}", uuid::Uuid::new_v4()));
    let envelope = envelope(step, &action, &id, &addresses, body, context)?;
    let (content_type, octets) = match encoding {
        Encoding::Simple => (format!("{ENVELOPE_TYPE}; charset=UTF-8; action=\"{action}\""), envelope.into()),
        Encoding::Mtom => package(step, &action, &envelope, &documents, context)?,
    };
    let has_id = !step.soap.without.iter().any(|block| block == "messageId");
    Ok((content_type, octets, has_id.then_some(id)))
}

fn body(
    step: &Step,
    number: usize,
    transaction: Transaction,
    encoding: Encoding,
    context: &mut Context,
) -> Result<(String, Vec<BuiltDocument>), submission::Error> {
    if !transaction.submits() {
        let body = match transaction {
            Transaction::Iti43 => {
                documents("xds:RetrieveDocumentSetRequest", ns::XDS, step.retrieve.iter(), context)?
            }
            Transaction::Iti86 => {
                let named: Vec<Retrieve> = step
                    .remove
                    .iter()
                    .map(|removal| match removal {
                        Removal::Document(document) => document.clone(),
                        Removal::Name(name) => Retrieve { document: name.clone(), repository: None },
                    })
                    .collect();
                documents("rmd:RemoveDocumentsRequest", RMD, named.iter(), context)?
            }
            Transaction::Iti62 => removal(&step.remove, context)?,
            _ => query(&step.query, context)?,
        };
        return Ok((body, Vec::new()));
    }
    let built = submission::build(&step.submission, number, transaction, context)?;
    if transaction != Transaction::Iti41 {
        return Ok((built.objects, Vec::new()));
    }
    let documents: String = built
        .documents
        .iter()
        .map(|document| {
            let content = match encoding == Encoding::Simple || document.inline {
                true => STANDARD.encode(&document.octets),
                false => include(&document.name, step.package.percent_encoded),
            };
            format!("<xds:Document id=\"{}\">{content}</xds:Document>\n", escape_attribute(&document.id))
        })
        .collect();
    let body = format!(
        "<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds=\"{}\">\n{}\n{documents}\
         </xds:ProvideAndRegisterDocumentSetRequest>",
        ns::XDS,
        built.objects,
    );
    Ok((body, built.documents))
}

fn include(document: &str, percent_encoded: bool) -> String {
    let id = content_id(document);
    let url = match percent_encoded {
        true => utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string(),
        false => id,
    };
    format!("<xop:Include xmlns:xop=\"{}\" href=\"cid:{url}\"/>", ns::XOP)
}

fn content_id(document: &str) -> String {
    format!("{document}@conformance.test")
}

fn query(query: &Query, context: &mut Context) -> Result<String, template::Error> {
    let id = query_id(&query.id);
    let mut w = Writer::new();
    w.open("query:AdhocQueryRequest", &[("xmlns:query", ns::QUERY), ("xmlns:rim", ns::RIM)]);
    w.empty("query:ResponseOption", &[("returnComposedObjects", "true"), ("returnType", &query.return_type)]);
    w.open("rim:AdhocQuery", &[("id", id)]);
    let of_patient = || {
        let patient = ["$XDSDocumentEntryPatientId", "'{{patient}}'"];
        let status = ["$XDSDocumentEntryStatus", "('{{approved}}')"];
        [patient, status].map(|slot| slot.map(str::to_owned).to_vec()).to_vec()
    };
    for slot in query.slots.clone().unwrap_or_else(of_patient).iter().chain(&query.and) {
        let (name, values) =
            slot.split_first().map_or(("", &[][..]), |(name, values)| (name.as_str(), values));
        w.open("rim:Slot", &[("name", name)]).open("rim:ValueList", &[]);
        for value in values {
            w.element("rim:Value", &[], &context.placeholders.text(value)?);
        }
        w.close().close();
    }
    Ok(w.finish())
}

/// A list of DocumentRequests.
fn documents<'a>(
    element: &'static str,
    namespace: &str,
    documents: impl Iterator<Item = &'a Retrieve>,
    context: &mut Context,
) -> Result<String, template::Error> {
    let mut w = Writer::new();
    let (prefix, _) = element.split_once(':').unwrap_or((element, ""));
    let own = format!("xmlns:{prefix}");
    match namespace == ns::XDS {
        true => w.open(element, &[("xmlns:xds", ns::XDS)]),
        false => w.open(element, &[(&own, namespace), ("xmlns:xds", ns::XDS)]),
    };
    for document in documents {
        let unique_id = match context.objects.get(&document.document) {
            Some(sent) => sent.entry.value("uniqueId").to_owned(),
            None => context.placeholders.text(&document.document)?,
        };
        let repository = document.repository.as_deref().unwrap_or("{{repository}}");
        w.open("xds:DocumentRequest", &[]);
        w.element("xds:RepositoryUniqueId", &[], &context.placeholders.text(repository)?);
        w.element("xds:DocumentUniqueId", &[], &unique_id);
        w.close();
    }
    Ok(w.finish())
}

fn removal(objects: &[Removal], context: &mut Context) -> Result<String, template::Error> {
    let mut w = Writer::new();
    w.open("lcm:RemoveObjectsRequest", &[("xmlns:lcm", ns::LCM), ("xmlns:rim", ns::RIM)]);
    w.open("rim:ObjectRefList", &[]);
    for object in objects {
        let name = match object {
            Removal::Name(name) => name,
            Removal::Document(document) => &document.document,
        };
        let id = context.placeholders.text(&context.id(name))?;
        w.empty("rim:ObjectRef", &[("id", &id)]);
    }
    Ok(w.finish())
}

fn envelope(
    step: &Step,
    action: &str,
    message_id: &str,
    addresses: &Addresses,
    body: String,
    context: &mut Context,
) -> Result<String, template::Error> {
    const BODY: &str = "(the body)";
    const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
    let reply_to = if step.asynchronous { addresses.reply_to.as_str() } else { ANONYMOUS };
    let own = [
        ("action", action),
        ("messageId", message_id),
        ("replyTo", reply_to),
        ("to", &addresses.to),
        ("body", BODY),
    ];
    let own: BTreeMap<String, String> = own.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let change = Change { edit: Vec::new(), ..step.soap.clone() };
    let envelope = render(ENVELOPE, &change, &own, &mut context.placeholders)?;
    // Last, so that nothing inside the body is taken for a part of the template.
    edited(envelope.replace(BODY, &body), &step.soap.edit, &mut context.placeholders)
}

/// TF-2 Appendix V.9.3.
fn package(
    step: &Step,
    action: &str,
    envelope: &str,
    documents: &[BuiltDocument],
    context: &mut Context,
) -> Result<(String, Bytes), template::Error> {
    let root_type = format!("application/xop+xml; charset=UTF-8; type=\"{ENVELOPE_TYPE}\"");
    let envelope = edited(envelope.to_owned(), &step.package.edit, &mut context.placeholders)?;
    let mut parts = vec![(root_type.as_str(), ROOT.to_owned(), Bytes::from(envelope))];
    for document in documents.iter().filter(|d| !d.inline && !step.package.without.contains(&d.name)) {
        // Not the document's mimeType, which only metadata tell.
        parts.push(("application/octet-stream", content_id(&document.name), document.octets.clone()));
    }
    if step.package.root_last {
        parts.rotate_left(1);
    }
    let mut body = Vec::new();
    for (content_type, id, octets) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: <{id}>\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&octets);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let start = match step.package.start {
        Start::Brackets => format!(" start=\"<{ROOT}>\";"),
        Start::Bare => format!(" start=\"{ROOT}\";"),
        Start::Absent => String::new(),
    };
    let content_type = format!(
        "multipart/related; boundary=\"{BOUNDARY}\"; type=\"application/xop+xml\";{start} \
         start-info=\"{ENVELOPE_TYPE}\"; action=\"{action}\""
    );
    Ok((content_type, body.into()))
}
