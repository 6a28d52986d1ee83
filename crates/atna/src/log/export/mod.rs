//! Events in a file of their own, each with the proof that the log has it: JSON, a line each.
//!
//! The first line has the checkpoint that all proofs lead to, the last one how many events there are.

mod read;

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::pin;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::fs::{self, File};
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};
use tokio_postgres::{GenericClient, Row};
use transparency::{Checkpoint, Hash, Plan, TILE_WIDTH, TileId, TileNodes, Tiles, Verifier};
use uuid::Uuid;

use super::check::{self, Standing};
use super::{What, sql, tree};
use crate::{Error, Kind};

pub use read::{Checked, Doubt, check_export};

const FORMAT: &str = "carnet-audit-export/1";
/// How often progress is told, in events.
const STEP: u64 = 256;
/// Hashes of a leaf's audit path that are within its tile.
const WITHIN: usize = TILE_WIDTH.ilog2() as usize;

/// Which events to export; an empty selection is all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The first day of the month in which they were signed.
    pub month: Option<NaiveDate>,
    pub kind: Option<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    pub events: u64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    /// The log's public key.
    key: String,
    /// The signed checkpoint.
    checkpoint: String,
}

/// An event; `salt` in base64 and `content` as a text are what its leaf is made of. Of one that is blanked the leaf is left.
#[derive(Serialize, Deserialize)]
struct Line {
    position: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blanked_by: Option<Uuid>,
    proof: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Tail {
    events: u64,
}

/// Writes the selected events in the order of the log. One that is not as it was signed ends it with an error. `progress` is
/// told the last position that was written, and where the log ends.
pub async fn export<C, B, W>(
    client: &C,
    beside: &B,
    keys: &[Verifier],
    selection: &Selection,
    out: &mut W,
    mut progress: impl FnMut(u64, u64),
) -> Result<Exported, Error>
where
    C: GenericClient + Sync,
    B: GenericClient + Sync,
    W: AsyncWrite + Unpin,
{
    let Some((size, note)) = sql::last_checkpoint(client).await? else { return Err(Error::NothingSigned) };
    let size = size as u64;
    let key = match Checkpoint::open(note.as_bytes(), keys) {
        Ok(checkpoint) if checkpoint.size == size => {
            keys.iter().find(|key| key.name() == checkpoint.origin).map(Verifier::to_string)
        }
        _ => None,
    };
    let Some(key) = key else { return Err(Error::NotAsSigned(What::Checkpoint { size })) };
    put(out, &Head { format: FORMAT.to_owned(), key, checkpoint: note }).await?;
    let mut prover = Prover::new(beside, size);
    let mut events = 0;
    let rows = sql::selected(client, size as i64, selection.month, selection.kind.map(Kind::number)).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let position = row.try_get::<_, i64>(0)? as u64;
        let (leaf, proof) = prover.prove(position).await?;
        if let Some(what) = check::differing(&row, Some(leaf))? {
            return Err(Error::NotAsSigned(what));
        }
        put(out, &line(&row, position, leaf, &proof)?).await?;
        events += 1;
        if events % STEP == 0 {
            progress(position, size);
        }
    }
    put(out, &Tail { events }).await?;
    out.flush().await.map_err(Error::Output)?;
    progress(size, size);
    Ok(Exported { events })
}

/// Exports into a file, which appears under its name when all of it is on disk. Only its owner can read it.
pub async fn export_to<C, B>(
    path: &Path,
    client: &C,
    beside: &B,
    keys: &[Verifier],
    selection: &Selection,
    progress: impl FnMut(u64, u64),
) -> Result<Exported, Error>
where
    C: GenericClient + Sync,
    B: GenericClient + Sync,
{
    let broken = |source| Error::File { path: path.to_owned(), source };
    let partial = path.with_added_extension("partial");
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&partial).await;
    let mut out = BufWriter::new(file.map_err(broken)?);
    let exported = export(client, beside, keys, selection, &mut out, progress).await;
    if exported.is_err() {
        // What is left is of no use, and cannot do harm where it cannot be removed.
        let _ = fs::remove_file(&partial).await;
    }
    let exported = exported?;
    let closed = async {
        out.into_inner().sync_all().await?;
        fs::rename(&partial, path).await
    };
    closed.await.map_err(broken)?;
    Ok(exported)
}

fn line(row: &Row, position: u64, leaf: Hash, proof: &[Hash]) -> Result<Line, Error> {
    let proof = proof.iter().map(Hash::to_string).collect();
    Ok(match check::standing(row)? {
        Standing::Whole(_) => Line {
            position,
            salt: Some(STANDARD.encode(row.try_get::<_, &[u8]>(6)?)),
            content: Some(std::str::from_utf8(row.try_get(7)?).map_err(Error::NotText)?.to_owned()),
            leaf: None,
            blanked_by: None,
            proof,
        },
        Standing::Blanked | Standing::Torn => Line {
            position,
            salt: None,
            content: None,
            leaf: Some(leaf.to_string()),
            blanked_by: row.try_get(9)?,
            proof,
        },
    })
}

async fn put<W: AsyncWrite + Unpin>(out: &mut W, line: &impl Serialize) -> Result<(), Error> {
    let mut octets = serde_json::to_vec(line)?;
    octets.push(b'\n');
    out.write_all(&octets).await.map_err(Error::Output)
}

/// Makes proofs of leaves one after the other, from as many tiles as one needs.
struct Prover<'a, C> {
    client: &'a C,
    size: u64,
    tiles: Tiles,
    /// The tile of the leaf before: its index, the nodes in it and, if it is whole, the rest of the way to the root.
    last: Option<(u64, TileNodes, Option<Vec<Hash>>)>,
}

impl<'a, C: GenericClient + Sync> Prover<'a, C> {
    fn new(client: &'a C, size: u64) -> Self {
        Prover { client, size, tiles: Tiles::new(), last: None }
    }

    /// The leaf at a position and its audit path.
    async fn prove(&mut self, position: u64) -> Result<(Hash, Vec<Hash>), Error> {
        let (index, place) = (position / TILE_WIDTH as u64, (position % TILE_WIDTH as u64) as usize);
        let id = TileId { level: 0, index };
        if let Some((of, nodes, Some(beyond))) = &self.last
            && *of == index
        {
            let mut path = nodes.path(place);
            path.extend(beyond);
            return Ok((self.leaf(id, place)?, path));
        }
        let plan = Plan::inclusion(position, self.size)?;
        self.load(plan.tiles().into_iter().chain([id]).collect()).await?;
        let source = |source| Error::Tree { size: self.size, source };
        let path = plan.prove(&self.tiles).map_err(source)?;
        let whole = id.width(self.size) == TILE_WIDTH;
        if whole && let Some(tile) = self.tiles.get(&id) {
            let beyond = path.get(WITHIN..).map(<[Hash]>::to_vec);
            self.last = Some((index, TileNodes::of(tile.get(..TILE_WIDTH).unwrap_or_default()), beyond));
        }
        Ok((self.leaf(id, place)?, path))
    }

    fn leaf(&self, id: TileId, place: usize) -> Result<Hash, Error> {
        let leaf = self.tiles.get(&id).and_then(|tile| tile.get(place)).copied();
        leaf.ok_or(Error::Tree { size: self.size, source: transparency::TileError::Missing(id) })
    }

    /// Reads what is missing and forgets what is not needed any more.
    async fn load(&mut self, needed: BTreeSet<TileId>) -> Result<(), Error> {
        self.tiles.retain(|id, _| needed.contains(id));
        let missing: Vec<TileId> = needed.into_iter().filter(|id| !self.tiles.contains_key(id)).collect();
        if !missing.is_empty() {
            self.tiles.extend(tree::tiles(self.client, &missing).await?);
        }
        Ok(())
    }
}
