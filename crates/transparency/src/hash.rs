//! The hashes of RFC 6962 §2.1: a first octet keeps leaves and nodes apart.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::sha::{Sha256, sha256};

/// Octets of a hash.
pub const HASH_LENGTH: usize = 32;
/// Octets of the salt of a leaf.
pub const SALT_LENGTH: usize = 16;
/// Octets of a [`Mark`].
pub const MARK_LENGTH: usize = 8;

const LEAF: u8 = 0x00;
const NODE: u8 = 0x01;

/// The first octets of a leaf hash: enough to tell which leaf differs, not to prove anything.
pub type Mark = [u8; MARK_LENGTH];

/// A SHA-256 hash in a Merkle tree. Written in base64, as the forms of C2SP have it; `{:x}` writes hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; HASH_LENGTH]);

/// Text or octets that are not a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("a hash has 32 octets; there are {0}")]
    Length(usize),
    #[error("a hash is written as 44 characters of base64")]
    NotBase64,
}

impl Hash {
    /// The root of a tree without leaves: the hash of nothing.
    pub fn empty_tree() -> Hash {
        Hash(sha256(&[]))
    }

    pub fn as_octets(&self) -> &[u8; HASH_LENGTH] {
        &self.0
    }

    pub fn mark(&self) -> Mark {
        let mut mark = [0; MARK_LENGTH];
        mark.copy_from_slice(&self.0[..MARK_LENGTH]);
        mark
    }
}

impl From<[u8; HASH_LENGTH]> for Hash {
    fn from(octets: [u8; HASH_LENGTH]) -> Hash {
        Hash(octets)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;

    fn try_from(octets: &[u8]) -> Result<Hash, HashError> {
        octets.try_into().map(Hash).map_err(|_| HashError::Length(octets.len()))
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Hash, HashError> {
        let octets = STANDARD.decode(text).map_err(|_| HashError::NotBase64)?;
        Hash::try_from(octets.as_slice())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::LowerHex for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self:x})")
    }
}

/// The hash of a leaf whose record is a salt and a content. The salt lets the content be blanked later: what is left, the
/// hash, cannot be guessed at. Its length is fixed, so no octet can move from one to the other.
pub fn leaf_hash(salt: &[u8; SALT_LENGTH], content: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(&[LEAF]);
    sha.update(salt);
    sha.update(content);
    Hash(sha.finish())
}

/// The hash of a leaf as RFC 6962 has it, of a record of any octets.
pub fn record_hash(record: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(&[LEAF]);
    sha.update(record);
    Hash(sha.finish())
}

/// The hash of a node above two others.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut octets = [NODE; 1 + 2 * HASH_LENGTH];
    octets[1..=HASH_LENGTH].copy_from_slice(&left.0);
    octets[1 + HASH_LENGTH..].copy_from_slice(&right.0);
    Hash(sha256(&octets))
}

/// The root of the tree over these leaf hashes (the Merkle Tree Hash of RFC 6962 §2.1).
pub fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty_tree(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node_hash(&tree_hash(left), &tree_hash(right))
        }
    }
}

/// The largest power of two that is smaller than `size`, which is at least 2: how many leaves are on the left.
pub(crate) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
