//! What came out: a table for people, JSON for machines, and the rows of a page of the documentation.

use std::fs;
use std::path::Path;

use anyhow::Context;
use chrono::Utc;
use serde_json::{Value, json};

/// One scenario.
#[derive(Debug)]
pub struct Row {
    pub scenario: String,
    /// How much of it.
    pub done: String,
    pub result: String,
    /// Empty: everything held.
    pub faults: Vec<String>,
    pub numbers: Value,
}

/// Of what is tried: all crates have the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Between these lines of a page the table is written; the rows of scenarios that were not run stay.
const BEGIN: &str = "<!-- table: written by scripts/torture --write -->";
const END: &str = "<!-- end of the table -->";
const HEAD: &str = "| scenario | done | result | held | when, version, seed, where |\n|---|---|---|---|---|";

impl Row {
    pub fn held(&self) -> &'static str {
        match self.faults.is_empty() {
            true => "yes",
            false => "NO",
        }
    }

    fn markdown(&self, run: &str) -> String {
        let day = Utc::now().format("%Y-%m-%d");
        format!("| {} | {} | {} | {} | {day}, {run} |", self.scenario, self.done, self.result, self.held())
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{}, {}: {}\n    {}", self.scenario, self.done, self.held(), self.result);
        for fault in &self.faults {
            text.push_str("\n    ");
            text.push_str(fault);
        }
        text
    }
}

pub fn as_json(rows: &[Row], seed: u64) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "scenario": row.scenario,
                "done": row.done,
                "result": row.result,
                "held": row.faults.is_empty(),
                "faults": row.faults,
                "numbers": row.numbers,
            })
        })
        .collect();
    json!({ "seed": seed, "version": VERSION, "machine": machine(), "at": Utc::now(), "rows": rows })
}

/// Puts rows into the table of a page, in place of those of the same scenario.
pub fn write(page: &Path, rows: &[Row], seed: u64) -> anyhow::Result<()> {
    let text = fs::read_to_string(page).with_context(|| format!("{} cannot be read", page.display()))?;
    let run = format!("{VERSION}, seed {seed}, {}", machine());
    let text = with_rows(&text, rows, &run)
        .with_context(|| format!("{} has no table between the lines that mark it", page.display()))?;
    fs::write(page, text).with_context(|| format!("{} cannot be written", page.display()))
}

fn with_rows(text: &str, rows: &[Row], run: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    let mut lines: Vec<String> =
        table.lines().filter(|line| line.starts_with("| ")).skip(1).map(str::to_owned).collect();
    for row in rows {
        let start = format!("| {} |", row.scenario);
        let new = row.markdown(run);
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(line) => *line = new,
            None => lines.push(new),
        }
    }
    Some(format!("{before}{BEGIN}\n{HEAD}\n{}\n{END}{after}", lines.join("\n")))
}

/// The processors and the memory of this machine.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| line.split_once(':').map(|(_, value)| value.trim().to_owned()))
            .unwrap_or_default()
    };
    let model = read("/proc/cpuinfo", "model name");
    let memory: u64 = read("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    format!("{cores} cores ({model}), {} GiB", (memory + (1 << 19)) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: &str, result: &str) -> Row {
        Row {
            scenario: scenario.to_owned(),
            done: "3 rounds".to_owned(),
            result: result.to_owned(),
            faults: vec![],
            numbers: Value::Null,
        }
    }

    #[test]
    fn a_row_takes_the_place_of_the_one_before_and_others_stay() {
        let page = format!("Before.\n{BEGIN}\n{END}\nAfter.\n");
        let page = with_rows(&page, &[row("a", "first"), row("b", "second")], "here").unwrap();
        let page = with_rows(&page, &[row("a", "third")], "there").unwrap();
        assert!(page.starts_with("Before.\n") && page.ends_with("\nAfter.\n"), "{page}");
        assert_eq!(page.matches(HEAD).count(), 1);
        assert!(page.contains("| a | 3 rounds | third | yes |") && !page.contains("first"), "{page}");
        assert!(page.contains("| b | 3 rounds | second | yes |"), "{page}");
        assert!(page.lines().any(|line| line.starts_with("| a |") && line.ends_with("there |")), "{page}");
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        assert_eq!(with_rows("nothing", &[row("a", "first")], "here"), None);
    }
}
