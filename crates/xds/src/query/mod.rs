//! Registry Stored Query (ITI-18, TF-2 §3.18): from `query:AdhocQueryRequest` to typed parameters.
//!
//! [`Request`] is what was asked for, word for word; [`Request::parse`] reads it by the rules of the stored query that
//! it names. A further stored query is one file with its parameters, one variant of [`QueryKind`] and one row of
//! [`STORED_QUERIES`].

mod build;
mod content_filter;
mod document_filter;
pub mod find_documents;
pub mod find_documents_by_reference_id;
pub mod find_documents_for_multiple_patients;
pub mod find_folders;
pub mod find_folders_for_multiple_patients;
pub mod find_submission_sets;
pub mod get_all;
pub mod get_associations;
pub mod get_documents;
pub mod get_documents_and_associations;
pub mod get_folder_and_contents;
pub mod get_folders;
pub mod get_folders_for_document;
pub mod get_related_documents;
pub mod get_submission_set_and_contents;
pub mod get_submission_sets;
mod object_ids;
mod parameter;
mod syntax;
#[cfg(test)]
mod tests;
mod wire;

use uuid::Uuid;

use crate::constants::*;
use crate::error::{ErrorCode, Finding};
pub use crate::metadata::AvailabilityStatus as Status;
use crate::value::{Dtm, parse_uuid_urn};
use parameter::{Parameters, Reported};

pub use content_filter::ContentFilter;
pub use find_documents::{DocumentFilter, FindDocuments};
pub use find_documents_for_multiple_patients::FindDocumentsForMultiplePatients;
pub use find_folders::{FindFolders, FolderFilter};
pub use find_folders_for_multiple_patients::FindFoldersForMultiplePatients;
pub use find_submission_sets::{FindSubmissionSets, SubmissionSetFilter};
pub use get_all::GetAll;
pub use get_associations::GetAssociations;
pub use get_documents_and_associations::GetDocumentsAndAssociations;
pub use get_folder_and_contents::GetFolderAndContents;
pub use get_folders_for_document::GetFoldersForDocument;
pub use get_related_documents::GetRelatedDocuments;
pub use get_submission_set_and_contents::GetSubmissionSetAndContents;
pub use object_ids::ObjectIds;

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
    pub level: Level,
    pub kind: QueryKind,
}

/// `$MetadataLevel`: how much of a record's past is shown (Metadata Update, TF-2 §3.18.4.1.2.3.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// 1: no old versions, no documents that are offline, no Deprecated Associations, and Deprecated Folders only where
    /// the query asks for their status.
    Current,
    /// 2: everything.
    Complete,
}

/// What a stored query asks for. FindDocumentsByReferenceId is FindDocuments with a condition more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryKind {
    FindDocuments(Box<FindDocuments>),
    FindSubmissionSets(FindSubmissionSets),
    FindFolders(FindFolders),
    GetAll(GetAll),
    GetDocuments(ObjectIds),
    GetFolders(ObjectIds),
    GetAssociations(GetAssociations),
    GetDocumentsAndAssociations(GetDocumentsAndAssociations),
    GetSubmissionSets(Vec<Uuid>),
    GetSubmissionSetAndContents(GetSubmissionSetAndContents),
    GetFolderAndContents(GetFolderAndContents),
    GetFoldersForDocument(GetFoldersForDocument),
    GetRelatedDocuments(GetRelatedDocuments),
    FindDocumentsForMultiplePatients(Box<FindDocumentsForMultiplePatients>),
    FindFoldersForMultiplePatients(FindFoldersForMultiplePatients),
}

/// Values of which one must match; codes are `code^^scheme`.
pub type AnyOf = Vec<String>;

/// `from <= value < to`; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    pub from: Option<Dtm>,
    pub to: Option<Dtm>,
}

/// Which transaction answers a stored query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    Iti18,
    Iti51,
}

/// How one stored query is recognised and read.
struct StoredQuery {
    id: &'static str,
    transaction: Transaction,
    /// The parameter that names the patient; a query by object ids has none.
    patient: Option<&'static str>,
    /// Whether it takes `$MetadataLevel`.
    levels: bool,
    read: fn(&mut Parameters<'_>) -> Result<QueryKind, Reported>,
}

/// TF-2 §3.18.4.1.2.4, §3.51.4.1.2.3.
const STORED_QUERIES: &[StoredQuery] = &[
    StoredQuery {
        id: QUERY_FIND_DOCUMENTS,
        transaction: Transaction::Iti18,
        patient: Some(find_documents::PATIENT_ID),
        levels: true,
        read: |p| find_documents::read(p).map(|find| QueryKind::FindDocuments(Box::new(find))),
    },
    StoredQuery {
        id: QUERY_FIND_SUBMISSION_SETS,
        transaction: Transaction::Iti18,
        patient: Some(find_submission_sets::PATIENT_ID),
        levels: false,
        read: |p| find_submission_sets::read(p).map(QueryKind::FindSubmissionSets),
    },
    StoredQuery {
        id: QUERY_FIND_FOLDERS,
        transaction: Transaction::Iti18,
        patient: Some(find_folders::PATIENT_ID),
        levels: true,
        read: |p| find_folders::read(p).map(QueryKind::FindFolders),
    },
    StoredQuery {
        id: QUERY_GET_ALL,
        transaction: Transaction::Iti18,
        patient: Some(get_all::PATIENT_ID),
        levels: true,
        read: |p| get_all::read(p).map(QueryKind::GetAll),
    },
    StoredQuery {
        id: QUERY_GET_DOCUMENTS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_documents::read(p).map(QueryKind::GetDocuments),
    },
    StoredQuery {
        id: QUERY_GET_FOLDERS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_folders::read(p).map(QueryKind::GetFolders),
    },
    StoredQuery {
        id: QUERY_GET_ASSOCIATIONS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_associations::read(p).map(QueryKind::GetAssociations),
    },
    StoredQuery {
        id: QUERY_GET_DOCUMENTS_AND_ASSOCIATIONS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_documents_and_associations::read(p).map(QueryKind::GetDocumentsAndAssociations),
    },
    StoredQuery {
        id: QUERY_GET_SUBMISSION_SETS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_submission_sets::read(p).map(QueryKind::GetSubmissionSets),
    },
    StoredQuery {
        id: QUERY_GET_SUBMISSION_SET_AND_CONTENTS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_submission_set_and_contents::read(p).map(QueryKind::GetSubmissionSetAndContents),
    },
    StoredQuery {
        id: QUERY_GET_FOLDER_AND_CONTENTS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_folder_and_contents::read(p).map(QueryKind::GetFolderAndContents),
    },
    StoredQuery {
        id: QUERY_GET_FOLDERS_FOR_DOCUMENT,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_folders_for_document::read(p).map(QueryKind::GetFoldersForDocument),
    },
    StoredQuery {
        id: QUERY_GET_RELATED_DOCUMENTS,
        transaction: Transaction::Iti18,
        patient: None,
        levels: true,
        read: |p| get_related_documents::read(p).map(QueryKind::GetRelatedDocuments),
    },
    StoredQuery {
        id: QUERY_FIND_DOCUMENTS_BY_REFERENCE_ID,
        transaction: Transaction::Iti18,
        patient: Some(find_documents::PATIENT_ID),
        levels: true,
        read: |p| {
            find_documents_by_reference_id::read(p).map(|find| QueryKind::FindDocuments(Box::new(find)))
        },
    },
    StoredQuery {
        id: QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS,
        transaction: Transaction::Iti51,
        patient: Some(find_documents::PATIENT_ID),
        levels: false,
        read: |p| {
            find_documents_for_multiple_patients::read(p)
                .map(|find| QueryKind::FindDocumentsForMultiplePatients(Box::new(find)))
        },
    },
    StoredQuery {
        id: QUERY_FIND_FOLDERS_FOR_MULTIPLE_PATIENTS,
        transaction: Transaction::Iti51,
        patient: Some(find_folders::PATIENT_ID),
        levels: false,
        read: |p| find_folders_for_multiple_patients::read(p).map(QueryKind::FindFoldersForMultiplePatients),
    },
];

/// What names the patient in any stored query: whom a query that is not supported was about.
const PATIENT_PARAMETERS: &[&str] = &[
    find_documents::PATIENT_ID,
    find_submission_sets::PATIENT_ID,
    find_folders::PATIENT_ID,
    get_all::PATIENT_ID,
];

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

    /// Reads the parameters of a query of ITI-18; reports every finding.
    ///
    /// Parameters that the query does not know are ignored, as `@home` and the paging attributes of ebRS are. The
    /// contexts name the parameter and never quote a value.
    pub fn parse(&self) -> Result<Query, Vec<Finding>> {
        self.parse_for(Transaction::Iti18)
    }

    /// As [`Request::parse`], for any of the transactions.
    pub fn parse_for(&self, transaction: Transaction) -> Result<Query, Vec<Finding>> {
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
        let mut level = Level::Current;
        let kind = match self.stored_query() {
            Some(query) if query.transaction == transaction => {
                if query.levels {
                    level = parameters.level();
                }
                (query.read)(&mut parameters)
            }
            _ => Err(parameters.report(
                ErrorCode::XDSUnknownStoredQuery,
                "AdhocQuery/@id",
                match parse_uuid_urn(&self.id) {
                    Some(id) => {
                        format!("the stored query urn:uuid:{id} is not supported in this transaction")
                    }
                    None => "not the urn:uuid of a stored query".to_owned(),
                },
            )),
        };
        match (return_type, kind, parameters.findings()) {
            (Ok(return_type), Ok(kind), findings) if findings.is_empty() => {
                Ok(Query { return_type, level, kind })
            }
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
