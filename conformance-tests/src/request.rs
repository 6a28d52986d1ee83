//! From a step to the octets of a request: body, SOAP envelope, MTOM package.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use xds::constants::{QUERY_FIND_DOCUMENTS, QUERY_GET_DOCUMENTS, action, ns};
use xml::{Writer, escape_attribute};

use crate::context::Context;
use crate::scenario::{Change, Encoding, Endpoint, Query, Retrieve, Start, Step, Transaction};
use crate::submission::{self, BuiltDocument};
use crate::template::{self, ENVELOPE, edited, render};

const BOUNDARY: &str = "conformance-test-boundary-7d3f";
const ROOT: &str = "root@conformance.test";
const ENVELOPE_TYPE: &str = "application/soap+xml";

pub struct Request {
    pub to: Endpoint,
    /// A GET with this query string.
    pub get: Option<String>,
    pub content_type: String,
    pub body: Bytes,
    pub chunked: bool,
    pub expect_continue: bool,
    /// What an answer must refer to; `None` when the request is not SOAP by the book.
    pub message: Option<Message>,
}

/// What the answer is held against.
#[derive(Debug, Clone)]
pub struct Message {
    pub transaction: Transaction,
    pub encoding: Encoding,
    /// wsa:MessageID, if there is one.
    pub id: Option<String>,
}

impl Transaction {
    pub fn action(self) -> &'static str {
        match self {
            Transaction::Iti18 => action::ITI_18,
            Transaction::Iti41 => action::ITI_41,
            Transaction::Iti42 => action::ITI_42,
            Transaction::Iti43 => action::ITI_43,
        }
    }

    /// TF-2 Appendix V.8.1.
    pub fn encoding(self) -> Encoding {
        match self {
            Transaction::Iti18 | Transaction::Iti42 => Encoding::Simple,
            Transaction::Iti41 | Transaction::Iti43 => Encoding::Mtom,
        }
    }

    fn endpoint(self) -> Endpoint {
        match self {
            Transaction::Iti18 | Transaction::Iti42 => Endpoint::Registry,
            Transaction::Iti41 | Transaction::Iti43 => Endpoint::Repository,
        }
    }
}

/// `number`: of the step; `url`: of an endpoint, for `wsa:To`.
pub fn build(
    step: &Step,
    number: usize,
    url: impl Fn(Endpoint) -> String,
    context: &mut Context,
) -> Result<Request, submission::Error> {
    let mut request = Request {
        to: step.http.to.or(step.send.map(Transaction::endpoint)).unwrap_or(Endpoint::Registry),
        get: step.http.get.clone(),
        content_type: format!("{ENVELOPE_TYPE}; charset=UTF-8"),
        body: Bytes::new(),
        chunked: step.http.chunked,
        expect_continue: step.http.expect_continue,
        message: None,
    };
    if let Some(transaction) = step.send {
        let encoding = step.encoding.unwrap_or(transaction.encoding());
        let (body, documents) = body(step, number, transaction, encoding, context)?;
        let id = step.soap.values.get("messageId").cloned();
        let id = id.unwrap_or_else(|| format!("urn:uuid:{}", uuid::Uuid::new_v4()));
        let envelope = envelope(step, transaction, &id, &url(request.to), body, context)?;
        let action = transaction.action();
        (request.content_type, request.body) = match encoding {
            Encoding::Simple => {
                (format!("{ENVELOPE_TYPE}; charset=UTF-8; action=\"{action}\""), envelope.into())
            }
            Encoding::Mtom => package(step, action, &envelope, &documents, context)?,
        };
        let has_id = !step.soap.without.iter().any(|block| block == "messageId");
        request.message = Some(Message { transaction, encoding, id: has_id.then_some(id) });
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

fn body(
    step: &Step,
    number: usize,
    transaction: Transaction,
    encoding: Encoding,
    context: &mut Context,
) -> Result<(String, Vec<BuiltDocument>), submission::Error> {
    match transaction {
        Transaction::Iti18 => Ok((query(&step.query, context)?, Vec::new())),
        Transaction::Iti43 => Ok((retrieve(&step.retrieve, context)?, Vec::new())),
        Transaction::Iti42 => {
            let built = submission::build(&step.submission, number, transaction, context)?;
            Ok((built.objects, Vec::new()))
        }
        Transaction::Iti41 => {
            let built = submission::build(&step.submission, number, transaction, context)?;
            let documents: String = built
                .documents
                .iter()
                .map(|document| {
                    let content = match encoding == Encoding::Simple || document.inline {
                        true => STANDARD.encode(&document.octets),
                        false => include(&document.name, step.package.percent_encoded),
                    };
                    format!(
                        "<xds:Document id=\"{}\">{content}</xds:Document>\n",
                        escape_attribute(&document.id)
                    )
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
    }
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
    let id = match query.id.as_str() {
        "FindDocuments" => QUERY_FIND_DOCUMENTS,
        "GetDocuments" => QUERY_GET_DOCUMENTS,
        other => other,
    };
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

fn retrieve(documents: &[Retrieve], context: &mut Context) -> Result<String, template::Error> {
    let mut w = Writer::new();
    w.open("xds:RetrieveDocumentSetRequest", &[("xmlns:xds", ns::XDS)]);
    for document in documents {
        let unique_id = match context.documents.get(&document.document) {
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

fn envelope(
    step: &Step,
    transaction: Transaction,
    message_id: &str,
    to: &str,
    body: String,
    context: &mut Context,
) -> Result<String, template::Error> {
    const BODY: &str = "(the body)";
    let own = [("action", transaction.action()), ("messageId", message_id), ("to", to), ("body", BODY)];
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
