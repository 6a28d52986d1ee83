//! The Document Repository: it keeps the octets and never judges metadata (TF-2 §3.41, §3.43).
//!
//! * [`iti41`] takes documents and metadata, stores the octets durably and has the registry register the metadata.
//! * [`iti43`] gives the octets back to those who may have them.
//! * [`on_demand`] makes documents that are entries only until somebody retrieves them.
//! * [`iti86`] removes them.
//! * [`port`] is what the repository needs of a registry, which may be in this process or another.
//! * [`pending`] keeps what was sent to a registry of another process until its outcome is known.
//! * [`backup`] tells which octets a backup must have.
//! * [`check`] tells whether entries have their octets, and octets their documents.
//! * [`failure`] is the one place where internal errors become standard codes.
//!
//! SQL lives in `sql.rs` and `sql/` and nowhere else in this crate.

pub mod backup;
pub mod check;
pub mod failure;
pub mod iti41;
pub mod iti43;
pub mod iti86;
pub mod on_demand;
pub mod pending;
pub mod port;
mod sql;
pub mod sweep;
mod trace;

pub use failure::Failure;

use atna::{Source, TraceWriter};
use blob::BlobStore;
use database::Database;
use futures_util::lock::Mutex;

/// What to do with a document whose header carries an INS with a wrong key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsKey {
    /// Store it and say so in the answer.
    Warn,
    Refuse,
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// `repositoryUniqueId`, an OID.
    pub unique_id: String,
    pub ins_key: InsKey,
    /// Larger documents are stored without reading a CDA header; so are those nested deeper.
    pub cda_header: xml::Limits,
    /// Documents that one request may carry or ask for.
    pub documents: usize,
    /// Keep what was made on demand, and register it as a snapshot (Persistence of Retrieved Documents).
    pub persist_on_demand: bool,
}

/// One repository over one document store, with its registry.
pub struct Repository<R, B> {
    database: Database,
    blobs: B,
    registry: R,
    settings: Settings,
    source: Source,
    traces: TraceWriter,
    provider: Box<dyn on_demand::Provider>,
    /// Held while a document that was made is filed.
    keeping: Mutex<()>,
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    pub fn new(
        database: Database,
        blobs: B,
        registry: R,
        settings: Settings,
        source: Source,
        traces: TraceWriter,
    ) -> Self {
        let provider = Box::new(on_demand::summary::Summary);
        Repository { database, blobs, registry, settings, source, traces, provider, keeping: Mutex::new(()) }
    }

    pub fn unique_id(&self) -> &str {
        &self.settings.unique_id
    }
}
