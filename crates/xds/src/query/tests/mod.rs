mod documents;
mod others;
mod requests;

use uuid::Uuid;

use super::*;
use crate::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE};
use crate::metadata::{Availability, DocumentType};
use crate::value::Cx;

const PATIENT: &str = "'1234^^^&1.2.250.1.213.1.4.10&ISO'";
const APPROVED: &str = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')";
const UUID_URN: &str = "('urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf')";
const MISSING: ErrorCode = ErrorCode::XDSStoredQueryMissingParam;
const NUMBER: ErrorCode = ErrorCode::XDSStoredQueryParamNumber;

fn request(id: &str, parameters: &[(&str, &[&str])]) -> Request {
    let parameters = parameters
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()));
    Request {
        id: id.to_owned(),
        return_type: "LeafClass".to_owned(),
        home: None,
        parameters: parameters.collect(),
    }
}

/// FindDocuments with its required parameters and `more`.
fn find_request(more: &[(&str, &[&str])]) -> Request {
    let required: [(&str, &[&str]); 2] =
        [("$XDSDocumentEntryPatientId", &[PATIENT]), ("$XDSDocumentEntryStatus", &[APPROVED])];
    request(QUERY_FIND_DOCUMENTS, &[&required, more].concat())
}

fn find(more: &[(&str, &[&str])]) -> Result<DocumentFilter, Vec<Finding>> {
    match find_request(more).parse()?.kind {
        QueryKind::FindDocuments(find) => Ok(find.filter),
        other => panic!("{other:?}"),
    }
}

fn get(parameters: &[(&str, &[&str])]) -> Result<ObjectIds, Vec<Finding>> {
    match request(QUERY_GET_DOCUMENTS, parameters).parse()?.kind {
        QueryKind::GetDocuments(ids) => Ok(ids),
        other => panic!("{other:?}"),
    }
}

/// (code, parameter) of each finding.
fn refused<T: std::fmt::Debug>(result: Result<T, Vec<Finding>>) -> Vec<(ErrorCode, String)> {
    let name = |finding: &Finding| finding.context.split_once(':').unwrap().0.to_owned();
    result.unwrap_err().iter().map(|finding| (finding.code, name(finding))).collect()
}

fn one(code: ErrorCode, name: &str) -> Vec<(ErrorCode, String)> {
    vec![(code, name.to_owned())]
}

fn several(id: &str, parameters: &[(&str, &[&str])]) -> Result<QueryKind, Vec<Finding>> {
    request(id, parameters).parse_for(Transaction::Iti51).map(|query| query.kind)
}

fn entry() -> Uuid {
    "08a15a6f-5b4a-42de-8f95-89474f83abdf".parse().unwrap()
}
