//! `carnet bench page`: docs/performance.md out of reports. The words around the tables are in `page.md` beside this file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bench::report::{Report, Table};

use super::super::say;

const WORDS: &str = include_str!("page.md");

#[derive(clap::Args)]
pub struct Arguments {
    /// Reports of `carnet bench --report`. The first is the run; others show growth, by their entries.
    #[arg(required = true, value_name = "REPORT")]
    reports: Vec<PathBuf>,
    /// The page.
    #[arg(long, value_name = "FILE")]
    write: PathBuf,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let reports = arguments.reports.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    write(&arguments.write, &reports)?;
    say(format!("{} was written", arguments.write.display()));
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Report> {
    let octets = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_slice(&octets).with_context(|| format!("{} is not a report", path.display()))
}

/// Writes the page of a run, and of others that show growth.
pub fn write(path: &Path, reports: &[Report]) -> anyhow::Result<()> {
    let text = page(reports);
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn page(reports: &[Report]) -> String {
    let first = reports.first();
    let table = |of: fn(&Report) -> Table| match first.map(of) {
        Some(table) if !table.rows.is_empty() => table.markdown(),
        _ => "Not measured in this run.\n".to_owned(),
    };
    let line = first.map_or_else(String::new, |report| {
        let remarks: String = report.remarks.iter().map(|remark| format!(" {remark}")).collect();
        format!(
            "Carnet {}, {}, {}; {} seconds for each line, seed {}.{remarks}",
            report.version, report.machine, report.at, report.seconds, report.seed
        )
    });
    let start = first.and_then(|report| report.start_ms).map_or_else(
        || "Not measured in this run.".to_owned(),
        |[empty, again]| format!("Ready {empty:.0} ms after the start of the process in an empty folder (the private PostgreSQL is made then), {again:.0} ms when started again."),
    );
    WORDS
        .replace("{run}", &line)
        .replace("{limits}\n", &table(Report::limits))
        .replace("{results}\n", &table(Report::results))
        .replace("{reads}\n", &table(Report::reads))
        .replace("{verified}\n", &table(Report::verified))
        .replace("{start}", &start)
        .replace("{growth}\n", &growth(reports))
}

/// The same cells at different numbers of entries.
fn growth(reports: &[Report]) -> String {
    let mut loaded: Vec<&Report> = reports.iter().filter(|report| report.entries > 0).collect();
    loaded.sort_by_key(|report| report.entries);
    let (Some(small), Some(large)) = (loaded.first(), loaded.last()) else {
        return "Not measured in this run.\n".to_owned();
    };
    if small.entries == large.entries {
        return "Not measured in this run.\n".to_owned();
    }
    let mut rows = Vec::new();
    for row in small.rows.iter().filter(|row| row.pace.is_none()) {
        let same = |other: &&bench::report::Row| {
            other.workload == row.workload && other.clients == row.clients && other.pace.is_none()
        };
        let p50 = |report: &&Report| report.rows.iter().find(same).map(|row| row.outcome.p50);
        let Some(last) = p50(large) else { continue };
        let mut cells = vec![row.workload.clone(), row.clients.to_string()];
        cells.extend(loaded.iter().map(|report| p50(report).map_or("–".to_owned(), |ms| format!("{ms:.2}"))));
        cells.push(format!("{:.2}", last / row.outcome.p50));
        rows.push(cells);
    }
    let mut text = "p50 in milliseconds.\n\n| work | clients |".to_owned();
    text.extend(loaded.iter().map(|report| format!(" {} entries |", report.entries)));
    text.push_str(" last/first |\n|---|---:|");
    text.push_str(&"---:|".repeat(loaded.len() + 1));
    text.push('\n');
    text.extend(rows.iter().map(|cells| format!("| {} |\n", cells.join(" | "))));
    text
}
