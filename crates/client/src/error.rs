/// Why there is no answer of the service itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url} cannot be reached ({reason}): is the server running?")]
    Connect { url: String, reason: String },
    #[error("{url} did not answer in {seconds} s")]
    Timeout { url: String, seconds: u64 },
    #[error("the server refused the message as such (SOAP fault {code}): {reason}")]
    Fault { code: String, reason: String },
    #[error("the server answered with HTTP status {0}")]
    Status(u16),
    #[error("the server's answer cannot be understood: {0}")]
    Answer(String),
    #[error("{path}: {reason}")]
    File { path: String, reason: String },
}

impl Error {
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.display().to_string();
        move |error| Error::File { path, reason: error.to_string() }
    }
}
