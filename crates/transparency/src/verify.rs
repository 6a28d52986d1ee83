//! Checking proofs (RFC 6962 §2.1.1 and §2.1.2). Nothing but hashes and sizes is needed.

use crate::hash::{node_hash, split};
use crate::{Hash, TileError};

/// Why a proof cannot be made, or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("there is no leaf {index} in a tree of {size} leaves")]
    NoSuchLeaf { index: u64, size: u64 },
    #[error("a tree of {new} leaves cannot have grown from one of {old}")]
    Shrunk { old: u64, new: u64 },
    #[error("the tree cannot be read: {0}")]
    Tiles(#[from] TileError),
    #[error("the proof has {found} hashes; it must have {expected}")]
    Length { expected: usize, found: usize },
    #[error("the proof leads to another root: this leaf is not at this place of the tree")]
    NotIncluded,
    #[error("the proof does not lead to the old root: the leaves that it covers were changed")]
    OldRoot,
    #[error("the proof does not lead to the new root: the new tree does not begin with the old one")]
    NewRoot,
}

/// Checks that the tree of this size and root has `leaf` at `index`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    // On which side of the leaf the other subtree is, from the root downwards: the proof goes the other way.
    let mut sides = Vec::new();
    let (mut index, mut size) = (index, size);
    while size > 1 {
        let left = split(size);
        if index < left {
            sides.push(Side::Right);
            size = left;
        } else {
            sides.push(Side::Left);
            (index, size) = (index - left, size - left);
        }
    }
    of_length(proof, sides.len())?;
    let hash = sides.iter().rev().zip(proof).fold(*leaf, |hash, (side, other)| match side {
        Side::Left => node_hash(other, &hash),
        Side::Right => node_hash(&hash, other),
    });
    if hash == *root { Ok(()) } else { Err(ProofError::NotIncluded) }
}

/// Checks that the tree of `new` leaves begins with the tree of `old` leaves.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        of_length(proof, 0)?;
        let expected = if old == 0 { Hash::empty_tree() } else { *new_root };
        return if *old_root == expected { Ok(()) } else { Err(ProofError::OldRoot) };
    }
    // Down from the new root to the largest subtree that ends where the old tree ends. What is left of that way is in both
    // trees, what is right of it only in the new one.
    let mut sides = Vec::new();
    let (mut within, mut size, mut whole_old_tree) = (old, new, true);
    while within < size {
        let left = split(size);
        if within <= left {
            sides.push(Side::Right);
            size = left;
        } else {
            sides.push(Side::Left);
            (within, size) = (within - left, size - left);
            whole_old_tree = false;
        }
    }
    // If that subtree is the old tree itself, its root is known and the proof leaves it out.
    of_length(proof, sides.len() + usize::from(!whole_old_tree))?;
    let (start, proof) = match proof.split_first() {
        Some((first, rest)) if !whole_old_tree => (*first, rest),
        _ => (*old_root, proof),
    };
    let (mut from_old, mut from_new) = (start, start);
    for (side, other) in sides.iter().rev().zip(proof) {
        match side {
            Side::Left => {
                from_old = node_hash(other, &from_old);
                from_new = node_hash(other, &from_new);
            }
            Side::Right => from_new = node_hash(&from_new, other),
        }
    }
    if from_old != *old_root {
        return Err(ProofError::OldRoot);
    }
    if from_new == *new_root { Ok(()) } else { Err(ProofError::NewRoot) }
}

enum Side {
    Left,
    Right,
}

fn of_length(proof: &[Hash], expected: usize) -> Result<(), ProofError> {
    let found = proof.len();
    if found == expected { Ok(()) } else { Err(ProofError::Length { expected, found }) }
}
