//! What the machine can do at best, by public tools in the same run: what a result is held against.

mod files;
mod pgbench;
mod static_files;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cells::{Cell, Pace, Workload};

/// A limit's letter, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    W,
    F,
    /// F, appended to an open file of each writer.
    A,
    R,
    T,
    /// A static file of so many octets.
    S(u64),
}

impl Limit {
    pub fn name(self) -> String {
        match self {
            Limit::S(size) if size < 100_000 => "S".to_owned(),
            Limit::S(size) => format!("S {} MB", size / 1_000_000),
            other => format!("{other:?}"),
        }
    }

    pub fn meaning(self) -> String {
        match self {
            Limit::W => "three inserts of 4 KB in one durable transaction (pgbench)".to_owned(),
            Limit::F => "30 KB file: write, fdatasync, rename".to_owned(),
            Limit::A => "30 KB appended to an open file of each writer, fdatasync".to_owned(),
            Limit::R => "indexed read of one patient's 10 rows of 4 KB (pgbench)".to_owned(),
            Limit::T => "one durable insert of the size of an event (pgbench)".to_owned(),
            Limit::S(size) if size < 100_000 => "30 KB static file over HTTP (nginx)".to_owned(),
            Limit::S(size) => format!("{} MB static file over HTTP (nginx)", size / 1_000_000),
        }
    }
}

/// One measured limit: rate a second, or why there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    pub limit: Limit,
    pub clients: usize,
    pub rate: Option<f64>,
    pub not_measured: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Limits(pub Vec<Measured>);

impl Limits {
    /// Measures those that cells of these workloads are held against.
    pub async fn measure(
        folder: &Path,
        cells: &[Cell],
        time: Duration,
        mut progress: impl FnMut(&str),
    ) -> anyhow::Result<Limits> {
        let mut clients: Vec<usize> =
            cells.iter().filter(|cell| cell.pace == Pace::Full).map(|cell| cell.clients).collect();
        clients.sort_unstable();
        clients.dedup();
        let mut wanted: Vec<Limit> = Vec::new();
        for limit in cells.iter().flat_map(|cell| needed(cell.workload)) {
            if !wanted.contains(&limit) {
                wanted.push(limit);
            }
        }
        let of_database: Vec<Limit> =
            wanted.iter().copied().filter(|limit| matches!(limit, Limit::W | Limit::R | Limit::T)).collect();
        let mut all = Vec::new();
        if !of_database.is_empty() {
            progress("measuring PostgreSQL with pgbench");
            all.extend(pgbench::measure(folder, &of_database, &clients, time).await?);
        }
        for limit in wanted {
            match limit {
                Limit::F | Limit::A => {
                    progress("measuring files");
                    all.extend(files::measure(folder, limit, &clients, time)?);
                }
                Limit::S(size) => {
                    progress("measuring nginx");
                    all.extend(static_files::measure(folder, size, &clients, time).await?);
                }
                _ => {}
            }
        }
        Ok(Limits(all))
    }

    pub fn rate(&self, limit: Limit, clients: usize) -> Option<f64> {
        self.0.iter().find(|measured| measured.limit == limit && measured.clients == clients)?.rate
    }

    /// The rate that a workload could reach if it did nothing but what the limits do, one after the other.
    pub fn bound(&self, workload: Workload, clients: usize) -> Option<f64> {
        let time = |(limit, times): (Limit, f64)| self.rate(limit, clients).map(|rate| times / rate);
        parts(workload).into_iter().map(time).sum::<Option<f64>>().map(f64::recip)
    }
}

/// What a workload is held against: each of these so many times, one after the other.
pub fn parts(workload: Workload) -> Vec<(Limit, f64)> {
    match workload {
        Workload::Submit { documents } => vec![(Limit::W, documents as f64), (Limit::F, documents as f64)],
        // R reads ten rows.
        Workload::Find { entries, .. } => vec![(Limit::R, entries as f64 / 10.0), (Limit::T, 1.0)],
        Workload::Get { size } => vec![(Limit::S(size), 1.0), (Limit::T, 1.0)],
        Workload::Mix => {
            let weighted = Workload::MIXED.into_iter().zip(Workload::WEIGHTS);
            let of_each = |(workload, weight): (Workload, u8)| {
                parts(workload).into_iter().map(move |(limit, times)| (limit, times * f64::from(weight)))
            };
            let all: u8 = Workload::WEIGHTS.iter().sum();
            weighted.flat_map(of_each).map(|(limit, times)| (limit, times / f64::from(all))).collect()
        }
    }
}

fn needed(workload: Workload) -> Vec<Limit> {
    let mut limits: Vec<Limit> = parts(workload).into_iter().map(|(limit, _)| limit).collect();
    if matches!(workload, Workload::Submit { .. }) {
        // Beside F, what it would be if documents shared files.
        limits.push(Limit::A);
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_rate_of_its_parts_one_after_the_other() {
        let measured = |limit, rate| Measured { limit, clients: 1, rate: Some(rate), not_measured: None };
        let limits = Limits(vec![measured(Limit::W, 1000.0), measured(Limit::F, 1000.0)]);
        assert_eq!(limits.bound(Workload::SUBMIT, 1), Some(500.0));
        assert_eq!(limits.bound(Workload::SUBMIT, 16), None);
        assert_eq!(limits.bound(Workload::Submit { documents: 20 }, 1), Some(25.0));
        assert_eq!(limits.bound(Workload::FIND, 1), None);
    }

    #[test]
    fn the_bound_of_the_mix_is_that_of_its_requests() {
        let measured = |limit, rate| Measured { limit, clients: 1, rate: Some(rate), not_measured: None };
        let limits = [Limit::W, Limit::F, Limit::R, Limit::T, Limit::S(30 << 10)];
        let limits = Limits(limits.into_iter().map(|limit| measured(limit, 1000.0)).collect());
        // Each request is two parts of a millisecond.
        assert!((limits.bound(Workload::Mix, 1).unwrap() - 500.0).abs() < 1e-9);
    }
}
