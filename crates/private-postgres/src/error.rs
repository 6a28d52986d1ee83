use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "PostgreSQL is not installed (looked on PATH and under /usr/lib/postgresql): apt-get install postgresql-15"
    )]
    NotInstalled,
    #[error("the data in {} were made by PostgreSQL {found}, which is not installed: apt-get install postgresql-{found}", folder.display())]
    WrongVersion { folder: PathBuf, found: String },
    #[error(
        "PostgreSQL does not run as root, and there is neither an account \"postgres\" nor \"nobody\" to run it under"
    )]
    NoAccount,
    #[error("{} belongs to another account than \"{account}\", which PostgreSQL runs under", folder.display())]
    ForeignFolder { folder: PathBuf, account: String },
    #[error("the account \"{account}\", which PostgreSQL runs under, cannot enter {}", folder.display())]
    FolderNotReachable { folder: PathBuf, account: String },
    #[error("{program} failed: {output}")]
    Program { program: &'static str, output: String },
    #[error("PostgreSQL did not get ready in {seconds} s; the end of its log:\n{log}")]
    NotReady { seconds: u64, log: String },
    #[error("PostgreSQL ended; the end of its log:\n{log}")]
    Ended { log: String },
    #[error("another PostgreSQL still runs on {} and does not stop", folder.display())]
    StillRunning { folder: PathBuf },
    #[error("another process runs a server on {}", folder.display())]
    InUse { folder: PathBuf },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}
