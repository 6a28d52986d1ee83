//! Error codes and findings (TF-3 Table 4.2.4.1-2).

use std::borrow::Cow;

use crate::message::ReceivedError;
use crate::rules::Rule;

/// A standard XDS error code. The name of the variant is the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    InvalidDocumentContent,
    ReferencesExistException,
    UnmodifiableMetadataError,
    UnresolvedReferenceException,
    XDSDocumentUniqueIdError,
    XDSDuplicateUniqueIdInRegistry,
    XDSExtraMetadataNotSaved,
    XDSInvalidRequestException,
    XDSMetadataIdentifierError,
    XDSMetadataUpdateError,
    XDSMetadataUpdateOperationError,
    XDSMetadataVersionError,
    XDSMissingDocument,
    XDSMissingDocumentMetadata,
    XDSNonIdenticalHash,
    XDSNonIdenticalSize,
    XDSPatientIDReconciliationError,
    XDSPatientIdDoesNotMatch,
    XDSRegistryBusy,
    XDSRepositoryBusy,
    XDSRegistryDeprecatedDocumentError,
    XDSRegistryDuplicateUniqueIdInMessage,
    XDSRepositoryDuplicateUniqueIdInMessage,
    XDSRegistryError,
    XDSRepositoryError,
    XDSRegistryMetadataError,
    XDSRepositoryMetadataError,
    XDSRegistryNotAvailable,
    XDSRegistryOutOfResources,
    XDSRepositoryOutOfResources,
    XDSRemoveDocumentsError,
    XDSResultNotSinglePatient,
    XDSStoredQueryMissingParam,
    XDSStoredQueryParamNumber,
    XDSTooManyResults,
    XDSUnknownPatientId,
    XDSUnknownRepositoryId,
    XDSUnknownStoredQuery,
    XDSUnreferencedObjectException,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong (or odd) with a request: becomes one `rs:RegistryError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: ErrorCode,
    pub severity: Severity,
    /// What is wrong and about which attribute, for the developer at the other end (`@codeContext`).
    pub context: String,
    /// The id of the object concerned, as submitted, or what the transaction prescribes (`@location`).
    pub location: Option<String>,
    /// The rule that a submission breaks; other requests have no numbered rules.
    pub rule: Option<Rule>,
    /// The code as another server sent it, in place of `code`; it may be one that we do not know.
    pub relayed: Option<String>,
}

impl Finding {
    /// For a submission: [`Rule::broken`], which knows the code.
    pub fn error(code: ErrorCode, location: Option<&str>, context: impl Into<String>) -> Self {
        Finding {
            code,
            severity: Severity::Error,
            context: context.into(),
            location: location.map(str::to_owned),
            rule: None,
            relayed: None,
        }
    }

    /// What another server found, to be passed on as it is.
    pub fn relayed(received: &ReceivedError) -> Self {
        let severity = match received.is_warning {
            true => Severity::Warning,
            false => Severity::Error,
        };
        Finding {
            severity,
            relayed: Some(received.code.clone()),
            ..Finding::error(ErrorCode::XDSRegistryError, received.location.as_deref(), &received.context)
        }
    }

    /// The code as it is written into answers.
    pub fn code(&self) -> Cow<'_, str> {
        match &self.relayed {
            Some(code) => code.into(),
            None => self.code.to_string().into(),
        }
    }

    pub fn warning(code: ErrorCode, location: Option<&str>, context: impl Into<String>) -> Self {
        Finding { severity: Severity::Warning, ..Finding::error(code, location, context) }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}
