//! What a monitor can watch (`/metrics`, the text format of Prometheus). Each metric is defined here once, and
//! docs/metrics.md is held against it. A metric never says anything about a patient.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// One thing that is counted or measured.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: &'static str,
    /// What its values are told apart by.
    pub label: Option<&'static str>,
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the server runs.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        }
    }
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident of $unit:literal $(by $label:literal)?: $help:literal;)*) => {
        $(pub const $constant: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            label: [$(Some($label),)? None][0],
            help: $help,
        };)*
        pub const ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    FORWARD_BACKLOG = "carnet_audit_forward_backlog", Gauge of "events" by "target":
        "Events that wait to be sent to an audit record repository. Only the server that sends to it tells.";
    FORWARDED = "carnet_audit_forwarded_total", Counter of "events" by "target":
        "Events sent to an audit record repository, those that are sent again included.";
    FORWARD_RECONNECTS = "carnet_audit_forward_reconnects_total", Counter of "connections" by "target":
        "Connections to an audit record repository that broke or could not be made.";
    FORWARD_OVERSIZE = "carnet_audit_forward_oversize_total", Counter of "events" by "target":
        "Events that no datagram is large enough for. They were not sent.";
    FORWARD_SKIPPED = "carnet_audit_forward_skipped_total", Counter of "events" by "target":
        "Events that had expired or been blanked before they could be sent.";
    RECEIVED = "carnet_audit_received_total", Counter of "messages" by "transport":
        "Audit messages of other nodes that were stored.";
    REJECTED = "carnet_audit_rejected_total", Counter of "messages" by "transport":
        "What came in place of an audit message and was kept apart.";
    RECEIVE_DROPPED = "carnet_audit_receive_dropped_total", Counter of "messages":
        "Datagrams that were lost because the database did not keep up.";
    RECEIVE_CONNECTIONS = "carnet_audit_receive_connections", Gauge of "connections":
        "Open connections of nodes that send audit messages.";
}

/// The values of one server.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<(&'static str, String), i64>>);

impl Metrics {
    /// `label` is the value of the metric's label, and empty for a metric that has none.
    pub fn add(&self, metric: &Metric, label: &str, number: usize) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.change(metric, label, |value| value.saturating_add(number));
    }

    pub fn subtract(&self, metric: &Metric, label: &str, number: usize) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.change(metric, label, |value| value.saturating_sub(number));
    }

    pub fn set(&self, metric: &Metric, label: &str, value: u64) {
        self.change(metric, label, |_| i64::try_from(value).unwrap_or(i64::MAX));
    }

    pub fn get(&self, metric: &Metric, label: &str) -> i64 {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(&(metric.name, label.to_owned())).copied().unwrap_or_default()
    }

    fn change(&self, metric: &Metric, label: &str, change: impl FnOnce(i64) -> i64) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.entry((metric.name, label.to_owned())).or_default();
        *value = change(*value);
    }

    /// Text format 0.0.4.
    pub fn render(&self) -> String {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = String::new();
        for metric in ALL {
            let Metric { name, kind, help, .. } = metric;
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
            match metric.label {
                None => {
                    let value = values.get(&(*name, String::new())).copied().unwrap_or_default();
                    let _ = writeln!(page, "{name} {value}");
                }
                Some(label) => {
                    for ((_, of), value) in
                        values.range((*name, String::new())..).take_while(|((n, _), _)| n == name)
                    {
                        let _ = writeln!(page, "{name}{{{label}=\"{}\"}} {value}", escaped(of));
                    }
                }
            }
        }
        page
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_metric_and_the_values_of_each_label() {
        let metrics = Metrics::default();
        metrics.add(&FORWARDED, "tls://a:1", 2);
        metrics.add(&FORWARDED, "tls://a:1", 3);
        metrics.set(&FORWARD_BACKLOG, "tls://a:1", 7);
        metrics.set(&FORWARD_BACKLOG, "a\"b\\", 1);
        metrics.add(&RECEIVE_CONNECTIONS, "", 2);
        metrics.subtract(&RECEIVE_CONNECTIONS, "", 1);
        let page = metrics.render();
        for line in [
            "# TYPE carnet_audit_forward_backlog gauge",
            "carnet_audit_forward_backlog{target=\"a\\\"b\\\\\"} 1",
            "carnet_audit_forward_backlog{target=\"tls://a:1\"} 7",
            "carnet_audit_forwarded_total{target=\"tls://a:1\"} 5",
            "carnet_audit_receive_connections 1",
            "carnet_audit_receive_dropped_total 0",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        for metric in ALL {
            assert!(page.contains(&format!("# HELP {} {}\n", metric.name, metric.help)));
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        }
    }

    #[test]
    fn the_page_for_people_is_the_table_of_metrics() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        let text = std::fs::read_to_string(path).unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = ALL
            .iter()
            .map(|metric| {
                let Metric { name, kind, unit, label, help } = metric;
                let label = label.map(|label| format!("`{label}`")).unwrap_or_default();
                format!("| `{name}` | {} | {unit} | {label} | {help} |", kind.name())
            })
            .collect();
        assert_eq!(rows, expected);
    }
}
