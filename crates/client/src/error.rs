use std::path::Path;
use std::time::Duration;

use awc::error::{ConnectError, SendRequestError};

/// Why there is no answer of the service itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url} cannot be reached ({reason}): is the server running?")]
    Connect { url: String, reason: String },
    /// Whether the request was carried out is unknown.
    #[error(
        "{url} ended the connection without an answer ({reason}); a message that is too large can be the cause"
    )]
    Interrupted { url: String, reason: String },
    /// Whether the request was carried out is unknown.
    #[error("{url} was silent for {after:?}")]
    Timeout { url: String, after: Duration },
    #[error("the server refused the message as such (SOAP fault {code}): {reason}")]
    Fault { code: String, reason: String },
    #[error("the server answered with HTTP status {0}")]
    Status(u16),
    #[error("the server's answer cannot be understood: {0}")]
    Answer(String),
    /// Certificates or keys on this side.
    #[error("TLS: {0}")]
    Tls(String),
    /// A file on this side.
    #[error("{path}: {reason}")]
    File { path: String, reason: String },
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let path = path.display().to_string();
        move |error| Error::File { path, reason: error.to_string() }
    }

    pub(crate) fn answer(error: impl ToString) -> Error {
        Error::Answer(error.to_string())
    }

    pub(crate) fn sending(url: &str, error: SendRequestError) -> Error {
        let url = url.to_owned();
        match error {
            SendRequestError::Connect(ConnectError::Disconnected) => {
                Error::Interrupted { url, reason: "closed".to_owned() }
            }
            SendRequestError::Connect(error) => Error::Connect { url, reason: error.to_string() },
            SendRequestError::Url(error) => Error::Connect { url, reason: error.to_string() },
            // A document's own stream failed: it says why itself.
            SendRequestError::Body(error) => match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(error) => Error::Interrupted { url, reason: error.to_string() },
            },
            SendRequestError::Send(error) => Error::Interrupted { url, reason: error.to_string() },
            other => Error::Interrupted { url, reason: other.to_string() },
        }
    }
}
