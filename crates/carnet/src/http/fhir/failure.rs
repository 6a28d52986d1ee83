//! Why a request was not carried out, as HTTP and FHIR say it.

use actix_web::http::StatusCode;
use atna::fhir::Issue;

/// Of what is wrong in a body, at most so much is told.
const TOLD: usize = 50;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Unauthenticated(&'static str),
    #[error("this token does not give the right to {0} the audit")]
    Forbidden(&'static str),
    #[error("what was sent cannot be used")]
    Malformed(Vec<Issue>),
    #[error("there is no such event")]
    NotFound,
    #[error("this is given as application/fhir+json or application/fhir+xml only")]
    NotAcceptable,
    #[error("Content-Type must be {0}; Content-Encoding must be gzip, or left out")]
    MediaType(&'static str),
    #[error("the body is larger than {0} octets")]
    TooLarge(u64),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
    /// A defect of this server or of its files.
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    pub fn malformed(mut issues: Vec<Issue>) -> Failure {
        issues.truncate(TOLD);
        Failure::Malformed(issues)
    }

    /// One parameter or the like.
    pub fn invalid(sentence: impl Into<String>) -> Failure {
        Failure::Malformed(vec![Issue::new("invalid", sentence)])
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Failure::Forbidden(_) => StatusCode::FORBIDDEN,
            Failure::Malformed(_) => StatusCode::BAD_REQUEST,
            Failure::NotFound => StatusCode::NOT_FOUND,
            Failure::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Failure::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Failure::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the other side is told. Internal details stay in the log.
    pub fn issues(&self) -> Vec<Issue> {
        let code = match self {
            Failure::Malformed(issues) => return issues.clone(),
            Failure::Unavailable(_) => {
                return vec![Issue::new(
                    "transient",
                    "the database cannot be reached, or no trace can be written; try again later",
                )];
            }
            Failure::Internal(_) => return vec![Issue::new("exception", "internal error of the server")],
            Failure::Unauthenticated(_) => "login",
            Failure::Forbidden(_) => "forbidden",
            Failure::NotFound => "not-found",
            Failure::NotAcceptable | Failure::MediaType(_) => "not-supported",
            Failure::TooLarge(_) => "too-long",
        };
        vec![Issue::new(code, self.to_string())]
    }

    /// True when the request was at fault, false when the server was.
    pub fn is_refusal(&self) -> bool {
        !self.status().is_server_error()
    }
}

impl From<atna::Error> for Failure {
    fn from(error: atna::Error) -> Self {
        match &error {
            // Its words may quote an event.
            atna::Error::Json(_) => Failure::Internal("an event of the log cannot be read".to_owned()),
            error if error.is_unavailable() => Failure::Unavailable(error.to_string()),
            _ => Failure::Internal(error.to_string()),
        }
    }
}

impl From<database::Error> for Failure {
    fn from(error: database::Error) -> Self {
        Failure::from(atna::Error::from(error))
    }
}

impl From<registry::Failure> for Failure {
    fn from(failure: registry::Failure) -> Self {
        match failure {
            registry::Failure::Unavailable(reason) => Failure::Unavailable(reason),
            other => Failure::Internal(other.to_string()),
        }
    }
}
