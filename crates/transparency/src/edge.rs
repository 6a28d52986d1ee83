//! The right edge of a tree, all that is needed to make it grow.

use crate::hash::{node_hash, tree_hash};
use crate::tile::hashes_at;
use crate::{Hash, TILE_WIDTH, TileError, TileId, Tiles};

/// The tiles of a tree that are not whole, at most one on each level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Level>,
    completed: Vec<(TileId, Vec<Hash>)>,
}

/// The last tile of a level, with less than 256 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Level {
    hashes: Vec<Hash>,
    changed: bool,
}

impl Edge {
    /// The edge of a tree without leaves.
    pub fn empty() -> Edge {
        Edge { size: 0, levels: Vec::new(), completed: Vec::new() }
    }

    /// The tiles to load for a tree of so many leaves.
    pub fn tile_ids(size: u64) -> Vec<TileId> {
        let levels = (0..).take_while(|&level| hashes_at(level, size) > 0);
        let last = levels.map(|level| TileId { level, index: hashes_at(level, size) / TILE_WIDTH as u64 });
        last.filter(|tile| tile.width(size) > 0).collect()
    }

    /// The edge of a tree of so many leaves, from exactly its tiles. Whether they are the tiles that a checkpoint speaks
    /// of is known only when [`Edge::root`] is compared with its root.
    pub fn load(size: u64, tiles: Tiles) -> Result<Edge, TileError> {
        let mut edge = Edge { size, levels: Vec::new(), completed: Vec::new() };
        for tile in Edge::tile_ids(size) {
            let found = tiles.get(&tile).ok_or(TileError::Missing(tile))?.len();
            let expected = tile.width(size);
            if found != expected {
                return Err(TileError::Width { tile, size, expected, found });
            }
        }
        for (tile, hashes) in tiles {
            if tile.width(size) == 0 || tile.width(size) == TILE_WIDTH {
                return Err(TileError::NotAtTheEdge { tile, size });
            }
            edge.level(usize::from(tile.level)).hashes = hashes;
        }
        Ok(edge)
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0u8.. {
            let tile = TileId { level, index: hashes_at(level, self.size) / TILE_WIDTH as u64 };
            let last = self.level(usize::from(level));
            last.hashes.push(hash);
            last.changed = true;
            if last.hashes.len() < TILE_WIDTH {
                break;
            }
            let whole = std::mem::take(last).hashes;
            hash = tree_hash(&whole);
            self.completed.push((tile, whole));
        }
        self.size += 1;
    }

    /// The tiles that grew since they were last taken, each with all its hashes, to be stored over what was stored.
    pub fn take_changed(&mut self) -> Vec<(TileId, Vec<Hash>)> {
        let mut tiles = std::mem::take(&mut self.completed);
        let size = self.size;
        for (level, last) in (0u8..).zip(&mut self.levels) {
            if std::mem::take(&mut last.changed) {
                let index = hashes_at(level, size) / TILE_WIDTH as u64;
                tiles.push((TileId { level, index }, last.hashes.clone()));
            }
        }
        tiles
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        // The complete subtrees of the tree, from the smallest, which is the rightmost, to the largest.
        let mut root = None;
        for level in &self.levels {
            let mut rest = level.hashes.as_slice();
            while !rest.is_empty() {
                let (before, subtree) = rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
                let left = tree_hash(subtree);
                root = Some(root.map_or(left, |right| node_hash(&left, &right)));
                rest = before;
            }
        }
        root.unwrap_or_else(Hash::empty_tree)
    }

    fn level(&mut self, level: usize) -> &mut Level {
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, Level::default);
        }
        &mut self.levels[level]
    }
}
