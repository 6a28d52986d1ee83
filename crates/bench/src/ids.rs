//! Identifiers of fixed width, from a generator.

use uuid::{Builder, Uuid};

/// An arc below the test numbers of this project.
const ARC: &str = "1.2.250.1.999.6";

pub fn uuid(rng: &mut fastrand::Rng) -> Uuid {
    Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid()
}

/// A new uniqueId.
pub fn unique_id(rng: &mut fastrand::Rng) -> String {
    format!("{ARC}.1.1{:018}", rng.u64(..1_000_000_000_000_000_000))
}

/// A moment as 14 digits, in the ten years before 2026.
pub fn time(rng: &mut fastrand::Rng) -> String {
    let (year, month, day) = (rng.u16(2016..2026), rng.u8(1..=12), rng.u8(1..=28));
    format!("{year}{month:02}{day:02}{:02}{:02}{:02}", rng.u8(7..20), rng.u8(..60), rng.u8(..60))
}
