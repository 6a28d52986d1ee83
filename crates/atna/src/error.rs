use std::path::PathBuf;

use transparency::{HashError, KeyError, ProofError, RecordError, RecordsError, TileError, TileId};

/// Why the log of traces could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit tables cannot be used: {}", database::describe(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("the audit tables cannot be used: {0}")]
    Pool(#[from] database::Error),
    #[error("an audit event cannot be written or read as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Neither with others nor by itself.
    #[error("the trace cannot be written: {reason}")]
    NotWritten { reason: String, unavailable: bool },
    #[error("the hash tree in the database has not the shape of a log of {size} events: {source}")]
    Tree { size: u64, source: TileError },
    #[error("{tile} of the hash tree in the database has {octets} octets, which are no hashes")]
    Tile { tile: TileId, octets: usize },
    #[error("an event that waits for its place has a leaf that is none: {0}")]
    Leaf(#[from] HashError),
    #[error("no proof can be made: {0}")]
    Proof(#[from] ProofError),
    #[error("the signing key: {0}")]
    Key(#[from] KeyError),
    #[error("a checkpoint in the database: {0}")]
    Record(#[from] RecordError),
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}", path = path.display())]
    Records { path: PathBuf, source: RecordsError },
    #[error("the audit log is not as it was signed, and is left alone (`carnet audit verify`): {0}")]
    NotAsSigned(crate::log::What),
    #[error("event {position} does not belong to {month}, where it stands: `carnet audit verify` tells more")]
    OtherMonth { position: u64, month: chrono::NaiveDate },
    #[error("nothing in the audit log is signed yet; a running server signs every two seconds")]
    NothingSigned,
    #[error("an event is not UTF-8: {0}")]
    NotText(std::str::Utf8Error),
    #[error("events cannot be written: {0}")]
    Output(std::io::Error),
    #[error("events are being taken away or written at this moment: try again in some seconds")]
    Busy,
    #[error(
        "{events} events of the patient wait to be signed, which a running server does every two seconds: try again in some \
         seconds"
    )]
    Waiting { events: u64 },
    #[error("there are no events of this patient")]
    NothingToBlank,
    #[error(
        "event {position} is in the log, and its content was blanked by event {by}: its leaf is all that is left, so there is \
         nothing that a proof could show"
    )]
    Blanked { position: u64, by: uuid::Uuid },
    #[error(
        "the audit log in the database is signed by {theirs} and this server's key is {ours}: give it the key that the log \
         was begun with (audit.key)"
    )]
    OtherKey { ours: String, theirs: String },
    #[error(
        "the hash tree in the database is not the one that was signed at {size} events: `carnet audit verify` tells more"
    )]
    Root { size: u64 },
    #[error(
        "the audit log in the database has {found} signed events and {file} knows of {known}: the database was set back, or \
         is another one. `carnet audit verify` tells more", file = file.display()
    )]
    SetBack { found: u64, known: u64, file: PathBuf },
    #[error(
        "the audit log in the database is not the one that {file} tells of: they differ in the first {size} events. `carnet \
         audit verify` tells where", file = file.display()
    )]
    Forked { size: u64, file: PathBuf },
}

impl Error {
    /// True when the log in the database is not the one that this server has signed and written down so far.
    pub fn is_other_log(&self) -> bool {
        matches!(
            self,
            Error::SetBack { .. } | Error::Forked { .. } | Error::Root { .. } | Error::OtherKey { .. }
        )
    }

    /// True when trying again later may succeed.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Error::Database(error) => database::is_unavailable(error),
            Error::Pool(error) => error.is_unavailable(),
            Error::NotWritten { unavailable, .. } => *unavailable,
            _ => false,
        }
    }
}
