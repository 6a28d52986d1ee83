//! Everything that reads octets of strangers, as functions that take any octets.
//!
//! The same functions are run by a fuzzer (`scripts/fuzz`) and, over the corpus and a fixed set of its variations, by
//! the test suite. [`measured`] holds each run against the limits: no panic, a second at most, and a peak heap of 1 MiB
//! and ten times the input.

mod measure;
mod targets;

pub use measure::{Excess, measured};
pub use targets::{TARGETS, Target};

/// One run of the target `name` under the fuzzer, which takes a panic for a find.
pub fn run(name: &str, octets: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let outcome = target.map(|target| measured(target.run, octets));
    assert_eq!(outcome, Some(Ok(())), "{name} with {} octets", octets.len());
}
