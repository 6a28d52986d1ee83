//! The transactions of a server: how many ended how, and how long they took. Each end is a few additions to atomic numbers.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Metric;

macro_rules! transactions {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A transaction that others ask this server for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Transaction { $($variant),* }

        impl Transaction {
            pub const ALL: &[Transaction] = &[$(Transaction::$variant),*];

            /// As the standard and the log name it.
            pub fn name(self) -> &'static str {
                match self { $(Transaction::$variant => $name),* }
            }
        }
    };
}

transactions! {
    Iti8 = "ITI-8",
    Iti18 = "ITI-18",
    Iti20 = "ITI-20",
    Iti41 = "ITI-41",
    Iti42 = "ITI-42",
    Iti43 = "ITI-43",
    Iti44 = "ITI-44",
    Iti51 = "ITI-51",
    Iti57 = "ITI-57",
    Iti61 = "ITI-61",
    Iti62 = "ITI-62",
    Iti81 = "ITI-81",
    Iti82 = "ITI-82",
    Iti86 = "ITI-86",
    Iti92 = "ITI-92",
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Carried out, with warnings or in part too.
    Success,
    /// The request was at fault.
    Refused,
    /// This server was.
    Failed,
}

impl Ending {
    const ALL: [Ending; 3] = [Ending::Success, Ending::Refused, Ending::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Ending::Success => "success",
            Ending::Refused => "refused",
            Ending::Failed => "failed",
        }
    }
}

/// The upper bounds of the buckets, in milliseconds and as the page says them in seconds.
const BOUNDS: [(u128, &str); 7] = [
    (5, "0.005"),
    (20, "0.02"),
    (100, "0.1"),
    (500, "0.5"),
    (2_000, "2"),
    (10_000, "10"),
    (u128::MAX, "+Inf"),
];

/// The numbers of one transaction.
#[derive(Debug, Default)]
struct Numbers {
    endings: [AtomicU64; Ending::ALL.len()],
    buckets: [AtomicU64; BOUNDS.len()],
    microseconds: AtomicU64,
}

/// The numbers of all transactions, since the server started.
#[derive(Debug)]
pub struct Transactions(Vec<Numbers>);

impl Default for Transactions {
    fn default() -> Self {
        Transactions(Transaction::ALL.iter().map(|_| Numbers::default()).collect())
    }
}

impl Transactions {
    pub fn ended(&self, transaction: Transaction, ending: Ending, took: Duration) {
        let Some(numbers) = self.0.get(transaction as usize) else { return };
        let bucket = BOUNDS.iter().position(|(bound, _)| took.as_micros() <= bound.saturating_mul(1000));
        let counted = [numbers.endings.get(ending as usize), bucket.and_then(|at| numbers.buckets.get(at))];
        for counter in counted.into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        numbers.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, &Numbers)> {
        Transaction::ALL.iter().map(|transaction| transaction.name()).zip(&self.0)
    }

    pub fn write_endings(&self, metric: &Metric, page: &mut String) {
        for (transaction, numbers) in self.each() {
            for (ending, counter) in Ending::ALL.iter().zip(&numbers.endings) {
                let (name, ending, value) = (metric.name, ending.name(), counter.load(Ordering::Relaxed));
                let _ =
                    writeln!(page, "{name}{{transaction=\"{transaction}\",outcome=\"{ending}\"}} {value}");
            }
        }
    }

    /// A histogram: each bucket counts those of the buckets before it, too.
    pub fn write_durations(&self, metric: &Metric, page: &mut String) {
        let name = metric.name;
        for (transaction, numbers) in self.each() {
            let mut count = 0;
            for ((_, bound), bucket) in BOUNDS.iter().zip(&numbers.buckets) {
                count += bucket.load(Ordering::Relaxed);
                let _ =
                    writeln!(page, "{name}_bucket{{transaction=\"{transaction}\",le=\"{bound}\"}} {count}");
            }
            let microseconds = numbers.microseconds.load(Ordering::Relaxed);
            let (seconds, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
            let _ = writeln!(page, "{name}_sum{{transaction=\"{transaction}\"}} {seconds}.{rest:06}");
            let _ = writeln!(page, "{name}_count{{transaction=\"{transaction}\"}} {count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{DURATIONS, TRANSACTIONS};

    #[test]
    fn endings_and_durations_are_told_for_each_transaction() {
        let transactions = Transactions::default();
        let ended = |ending, ms| {
            transactions.ended(Transaction::Iti18, ending, Duration::from_millis(ms));
        };
        ended(Ending::Success, 5);
        ended(Ending::Success, 6);
        ended(Ending::Refused, 300);
        ended(Ending::Failed, 12_345);
        transactions.ended(Transaction::Iti92, Ending::Refused, Duration::from_micros(7));
        let mut page = String::new();
        transactions.write_endings(&TRANSACTIONS, &mut page);
        transactions.write_durations(&DURATIONS, &mut page);
        for line in [
            "carnet_transactions_total{transaction=\"ITI-18\",outcome=\"success\"} 2",
            "carnet_transactions_total{transaction=\"ITI-18\",outcome=\"refused\"} 1",
            "carnet_transactions_total{transaction=\"ITI-18\",outcome=\"failed\"} 1",
            "carnet_transactions_total{transaction=\"ITI-8\",outcome=\"success\"} 0",
            "carnet_transactions_total{transaction=\"ITI-92\",outcome=\"refused\"} 1",
            "carnet_transaction_duration_seconds_bucket{transaction=\"ITI-18\",le=\"0.005\"} 1",
            "carnet_transaction_duration_seconds_bucket{transaction=\"ITI-18\",le=\"0.02\"} 2",
            "carnet_transaction_duration_seconds_bucket{transaction=\"ITI-18\",le=\"0.5\"} 3",
            "carnet_transaction_duration_seconds_bucket{transaction=\"ITI-18\",le=\"10\"} 3",
            "carnet_transaction_duration_seconds_bucket{transaction=\"ITI-18\",le=\"+Inf\"} 4",
            "carnet_transaction_duration_seconds_sum{transaction=\"ITI-18\"} 12.656000",
            "carnet_transaction_duration_seconds_count{transaction=\"ITI-18\"} 4",
            "carnet_transaction_duration_seconds_sum{transaction=\"ITI-92\"} 0.000007",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn the_bounds_grow_and_are_said_as_they_are() {
        for pair in BOUNDS.windows(2) {
            assert!(pair[0].0 < pair[1].0);
            assert_eq!(pair[0].1.parse::<f64>().unwrap(), pair[0].0 as f64 / 1000.0);
        }
        assert_eq!(BOUNDS.last().unwrap().1, "+Inf");
    }
}
