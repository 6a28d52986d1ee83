//! `carnet bench page`: docs/performance.md out of reports. The words around the tables are in `page.md` beside this file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bench::goals::{self, extremes};
use bench::report::{Report, Table, at_full_pace};

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
        .replace("{goals}\n", &goals::table(reports).markdown())
        .replace("{limits}\n", &table(Report::limits))
        .replace("{results}\n", &table(Report::results))
        .replace("{reads}\n", &table(Report::reads))
        .replace("{verified}\n", &table(Report::verified))
        .replace("{start}", &start)
        .replace("{growth}\n", &growth(reports))
}

/// The same cells at different numbers of entries.
fn growth(reports: &[Report]) -> String {
    let Some((small, _)) = extremes(reports) else {
        return "Not measured in this run.\n".to_owned();
    };
    let mut loaded: Vec<&Report> = reports.iter().filter(|report| report.entries > 0).collect();
    loaded.sort_by_key(|report| report.entries);
    let of_each = |name: &str, clients: &str, value: &dyn Fn(&Report) -> Option<f64>| {
        let values: Vec<Option<f64>> = loaded.iter().map(|report| value(report)).collect();
        let ratio = match (values.first(), values.last()) {
            (Some(Some(first)), Some(Some(last))) if *first > 0.0 => format!("{:.2}", last / first),
            _ => "–".to_owned(),
        };
        let values =
            values.into_iter().map(|value| value.map_or("–".to_owned(), |value| format!("{value:.2}")));
        let cells: Vec<String> =
            [name.to_owned(), clients.to_owned()].into_iter().chain(values).chain([ratio]).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = "| | clients |".to_owned();
    text.extend(loaded.iter().map(|report| format!(" {} entries |", report.entries)));
    text.push_str(" last/first |\n|---|---:|");
    text.push_str(&"---:|".repeat(loaded.len() + 1));
    text.push('\n');
    for row in small.rows.iter().filter(|row| row.pace.is_none()) {
        let p50 = |report: &Report| {
            at_full_pace(&report.rows, &row.workload, row.clients).map(|row| row.outcome.p50)
        };
        text.push_str(&of_each(&format!("{}, p50 ms", row.workload), &row.clients.to_string(), &p50));
    }
    text.push_str(&of_each("loaded documents that are read", "–", &|report| Some(report.readable as f64)));
    text.push_str(&of_each("start until ready, ms", "–", &|report| {
        report.start_ms.map(|[_, again]| again)
    }));
    text.push_str(&of_each("loading by COPY, s", "–", &|report| report.load_seconds));
    text
}
