use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why the database could not be used. What callers must tell apart is "not now" ([`Error::is_unavailable`]) and
/// "never like this".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database address is not one that PostgreSQL understands (postgres://user@host/database)")]
    Url,
    #[error("no connection to the database: {0}")]
    Pool(String),
    #[error("the database refused: {}", describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the tables could not be brought up to date: {0}")]
    Migration(String),
    #[error(
        "the database was made by a newer version of Carnet (table version {found}, this one knows {known}): install that version"
    )]
    Newer { found: i32, known: i32 },
    #[error(
        "the tables are of an older version of Carnet (table version {found}, this one knows {known}): start the server once, \
         which brings them up to date"
    )]
    Older { found: i32, known: i32 },
    #[error("the database has no tables of Carnet: start the server once, which makes them")]
    NoTables,
    #[error(
        "{name} is {stored} in the existing data and {given} in the configuration; it cannot be changed: set it back"
    )]
    Changed { name: String, stored: String, given: String },
}

impl Error {
    /// True when trying again later may succeed.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Error::Pool(_) => true,
            Error::Postgres(error) => is_unavailable(error),
            _ => false,
        }
    }
}

/// True when the server is away, starting, stopping or overloaded, when two transactions stood in each other's way, or when
/// another statement of the transaction had failed: the same request may succeed later.
pub fn is_unavailable(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        // No answer of the server at all: the connection broke, or could not be made.
        let source = std::error::Error::source(error);
        return error.is_closed() || source.is_some_and(|source| source.is::<std::io::Error>());
    };
    let class = code.code().get(..2).unwrap_or_default();
    // 08: connection, 53: out of resources, 57: operator intervention (shutdown, cancelled by a timeout).
    matches!(class, "08" | "53" | "57")
        || [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT].contains(&code)
        // Of statements that go together the one behind the one that failed may be heard first. It says only that nothing was
        // done; whoever tries again hears of the other.
        || *code == SqlState::IN_FAILED_SQL_TRANSACTION
        || is_conflict(error)
}

/// True when two transactions stood in each other's way and this one was given up: run again from its start, it may
/// succeed at once.
pub fn is_conflict(error: &tokio_postgres::Error) -> bool {
    [Some(&SqlState::T_R_DEADLOCK_DETECTED), Some(&SqlState::T_R_SERIALIZATION_FAILURE)]
        .contains(&error.code())
}

/// SQLSTATE and message. The detail line of the server, which quotes values, is left out.
pub fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("SQLSTATE {}: {}", db.code().code(), db.message()),
        None => error.to_string(),
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Error::Postgres(error),
            other => Error::Pool(other.to_string()),
        }
    }
}
