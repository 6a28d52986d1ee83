//! How much of the machine's memory PostgreSQL takes for its pages. What a database touches again and again, the upper parts of its
//! indexes first of all, should not be fetched from the operating system each time.

use std::fs;
use std::path::Path;

use nix::sys::sysinfo::sysinfo;

const LEAST: u64 = 128 << 20;
const MOST: u64 = 4 << 30;
/// Of the memory. The operating system keeps files, of the database and of others, in what is left.
const PART: u64 = 8;

/// `shared_buffers`: an eighth of the memory that this process may use. Pages that are never touched take none.
pub(crate) fn shared_buffers() -> String {
    let all = [total(), limit()].into_iter().flatten().min().unwrap_or_default();
    in_megabytes(all / PART)
}

/// Where the system does not give so much at once.
pub(crate) fn least() -> String {
    in_megabytes(0)
}

fn in_megabytes(octets: u64) -> String {
    format!("{}MB", octets.clamp(LEAST, MOST) >> 20)
}

/// Of the machine, in octets.
fn total() -> Option<u64> {
    // A service may not be allowed to see /proc/meminfo.
    sysinfo().ok().map(|seen| seen.ram_total())
}

/// Of the control group (version 2), such as a container's or a service's, in octets; none where there is no limit.
fn limit() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let limits = Path::new("/sys/fs/cgroup").join(group).join("memory.max");
    fs::read_to_string(limits).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_gives_little_and_a_large_one_not_all() {
        assert_eq!(in_megabytes(0), "128MB");
        assert_eq!(in_megabytes(3 << 30), "3072MB");
        assert_eq!(in_megabytes(1 << 40), "4096MB");
        assert!(total().is_some_and(|octets| octets > 0));
    }
}
