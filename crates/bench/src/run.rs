//! One run: the limits, then every cell.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use client::Endpoints;

use crate::cells::{Cell, Pace, Workload};
use crate::drive::{Load, Outcome, Work, drive};
use crate::limits::Limits;
use crate::load::Loaded;
use crate::process::Processes;
use crate::report::{Cost, Read, Row, at_full_pace};
use crate::stage::{Scale, Stage, Works};

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// How often two servers take turns, each time for half of the time of a measurement.
const TURNS: u32 = 4;

/// A server to be measured.
pub struct Target {
    pub endpoints: Endpoints,
    /// Its processes, when they are on this machine.
    pub processes: Processes,
    /// Whether patients are told to the registry first.
    pub feed: bool,
    pub loaded: Option<Arc<Loaded>>,
}

pub struct Settings {
    pub cells: Vec<Cell>,
    pub time: Duration,
    pub seed: u64,
    pub scale: Scale,
}

/// Fills the server and measures all cells. `limits` are for the shares.
pub async fn measure(
    target: &Target,
    settings: &Settings,
    limits: &Limits,
    mut progress: impl FnMut(&str),
) -> anyhow::Result<Vec<Row>> {
    let Settings { cells, time, seed, .. } = settings;
    let works = staged(target, settings, &mut progress).await?;
    let mut rows: Vec<Row> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let Some((_, work)) = works.iter().find(|(workload, _)| *workload == cell.workload) else { continue };
        let rate = match cell.pace {
            Pace::Full => None,
            Pace::Rate(rate) => Some(rate),
            Pace::Half => full_rate(&rows, cell).map(|rate| rate / 2.0),
        };
        progress(&format!("{}/{}: {}, {} clients", index + 1, cells.len(), cell.workload, cell.clients));
        let load = |time, part: u64| Load {
            clients: cell.clients,
            time,
            rate,
            seed: seed.wrapping_mul(1000).wrapping_add(2 * index as u64 + part),
        };
        let kib_before = target.processes.memory();
        sent(work, load(WARM_UP.min(*time), 0)).await?;
        target.processes.forget_peak();
        let before = target.processes.usage();
        let outcome = sent(work, load(*time, 1)).await?;
        let after = target.processes.usage();
        let cpu_seconds = before.zip(after).map(|(before, after)| after.cpu_seconds - before.cpu_seconds);
        let cost = Cost { cpu_seconds, kib_before, peak_kib: target.processes.peak_memory() };
        rows.push(Row::new(cell, rate, outcome, cost, limits));
    }
    Ok(rows)
}

async fn staged(target: &Target, settings: &Settings, progress: impl FnMut(&str)) -> anyhow::Result<Works> {
    let Settings { cells, seed, scale, .. } = settings;
    let (endpoints, loaded) = (target.endpoints.clone(), target.loaded.clone());
    Stage::set(endpoints, *scale, target.feed, loaded, *seed, cells, progress).await
}

/// Measures the same reads on two servers in turn, so that what else happens on the machine meanwhile happens to both.
pub async fn compare(
    with: &Target,
    without: &Target,
    settings: &Settings,
    limits: &Limits,
    mut progress: impl FnMut(&str),
) -> anyhow::Result<Vec<Read>> {
    let Settings { cells, time, seed, .. } = settings;
    let with = staged(with, settings, &mut progress).await?;
    let without = staged(without, settings, &mut progress).await?;
    let mut reads = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = format!("{}, {} clients, with traces and without", cell.workload, cell.clients);
        progress(&format!("{}/{}: {name}", index + 1, cells.len()));
        let work = |works: &Works| works.iter().find(|(workload, _)| *workload == cell.workload).cloned();
        let (Some((_, with)), Some((_, without))) = (work(&with), work(&without)) else { continue };
        let (mut rate, mut rate_without) = (0.0, 0.0);
        // The first turn is for warming up, and each begins with the server that the one before has ended with.
        for turn in 0..=TURNS {
            let mut two = [(&with, &mut rate), (&without, &mut rate_without)];
            if turn % 2 == 1 {
                two.reverse();
            }
            for (work, rate) in two {
                let seed = seed.wrapping_mul(1000).wrapping_add(u64::from(turn) + 10 * index as u64);
                let load = Load { clients: cell.clients, time: *time / 2, rate: None, seed };
                let outcome = sent(work, load).await?;
                if let Some(failure) = outcome.first_failure {
                    bail!("{}: {failure}", cell.workload);
                }
                if turn > 0 {
                    *rate += outcome.rate / f64::from(TURNS);
                }
            }
        }
        reads.extend(Read::new(cell, rate, rate_without, limits));
    }
    Ok(reads)
}

fn full_rate(rows: &[Row], cell: &Cell) -> Option<f64> {
    Some(at_full_pace(rows, &cell.workload.to_string(), cell.clients)?.outcome.rate)
}

async fn sent(work: &Arc<dyn Work>, load: Load) -> anyhow::Result<Outcome> {
    let work = work.clone();
    tokio::task::spawn_blocking(move || drive(work, load)).await?
}

/// The reads whose traces share commits, in the cells that both servers of the comparison are measured by.
pub fn reads() -> Vec<Cell> {
    let cell = |workload, clients| Cell { workload, clients, pace: Pace::Full };
    [Workload::FIND, Workload::GET]
        .into_iter()
        .flat_map(|workload| [1, 16].map(|n| cell(workload, n)))
        .collect()
}

/// Room in the file system of a folder, in octets.
pub fn room(folder: &Path) -> anyhow::Result<u64> {
    let stat = nix::sys::statvfs::statvfs(folder)?;
    Ok(stat.blocks_available() as u64 * stat.fragment_size() as u64)
}
