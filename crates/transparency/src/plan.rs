//! Making proofs from tiles. Which tiles are needed follows from the sizes alone.

use std::collections::BTreeSet;

use crate::hash::{node_hash, split, tree_hash};
use crate::tile::TILE_HEIGHT;
use crate::{Hash, ProofError, TILE_WIDTH, TileError, TileId, Tiles};

/// A proof to be made: the subtrees whose roots it consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    size: u64,
    ranges: Vec<Range>,
}

/// The leaves from `start` up to, not including, `end`. They are a subtree: either all leaves below a node, or the last of
/// the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: u64,
    end: u64,
}

impl Plan {
    /// The audit path of a leaf (RFC 6962 §2.1.1), from its sibling to the root's child.
    pub fn inclusion(index: u64, size: u64) -> Result<Plan, ProofError> {
        if index >= size {
            return Err(ProofError::NoSuchLeaf { index, size });
        }
        let mut ranges = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                ranges.push(Range { start: middle, end });
                end = middle;
            } else {
                ranges.push(Range { start, end: middle });
                start = middle;
            }
        }
        ranges.reverse();
        Ok(Plan { size, ranges })
    }

    /// The proof that a tree of `new` leaves begins with that of `old` leaves (RFC 6962 §2.1.2). Of an empty tree and of an
    /// equal one there is nothing to prove.
    pub fn consistency(old: u64, new: u64) -> Result<Plan, ProofError> {
        if old > new {
            return Err(ProofError::Shrunk { old, new });
        }
        let mut ranges = Vec::new();
        if old > 0 {
            let (mut start, mut end) = (0, new);
            while old < end {
                let middle = start + split(end - start);
                if old <= middle {
                    ranges.push(Range { start: middle, end });
                    end = middle;
                } else {
                    ranges.push(Range { start, end: middle });
                    start = middle;
                }
            }
            if start > 0 {
                ranges.push(Range { start, end });
            }
            ranges.reverse();
        }
        Ok(Plan { size: new, ranges })
    }

    /// The tiles that the proof is made from.
    pub fn tiles(&self) -> BTreeSet<TileId> {
        self.ranges.iter().flat_map(|range| range.subtrees()).map(|subtree| subtree.tile()).collect()
    }

    /// Makes the proof. The tiles may be those of a tree that has grown since.
    pub fn prove(&self, tiles: &Tiles) -> Result<Vec<Hash>, TileError> {
        self.ranges.iter().map(|range| self.root(*range, tiles)).collect()
    }

    fn root(&self, range: Range, tiles: &Tiles) -> Result<Hash, TileError> {
        let mut root = None;
        for subtree in range.subtrees().rev() {
            let left = subtree.root(self.size, tiles)?;
            root = Some(root.map_or(left, |right| node_hash(&left, &right)));
        }
        Ok(root.unwrap_or_else(Hash::empty_tree))
    }
}

impl Range {
    /// The complete subtrees of this one, from the largest, which is the leftmost, to the smallest.
    fn subtrees(self) -> impl DoubleEndedIterator<Item = Subtree> {
        let length = self.end - self.start;
        (0..u64::BITS).rev().filter(move |height| length >> height & 1 == 1).map(move |height| {
            let larger = length.checked_shr(height + 1).map_or(0, |count| count << height << 1);
            Subtree { start: self.start + larger, height }
        })
    }
}

/// The `2^height` leaves from `start`, all below one node.
#[derive(Debug, Clone, Copy)]
struct Subtree {
    start: u64,
    height: u32,
}

impl Subtree {
    fn level(self) -> u8 {
        (self.height / TILE_HEIGHT) as u8
    }

    /// The place of its first hash on its level.
    fn place(self) -> u64 {
        self.start >> (u32::from(self.level()) * TILE_HEIGHT)
    }

    fn tile(self) -> TileId {
        TileId { level: self.level(), index: self.place() / TILE_WIDTH as u64 }
    }

    fn root(self, size: u64, tiles: &Tiles) -> Result<Hash, TileError> {
        let tile = self.tile();
        let hashes = tiles.get(&tile).ok_or(TileError::Missing(tile))?;
        let expected = tile.width(size);
        if hashes.len() < expected {
            return Err(TileError::Width { tile, size, expected, found: hashes.len() });
        }
        let first = (self.place() % TILE_WIDTH as u64) as usize;
        Ok(tree_hash(&hashes[first..first + (1 << (self.height % TILE_HEIGHT))]))
    }
}
