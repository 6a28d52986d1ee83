//! Registry Stored Query (ITI-18, TF-2 §3.18): from `query:AdhocQueryRequest` to typed parameters.

use uuid::Uuid;

use crate::error::Finding;
use crate::metadata::DocumentType;
use crate::value::{Cx, Dtm};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnType {
    ObjectRef,
    LeafClass,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Approved,
    Deprecated,
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentIds {
    EntryUuids(Vec<Uuid>),
    UniqueIds(Vec<String>),
}

/// Values of which one must match; codes are `code^^scheme`.
pub type AnyOf = Vec<String>;

/// FindDocuments (TF-2 §3.18.4.1.2.3.7.1). An empty list puts no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindDocuments {
    pub patient_id: Cx,
    pub status: Vec<Status>,
    pub document_types: Vec<DocumentType>,
    pub class_code: AnyOf,
    pub type_code: AnyOf,
    pub practice_setting_code: AnyOf,
    pub healthcare_facility_type_code: AnyOf,
    pub format_code: AnyOf,
    /// All groups must match; within a group, any value.
    pub event_codes: Vec<AnyOf>,
    /// All groups must match; within a group, any value.
    pub confidentiality_codes: Vec<AnyOf>,
    /// SQL LIKE patterns with `%` and `_`, no escape character.
    pub author_person: AnyOf,
    pub creation_time: Window,
    pub service_start_time: Window,
    pub service_stop_time: Window,
}

/// `from <= value < to`; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    pub from: Option<Dtm>,
    pub to: Option<Dtm>,
}

impl Request {
    /// The values given for the patient parameter, unquoted, for the trace.
    pub fn patient_ids(&self) -> Vec<String> {
        todo!()
    }

    /// Reads the parameters; reports every finding.
    pub fn parse(&self) -> Result<Query, Vec<Finding>> {
        todo!()
    }
}
