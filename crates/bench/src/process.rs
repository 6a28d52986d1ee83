//! What processes of this machine cost, from `/proc`.

use std::collections::HashMap;
use std::fs;

use nix::unistd::{SysconfVar, sysconf};

/// Processor time of a process and of all that it started, its private PostgreSQL among them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub cpu_seconds: f64,
}

struct Stat {
    parent: u32,
    /// utime + stime, and those of children that have ended, in ticks.
    own: u64,
    ended: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        ended: number(13)? + number(14)?,
    })
}

fn pids() -> impl Iterator<Item = u32> {
    let folder = fs::read_dir("/proc").into_iter().flatten().flatten();
    folder.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A process that costs are counted of, with its descendants.
#[derive(Debug, Clone)]
pub struct Processes(pub Vec<u32>);

impl Processes {
    /// None when one of them is not there.
    pub fn usage(&self) -> Option<Usage> {
        let all: HashMap<u32, Stat> = pids().filter_map(|pid| Some((pid, stat(pid)?))).collect();
        if self.0.is_empty() || self.0.iter().any(|pid| !all.contains_key(pid)) {
            return None;
        }
        let ours = |pid: u32| {
            let line = std::iter::successors(Some(pid), |pid| all.get(pid).map(|stat| stat.parent));
            line.take(64).any(|pid| self.0.contains(&pid))
        };
        let ticks: u64 =
            all.iter().filter(|(pid, _)| ours(**pid)).map(|(_, stat)| stat.own + stat.ended).sum();
        Some(Usage { cpu_seconds: ticks as f64 / ticks_a_second() })
    }

    /// The memory that the first of them holds now, in KiB.
    pub fn memory(&self) -> Option<u64> {
        status(*self.0.first()?, "VmRSS:")
    }

    /// The most memory that the first of them held since [`Processes::forget_peak`], in KiB.
    pub fn peak_memory(&self) -> Option<u64> {
        peak_memory(*self.0.first()?)
    }

    /// Begins a new peak; without the right to, the peak is that since the process began.
    pub fn forget_peak(&self) {
        if let Some(pid) = self.0.first() {
            let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }
}

/// VmHWM in KiB.
pub fn peak_memory(pid: u32) -> Option<u64> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn ticks_a_second() -> f64 {
    sysconf(SysconfVar::CLK_TCK).ok().flatten().map_or(100.0, |ticks| ticks as f64)
}

/// Processor, cores, memory and kernel, for the head of a report.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let value = |text: &str, name: &str| -> Option<String> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = value(&cpu, "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kib: u64 =
        value(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model}, {cores} cores, {} GiB, Linux {}", (kib + (1 << 19)) >> 20, kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_cost_something() {
        let this = Processes(vec![std::process::id()]);
        let mut sum = 0_u64;
        let before = this.usage().unwrap().cpu_seconds;
        while this.usage().unwrap().cpu_seconds <= before {
            sum = (0..1_000_000_u64).fold(sum, |sum, n| sum ^ n.wrapping_mul(31));
        }
        assert!(this.peak_memory().unwrap() > 0, "{sum}");
        assert!(Processes(vec![u32::MAX]).usage().is_none());
    }
}
