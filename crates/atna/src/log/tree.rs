//! The hash tree in the database.

use tokio_postgres::GenericClient;
use transparency::{Edge, Hash, TILE_WIDTH, TileId, Tiles};

use super::sql;
use crate::Error;

/// The right edge of the tree of the first `size` events, as the tiles have it.
pub async fn edge<C: GenericClient + Sync>(client: &C, size: u64) -> Result<Edge, Error> {
    let mut tiles = tiles(client, &Edge::tile_ids(size)).await?;
    for (id, hashes) in &mut tiles {
        // The log may have grown since.
        hashes.truncate(id.width(size));
    }
    Edge::load(size, tiles).map_err(|source| Error::Tree { size, source })
}

/// Those of the tiles that are there.
pub async fn tiles<C: GenericClient + Sync>(client: &C, ids: &[TileId]) -> Result<Tiles, Error> {
    let tiles = sql::tiles(client, ids).await?;
    tiles.into_iter().map(|(id, octets)| Ok((id, hashes(id, &octets)?))).collect()
}

/// Stores what has grown.
pub async fn store<C: GenericClient + Sync>(client: &C, edge: &mut Edge) -> Result<(), Error> {
    let octets = |hashes: Vec<Hash>| hashes.iter().flat_map(Hash::as_octets).copied().collect();
    let tiles: Vec<_> = edge.take_changed().into_iter().map(|(id, hashes)| (id, octets(hashes))).collect();
    Ok(sql::store_tiles(client, &tiles).await?)
}

fn hashes(id: TileId, octets: &[u8]) -> Result<Vec<Hash>, Error> {
    let (chunks, rest) = octets.as_chunks::<{ transparency::HASH_LENGTH }>();
    match rest.is_empty() && chunks.len() <= TILE_WIDTH {
        true => Ok(chunks.iter().map(|chunk| Hash::from(*chunk)).collect()),
        false => Err(Error::Tile { tile: id, octets: octets.len() }),
    }
}
