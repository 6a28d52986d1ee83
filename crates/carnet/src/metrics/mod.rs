//! What a monitor can watch (`/metrics`, the text format of Prometheus). Each metric is defined here once, and
//! docs/metrics.md is held against it. A metric never says anything about a patient.

mod transactions;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub use transactions::{Ending, Transaction, Transactions};

/// One thing that is counted or measured.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: &'static str,
    /// What its values are told apart by.
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the server runs.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many values of a measure were at most so large, with their sum and their number.
    Histogram,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident of $unit:literal $(by $($label:literal),+)?: $help:literal;)*) => {
        $(pub const $constant: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            labels: &[$($($label),+)?],
            help: $help,
        };)*
        pub const ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    TRANSACTIONS = "carnet_transactions_total", Counter of "transactions" by "transaction", "outcome":
        "Transactions that were carried out (success, with warnings or in part too), whose request was at fault (refused), or whose server was (failed).";
    DURATIONS = "carnet_transaction_duration_seconds", Histogram of "seconds" by "transaction":
        "How long transactions took, from when the message was there until its answer was made, whatever the outcome.";
    UNREAD = "carnet_unread_requests_total", Counter of "requests":
        "Requests of which no transaction could be made: not SOAP, no transaction of this server, or over a limit.";
    HTTP_CONNECTIONS = "carnet_http_connections", Gauge of "connections":
        "Open connections of HTTP clients, those between two requests included.";
    DATABASE_CONNECTIONS = "carnet_database_connections", Gauge of "connections" by "state":
        "Connections to the database that are in use or idle.";
    DATABASE_CONNECTIONS_MAX = "carnet_database_connections_max", Gauge of "connections":
        "Connections to the database that the threads of this server may open now (database.pool).";
    DATABASE_WAITING = "carnet_database_waiting", Gauge of "requests":
        "What waits for a connection to the database.";
    TRACES_WAITING = "carnet_audit_traces_waiting", Gauge of "accesses":
        "Reads and refusals that wait until the commit that makes their traces durable begins.";
    AUDIT_INBOX = "carnet_audit_inbox", Gauge of "events":
        "Durable events that wait for their positions in the log and for the checkpoint that covers them, counted up to 100000. Not told while the database is away.";
    STORE_FREE = "carnet_document_store_free_bytes", Gauge of "bytes":
        "Room that is left for documents. Only a repository tells.";
    STORE_SIZE = "carnet_document_store_size_bytes", Gauge of "bytes":
        "Size of the file system that holds the documents. Only a repository tells.";
    START_TIME = "carnet_start_time_seconds", Gauge of "seconds":
        "When the server started, since 1970-01-01 UTC.";
    BUILD_INFO = "carnet_build_info", Gauge of "1" by "version":
        "The version that runs; always 1.";
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

/// The values of one server. Transactions, which are many, have their own; the others change seldom or many at a time, and
/// share a lock.
#[derive(Debug, Default)]
pub struct Metrics {
    pub transactions: Transactions,
    values: Mutex<BTreeMap<(&'static str, String), i64>>,
}

impl Metrics {
    /// Those of a server that starts now.
    pub fn of_this_server() -> Metrics {
        let metrics = Metrics::default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        metrics.set(&START_TIME, "", now.as_secs());
        metrics.set(&BUILD_INFO, env!("CARGO_PKG_VERSION"), 1);
        metrics.set(&HTTP_CONNECTIONS, "", 0);
        metrics
    }

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

    /// What is not known is not shown.
    pub fn set_if_known(&self, metric: &Metric, value: Option<u64>) {
        match value {
            Some(value) => self.set(metric, "", value),
            None => drop(self.lock().remove(&(metric.name, String::new()))),
        }
    }

    #[cfg(test)]
    pub fn get(&self, metric: &Metric, label: &str) -> i64 {
        self.lock().get(&(metric.name, label.to_owned())).copied().unwrap_or_default()
    }

    fn change(&self, metric: &Metric, label: &str, change: impl FnOnce(i64) -> i64) {
        let mut values = self.lock();
        let value = values.entry((metric.name, label.to_owned())).or_default();
        *value = change(*value);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(&'static str, String), i64>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Text format 0.0.4.
    pub fn render(&self) -> String {
        let mut page = String::new();
        for metric in ALL {
            let Metric { name, kind, help, .. } = metric;
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
            match *name {
                name if name == TRANSACTIONS.name => self.transactions.write_endings(metric, &mut page),
                name if name == DURATIONS.name => self.transactions.write_durations(metric, &mut page),
                _ => self.write_values(metric, &mut page),
            }
        }
        page
    }

    fn write_values(&self, metric: &Metric, page: &mut String) {
        let Metric { name, kind, labels, .. } = metric;
        let values = self.lock();
        let mut known = values.range((*name, String::new())..).take_while(|((n, _), _)| n == name).peekable();
        // What was never counted is nothing; what was never measured is not known.
        if known.peek().is_none() && *kind == Kind::Counter && labels.is_empty() {
            let _ = writeln!(page, "{name} 0");
        }
        for ((_, of), value) in known {
            let _ = match labels.first() {
                None => writeln!(page, "{name} {value}"),
                Some(label) => writeln!(page, "{name}{{{label}=\"{}\"}} {value}", escaped(of)),
            };
        }
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
        assert!(!page.contains("\ncarnet_audit_inbox "), "what was never measured is not told");
        metrics.set_if_known(&AUDIT_INBOX, Some(3));
        assert!(metrics.render().contains("\ncarnet_audit_inbox 3\n"));
        metrics.set_if_known(&AUDIT_INBOX, None);
        assert_eq!(metrics.render(), page);
    }

    #[test]
    fn the_page_for_people_is_the_table_of_metrics() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        let text = std::fs::read_to_string(path).unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = ALL
            .iter()
            .map(|metric| {
                let Metric { name, kind, unit, labels, help } = metric;
                let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
                format!("| `{name}` | {} | {unit} | {} | {help} |", kind.name(), labels.join(", "))
            })
            .collect();
        assert_eq!(rows, expected);
    }
}
