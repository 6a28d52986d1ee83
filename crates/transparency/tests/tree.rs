//! Trees against the definitions of RFC 6962 §2.1, written here a second time as plain recursions.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::collections::HashMap;

use proptest::prelude::*;
use transparency::*;

/// The definitions, with the roots that were computed once kept.
struct Naive<'a> {
    leaves: &'a [Hash],
    roots: HashMap<(usize, usize), Hash>,
}

impl<'a> Naive<'a> {
    fn new(leaves: &'a [Hash]) -> Naive<'a> {
        Naive { leaves, roots: HashMap::new() }
    }

    /// MTH of the leaves from `start` to `end`.
    fn root(&mut self, start: usize, end: usize) -> Hash {
        if start == end {
            return Hash::empty_tree();
        }
        if start + 1 == end {
            return self.leaves[start];
        }
        if let Some(root) = self.roots.get(&(start, end)) {
            return *root;
        }
        let middle = start + middle(end - start);
        let root = node_hash(&self.root(start, middle), &self.root(middle, end));
        self.roots.insert((start, end), root);
        root
    }

    /// PATH.
    fn path(&mut self, index: usize, start: usize, end: usize) -> Vec<Hash> {
        if start + 1 == end {
            return Vec::new();
        }
        let middle = start + middle(end - start);
        let (mut path, sibling) = if index < middle {
            (self.path(index, start, middle), self.root(middle, end))
        } else {
            (self.path(index, middle, end), self.root(start, middle))
        };
        path.push(sibling);
        path
    }

    /// SUBPROOF, of the tree that ends before `old`.
    fn consistency(&mut self, old: usize, start: usize, end: usize) -> Vec<Hash> {
        if old == end {
            return if start == 0 { Vec::new() } else { vec![self.root(start, end)] };
        }
        let middle = start + middle(end - start);
        let (mut proof, other) = if old <= middle {
            (self.consistency(old, start, middle), self.root(middle, end))
        } else {
            (self.consistency(old, middle, end), self.root(start, middle))
        };
        proof.push(other);
        proof
    }
}

fn middle(size: usize) -> usize {
    let mut middle = 1;
    while middle * 2 < size {
        middle *= 2;
    }
    middle
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u64).map(|number| record_hash(&number.to_be_bytes())).collect()
}

/// What a log of these leaves would have stored.
fn grown(leaves: &[Hash]) -> (Edge, Tiles) {
    let mut edge = Edge::empty();
    leaves.iter().for_each(|leaf| edge.push(*leaf));
    let tiles = edge.take_changed().into_iter().collect();
    (edge, tiles)
}

fn edge_tiles(size: u64, stored: &Tiles) -> Tiles {
    Edge::tile_ids(size).into_iter().map(|tile| (tile, stored[&tile].clone())).collect()
}

fn pick(tiles: impl IntoIterator<Item = TileId>, stored: &Tiles) -> Tiles {
    tiles.into_iter().map(|tile| (tile, stored[&tile].clone())).collect()
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<_> = hexadecimal.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The eight leaves and the roots that implementations of Certificate Transparency are tested with.
#[test]
fn roots_are_those_of_the_known_eight_leaves() {
    let records =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    assert_eq!(
        format!("{:x}", Hash::empty_tree()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let mut edge = Edge::empty();
    let mut hashes = Vec::new();
    for (record, root) in records.iter().zip(roots) {
        let leaf = record_hash(&octets(record));
        hashes.push(leaf);
        edge.push(leaf);
        assert_eq!(format!("{:x}", edge.root()), root);
        assert_eq!(format!("{:x}", tree_hash(&hashes)), root);
    }
}

/// The proofs that belong to the known eight leaves.
#[test]
fn proofs_are_those_of_the_known_eight_leaves() {
    let known = |hashes: &[&str]| -> Vec<Hash> {
        hashes.iter().map(|hash| Hash::try_from(octets(hash).as_slice()).unwrap()).collect()
    };
    let records =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let hashes: Vec<_> = records.iter().map(|record| record_hash(&octets(record))).collect();
    let (_, tiles) = grown(&hashes);
    let inclusion = |index, size| Plan::inclusion(index, size).unwrap().prove(&tiles).unwrap();
    let consistency = |old, new| Plan::consistency(old, new).unwrap().prove(&tiles).unwrap();
    assert_eq!(inclusion(0, 1), []);
    assert_eq!(
        inclusion(0, 8),
        known(&[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ])
    );
    assert_eq!(
        inclusion(5, 8),
        known(&[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
    assert_eq!(inclusion(2, 3), known(&["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]));
    assert_eq!(consistency(1, 1), []);
    assert_eq!(
        consistency(6, 8),
        known(&[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
}

#[test]
fn a_leaf_is_salt_and_content_behind_a_zero() {
    let salt = *b"0123456789abcdef";
    assert_eq!(leaf_hash(&salt, b"content"), record_hash(b"0123456789abcdefcontent"));
    assert_ne!(leaf_hash(&salt, b"content"), leaf_hash(b"0123456789abcdeF", b"content"));
}

#[test]
fn roots_of_all_sizes_to_600_are_those_of_the_definition() {
    let leaves = leaves(600);
    let mut edge = Edge::empty();
    let mut naive = Naive::new(&leaves);
    assert_eq!(edge.root(), naive.root(0, 0));
    for (size, leaf) in (1..).zip(&leaves) {
        edge.push(*leaf);
        assert_eq!(edge.size(), size as u64);
        assert_eq!(edge.root(), naive.root(0, size), "size {size}");
        assert_eq!(tree_hash(&leaves[..size]), edge.root());
    }
}

#[test]
fn an_edge_that_is_stored_and_loaded_after_every_leaf_is_the_same() {
    let mut stored = Tiles::new();
    let mut edge = Edge::empty();
    for leaf in leaves(600) {
        edge.push(leaf);
        stored.extend(edge.take_changed());
        assert_eq!(edge.take_changed(), []);
        let loaded = Edge::load(edge.size(), edge_tiles(edge.size(), &stored)).unwrap();
        assert_eq!(loaded.root(), edge.root());
        edge = loaded;
    }
    let (_, at_once) = grown(&leaves(600));
    assert_eq!(stored, at_once);
    assert_eq!(stored.keys().map(|tile| tile.width(600)).collect::<Vec<_>>(), [256, 256, 88, 2]);
}

#[test]
fn an_edge_changes_only_the_tiles_that_grew() {
    let mut edge = Edge::empty();
    leaves(300).into_iter().for_each(|leaf| edge.push(leaf));
    edge.take_changed();
    edge.push(record_hash(b"another"));
    let changed = edge.take_changed();
    assert_eq!(
        changed.iter().map(|(tile, hashes)| (tile.level, tile.index, hashes.len())).collect::<Vec<_>>(),
        [(0, 1, 45)]
    );
}

#[test]
fn an_edge_is_loaded_from_exactly_its_tiles() {
    let (_, stored) = grown(&leaves(600));
    let tiles = edge_tiles(600, &stored);
    let (last, first) = (TileId { level: 0, index: 2 }, TileId { level: 0, index: 0 });
    assert_eq!(Edge::tile_ids(600), [last, TileId { level: 1, index: 0 }]);
    assert_eq!(Edge::tile_ids(0), []);
    assert_eq!(Edge::tile_ids(512), [TileId { level: 1, index: 0 }]);

    let mut missing = tiles.clone();
    missing.remove(&last);
    assert_eq!(Edge::load(600, missing), Err(TileError::Missing(last)));
    for found in [0, 87, 89] {
        let mut other = tiles.clone();
        other.get_mut(&last).unwrap().resize(found, Hash::empty_tree());
        assert_eq!(
            Edge::load(600, other),
            Err(TileError::Width { tile: last, size: 600, expected: 88, found })
        );
    }
    let mut more = tiles.clone();
    more.insert(first, stored[&first].clone());
    assert_eq!(Edge::load(600, more), Err(TileError::NotAtTheEdge { tile: first, size: 600 }));
}

#[test]
fn every_proof_of_inclusion_to_300_leaves_is_that_of_the_definition_and_holds() {
    let leaves = leaves(300);
    let (_, stored) = grown(&leaves);
    let mut naive = Naive::new(&leaves);
    for size in 1..=leaves.len() {
        let root = naive.root(0, size);
        for (index, leaf) in leaves[..size].iter().enumerate() {
            let plan = Plan::inclusion(index as u64, size as u64).unwrap();
            let proof = plan.prove(&pick(plan.tiles(), &stored)).unwrap();
            assert_eq!(proof, naive.path(index, 0, size), "{index} of {size}");
            verify_inclusion(leaf, index as u64, size as u64, &root, &proof).unwrap();
        }
    }
}

#[test]
fn every_proof_of_consistency_to_300_leaves_is_that_of_the_definition_and_holds() {
    let leaves = leaves(300);
    let (_, stored) = grown(&leaves);
    let mut naive = Naive::new(&leaves);
    let roots: Vec<_> = (0..=leaves.len()).map(|size| naive.root(0, size)).collect();
    for new in 1..=leaves.len() {
        for old in 0..=new {
            let plan = Plan::consistency(old as u64, new as u64).unwrap();
            let proof = plan.prove(&pick(plan.tiles(), &stored)).unwrap();
            if old > 0 {
                assert_eq!(proof, naive.consistency(old, 0, new), "{old} in {new}");
            }
            verify_consistency(old as u64, &roots[old], new as u64, &roots[new], &proof).unwrap();
        }
    }
}

/// A hash with one bit turned.
fn other(hash: &Hash) -> Hash {
    let mut octets = *hash.as_octets();
    octets[17] ^= 4;
    Hash::from(octets)
}

#[test]
fn a_proof_of_inclusion_holds_for_nothing_else() {
    let leaves = leaves(70);
    let (_, stored) = grown(&leaves);
    let mut naive = Naive::new(&leaves);
    for size in 1..=leaves.len() {
        let root = naive.root(0, size);
        for (index, leaf) in leaves[..size].iter().enumerate() {
            let proof = Plan::inclusion(index as u64, size as u64).unwrap().prove(&stored).unwrap();
            let verify = |leaf: &Hash, index: usize, size: usize, root: &Hash, proof: &[Hash]| {
                verify_inclusion(leaf, index as u64, size as u64, root, proof)
            };
            assert!(verify(&other(leaf), index, size, &root, &proof).is_err());
            assert!(verify(leaf, index, size, &other(&root), &proof).is_err());
            for place in (0..size + 2).filter(|place| *place != index) {
                assert!(verify(leaf, place, size, &root, &proof).is_err(), "{index} as {place} of {size}");
            }
            for hash in 0..proof.len() {
                let mut changed = proof.clone();
                changed[hash] = other(&changed[hash]);
                assert_eq!(verify(leaf, index, size, &root, &changed), Err(ProofError::NotIncluded));
                let mut shorter = proof.clone();
                shorter.remove(hash);
                let length = ProofError::Length { expected: proof.len(), found: proof.len() - 1 };
                assert_eq!(verify(leaf, index, size, &root, &shorter), Err(length));
            }
            let longer = [proof.as_slice(), &[root]].concat();
            assert!(verify(leaf, index, size, &root, &longer).is_err());
        }
    }
}

#[test]
fn a_proof_of_consistency_holds_for_nothing_else() {
    let leaves = leaves(70);
    let (_, stored) = grown(&leaves);
    let mut naive = Naive::new(&leaves);
    let roots: Vec<_> = (0..=leaves.len()).map(|size| naive.root(0, size)).collect();
    for new in 1..=leaves.len() {
        for old in 1..new {
            let proof = Plan::consistency(old as u64, new as u64).unwrap().prove(&stored).unwrap();
            let verify = |old_root: &Hash, new_root: &Hash, proof: &[Hash]| {
                verify_consistency(old as u64, old_root, new as u64, new_root, proof)
            };
            assert!(verify(&other(&roots[old]), &roots[new], &proof).is_err());
            assert_eq!(verify(&roots[old], &other(&roots[new]), &proof), Err(ProofError::NewRoot));
            for hash in 0..proof.len() {
                let mut changed = proof.clone();
                changed[hash] = other(&changed[hash]);
                assert!(verify(&roots[old], &roots[new], &changed).is_err(), "{old} in {new}");
                let mut shorter = proof.clone();
                shorter.remove(hash);
                assert!(verify(&roots[old], &roots[new], &shorter).is_err());
            }
            let longer = [proof.as_slice(), &[roots[new]]].concat();
            assert!(verify(&roots[old], &roots[new], &longer).is_err());
        }
        assert_eq!(
            verify_consistency(new as u64, &other(&roots[new]), new as u64, &roots[new], &[]),
            Err(ProofError::OldRoot)
        );
        assert_eq!(
            verify_consistency(0, &roots[new], new as u64, &roots[new], &[]),
            Err(ProofError::OldRoot)
        );
    }
}

#[test]
fn what_is_not_in_the_tree_has_no_proof() {
    assert_eq!(Plan::inclusion(5, 5), Err(ProofError::NoSuchLeaf { index: 5, size: 5 }));
    assert_eq!(Plan::consistency(6, 5), Err(ProofError::Shrunk { old: 6, new: 5 }));
    let (_, mut stored) = grown(&leaves(600));
    let plan = Plan::inclusion(3, 600).unwrap();
    let first = TileId { level: 0, index: 0 };
    stored.get_mut(&first).unwrap().pop();
    let width = TileError::Width { tile: first, size: 600, expected: 256, found: 255 };
    assert_eq!(plan.prove(&stored), Err(width));
    stored.remove(&first);
    assert_eq!(plan.prove(&stored), Err(TileError::Missing(first)));
}

/// Sizes far beyond what a test can fill are planned all the same.
#[test]
fn a_plan_for_any_size_needs_few_tiles() {
    for size in [1 << 40, (1 << 40) - 1, u64::MAX] {
        for index in [0, 1, size / 3, size - 1] {
            let tiles = Plan::inclusion(index, size).unwrap().tiles();
            assert!(tiles.len() <= 16, "{index} of {size}: {} tiles", tiles.len());
            assert!(tiles.iter().all(|tile| tile.width(size) > 0));
            assert!(Plan::consistency(index, size).unwrap().tiles().iter().all(|tile| tile.width(size) > 0));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn larger_trees_are_those_of_the_definition(size in 601usize..=100_000, a: u64, b: u64, batch in 200usize..5_000) {
        let leaves = leaves(size);
        let mut edge = Edge::empty();
        let mut stored = Tiles::new();
        for batch in leaves.chunks(batch) {
            edge = Edge::load(edge.size(), edge_tiles(edge.size(), &stored)).unwrap();
            batch.iter().for_each(|leaf| edge.push(*leaf));
            stored.extend(edge.take_changed());
        }
        let mut naive = Naive::new(&leaves);
        let root = naive.root(0, size);
        prop_assert_eq!(edge.root(), root);
        for (tile, hashes) in &stored {
            prop_assert_eq!(hashes.len(), tile.width(size as u64));
        }

        let old = 1 + (a % size as u64) as usize;
        let index = (b % old as u64) as usize;
        let old_root = naive.root(0, old);
        let plan = Plan::inclusion(index as u64, old as u64).unwrap();
        let proof = plan.prove(&pick(plan.tiles(), &stored)).unwrap();
        prop_assert_eq!(&proof, &naive.path(index, 0, old));
        verify_inclusion(&leaves[index], index as u64, old as u64, &old_root, &proof).unwrap();
        let plan = Plan::consistency(old as u64, size as u64).unwrap();
        let proof = plan.prove(&pick(plan.tiles(), &stored)).unwrap();
        prop_assert_eq!(&proof, &naive.consistency(old, 0, size));
        verify_consistency(old as u64, &old_root, size as u64, &root, &proof).unwrap();
    }
}

#[test]
fn the_way_within_a_whole_tile_is_the_beginning_of_the_way_to_the_root() {
    let leaves = leaves(700);
    let nodes = TileNodes::of(&leaves[256..512]);
    let mut naive = Naive::new(&leaves);
    for place in 0..256 {
        let path = nodes.path(place);
        assert_eq!(path, naive.path(256 + place, 0, 700)[..8]);
    }
}
