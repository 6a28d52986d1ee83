//! Results as a table for people, as Markdown and as JSON.

use serde::{Deserialize, Serialize};

use crate::cells::{Cell, Pace};
use crate::drive::Outcome;
use crate::limits::Limits;

/// What one cell gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub workload: String,
    pub clients: usize,
    /// Requests a second that were to be sent; none: as fast as they were answered.
    pub pace: Option<f64>,
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Processor seconds of the server and its PostgreSQL for 1,000 requests.
    pub cpu_per_1000: Option<f64>,
    /// The most memory that the server held, in MiB.
    pub peak_mib: Option<f64>,
    /// How much more that is than what it held before the first of these requests.
    #[serde(default)]
    pub grown_mib: Option<f64>,
    /// The rate that the machine's limits would allow.
    pub limit: Option<f64>,
    /// Of that rate.
    pub share: Option<f64>,
}

/// What a cell cost the server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    pub cpu_seconds: Option<f64>,
    pub kib_before: Option<u64>,
    pub peak_kib: Option<u64>,
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

impl Row {
    pub fn new(cell: &Cell, pace: Option<f64>, outcome: Outcome, cost: Cost, limits: &Limits) -> Row {
        let limit = limits.bound(cell.workload, cell.clients).filter(|_| cell.pace == Pace::Full);
        Row {
            workload: cell.workload.to_string(),
            clients: cell.clients,
            pace,
            cpu_per_1000: cost
                .cpu_seconds
                .filter(|_| outcome.requests > 0)
                .map(|cpu| cpu * 1000.0 / outcome.requests as f64),
            peak_mib: cost.peak_kib.map(mib),
            grown_mib: cost
                .peak_kib
                .zip(cost.kib_before)
                .map(|(peak, before)| mib(peak.saturating_sub(before))),
            limit,
            share: limit.map(|limit| outcome.rate / limit),
            outcome,
        }
    }
}

/// The row of so many clients who sent as fast as they were answered.
pub fn at_full_pace<'r>(rows: &'r [Row], workload: &str, clients: usize) -> Option<&'r Row> {
    rows.iter().find(|row| row.workload == workload && row.clients == clients && row.pace.is_none())
}

/// The same reads with traces and without, beside one durable insert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Read {
    pub workload: String,
    pub clients: usize,
    pub rate: f64,
    /// G: of a server without traces.
    pub without_traces: f64,
    /// T: durable inserts a second.
    pub inserts: f64,
    /// Of 1/(1/G + 1/T).
    pub share: f64,
}

impl Read {
    /// None: T was not measured.
    pub fn new(cell: &Cell, rate: f64, without_traces: f64, limits: &Limits) -> Option<Read> {
        let inserts = limits.rate(crate::limits::Limit::T, cell.clients)?;
        let share = rate * (1.0 / without_traces + 1.0 / inserts);
        let workload = cell.workload.to_string();
        Some(Read { workload, clients: cell.clients, rate, without_traces, inserts, share })
    }
}

/// `carnet audit verify` over so many events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verified {
    pub events: u64,
    pub seconds: f64,
    pub events_a_second: f64,
    /// Processor seconds of the verifying process alone.
    pub cpu_seconds: Option<f64>,
    pub peak_mib: Option<f64>,
}

/// Everything of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    pub version: String,
    pub machine: String,
    pub at: String,
    pub seed: u64,
    /// Seconds of each cell.
    pub seconds: u64,
    /// Entries that were in the database before, by COPY.
    pub entries: u64,
    /// How many of their documents got octets, to be read.
    #[serde(default)]
    pub readable: usize,
    /// What that took.
    #[serde(default)]
    pub load_seconds: Option<f64>,
    /// Milliseconds from the start of the server's process until it was ready: in an empty folder, and again.
    pub start_ms: Option<[f64; 2]>,
    /// Lines that the reader must know, such as what else ran on the machine.
    pub remarks: Vec<String>,
    pub limits: Limits,
    pub rows: Vec<Row>,
    pub reads: Vec<Read>,
    pub verified: Vec<Verified>,
}

/// A heading and rows of cells.
pub struct Table {
    pub heading: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<&str> = cells.collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = line(&mut self.heading.iter().copied());
        // The first column is words, the others are numbers.
        text.push_str(&format!("|---|{}\n", "---:|".repeat(self.heading.len().saturating_sub(1))));
        text.extend(self.rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
        text
    }
}

pub(crate) fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => grouped(value.round() as u64),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

pub(crate) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.0} %", value * 100.0))
}

impl Report {
    pub fn results(&self) -> Table {
        let row = |row: &Row| {
            let Outcome { rate, p50, p95, p99, first_octet_p95, failures, .. } = &row.outcome;
            let name = match row.pace {
                None => row.workload.clone(),
                Some(pace) => format!("{} at {}/s", row.workload, number(pace)),
            };
            vec![
                name,
                row.clients.to_string(),
                number(*rate),
                number(*p50),
                number(*p95),
                number(*p99),
                number(*first_octet_p95),
                maybe(row.cpu_per_1000),
                maybe(row.peak_mib),
                maybe(row.grown_mib),
                failures.to_string(),
                maybe(row.limit),
                percent(row.share),
            ]
        };
        Table {
            heading: vec![
                "work",
                "clients",
                "requests/s",
                "p50 ms",
                "p95 ms",
                "p99 ms",
                "first octet p95 ms",
                "CPU s per 1,000",
                "peak MiB",
                "grown MiB",
                "failures",
                "limit/s",
                "share",
            ],
            rows: self.rows.iter().map(row).collect(),
        }
    }

    pub fn limits(&self) -> Table {
        let row = |measured: &crate::limits::Measured| {
            let rate = measured.rate.map(number);
            let reason =
                || format!("not measured: {}", measured.not_measured.as_deref().unwrap_or("unknown"));
            vec![
                format!("{}: {}", measured.limit.name(), measured.limit.meaning()),
                measured.clients.to_string(),
                rate.unwrap_or_else(reason),
            ]
        };
        Table {
            heading: vec!["limit", "clients", "per second"],
            rows: self.limits.0.iter().map(row).collect(),
        }
    }

    pub fn reads(&self) -> Table {
        let row = |read: &Read| {
            vec![
                read.workload.clone(),
                read.clients.to_string(),
                number(read.rate),
                number(read.without_traces),
                number(read.inserts),
                percent(Some(read.share)),
            ]
        };
        Table {
            heading: vec![
                "read",
                "clients",
                "requests/s",
                "G: without traces",
                "T: durable inserts",
                "of 1/(1/G + 1/T)",
            ],
            rows: self.reads.iter().map(row).collect(),
        }
    }

    pub fn verified(&self) -> Table {
        let row = |verified: &Verified| {
            vec![
                grouped(verified.events),
                number(verified.seconds),
                number(verified.events_a_second),
                maybe(verified.cpu_seconds),
                maybe(verified.peak_mib),
            ]
        };
        Table {
            heading: vec!["events", "seconds", "events/s", "CPU s of the process", "peak MiB"],
            rows: self.verified.iter().map(row).collect(),
        }
    }

    /// Whether every request was answered as it should be.
    pub fn failures(&self) -> u64 {
        self.rows.iter().map(|row| row.outcome.failures).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_precise_as_they_are_small() {
        assert_eq!(number(1_234_567.4), "1,234,567");
        assert_eq!(number(123.4), "123");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(0.126), "0.13");
        assert_eq!(percent(Some(0.834)), "83 %");
    }

    #[test]
    fn a_table_is_markdown() {
        let table = Table { heading: vec!["a", "b"], rows: vec![vec!["x".to_owned(), "1".to_owned()]] };
        assert_eq!(table.markdown(), "| a | b |\n|---|---:|\n| x | 1 |\n");
    }
}
