//! Why a transaction did not succeed, and the standard code for it.

use xds::error::{ErrorCode, Finding};

/// The end of a transaction that had no effect, or whose effect cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request breaks rules; every finding is here.
    #[error("refused")]
    Refused(Vec<Finding>),
    /// The database cannot be reached now. Nothing was stored.
    #[error("the registry's database is not available: {0}")]
    Unavailable(String),
    /// The commit was sent, its answer was lost, and looking the outcome up failed too.
    #[error("the outcome of the request is not known")]
    OutcomeUnknown,
    /// A defect of this server. Nothing was stored.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Failure {
    /// What the other side is told. Internal details stay in the log.
    pub fn findings(&self) -> Vec<Finding> {
        let (code, context) = match self {
            Failure::Refused(findings) => return findings.clone(),
            Failure::Unavailable(_) => (
                ErrorCode::XDSRegistryBusy,
                "The registry cannot reach its database; nothing was done. Try again later.",
            ),
            Failure::OutcomeUnknown => (
                ErrorCode::XDSRegistryError,
                "The connection to the database broke during the commit, so it is not known whether the request \
                 took effect. Query for its objects before sending it again.",
            ),
            Failure::Internal(_) => {
                (ErrorCode::XDSRegistryError, "Internal error of the registry; nothing was done.")
            }
        };
        vec![Finding::error(code, None, context)]
    }

    /// True when the request was at fault, false when the server was.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Failure::Refused(_))
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
