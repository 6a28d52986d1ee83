//! Verification of the log: every event is hashed again, and the first that is not as it was signed is named.
//!
//! What is believed are the keys alone. Where an event should be what it is not, the marks in signed checkpoints tell which
//! one it is; checkpoints that are held outside of the database cannot have been taken away with it. Memory does not follow
//! the size of the log.

mod columns;
mod expected;
mod outside;
mod report;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use database::Database;
use futures_util::TryStreamExt;
use tokio_postgres::{GenericClient, Row};
use transparency::{Checkpoint, Edge, Record, Verifier, leaf_hash};

use self::expected::{Expected, Verdict};
use self::outside::Outside;
pub use self::report::{Report, What};
use super::{sql, tree};
use crate::Error;

/// How often progress is told, in events.
const STEP: u64 = 4096;

/// How the log is to be verified.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The keys whose checkpoints are believed.
    pub keys: Vec<Verifier>,
    /// A file of checkpoints, best one that was kept on another machine.
    pub checkpoints: Option<PathBuf>,
    /// Only events behind the last checkpoint before this moment; those before are taken to be what that checkpoint says.
    pub since: Option<DateTime<Utc>>,
}

impl Verification {
    /// Verifies the log. `progress` is told how far it is, and how far it goes.
    pub async fn run(
        &self,
        database: &Database,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Report, Error> {
        let client = database.get().await?;
        let beside = database.get().await?;
        let mut outside = match &self.checkpoints {
            Some(path) => Some(Outside::open(path, &self.keys)?),
            None => None,
        };
        let mut report = Report::default();
        (report.waiting, report.waiting_since) = sql::waiting(&**client).await?;
        let signed = match sql::last_checkpoint(&**client).await? {
            Some((size, note)) => match self.checkpoint(&note) {
                Some(checkpoint) => checkpoint.size,
                None => return Ok(report.found(What::Checkpoint { size: size as u64 })),
            },
            None => 0,
        };
        report.size = signed;
        if let Some(outside) = &outside {
            report.restorations = outside.restorations();
            report.outside = Some(outside.last());
        }
        let mut edge = match self.start(&**client).await? {
            Ok(edge) => edge,
            Err(what) => return Ok(report.found(what)),
        };
        report.from = edge.size();
        let mut expected = Expected::new(&**beside, &self.keys, outside.as_mut(), signed);
        let mut rows = std::pin::pin!(sql::all(&**client, edge.size() as i64).await?);
        while let Some(row) = rows.try_next().await? {
            if let Some(what) = check(&row, &mut edge, &mut expected, signed).await? {
                return Ok(report.found(what));
            }
            report.events += 1;
            if report.events % STEP == 0 {
                // Tiles are not stored again.
                edge.take_changed();
                progress(edge.size(), signed);
            }
        }
        progress(edge.size(), signed);
        let known = report.outside.unwrap_or_default();
        Ok(match edge.size() {
            found if found < signed => report.found(What::Removed { position: found }),
            found if found < known => report.found(What::Truncated { known, found }),
            _ => report,
        })
    }

    fn checkpoint(&self, note: &str) -> Option<Checkpoint> {
        match Record::open(note.as_bytes(), &self.keys) {
            Ok(Record::Checkpoint(checkpoint)) => Some(checkpoint),
            _ => None,
        }
    }

    /// The tree at which the verification begins.
    async fn start<C: GenericClient + Sync>(&self, client: &C) -> Result<Result<Edge, What>, Error> {
        let Some(since) = self.since else { return Ok(Ok(Edge::empty())) };
        let Some((size, note)) = sql::checkpoint_before(client, since).await? else {
            return Ok(Ok(Edge::empty()));
        };
        let Some(checkpoint) = self.checkpoint(&note) else {
            return Ok(Err(What::Checkpoint { size: size as u64 }));
        };
        let edge = tree::edge(client, checkpoint.size).await?;
        Ok(match edge.root() == checkpoint.root {
            true => Ok(edge),
            false => Err(What::Tree { size: checkpoint.size }),
        })
    }
}

/// Checks the next row of the log and adds its leaf to the tree.
async fn check<C: GenericClient + Sync>(
    row: &Row,
    edge: &mut Edge,
    expected: &mut Expected<'_, C>,
    signed: u64,
) -> Result<Option<What>, Error> {
    let position = row.try_get::<_, i64>(0)? as u64;
    let (next, id) = (edge.size(), row.try_get(2)?);
    if position >= signed {
        return Ok(Some(What::Unsigned { position, id }));
    }
    if position > next {
        return Ok(Some(What::Removed { position: next }));
    }
    if position < next {
        return Ok(Some(What::Inserted { position, id }));
    }
    if let Some(what) = expected.advance(position).await? {
        return Ok(Some(what));
    }
    let altered = What::Altered { position, id, at: row.try_get(3)? };
    let (salt, content): (Option<&[u8]>, Option<&[u8]>) = (row.try_get(6)?, row.try_get(7)?);
    let (Some(Ok(salt)), Some(content)) = (salt.map(TryInto::try_into), content) else {
        return Ok(Some(altered));
    };
    let leaf = leaf_hash(salt, content);
    match expected.compare(position, &leaf) {
        Verdict::AsSigned => {}
        Verdict::OtherTile => return Ok(Some(What::Tile { position })),
        Verdict::Other if expected.elsewhere(position, &leaf) => {
            return Ok(Some(What::Moved { position, id }));
        }
        Verdict::Other => return Ok(Some(altered)),
    }
    if let Some(column) = columns::differing(row, content)? {
        return Ok(Some(What::Column { position, id, column }));
    }
    edge.push(leaf);
    Ok(expected.root(edge))
}
