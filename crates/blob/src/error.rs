use std::io;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the document store is full")]
    Full,
    #[error("there is no such blob")]
    Missing,
    /// Altered or cut after it was written. Octets of the chunk in question were not given out.
    #[error("chunk {chunk} of a blob is not what was written")]
    Corrupt { chunk: u64 },
    #[error("the document store cannot be used: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => Error::Io(error),
        }
    }
}
