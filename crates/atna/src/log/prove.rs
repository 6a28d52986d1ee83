//! Proofs that an event is in the log.

use tokio_postgres::GenericClient;
use transparency::{InclusionProof, Note, Plan, RecordError};
use uuid::Uuid;

use super::{sql, tree};
use crate::Error;

/// An event with the proof that the log has it.
#[derive(Debug)]
pub struct Proven {
    /// The leaf's record: the salt (16 octets), then the event's canonical octets.
    pub record: Vec<u8>,
    /// Its `extra` is the record, so that the text of the proof is all that is needed.
    pub proof: InclusionProof,
}

/// The proof that an event is in the log, for the last checkpoint. None: there is no such event, or it waits for its place.
pub async fn prove<C: GenericClient + Sync>(client: &C, id: Uuid) -> Result<Option<Proven>, Error> {
    let rows = sql::by_id(client, id).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let position: i64 = row.try_get(0)?;
    if let Some(by) = row.try_get(3)? {
        return Err(Error::Blanked { position: position as u64, by });
    }
    let (salt, content): (&[u8], &[u8]) = (row.try_get(1)?, row.try_get(2)?);
    let Some((size, note)) = sql::last_checkpoint(client).await? else { return Ok(None) };
    let plan = Plan::inclusion(position as u64, size as u64)?;
    let needed: Vec<_> = plan.tiles().into_iter().collect();
    let tiles = tree::tiles(client, &needed).await?;
    let hashes = plan.prove(&tiles).map_err(|source| Error::Tree { size: size as u64, source })?;
    let checkpoint = Note::parse(note.as_bytes()).map_err(RecordError::Note)?;
    let record = [salt, content].concat();
    let proof = InclusionProof { extra: Some(record.clone()), index: position as u64, hashes, checkpoint };
    Ok(Some(Proven { record, proof }))
}
