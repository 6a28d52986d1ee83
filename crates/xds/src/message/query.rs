use xml::{Element, Writer};

use super::response::write_error_list;
use super::{MessageError, ReceivedResponse, ResponseStatus, expect};
use crate::constants::ns::{QUERY, RIM, RS};
use crate::ebxml::{Association, ExtrinsicObject, RegistryPackage};
use crate::error::Finding;
use crate::value::uuid_urn;

/// What ITI-18 answers with.
pub enum QueryResult {
    /// `entryUUID`s.
    ObjectRefs(Vec<uuid::Uuid>),
    /// Complete objects as ebXML, ready to copy; the prefix `rim` is declared around them.
    Objects(String),
}

/// `query:AdhocQueryResponse`; the object list is written even when it is empty. With an error among the findings
/// the status is Failure and the list stays empty, whatever the result holds (TF-2 §3.18.4.1.3).
pub fn write_query_response(w: &mut Writer, findings: &[Finding], result: &QueryResult) {
    let status = ResponseStatus::of(findings);
    let attributes = [("xmlns:query", QUERY), ("xmlns:rim", RIM), ("xmlns:rs", RS), ("status", status.urn())];
    w.open("query:AdhocQueryResponse", &attributes);
    write_error_list(w, findings);
    w.open("rim:RegistryObjectList", &[]);
    match (status, result) {
        (ResponseStatus::Failure, _) => {}
        (_, QueryResult::Objects(objects)) => {
            w.raw(objects);
        }
        (_, QueryResult::ObjectRefs(ids)) => {
            for id in ids {
                w.empty("rim:ObjectRef", &[("id", &uuid_urn(*id))]);
            }
        }
    }
    w.close().close();
}

/// A `query:AdhocQueryResponse` as a client receives it, objects of each kind in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedQuery {
    pub response: ReceivedResponse,
    pub documents: Vec<ExtrinsicObject>,
    /// SubmissionSets and Folders.
    pub packages: Vec<RegistryPackage>,
    pub associations: Vec<Association>,
    /// `ObjectRef/@id` as sent.
    pub object_refs: Vec<String>,
}

/// Reads a `query:AdhocQueryResponse`. A missing object list reads as an empty one: servers leave it out on failure.
pub fn read_query_response(body: Element<'_>) -> Result<ReceivedQuery, MessageError> {
    expect(body, QUERY, "AdhocQueryResponse")?;
    let response = ReceivedResponse::read(body)?;
    let mut received = ReceivedQuery {
        response,
        documents: Vec::new(),
        packages: Vec::new(),
        associations: Vec::new(),
        object_refs: Vec::new(),
    };
    let lists = body.children_named(RIM, "RegistryObjectList");
    for object in lists.flat_map(|list| list.children()).filter(|object| object.namespace() == RIM) {
        match object.name() {
            "ExtrinsicObject" => received.documents.push(ExtrinsicObject::read(object)?),
            "RegistryPackage" => received.packages.push(RegistryPackage::read(object)?),
            "Association" => received.associations.push(Association::read(object)?),
            "ObjectRef" => received.object_refs.extend(object.attribute("id").map(str::to_owned)),
            _ => {}
        }
    }
    Ok(received)
}
