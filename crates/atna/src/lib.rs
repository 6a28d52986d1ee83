//! Every access leaves a trace (IHE ATNA, ITI-20; DICOM PS3.15 A.5).
//!
//! An [`Event`] says who did what to which patient's record, when and with what outcome. It is written in the same
//! database transaction as the effect it describes ([`record`]); a refusal writes its own. What is stored is the
//! [`Entry`]; [`dicom`], [`fhir`] and [`sentence`] show it when somebody reads.

pub mod dicom;
mod entry;
mod error;
mod event;
pub mod fhir;
pub mod forward;
mod gone;
pub mod log;
pub mod message;
pub mod rejected;
pub mod sentence;
pub mod syslog_search;
pub mod table;

pub use entry::{Arrival, Entry, Format, Received, Unreadable};
pub use error::Error;
pub use event::{Event, MessageId, Object, Outcome, RegistryObjectKind, Source};
pub use gone::{Blanked, Expired, Gone, Loss, Part, Sum};
pub use log::{Filter, Row, TraceWriter, probe, record, search};
pub use message::Message;
pub use table::{Act, Kind};

/// A build for measurements, which writes no traces.
pub const WITHOUT_TRACES: bool = cfg!(feature = "without-traces");
