//! Why a transaction did not succeed, and the standard code for it.

use xds::error::{ErrorCode, Finding};
use xds::rules::Rule;

use crate::port::RegistryFailure;

/// The end of a transaction that had no effect, or whose effect cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The repository's own findings.
    #[error("refused")]
    Refused(Vec<Finding>),
    #[error(transparent)]
    Registry(#[from] RegistryFailure),
    /// The repository's database cannot be reached now.
    #[error("the repository's database is not available: {0}")]
    Unavailable(String),
    /// The commit of a removal was sent, its answer was lost, and looking the outcome up failed too.
    #[error("whether documents were removed is not known")]
    RemovalUnknown,
    /// The document store is full, or the request asks for more than the limits allow.
    #[error("{0}")]
    OutOfResources(String),
    /// A defect of this server.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Failure {
    /// What the other side is told. Internal details stay in the log.
    pub fn findings(&self) -> Vec<Finding> {
        let (code, context) = match self {
            Failure::Refused(findings)
            | Failure::Registry(RegistryFailure::Refused(findings) | RegistryFailure::Failed(findings)) => {
                return findings.clone();
            }
            Failure::Registry(RegistryFailure::Unavailable(_)) | Failure::Unavailable(_) => {
                let context = "The registry cannot be reached now; nothing was stored. Try again later.";
                return vec![Rule::R5.broken(None, context)];
            }
            Failure::Registry(RegistryFailure::OutcomeUnknown) => (
                ErrorCode::XDSRepositoryError,
                "The connection to the registry broke during the registration, so it is not known whether the \
                 submission was stored. Query for the SubmissionSet by its uniqueId before sending it again.",
            ),
            Failure::RemovalUnknown => (
                ErrorCode::XDSRepositoryError,
                "The connection to the database broke during the commit, so it is not known whether the documents were \
                 removed. Send the request again: a document that is gone is then one that is not here.",
            ),
            Failure::OutOfResources(context) => (ErrorCode::XDSRepositoryOutOfResources, context.as_str()),
            Failure::Internal(_) => {
                (ErrorCode::XDSRepositoryError, "Internal error of the repository; nothing was done.")
            }
        };
        vec![Finding::error(code, None, context)]
    }

    /// True when the request was at fault, false when the server was.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Failure::Refused(_) | Failure::Registry(RegistryFailure::Refused(_)))
    }

    /// The codes, each once, for the trace and the log: no contexts, which may name identifiers.
    pub fn codes(&self) -> String {
        let mut codes: Vec<String> = Vec::new();
        for finding in self.findings().iter().filter(|f| f.is_error()) {
            let code = finding.code().into_owned();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes.join(" ")
    }
}

impl From<database::Error> for Failure {
    fn from(error: database::Error) -> Self {
        match error.is_unavailable() {
            true => Failure::Unavailable(error.to_string()),
            false => Failure::Internal(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match database::is_unavailable(&error) {
            true => Failure::Unavailable(database::describe(&error)),
            false => Failure::Internal(database::describe(&error)),
        }
    }
}

impl From<atna::Error> for Failure {
    fn from(error: atna::Error) -> Self {
        match error.is_unavailable() {
            true => Failure::Unavailable(error.to_string()),
            false => Failure::Internal(error.to_string()),
        }
    }
}

impl From<blob::Error> for Failure {
    fn from(error: blob::Error) -> Self {
        match error {
            blob::Error::Full => {
                Failure::OutOfResources("The document store is full; nothing was stored.".to_owned())
            }
            other => Failure::Internal(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_a_registry_that_does_not_answer_is_named() {
        let away = RegistryFailure::Unavailable("connection refused to 10.0.0.1".to_owned());
        let findings = Failure::Registry(away).findings();
        assert_eq!(findings.iter().map(|f| f.rule).collect::<Vec<_>>(), [Some(Rule::R5)]);
        assert!(!findings[0].context.contains("10.0.0.1"), "where it is stays in the log");
    }
}
