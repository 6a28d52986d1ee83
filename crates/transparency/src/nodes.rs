use crate::Hash;
use crate::hash::node_hash;

/// All nodes between the leaves of a whole tile and its root: the paths of all its leaves without hashing again for each.
#[derive(Debug, Clone)]
pub struct TileNodes {
    /// From the leaves upwards, each level half as long as the one below.
    levels: Vec<Vec<Hash>>,
}

impl TileNodes {
    /// The nodes above the hashes of a whole tile.
    pub fn of(tile: &[Hash]) -> TileNodes {
        let mut levels = vec![tile.to_vec()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
            levels.push(above);
        }
        TileNodes { levels }
    }

    /// The siblings on the way from a leaf to the root of the tile: the beginning of the leaf's audit path in every tree
    /// that has the whole tile.
    pub fn path(&self, place: usize) -> Vec<Hash> {
        let siblings = self.levels.iter().enumerate().map(|(height, level)| level.get((place >> height) ^ 1));
        siblings.map_while(|sibling| sibling.copied()).collect()
    }
}
