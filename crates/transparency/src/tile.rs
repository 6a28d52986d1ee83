//! Tiles: the tree cut into pieces of 256 hashes, as C2SP `tlog-tiles` cuts it.
//!
//! Level 0 has the leaf hashes; the hash at place `i` of level `l + 1` is the root over the whole tile `i` of level `l`.
//! Nodes in between are computed. A tile only ever grows until it has 256 hashes: no hash in it ever changes.

use std::collections::BTreeMap;
use std::fmt;

use crate::Hash;

/// Hashes in a whole tile.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;

pub(crate) const TILE_HEIGHT: u32 = 8;

/// Which tile. Sorted by level, then from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    pub level: u8,
    pub index: u64,
}

/// Tiles with their hashes.
pub type Tiles = BTreeMap<TileId, Vec<Hash>>;

/// Tiles that are not those of a tree of this size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    #[error("{0} is missing")]
    Missing(TileId),
    #[error("{tile} has {found} hashes; in a tree of {size} leaves it has {expected}")]
    Width { tile: TileId, size: u64, expected: usize, found: usize },
    #[error("{tile} is not at the right edge of a tree of {size} leaves")]
    NotAtTheEdge { tile: TileId, size: u64 },
}

impl TileId {
    /// How many hashes this tile has in a tree of so many leaves.
    pub fn width(self, size: u64) -> usize {
        let before = self.index.saturating_mul(TILE_WIDTH as u64);
        hashes_at(self.level, size).saturating_sub(before).min(TILE_WIDTH as u64) as usize
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile {} of level {}", self.index, self.level)
    }
}

/// How many hashes a level has: one for each whole tile of the level below.
pub(crate) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * TILE_HEIGHT).unwrap_or(0)
}
