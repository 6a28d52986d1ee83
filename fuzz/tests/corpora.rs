//! Every target over its corpus, and over a fixed set of variations of it: the same inputs at each run.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(clippy::print_stderr, reason = "says what was skipped")]

use std::fs;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target, measured};

/// Variations of each input.
const VARIATIONS: u64 = 60;
/// Larger inputs are run as they are.
const LARGEST_VARIED: usize = 64 << 10;

/// What parsers stumble over.
const PIECES: [&[u8]; 14] = [
    b"<",
    b">",
    b"&",
    b"&#x0;",
    b"<!DOCTYPE a>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"'",
    b"\"",
    b"\r\n--",
    b"\0",
    b"\xff\xfe",
    b"%00",
];

/// One test for all: the heap is that of the process.
#[test]
fn no_input_costs_more_than_it_may() {
    let mut runs = 0;
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for (place, input) in &inputs {
            let varied = if input.len() > LARGEST_VARIED { 0 } else { VARIATIONS };
            for number in 0..=varied {
                let octets = if number == 0 { input.clone() } else { vary(input, number) };
                let outcome = measured(target.run, &octets);
                assert_eq!(outcome, Ok(()), "{}, {}, variation {number}", target.name, place.display());
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
}

fn inputs(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = files(&here.join("corpus").join(target.name));
    if target.name == "cda_header" {
        paths.extend(files(&here.join("../conformance-tests/documents")));
    }
    match std::env::var_os("CARNET_CORPUS") {
        Some(corpus) => paths.extend(foreign(target, Path::new(&corpus))),
        None => eprintln!(
            "skipped: {} over the documents and messages of others (CARNET_CORPUS is not set)",
            target.name
        ),
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn foreign(target: &Target, corpus: &Path) -> Vec<PathBuf> {
    match target.name {
        "cda_header" => files(&corpus.join("data/cda")),
        "mtom_package" => Vec::new(),
        _ => files(&corpus.join("data/xds-samples")),
    }
}

/// Everything below a folder; nothing when it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The input with one to four changes, decided by `seed`.
fn vary(input: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ input.len() as u64);
    let mut octets = input.to_vec();
    for _ in 0..=random.below(4) {
        let place = random.below(octets.len() + 1);
        let end = (place + random.below(40)).min(octets.len());
        match random.below(6) {
            0 => octets.truncate(place),
            1 => drop(octets.drain(place..end)),
            2 => {
                let piece = PIECES[random.below(PIECES.len())];
                octets.splice(place..place, piece.iter().copied());
            }
            3 => {
                let again = octets[place..end].to_vec();
                octets.splice(place..place, again);
            }
            4 => octets.iter_mut().skip(place).take(1).for_each(|octet| *octet = octet.wrapping_add(1)),
            _ => octets[place..end].reverse(),
        }
    }
    octets
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}
