//! What the log should be, as far as signed checkpoints and the stored tree tell.

use std::collections::VecDeque;

use chrono::NaiveDate;
use tokio_postgres::GenericClient;
use transparency::{Checkpoint, Edge, Hash, Mark, TILE_WIDTH, TileId, Verifier};

use super::outside::Outside;
use super::report::What;
use crate::Error;
use crate::log::sequence::first_of_month;
use crate::log::{sql, tree};

/// Tiles that are read at a time.
const TILES: u64 = 64;
/// Checkpoints that are read at a time.
const CHECKPOINTS: i64 = 64;

/// What stands at a position.
pub enum Verdict {
    AsSigned,
    Other,
    /// The event is as signed, the stored tree is not.
    OtherTile,
}

pub struct Expected<'a, C> {
    client: &'a C,
    keys: &'a [Verifier],
    outside: Option<&'a mut Outside>,
    /// The checkpoint of each source whose tree first has the next event.
    held: Option<Checkpoint>,
    stored: Option<Checkpoint>,
    page: VecDeque<(i64, String)>,
    /// Leaves from a position on.
    leaves: (u64, Vec<Hash>),
    size: u64,
}

impl<'a, C: GenericClient + Sync> Expected<'a, C> {
    pub fn new(client: &'a C, keys: &'a [Verifier], outside: Option<&'a mut Outside>, size: u64) -> Self {
        let (held, stored) = (None, None);
        Expected { client, keys, outside, held, stored, page: VecDeque::new(), leaves: (0, Vec::new()), size }
    }

    /// Moves on to a position; a finding when a checkpoint on the way is not signed.
    pub async fn advance(&mut self, position: u64) -> Result<Option<What>, Error> {
        if let Some(outside) = &mut self.outside {
            while self.held.as_ref().is_none_or(|held| held.size <= position) {
                self.held = outside.next()?;
                if self.held.is_none() {
                    self.outside = None;
                    break;
                }
            }
        }
        while self.stored.as_ref().is_none_or(|stored| stored.size <= position) {
            if self.page.is_empty() {
                let page = sql::checkpoints_after(self.client, position as i64, CHECKPOINTS).await?;
                self.page = page.into();
            }
            let Some((size, note)) = self.page.pop_front() else { break };
            match Checkpoint::open(note.as_bytes(), self.keys) {
                Ok(checkpoint) => self.stored = Some(checkpoint),
                Err(_) => return Ok(Some(What::Checkpoint { size: size as u64 })),
            }
        }
        let (first, leaves) = &self.leaves;
        if !(*first..*first + leaves.len() as u64).contains(&position) {
            self.read_leaves(position).await?;
        }
        Ok(None)
    }

    async fn read_leaves(&mut self, position: u64) -> Result<(), Error> {
        let first = position / TILE_WIDTH as u64;
        let ids: Vec<TileId> = (first..first + TILES)
            .map(|index| TileId { level: 0, index })
            .take_while(|id| id.width(self.size) > 0)
            .collect();
        let mut tiles = tree::tiles(self.client, &ids).await?;
        let mut leaves = Vec::with_capacity(ids.len() * TILE_WIDTH);
        for id in ids {
            let mut tile = tiles.remove(&id).unwrap_or_default();
            // A tile that is missing or short is no leaf that anything equals.
            tile.resize(id.width(self.size), Hash::empty_tree());
            leaves.append(&mut tile);
        }
        self.leaves = (first * TILE_WIDTH as u64, leaves);
        Ok(())
    }

    /// Compares an event with what should stand at its position, to which this has been advanced.
    pub fn compare(&self, position: u64, leaf: &Hash) -> Verdict {
        let marks = [&self.held, &self.stored].map(|checkpoint| mark(checkpoint, position));
        if marks.iter().flatten().any(|mark| **mark != leaf.mark()) {
            return Verdict::Other;
        }
        let (first, leaves) = &self.leaves;
        let as_stored = leaves.get((position - first) as usize) == Some(leaf);
        match (as_stored, marks.iter().any(Option::is_some)) {
            (true, _) => Verdict::AsSigned,
            (false, true) => Verdict::OtherTile,
            (false, false) => Verdict::Other,
        }
    }

    /// The leaf that the stored tree has at a position, to which this has been advanced.
    pub fn leaf(&self, position: u64) -> Option<Hash> {
        let (first, leaves) = &self.leaves;
        leaves.get((position - first) as usize).copied()
    }

    /// The month in which the event at a position was signed.
    pub fn month(&self) -> Option<NaiveDate> {
        self.stored.as_ref().map(|stored| first_of_month(stored.at))
    }

    /// Whether the leaf is known at another place nearby.
    pub fn elsewhere(&self, position: u64, leaf: &Hash) -> bool {
        let mut stored = (self.leaves.0..).zip(&self.leaves.1);
        let mut marked = [&self.held, &self.stored]
            .into_iter()
            .flatten()
            .flat_map(|checkpoint| (checkpoint.first_marked()..).zip(&checkpoint.leaves));
        stored.any(|(at, known)| at != position && known == leaf)
            || marked.any(|(at, mark)| at != position && *mark == leaf.mark())
    }

    /// Compares the tree with the checkpoints of its size.
    pub fn root(&self, edge: &Edge) -> Option<What> {
        let of_size = [&self.held, &self.stored].into_iter().flatten().filter(|c| c.size == edge.size());
        let root = of_size.clone().next().map(|_| edge.root())?;
        let wrong = of_size.clone().find(|checkpoint| checkpoint.root != root)?;
        Some(What::Between { from: wrong.first_marked(), until: wrong.size })
    }
}

fn mark(checkpoint: &Option<Checkpoint>, position: u64) -> Option<&Mark> {
    let checkpoint = checkpoint.as_ref()?;
    checkpoint.leaves.get(position.checked_sub(checkpoint.first_marked())? as usize)
}
