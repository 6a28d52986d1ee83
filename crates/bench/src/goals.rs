//! What Carnet wants to reach, and whether a run did.

use crate::cells::{NATIONAL_PEAK, Workload};
use crate::report::{Report, Row, Table, at_full_pace, number, percent};

/// At this number of clients, unless said otherwise.
const CLIENTS: usize = 16;
const MOST_CLIENTS: usize = 64;
/// Of the p50 with the largest database by that with the smallest.
const GROWTH: f64 = 1.3;

struct Goal {
    what: String,
    asked: String,
    /// As text, and whether that is enough; none: not measured.
    measured: Option<(String, bool)>,
}

impl Goal {
    fn below(what: impl Into<String>, most: f64, unit: &str, measured: Option<f64>) -> Goal {
        Goal {
            what: what.into(),
            asked: format!("< {} {unit}", number(most)),
            measured: measured.map(|value| (format!("{} {unit}", number(value)), value < most)),
        }
    }

    fn share(what: &str, least: f64, measured: Option<f64>) -> Goal {
        Goal {
            what: what.to_owned(),
            asked: format!("≥ {}", percent(Some(least))),
            measured: measured.map(|share| (percent(Some(share)), share >= least)),
        }
    }
}

/// The rows of one run, by workload, clients and pace.
struct Rows<'r>(&'r Report);

impl<'r> Rows<'r> {
    fn full(&self, workload: Workload, clients: usize) -> Option<&'r Row> {
        at_full_pace(&self.0.rows, &workload.to_string(), clients)
    }

    fn paced(&self, workload: Workload, clients: usize) -> Option<&'r Row> {
        let name = workload.to_string();
        self.0.rows.iter().find(|row| row.workload == name && row.clients == clients && row.pace.is_some())
    }
}

/// The goals beside what the first of the reports says; growth is that between the least and the most loaded of the others.
pub fn table(reports: &[Report]) -> Table {
    let mut goals = Vec::new();
    if let Some(run) = reports.first() {
        goals.extend(of_run(run));
    }
    if let Some((small, large)) = extremes(reports) {
        goals.extend(of_growth(small, large));
    }
    let row = |goal: Goal| {
        let (measured, reached) = match goal.measured {
            Some((text, true)) => (text, "yes"),
            Some((text, false)) => (text, "**no**"),
            None => ("not measured".to_owned(), "–"),
        };
        vec![goal.what, goal.asked, measured, reached.to_owned()]
    };
    Table {
        heading: vec!["goal", "asked", "measured", "reached"],
        rows: goals.into_iter().map(row).collect(),
    }
}

fn of_run(run: &Report) -> Vec<Goal> {
    let rows = Rows(run);
    let large = Workload::Find { entries: 1000, return_type: xds::query::ReturnType::LeafClass };
    let share = |workload| rows.full(workload, CLIENTS).and_then(|row| row.share);
    let half = |workload| rows.paced(workload, CLIENTS).map(|row| row.outcome.p99);
    let first_octet = |clients| rows.full(large, clients).map(|row| row.outcome.first_octet_p95);
    let each = |row: &Row| row.grown_mib.map(|mib| mib / row.clients as f64);
    let mut goals = vec![
        Goal::share("submit 30 KB, of 1/(1/W + 1/F)", 0.6, share(Workload::SUBMIT)),
        Goal::share("find, 10 entries LeafClass, of 1/(1/R + 1/T)", 0.5, share(Workload::FIND)),
        Goal::share("get 30 KB, of 1/(1/S + 1/T)", 0.4, share(Workload::GET)),
        Goal::below("submit, p99 at half of the maximum rate", 30.0, "ms", half(Workload::SUBMIT)),
        Goal::below("find, p99 at half of the maximum rate", 10.0, "ms", half(Workload::FIND)),
        Goal::below("get, p99 at half of the maximum rate", 10.0, "ms", half(Workload::GET)),
        Goal::below("find of 1,000 entries, first octet p95, one client", 20.0, "ms", first_octet(1)),
        Goal::below("find of 1,000 entries, first octet p95, 16 clients", 20.0, "ms", first_octet(CLIENTS)),
        Goal::below(
            "find of 1,000 entries, memory of each of 64 requests at a time",
            1.0,
            "MiB",
            rows.full(large, MOST_CLIENTS).and_then(each),
        ),
        Goal::below(
            "memory of the server under the mix, 64 clients",
            100.0,
            "MiB",
            rows.full(Workload::Mix, MOST_CLIENTS).and_then(|row| row.peak_mib),
        ),
    ];
    let peak = rows.paced(Workload::Mix, MOST_CLIENTS).map(|row| {
        let Row { outcome, .. } = row;
        let text = format!(
            "{}/s, p99 {} ms, {} failures",
            number(outcome.rate),
            number(outcome.p99),
            outcome.failures
        );
        (text, outcome.rate >= 0.99 * NATIONAL_PEAK && outcome.failures == 0)
    });
    goals.push(Goal {
        what: "the peak of a country, load generator on the same cores".to_owned(),
        asked: format!("{}/s", number(NATIONAL_PEAK)),
        measured: peak,
    });
    let start = run.start_ms.map(|[empty, _]| empty);
    goals.push(Goal::below("start from an empty folder, private PostgreSQL", 4000.0, "ms", start));
    goals
}

fn of_growth(small: &Report, large: &Report) -> Vec<Goal> {
    let (few, many) = (Rows(small), Rows(large));
    let mut goals = Vec::new();
    for (name, workload) in [("find", Workload::FIND), ("get", Workload::GET), ("submit", Workload::SUBMIT)] {
        for clients in [1, CLIENTS] {
            let ratio = few.full(workload, clients).zip(many.full(workload, clients));
            let ratio = ratio.map(|(few, many)| many.outcome.p50 / few.outcome.p50);
            goals.push(Goal {
                what: format!(
                    "{name}, p50 at {} entries by that at {}, {clients} {}",
                    number(large.entries as f64),
                    number(small.entries as f64),
                    if clients == 1 { "client" } else { "clients" }
                ),
                asked: format!("≤ {GROWTH}"),
                measured: ratio.map(|ratio| (format!("{ratio:.2}"), ratio <= GROWTH)),
            });
        }
    }
    let start = large.start_ms.map(|[_, again]| again);
    let what = format!("start with {} entries", number(large.entries as f64));
    goals.push(Goal::below(what, 1000.0, "ms", start));
    goals
}

/// The reports with the fewest and with the most entries, if they differ.
pub fn extremes(reports: &[Report]) -> Option<(&Report, &Report)> {
    let loaded = || reports.iter().filter(|report| report.entries > 0);
    let small = loaded().min_by_key(|report| report.entries)?;
    let large = loaded().max_by_key(|report| report.entries)?;
    (small.entries < large.entries).then_some((small, large))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_or_missed_by_what_was_measured() {
        let reached = |goal: Goal| goal.measured.map(|(_, reached)| reached);
        assert_eq!(reached(Goal::below("x", 10.0, "ms", Some(9.99))), Some(true));
        assert_eq!(reached(Goal::below("x", 10.0, "ms", Some(10.0))), Some(false));
        assert_eq!(reached(Goal::share("x", 0.6, Some(0.6))), Some(true));
        assert_eq!(reached(Goal::share("x", 0.6, Some(0.599))), Some(false));
        assert_eq!(reached(Goal::share("x", 0.6, None)), None);
    }

    #[test]
    fn every_goal_of_a_run_has_a_line() {
        let report = |entries: u64, p50: f64| -> Report {
            let row = |workload: &str| {
                serde_json::json!({"workload": workload, "clients": 16, "pace": null, "requests": 1, "failures": 0,
                    "first_failure": null, "seconds": 1.0, "octets": 1, "rate": 10.0, "p50": p50, "p95": p50, "p99": p50, "first_octet_p95": p50,
                    "cpu_per_1000": null, "peak_mib": null, "limit": 20.0, "share": 0.5})
            };
            let report = serde_json::json!({"version": "0", "machine": "", "at": "", "seed": 1, "seconds": 1,
                "entries": entries, "start_ms": [900.0, 1100.0], "remarks": [], "limits": [],
                "rows": [row("submit-1"), row("find-10-leaf")], "reads": [], "verified": []});
            serde_json::from_value(report).unwrap()
        };
        let text = table(&[report(0, 1.0), report(10_000, 1.0), report(10_000_000, 1.31)]).markdown();
        for line in [
            "| submit 30 KB, of 1/(1/W + 1/F) | ≥ 60 % | 50 % | **no** |",
            "| find, 10 entries LeafClass, of 1/(1/R + 1/T) | ≥ 50 % | 50 % | yes |",
            "| get 30 KB, of 1/(1/S + 1/T) | ≥ 40 % | not measured | – |",
            "| find, p50 at 10,000,000 entries by that at 10,000, 16 clients | ≤ 1.3 | 1.31 | **no** |",
            "| start from an empty folder, private PostgreSQL | < 4,000 ms | 900 ms | yes |",
            "| start with 10,000,000 entries | < 1,000 ms | 1,100 ms | **no** |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
