//! The log of traces: an append-only sequence of events whose hash tree (RFC 6962) is signed every few seconds.
//!
//! * [`record`] writes events in the transaction of the effect that they tell of; [`TraceWriter`] writes those of reads and
//!   refusals, many in one commit.
//! * [`Sequencer`] gives committed events their positions, extends the tree and signs a checkpoint.
//! * [`search`] shows events; `crate::forward` hands them on in the order of the log.
//! * [`Verification`] recomputes everything and names the first event that is not as it was; [`prove`] writes a proof of one.
//! * [`Expiry`] takes months away that were kept long enough, [`blank`] what a patient's events say; [`export`] writes events
//!   with their proofs into a file.
//! * [`claim`] and [`committed`] tell, by its events, whether a commit was done whose answer was lost.
//! * [`restored`] writes down that the database was put back.

mod blank;
mod check;
mod checkpoints;
mod columns;
mod expire;
mod export;
mod leaves;
mod lost;
mod prove;
mod record;
mod restored;
mod search;
mod sequence;
mod sql;
mod statements;
mod tree;
mod verify;
mod writer;

pub use blank::{Blanking, Extent, blank, extent};
pub use checkpoints::CheckpointFile;
pub use expire::{Expiry, Retention, Went};
pub use export::{Checked, Doubt, Exported, Selection, check_export, export, export_to};
pub use lost::{claim, committed};
pub use prove::{Proven, prove};
pub use record::{record, record_entries};
pub use restored::restored;
pub use search::{Filter, Row, authorities, find, search};
pub use sequence::{Progress, Sequencer};
pub use sql::{backlog, steady, waiting};
pub use verify::{Report, Verification, What};
pub use writer::TraceWriter;

use tokio_postgres::GenericClient;

/// How many events the last signed checkpoint in the database speaks of.
pub async fn signed<C: GenericClient + Sync>(client: &C) -> Result<i64, crate::Error> {
    Ok(sql::last_checkpoint(client).await?.map_or(0, |(size, _)| size))
}

/// Succeeds when an event could be written and made durable now; leaves none. In a transaction of its own.
pub async fn probe<C: GenericClient + Sync>(transaction: &C) -> Result<(), crate::Error> {
    Ok(sql::probe(transaction).await?)
}
