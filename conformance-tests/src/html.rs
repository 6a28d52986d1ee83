//! The report as one HTML page: every scenario with its steps, and what went over the wire.

use std::fmt::Write as _;

use xml::escape_text;

use crate::mutation::edit::{elements, text as latin};
use crate::report::{Check, Exchange, Octets, Outcome, Report};

const PAGE: &str = include_str!("report.html");
/// Of a message, in characters: more is left out.
const SHOWN: usize = 20_000;
/// Of base64 in a message.
const BASE64: usize = 120;

impl Report {
    /// One file that needs nothing else. `server`: whose report it is.
    pub fn html(&self, server: &str) -> String {
        let scenarios = self.scenarios();
        let count = |class: &str| scenarios.iter().filter(|checks| outcome_of(checks) == class).count();
        let total = self.checks.len().max(1);
        let share = |class: &str, number: usize| {
            let percent = 100.0 * number as f64 / total as f64;
            format!("<span class=\"{class}\" style=\"width:{percent:.2}%;background:var(--mood)\"></span>")
        };
        let bar = [
            share("passed", self.passed()),
            share("failed", self.failed()),
            share("skipped", self.skipped() + self.not_offered()),
        ];
        let values = [
            ("{server}", escape(server)),
            ("{bar}", bar.concat()),
            ("{passed}", self.passed().to_string()),
            ("{failed}", self.failed().to_string()),
            ("{skipped}", self.skipped().to_string()),
            ("{not_offered}", self.not_offered().to_string()),
            ("{scenarios}", scenarios.len().to_string()),
            ("{passed_scenarios}", count("passed").to_string()),
            ("{failed_scenarios}", count("failed").to_string()),
            ("{skipped_scenarios}", count("skipped").to_string()),
            ("{not_offered_scenarios}", count("not-offered").to_string()),
        ];
        let page = values.iter().fold(PAGE.to_owned(), |page, (mark, value)| page.replace(mark, value));
        // Last: what was sent may hold anything.
        page.replacen("{body}", &body(&scenarios), 1)
    }

    /// The checks of each scenario.
    fn scenarios(&self) -> Vec<&[Check]> {
        self.checks.chunk_by(|one, other| one.scenario == other.scenario).collect()
    }
}

fn body(scenarios: &[&[Check]]) -> String {
    let mut out = String::new();
    let mut group = None;
    for checks in scenarios {
        let Some(first) = checks.first() else { continue };
        let own = first.scenario.split_once('/').map_or("", |(group, _)| group);
        if group != Some(own) {
            if group.is_some() {
                out.push_str("</section>\n");
            }
            let _ = write!(out, "<section>\n<h2>{}</h2>\n", escape(own));
            group = Some(own);
        }
        scenario(&mut out, first, checks);
    }
    if group.is_some() {
        out.push_str("</section>\n");
    }
    out
}

/// Failed when one step failed; otherwise as all steps came out.
fn outcome_of(checks: &[Check]) -> &'static str {
    let any = |class: &str| checks.iter().any(|check| class_of(&check.outcome) == class);
    ["failed", "skipped", "not-offered"].into_iter().find(|class| any(class)).unwrap_or("passed")
}

fn class_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "failed",
        Outcome::Skipped(_) => "skipped",
        Outcome::NotOffered(_) => "not-offered",
    }
}

fn scenario(out: &mut String, first: &Check, checks: &[Check]) {
    let class = outcome_of(checks);
    let time: u128 = checks.iter().map(|check| check.time.as_millis()).sum();
    let _ = write!(
        out,
        "<details class=\"scenario {class}\"{}>\n<summary class=\"head\"><span class=\"word\">{}</span><span class=\"title\">{}</span>\
         <span class=\"name\">{}</span><span class=\"time\">{time} ms</span></summary>\n<div class=\"inside\">\n<p class=\"spec\">{}</p>\n",
        if class == "failed" { " open" } else { "" },
        class.replace('-', " "),
        escape(&first.title),
        escape(&first.scenario),
        escape(&first.spec),
    );
    if !first.purpose.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escape(&first.purpose));
    }
    for check in checks {
        step(out, check);
    }
    out.push_str("</div>\n</details>\n");
}

fn step(out: &mut String, check: &Check) {
    let _ = write!(
        out,
        "<div class=\"step {}\">\n<div>{} <span class=\"word\">{}</span></div>\n",
        class_of(&check.outcome),
        escape(&check.step),
        check.outcome.word()
    );
    let reasons = check.outcome.reasons();
    if !reasons.is_empty() {
        let items: String = reasons.iter().map(|reason| format!("<li>{}</li>", escape(reason))).collect();
        let _ = writeln!(out, "<ul class=\"reasons\">{items}</ul>");
    }
    for exchange in &check.exchanges {
        messages(out, exchange);
    }
    out.push_str("</div>\n");
}

fn messages(out: &mut String, exchange: &Exchange) {
    out.push_str("<div class=\"messages\">\n");
    let _ =
        writeln!(out, "<details><summary>Request</summary><pre>{}</pre></details>", shown(&exchange.request));
    let answer = match &exchange.answer {
        Some(answer) => shown(answer),
        None => "none came".to_owned(),
    };
    let _ = writeln!(
        out,
        "<details><summary>Answer, HTTP {}</summary><pre>{answer}</pre></details>\n</div>",
        exchange.status
    );
}

/// Content-Type and text; documents abbreviated.
fn shown(octets: &Octets) -> String {
    let content_type = escape(&octets.content_type);
    let is_package = octets.content_type.to_ascii_lowercase().starts_with("multipart/");
    let text = match is_package {
        true => package(&latin(&octets.body)),
        false => abbreviated(&String::from_utf8_lossy(&octets.body)),
    };
    // Segments of HL7 v2 end in CR.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push_str("\n(and more)");
    }
    format!("Content-Type: {content_type}\n\n{}", escape(&shown))
}

/// The parts of a package; of a document its beginning.
fn package(text: &str) -> String {
    let utf8 = |text: &str| {
        let octets: Vec<u8> = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
        String::from_utf8_lossy(&octets).into_owned()
    };
    let Some(envelope) = elements(text, "Envelope").into_iter().next() else { return utf8(text) };
    let after: Vec<String> = text[envelope.end..]
        .split("\r\n\r\n")
        .enumerate()
        .map(|(index, part)| match index {
            0 => part.to_owned(),
            _ => document(part),
        })
        .collect();
    format!("{}{}", abbreviated(&utf8(&text[..envelope.end])), utf8(&after.join("\n\n")))
}

/// The beginning of a document, and the heading of the part after it.
fn document(part: &str) -> String {
    let (octets, heading) = part.rfind("\r\n--").map_or((part, ""), |at| part.split_at(at));
    let count = octets.chars().count();
    match count <= 2 * BASE64 {
        true => part.to_owned(),
        false => format!("{} ({count} bytes){heading}", octets.chars().take(BASE64).collect::<String>()),
    }
}

/// Base64 in `Document` elements cut short.
fn abbreviated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    for range in elements(text, "Document") {
        let element = &text[range.clone()];
        if element.len() > 4 * BASE64 && !element.contains("Include") {
            let end = element.char_indices().nth(2 * BASE64).map_or(element.len(), |(at, _)| at);
            let close = element.rfind("</").unwrap_or(element.len());
            out.push_str(&text[rest..range.start]);
            let _ = write!(
                out,
                "{}… ({} characters){}",
                &element[..end.min(close)],
                element.len(),
                &element[close..]
            );
            rest = range.end;
        }
    }
    out.push_str(&text[rest..]);
    out
}

/// XML text, with what a browser cannot show made visible.
fn escape(text: &str) -> String {
    let printable: String = text
        .chars()
        .map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c })
        .collect();
    escape_text(&printable).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn check(scenario: &str, outcome: Outcome, answer: &str) -> Check {
        let octets = |body: &str| Octets {
            content_type: "application/soap+xml".into(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        Check {
            scenario: scenario.into(),
            title: "A <title>".into(),
            purpose: "why".into(),
            spec: "TF-2 3.42".into(),
            step: "one".into(),
            outcome,
            time: Duration::from_millis(3),
            exchanges: vec![Exchange {
                transaction: None,
                request: octets("<request/>"),
                answer: Some(octets(answer)),
                status: 200,
                is_valid: true,
            }],
        }
    }

    #[test]
    fn the_page_shows_every_scenario_and_nothing_in_a_message_becomes_a_part_of_it() {
        let checks = vec![
            check("iti-42/a", Outcome::Passed, "<script>alert(1)</script>{body}"),
            check("iti-42/b", Outcome::Failed(vec!["wrong <thing>".into()]), "x"),
            check("iti-57/c", Outcome::NotOffered("update".into()), "x"),
        ];
        let page = Report { checks }.html("http://h/?a&b");
        assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{page}");
        assert!(page.contains("A &lt;title&gt;") && page.contains("wrong &lt;thing&gt;"));
        assert!(page.contains("http://h/?a&amp;b") && page.contains("{body}"));
        assert_eq!(page.matches("<details class=\"scenario").count(), 3);
        assert_eq!(page.matches("<section>").count(), 2);
    }

    #[test]
    fn documents_are_abbreviated() {
        let long = format!("<x:Document id=\"a\">{}</x:Document>", "QUJD".repeat(500));
        let text = abbreviated(&format!("<a>{long}</a>"));
        assert!(text.len() < 600 && text.ends_with("</x:Document></a>"), "{text}");
        let short = "<a><Document>QUJD</Document></a>";
        assert_eq!(abbreviated(short), short);
    }
}
