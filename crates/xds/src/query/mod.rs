//! Registry Stored Query (ITI-18, TF-2 §3.18): from `query:AdhocQueryRequest` to typed parameters.
//!
//! [`Request`] is what was asked for, word for word; [`Request::parse`] reads it by the rules of the stored query that
//! it names. A further stored query is one file with its parameters, one variant of [`QueryKind`] and one row of
//! [`STORED_QUERIES`].

mod build;
pub mod find_documents;
pub mod get_documents;
mod parameter;
mod syntax;
#[cfg(test)]
mod tests;
mod wire;

use crate::constants::{QUERY_FIND_DOCUMENTS, QUERY_GET_DOCUMENTS};
use crate::error::{ErrorCode, Finding};
pub use crate::metadata::AvailabilityStatus as Status;
use crate::value::{Dtm, parse_uuid_urn};
use parameter::{Parameters, Reported};

pub use find_documents::FindDocuments;
pub use get_documents::DocumentIds;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnType {
    ObjectRef,
    LeafClass,
}

/// A query as received: enough to trace it, whatever else is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `AdhocQuery/@id` as sent.
    pub id: String,
    pub return_type: String,
    pub home: Option<String>,
    /// Parameters in order; a name may repeat.
    pub parameters: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub return_type: ReturnType,
    pub kind: QueryKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryKind {
    FindDocuments(Box<FindDocuments>),
    GetDocuments(DocumentIds),
}

/// Values of which one must match; codes are `code^^scheme`.
pub type AnyOf = Vec<String>;

/// `from <= value < to`; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    pub from: Option<Dtm>,
    pub to: Option<Dtm>,
}

/// How one stored query is recognised and read.
struct StoredQuery {
    id: &'static str,
    /// The parameter that names the patient; a query by object ids has none.
    patient: Option<&'static str>,
    read: fn(&mut Parameters<'_>) -> Result<QueryKind, Reported>,
}

/// TF-2 §3.18.4.1.2.4.
const STORED_QUERIES: &[StoredQuery] = &[
    StoredQuery {
        id: QUERY_FIND_DOCUMENTS,
        patient: Some(find_documents::PATIENT_ID),
        read: |p| find_documents::read(p).map(|find| QueryKind::FindDocuments(Box::new(find))),
    },
    StoredQuery {
        id: QUERY_GET_DOCUMENTS,
        patient: None,
        read: |p| get_documents::read(p).map(QueryKind::GetDocuments),
    },
];

/// What names the patient in any stored query of the profile: whom a query that is not supported was about.
const PATIENT_PARAMETERS: &[&str] =
    &[find_documents::PATIENT_ID, "$XDSSubmissionSetPatientId", "$XDSFolderPatientId", "$patientId"];

impl Request {
    /// The values given for the patient parameter, unquoted, for the trace.
    ///
    /// A query that takes no patient has none, whatever parameters it carries: they have no effect on the result, so
    /// they must not decide in whose record it is traced. A value that cannot be read is given as it stands.
    pub fn patient_ids(&self) -> Vec<String> {
        let names = match self.stored_query() {
            Some(query) => query.patient.as_slice(),
            None => PATIENT_PARAMETERS,
        };
        let values = self.parameters.iter().filter(|(name, _)| names.contains(&name.as_str()));
        values
            .flat_map(|(_, values)| values)
            .flat_map(|value| match syntax::read(value) {
                Ok(literals) => literals.into_iter().map(|literal| literal.text).collect(),
                Err(_) => vec![value.trim_matches(['(', ')', '\'', ' ']).to_owned()],
            })
            .collect()
    }

    /// Reads the parameters; reports every finding.
    ///
    /// Parameters that the query does not know are ignored, as `@home` and the paging attributes of ebRS are. The
    /// contexts name the parameter and never quote a value.
    pub fn parse(&self) -> Result<Query, Vec<Finding>> {
        let mut parameters = Parameters::of(self);
        let return_type = match self.return_type.as_str() {
            "ObjectRef" => Ok(ReturnType::ObjectRef),
            "LeafClass" => Ok(ReturnType::LeafClass),
            _ => Err(parameters.report(
                ErrorCode::XDSRegistryError,
                "ResponseOption/@returnType",
                "unsupported return type; use ObjectRef or LeafClass",
            )),
        };
        let kind = match self.stored_query() {
            Some(query) => (query.read)(&mut parameters),
            None => Err(parameters.report(
                ErrorCode::XDSUnknownStoredQuery,
                "AdhocQuery/@id",
                match parse_uuid_urn(&self.id) {
                    Some(id) => format!("the stored query urn:uuid:{id} is not supported"),
                    None => "not the urn:uuid of a stored query".to_owned(),
                },
            )),
        };
        match (return_type, kind, parameters.findings()) {
            (Ok(return_type), Ok(kind), findings) if findings.is_empty() => Ok(Query { return_type, kind }),
            (_, _, findings) => Err(findings),
        }
    }

    fn stored_query(&self) -> Option<&'static StoredQuery> {
        STORED_QUERIES.iter().find(|query| query.id.eq_ignore_ascii_case(&self.id))
    }
}

impl ReturnType {
    /// `ResponseOption/@returnType`.
    pub fn name(self) -> &'static str {
        match self {
            ReturnType::ObjectRef => "ObjectRef",
            ReturnType::LeafClass => "LeafClass",
        }
    }
}
