//! What one run may cost.

use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const LONGEST: Duration = Duration::from_secs(1);
const HEAP_BASE: usize = 1 << 20;
const HEAP_FACTOR: usize = 10;

/// A run that cost more than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Excess {
    Time(Duration),
    Heap { peak: usize, allowed: usize },
}

/// Runs `target` on `input`. The heap is that of the whole process: nothing else may run beside it.
pub fn measured(target: fn(&[u8]), input: &[u8]) -> Result<(), Excess> {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let started = Instant::now();
    target(input);
    let took = started.elapsed();
    let peak = HEAP.peak_usage().saturating_sub(before);
    let allowed = HEAP_BASE + HEAP_FACTOR * input.len();
    match (took > LONGEST, peak > allowed) {
        (true, _) => Err(Excess::Time(took)),
        (false, true) => Err(Excess::Heap { peak, allowed }),
        (false, false) => Ok(()),
    }
}
