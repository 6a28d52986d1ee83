//! What came out: a table for people, JUnit XML for machines.

use std::fmt;
use std::time::Duration;

use xml::Writer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// What was wrong, one line each.
    Failed(Vec<String>),
    /// Why it was not tried.
    Skipped(String),
}

/// One step of one scenario.
#[derive(Debug, Clone)]
pub struct Check {
    pub scenario: String,
    /// What the scenario is about, in a sentence.
    pub title: String,
    pub step: String,
    pub outcome: Outcome,
    pub time: Duration,
}

/// Every check of a run, in order. Displayed as a table that ends in `N passed, N failed, N skipped`.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    pub fn passed(&self) -> usize {
        self.count(|outcome| *outcome == Outcome::Passed)
    }

    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }

    fn count(&self, which: impl Fn(&Outcome) -> bool) -> usize {
        self.checks.iter().filter(|check| which(&check.outcome)).count()
    }

    /// The report as JUnit XML; each scenario is a class.
    pub fn junit(&self) -> String {
        let total = self.checks.len().to_string();
        let (failed, skipped) = (self.failed().to_string(), self.skipped().to_string());
        let time = seconds(self.checks.iter().map(|check| check.time).sum());
        let mut w = Writer::new();
        w.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let totals =
            [("tests", total.as_str()), ("failures", &failed), ("skipped", &skipped), ("time", &time)];
        w.open("testsuites", &totals);
        w.open("testsuite", &[&[("name", "XDS.b conformance")], &totals[..]].concat());
        for check in &self.checks {
            let time = seconds(check.time);
            w.open("testcase", &[("classname", &check.scenario), ("name", &check.step), ("time", &time)]);
            match &check.outcome {
                Outcome::Passed => {}
                Outcome::Failed(reasons) => {
                    let first = reasons.first().map_or("", String::as_str);
                    w.element("failure", &[("message", &printable(first))], &printable(&reasons.join("\n")));
                }
                Outcome::Skipped(reason) => {
                    w.empty("skipped", &[("message", &printable(reason))]);
                }
            }
            w.close().raw("\n");
        }
        w.finish()
    }
}

/// XML cannot hold control characters, and a server may answer with any.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |text: fn(&Check) -> &str| self.checks.iter().map(|c| text(c).chars().count()).max().unwrap_or(0);
        let (scenarios, steps) = (width(|c| &c.scenario), width(|c| &c.step));
        let is_skipped = |check: &&Check| matches!(check.outcome, Outcome::Skipped(_));
        for check in self.checks.iter().filter(|check| !is_skipped(check)) {
            let word = if check.outcome == Outcome::Passed { "passed" } else { "FAILED" };
            let ms = check.time.as_millis();
            writeln!(f, "{:scenarios$}  {:steps$}  {word}  {ms:>6} ms", check.scenario, check.step)?;
            if let Outcome::Failed(reasons) = &check.outcome {
                writeln!(f, "    ({})", check.title)?;
                reasons.iter().try_for_each(|reason| writeln!(f, "    {reason}"))?;
            }
        }
        if self.skipped() > 0 {
            writeln!(f, "\nNot tried:")?;
        }
        for check in self.checks.iter().filter(is_skipped) {
            if let Outcome::Skipped(reason) = &check.outcome {
                writeln!(f, "{:scenarios$}  {:steps$}  skipped: {reason}", check.scenario, check.step)?;
            }
        }
        write!(f, "\n{} passed, {} failed, {} skipped", self.passed(), self.failed(), self.skipped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let check = |step: &str, outcome| Check {
            scenario: "iti-42/a".into(),
            title: "A".into(),
            step: step.into(),
            outcome,
            time: Duration::from_millis(12),
        };
        Report {
            checks: vec![
                check("one", Outcome::Passed),
                check("two", Outcome::Failed(vec!["a < \u{1}b".into(), "c".into()])),
                check("three", Outcome::Skipped("no corpus".into())),
            ],
        }
    }

    #[test]
    fn the_table_ends_in_the_totals_and_lists_skipped_checks_apart() {
        let text = report().to_string();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed, 1 skipped"));
        let (ran, skipped) = text.split_once("Not tried:").unwrap();
        assert!(ran.contains("one") && ran.contains("    c\n") && !ran.contains("three"), "{text}");
        assert!(skipped.contains("skipped: no corpus"), "{text}");
    }

    #[test]
    fn junit_is_well_formed_and_counts() {
        let text = report().junit();
        let document = xml::Document::parse(&text, &xml::Limits::default()).unwrap();
        let suite = document.root().child("", "testsuite").unwrap();
        assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("3"), Some("1")));
        assert_eq!(
            suite.children_named("", "testcase").filter(|c| c.child("", "failure").is_some()).count(),
            1
        );
    }
}
