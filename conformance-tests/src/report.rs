//! What came out: a table for people, JUnit XML for machines.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use xml::Writer;

use crate::request::Request;
use crate::scenario::{Scenario, Step};
use crate::transaction::Transaction;
use crate::wire::Received;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// What was wrong, one line each.
    Failed(Vec<String>),
    /// Why it was not tried.
    Skipped(String),
    /// The option that the server does not have.
    NotOffered(String),
}

impl Outcome {
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
            Outcome::NotOffered(_) => "not offered",
        }
    }

    /// What there is to say about it.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Outcome::Passed => Vec::new(),
            Outcome::Failed(reasons) => reasons.clone(),
            Outcome::Skipped(reason) => vec![reason.clone()],
            Outcome::NotOffered(option) => vec![format!("needs {option}")],
        }
    }
}

/// One step of one scenario.
#[derive(Debug, Clone)]
pub struct Check {
    pub scenario: String,
    /// What the scenario is about, in a sentence.
    pub title: String,
    /// Why it matters.
    pub purpose: String,
    /// Where the standard asks for it.
    pub spec: String,
    pub step: String,
    pub outcome: Outcome,
    pub time: Duration,
    pub exchanges: Vec<Exchange>,
}

impl Check {
    /// The first step, not tried yet.
    pub fn of(scenario: &Scenario) -> Check {
        Check {
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            purpose: scenario.purpose.clone(),
            spec: scenario.spec.clone(),
            step: String::new(),
            outcome: Outcome::Passed,
            time: Duration::ZERO,
            exchanges: Vec::new(),
        }
    }
}

/// A request and its answer as they were sent.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub transaction: Option<Transaction>,
    pub request: Octets,
    /// None: none came.
    pub answer: Option<Octets>,
    /// HTTP status.
    pub status: u16,
    /// Whether the request keeps to its schema.
    pub is_valid: bool,
}

#[derive(Debug, Clone)]
pub struct Octets {
    pub content_type: String,
    pub body: Bytes,
}

impl Exchange {
    pub fn of(step: &Step, request: &Request, received: Option<&Received>) -> Exchange {
        let octets = |content_type: &str, body: &Bytes| Octets {
            content_type: content_type.to_owned(),
            body: body.clone(),
        };
        Exchange {
            transaction: request.message.as_ref().map(|message| message.transaction),
            request: octets(&request.content_type, &request.body),
            answer: received.map(|received| octets(&received.content_type, &received.body)),
            status: received.map_or(0, |received| received.status.as_u16()),
            is_valid: !step.expect.is_refusal() && !step.loose,
        }
    }
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

    pub fn not_offered(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::NotOffered(_)))
    }

    fn count(&self, which: impl Fn(&Outcome) -> bool) -> usize {
        self.checks.iter().filter(|check| which(&check.outcome)).count()
    }

    /// The report as JSON: the totals, and every check.
    pub fn json(&self) -> serde_json::Value {
        let check = |check: &Check| {
            json!({
                "scenario": check.scenario, "title": check.title, "spec": check.spec, "step": check.step,
                "outcome": check.outcome.word(), "reasons": check.outcome.reasons(),
                "milliseconds": check.time.as_millis() as u64,
            })
        };
        json!({
            "passed": self.passed(), "failed": self.failed(),
            "skipped": self.skipped(), "not offered": self.not_offered(),
            "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
        })
    }

    /// The report as JUnit XML; each scenario is a class.
    pub fn junit(&self) -> String {
        let total = self.checks.len().to_string();
        let (failed, skipped) =
            (self.failed().to_string(), (self.skipped() + self.not_offered()).to_string());
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
                Outcome::Skipped(_) | Outcome::NotOffered(_) => {
                    let reason = check.outcome.reasons().join("\n");
                    let reason = format!("{}: {reason}", check.outcome.word());
                    w.empty("skipped", &[("message", &printable(&reason))]);
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
        let ran = |check: &&Check| matches!(check.outcome, Outcome::Passed | Outcome::Failed(_));
        for check in self.checks.iter().filter(ran) {
            let word = if check.outcome == Outcome::Passed { "passed" } else { "FAILED" };
            let ms = check.time.as_millis();
            writeln!(f, "{:scenarios$}  {:steps$}  {word}  {ms:>6} ms", check.scenario, check.step)?;
            if let Outcome::Failed(reasons) = &check.outcome {
                writeln!(f, "    ({})", check.title)?;
                reasons.iter().try_for_each(|reason| writeln!(f, "    {reason}"))?;
            }
        }
        if self.skipped() + self.not_offered() > 0 {
            writeln!(f, "\nNot tried:")?;
        }
        for check in self.checks.iter().filter(|check| !ran(check)) {
            let (word, reason) = (check.outcome.word(), check.outcome.reasons().join("; "));
            writeln!(f, "{:scenarios$}  {:steps$}  {word}: {reason}", check.scenario, check.step)?;
        }
        write!(
            f,
            "\n{} passed, {} failed, {} skipped, {} not offered",
            self.passed(),
            self.failed(),
            self.skipped(),
            self.not_offered()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let check = |step: &str, outcome| Check {
            scenario: "iti-42/a".into(),
            title: "A".into(),
            purpose: String::new(),
            spec: "TF".into(),
            step: step.into(),
            outcome,
            time: Duration::from_millis(12),
            exchanges: Vec::new(),
        };
        Report {
            checks: vec![
                check("one", Outcome::Passed),
                check("two", Outcome::Failed(vec!["a < \u{1}b".into(), "c".into()])),
                check("three", Outcome::Skipped("no corpus".into())),
                check("four", Outcome::NotOffered("update".into())),
            ],
        }
    }

    #[test]
    fn the_table_ends_in_the_totals_and_lists_skipped_checks_apart() {
        let text = report().to_string();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed, 1 skipped, 1 not offered"));
        let (ran, skipped) = text.split_once("Not tried:").unwrap();
        assert!(ran.contains("one") && ran.contains("    c\n") && !ran.contains("three"), "{text}");
        assert!(skipped.contains("skipped: no corpus"), "{text}");
        assert!(skipped.contains("not offered: needs update"), "{text}");
    }

    #[test]
    fn junit_is_well_formed_and_counts() {
        let text = report().junit();
        let document = xml::Document::parse(&text, &xml::Limits::default()).unwrap();
        let suite = document.root().child("", "testsuite").unwrap();
        assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("4"), Some("1")));
        assert_eq!(
            suite.children_named("", "testcase").filter(|c| c.child("", "failure").is_some()).count(),
            1
        );
    }
}
