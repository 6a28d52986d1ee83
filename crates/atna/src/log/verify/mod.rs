//! Verification of the log: every event is hashed again, and the first that is not as it was signed is named.
//!
//! What is believed are the keys alone. Where an event should be what it is not, the marks in signed checkpoints tell which
//! one it is; checkpoints that are held outside of the database cannot have been taken away with it. Of what expired or was
//! blanked the leaf is left, and signed statements say what that is. Memory does not follow the size of the log.

mod expected;
mod outside;
mod report;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use database::Database;
use futures_util::TryStreamExt;
use tokio_postgres::{GenericClient, Row};
use transparency::{Checkpoint, Edge, Hash, Verifier};

use self::expected::{Expected, Verdict};
use self::outside::Outside;
pub use self::report::{Report, What};
use super::check::{self, Standing};
use super::statements::Statements;
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
        let mut client = database.get().await?;
        let client = client.transaction().await?;
        let client = &*client;
        sql::steady(client).await?;
        let beside = database.get().await?;
        let mut outside = match &self.checkpoints {
            Some(path) => Some(Outside::open(path, &self.keys)?),
            None => None,
        };
        let mut report = Report::default();
        (report.waiting, report.waiting_since) = sql::waiting(client).await?;
        let signed = match sql::last_checkpoint(client).await? {
            Some((size, note)) => match Checkpoint::open(note.as_bytes(), &self.keys) {
                Ok(checkpoint) => checkpoint.size,
                Err(_) => return Ok(report.found(What::Checkpoint { size: size as u64 })),
            },
            None => 0,
        };
        report.size = signed;
        if let Some(outside) = &outside {
            report.restorations = outside.restorations();
            report.outside = Some(outside.last());
        }
        let statements = match Statements::read(client, &**beside, &self.keys).await? {
            Ok(statements) => statements,
            Err(what) => return Ok(report.found(what)),
        };
        let edge = match self.start(client).await? {
            Ok(edge) => edge,
            Err(what) => return Ok(report.found(what)),
        };
        report.from = edge.size();
        let expected = Expected::new(&**beside, &self.keys, outside.as_mut(), signed);
        let mut walk = Walk { edge, expected, statements, signed, report };
        let mut rows = std::pin::pin!(sql::all(client, walk.edge.size() as i64).await?);
        while let Some(row) = rows.try_next().await? {
            if let Some(what) = walk.row(&row, &mut progress).await? {
                return Ok(walk.report.found(what));
            }
        }
        if let Some(what) = walk.skip(signed, &mut progress).await? {
            return Ok(walk.report.found(what));
        }
        // Only now: whatever a row tells by itself names the event.
        if let Some(what) = walk.statements.check(client).await? {
            return Ok(walk.report.found(what));
        }
        progress(walk.edge.size(), signed);
        let (report, found) = (walk.report, walk.edge.size());
        let known = report.outside.unwrap_or_default();
        Ok(match found < known {
            true => report.found(What::Truncated { known, found }),
            false => report,
        })
    }

    /// The tree at which the verification begins.
    async fn start<C: GenericClient + Sync>(&self, client: &C) -> Result<Result<Edge, What>, Error> {
        let Some(since) = self.since else { return Ok(Ok(Edge::empty())) };
        let Some((size, note)) = sql::checkpoint_before(client, since).await? else {
            return Ok(Ok(Edge::empty()));
        };
        let Ok(checkpoint) = Checkpoint::open(note.as_bytes(), &self.keys) else {
            return Ok(Err(What::Checkpoint { size: size as u64 }));
        };
        let edge = tree::edge(client, checkpoint.size).await?;
        Ok(match edge.root() == checkpoint.root {
            true => Ok(edge),
            false => Err(What::Tree { size: checkpoint.size }),
        })
    }
}

/// The way along the log, from its first event to its last.
struct Walk<'a, C> {
    edge: Edge,
    expected: Expected<'a, C>,
    statements: Statements,
    signed: u64,
    report: Report,
}

impl<C: GenericClient + Sync> Walk<'_, C> {
    /// Checks the next row and adds its leaf to the tree.
    async fn row(&mut self, row: &Row, progress: &mut impl FnMut(u64, u64)) -> Result<Option<What>, Error> {
        let position = row.try_get::<_, i64>(0)? as u64;
        let id = row.try_get(2)?;
        if position >= self.signed {
            return Ok(Some(What::Unsigned { position, id }));
        }
        if position < self.edge.size() {
            return Ok(Some(What::Inserted { position, id }));
        }
        if let Some(what) = self.skip(position, progress).await? {
            return Ok(Some(what));
        }
        if let Some(what) = self.expected.advance(position).await? {
            return Ok(Some(what));
        }
        let leaf = match check::standing(row)? {
            Standing::Whole(leaf) => leaf,
            Standing::Blanked if self.statements.has_blanked(row.try_get(8)?, row.try_get(1)?) => {
                self.report.blanked += 1;
                match self.expected.leaf(position) {
                    Some(leaf) => leaf,
                    None => return Ok(Some(What::Tile { position })),
                }
            }
            Standing::Blanked | Standing::Torn => return Ok(Some(check::altered(row)?)),
        };
        match self.expected.compare(position, &leaf) {
            Verdict::AsSigned => {}
            Verdict::OtherTile => return Ok(Some(What::Tile { position })),
            Verdict::Other if self.expected.elsewhere(position, &leaf) => {
                return Ok(Some(What::Moved { position, id }));
            }
            Verdict::Other => return Ok(Some(check::altered(row)?)),
        }
        if let Some(what) = self.columns(row, position)? {
            return Ok(Some(what));
        }
        self.report.events += 1;
        Ok(self.push(leaf, progress))
    }

    /// What the columns of a row say beside the point, all but its content having been found right.
    fn columns(&self, row: &Row, position: u64) -> Result<Option<What>, Error> {
        let id = row.try_get(2)?;
        if self.expected.month().is_some_and(|month| row.try_get(8).ok() != Some(month)) {
            return Ok(Some(What::Column { position, id, column: "month" }));
        }
        let kind = row.try_get::<_, i16>(1)?;
        let expired = self.statements.expired_at(position);
        if expired.is_some_and(|expired| expired.kinds.iter().any(|gone| gone.number() == kind)) {
            return Ok(Some(What::Returned { position, id }));
        }
        match row.try_get::<_, Option<&[u8]>>(7)? {
            Some(_) => check::column(row),
            None => Ok(None),
        }
    }

    /// Goes on to a position where the next row stands: what is missing before it must have expired.
    async fn skip(&mut self, until: u64, progress: &mut impl FnMut(u64, u64)) -> Result<Option<What>, Error> {
        while self.edge.size() < until {
            let position = self.edge.size();
            if self.statements.expired_at(position).is_none() {
                return Ok(Some(What::Removed { position }));
            }
            if let Some(what) = self.expected.advance(position).await? {
                return Ok(Some(what));
            }
            let leaf = self
                .expected
                .leaf(position)
                .filter(|leaf| matches!(self.expected.compare(position, leaf), Verdict::AsSigned));
            let Some(leaf) = leaf else { return Ok(Some(What::Tile { position })) };
            self.report.expired += 1;
            if let Some(what) = self.push(leaf, progress) {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    fn push(&mut self, leaf: Hash, progress: &mut impl FnMut(u64, u64)) -> Option<What> {
        self.edge.push(leaf);
        if self.edge.size().is_multiple_of(STEP) {
            // Tiles are not stored again.
            self.edge.take_changed();
            progress(self.edge.size(), self.signed);
        }
        self.expected.root(&self.edge)
    }
}
