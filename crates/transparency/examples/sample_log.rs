//! Writes a log of invented events into a folder, for `scripts/interop-audit`: the verifier key, the file of checkpoints,
//! the tiles, events with proofs of inclusion, and proofs of consistency between checkpoints.
//!
//! `cargo run -p transparency --example sample_log -- FOLDER`

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use transparency::{
    Checkpoint, ConsistencyProof, Edge, InclusionProof, Plan, Restoration, SALT_LENGTH, Signer, Tiles,
    leaf_hash, record_octets,
};

const ORIGIN: &str = "audit.example.org";
/// Sizes at which checkpoints are signed: around whole tiles, and a log of more than one tile on the second level.
const SIZES: [u64; 9] = [1, 2, 255, 256, 257, 1_000, 65_535, 65_537, 66_000];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    fs::create_dir_all(folder.join("tiles"))?;
    let signer = Signer::generate(ORIGIN)?;
    fs::write(folder.join("key"), format!("{}\n", signer.verifier()?))?;

    let (mut edge, mut tiles) = (Edge::empty(), Tiles::new());
    let (mut records, mut checkpoints) = (Vec::new(), Vec::new());
    let mut at: DateTime<Utc> = "2026-11-25T00:00:00Z".parse()?;
    for size in SIZES {
        let mut leaves = Vec::new();
        for index in edge.size()..size {
            let (salt, content) = event(index);
            let leaf = leaf_hash(&salt, content.as_bytes());
            leaves.push(leaf.mark());
            edge.push(leaf);
        }
        tiles.extend(edge.take_changed());
        at += TimeDelta::milliseconds(2_001);
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: edge.root(), at, leaves };
        let note = checkpoint.sign(&signer)?;
        records.extend(record_octets(&note));
        checkpoints.push(note);
    }
    let restored = Restoration { origin: ORIGIN.to_owned(), size: edge.size(), root: edge.root(), at };
    records.extend(record_octets(&restored.sign(&signer)?));
    fs::write(folder.join("checkpoints"), records)?;
    for (tile, hashes) in &tiles {
        let octets: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_octets()).collect();
        fs::write(folder.join(format!("tiles/{}-{}", tile.level, tile.index)), octets)?;
    }

    for (size, checkpoint) in SIZES.into_iter().zip(&checkpoints) {
        for index in [0, size / 3, size - 1] {
            let (salt, content) = event(index);
            let hashes = Plan::inclusion(index, size)?.prove(&tiles)?;
            let proof =
                InclusionProof { extra: Some(salt.to_vec()), index, hashes, checkpoint: checkpoint.clone() };
            fs::write(folder.join(format!("{index}-in-{size}.tlog-proof")), proof.to_string())?;
            fs::write(folder.join(format!("{index}-in-{size}.event")), content)?;
        }
        for old in SIZES.into_iter().filter(|old| *old <= size) {
            let hashes = Plan::consistency(old, size)?.prove(&tiles)?;
            let proof = ConsistencyProof { old, hashes, checkpoint: checkpoint.clone() };
            fs::write(folder.join(format!("{old}-to-{size}.consistency")), proof.to_string())?;
        }
    }
    Ok(())
}

fn event(index: u64) -> ([u8; SALT_LENGTH], String) {
    let salt = u128::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
    (salt, format!("{{\"event\":{index},\"what\":\"a document was read\"}}"))
}
