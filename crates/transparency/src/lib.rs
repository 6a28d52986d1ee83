//! A transparency log: leaves in a Merkle tree, of which signed checkpoints tell the root, so that whoever holds a
//! checkpoint notices when anything that it covers was changed, removed, inserted or put in another order.
//!
//! Hashing and proofs are those of RFC 6962 §2.1; tiles, notes, checkpoints and proofs in text have the forms of C2SP
//! (`tlog-tiles`, `signed-note`, `tlog-checkpoint`, `tlog-proof`, `tlog-witness`), so that tools of others read them.
//!
//! Pure: values in, values out. Whoever calls loads and stores tiles, tells the time and keeps the files.
//!
//! * To grow a log: [`Edge::load`], [`Edge::push`] for each leaf, [`Edge::take_changed`] to store, [`Checkpoint::sign`].
//! * To prove: [`Plan`] names the tiles it needs and makes the proof from them.
//! * To check: [`verify_inclusion`], [`verify_consistency`], [`records()`] for a file of checkpoints.

mod edge;
mod hash;
mod key;
mod lines;
mod nodes;
mod note;
mod plan;
mod proof;
mod record;
mod records;
mod tile;
mod verify;

pub use edge::Edge;
pub use hash::{
    HASH_LENGTH, Hash, HashError, MARK_LENGTH, Mark, SALT_LENGTH, leaf_hash, node_hash, record_hash,
    tree_hash,
};
pub use key::{KeyError, Signer, Verifier};
pub use nodes::TileNodes;
pub use note::{MAX_NOTE, Note, NoteError, Signature};
pub use plan::Plan;
pub use proof::{ConsistencyProof, InclusionProof, ProofTextError};
pub use record::{Checkpoint, MAX_LEAVES, Record, RecordError, Restoration};
pub use records::{Located, Records, RecordsError, record_octets, records};
pub use tile::{TILE_WIDTH, TileError, TileId, Tiles};
pub use verify::{ProofError, verify_consistency, verify_inclusion};
