use tokio_postgres::GenericClient;
use transparency::{Hash, TILE_WIDTH, TileId};

use super::tree;
use crate::Error;

/// The leaves as the stored tree has them, a tile at a time.
pub struct Leaves<'a, C> {
    client: &'a C,
    index: Option<u64>,
    tile: Vec<Hash>,
}

impl<'a, C: GenericClient + Sync> Leaves<'a, C> {
    pub fn new(client: &'a C) -> Self {
        Leaves { client, index: None, tile: Vec::new() }
    }

    /// The leaf at a position, if the tree has one.
    pub async fn at(&mut self, position: u64) -> Result<Option<Hash>, Error> {
        let index = position / TILE_WIDTH as u64;
        if self.index != Some(index) {
            let id = TileId { level: 0, index };
            self.tile = tree::tiles(self.client, &[id]).await?.remove(&id).unwrap_or_default();
            self.index = Some(index);
        }
        Ok(self.tile.get((position % TILE_WIDTH as u64) as usize).copied())
    }
}
