//! A restore of a backup is written down, so that it reads as one.

use chrono::Utc;
use database::Database;
use transparency::{Checkpoint, Hash, Restoration, Signer};

use super::{CheckpointFile, sql};
use crate::Error;

/// Appends the signed record that the database was put back to the last checkpoint that it knows. To be called when the
/// backup is in place and no server has written yet.
pub async fn restored(
    database: &Database,
    signer: &Signer,
    file: &CheckpointFile,
) -> Result<Restoration, Error> {
    let keys = [signer.verifier()?];
    let last = {
        let client = database.get().await?;
        sql::last_checkpoint(&**client).await?
    };
    let (size, root) = match last {
        None => (0, Hash::empty_tree()),
        Some((_, note)) => {
            let checkpoint = Checkpoint::open(note.as_bytes(), &keys)?;
            (checkpoint.size, checkpoint.root)
        }
    };
    // A record that a crash cut off is taken away first.
    file.last(&keys).await?;
    let restoration = Restoration { origin: signer.name().to_owned(), size, root, at: Utc::now() };
    file.append(&[restoration.sign(signer)?]).await?;
    Ok(restoration)
}
