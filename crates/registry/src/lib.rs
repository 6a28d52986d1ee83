//! The Document Registry: it keeps the metadata, decides what may enter a record and answers queries.
//!
//! * [`iti42`] registers a submission: state rules, side effects, trace and companion writes in one transaction.
//! * [`iti57`] updates metadata: new versions, statuses, associations; [`iti92`] is its restricted form.
//! * [`iti61`] registers documents that are made when they are retrieved.
//! * [`iti62`] removes metadata.
//! * [`iti18`] answers stored queries, [`iti51`] those about several patients.
//! * [`patients`] opens and merges records and finds them by identifier.
//! * [`check`] tells what is wrong in the tables.
//! * [`visibility`] tells repositories which documents may be read.
//! * [`per_patient`] are the traces of what is about several patients.
//! * [`failure`] is the one place where internal errors become standard codes.
//!
//! SQL lives in `sql/` and nowhere else in this crate.

pub mod check;
pub mod failure;
pub mod iti18;
pub mod iti42;
pub mod iti51;
pub mod iti57;
pub mod iti61;
pub mod iti62;
pub mod iti92;
pub mod patients;
mod per_patient;
mod sql;
pub mod visibility;

pub use failure::Failure;

use atna::{Source, TraceWriter};
use database::Database;
use xds::submission::Rules;

/// What to do with a submission for a patient whose record is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPatients {
    /// Answer XDSUnknownPatientId.
    Refuse,
    /// The first submission opens the record, but never one that was merged away or closed.
    Open,
}

/// What ITI-18 answers for a patient whose record is not open (a policy of the Affinity Domain, TF-2 §3.18.4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownInQuery {
    /// Success with an empty list.
    Empty,
    /// XDSUnknownPatientId.
    Error,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub unknown_patients: UnknownPatients,
    pub unknown_in_query: UnknownInQuery,
    /// Objects that one LeafClass answer may hold; more is XDSTooManyResults. 0: no limit.
    pub query_results: usize,
    /// Patients that one query or update may be about.
    pub patients: usize,
    pub rules: Rules,
}

/// One registry over one database.
#[derive(Clone)]
pub struct Registry {
    database: Database,
    settings: Settings,
    source: Source,
    traces: TraceWriter,
}

impl Registry {
    pub fn new(database: Database, settings: Settings, source: Source, traces: TraceWriter) -> Self {
        Registry { database, settings, source, traces }
    }
}
