//! Someone who looks on while scenarios run: to show progress, or to see into the server.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;

/// Everything that a refused request must leave as it was: part → digest of its content.
pub type Snapshot = BTreeMap<String, String>;

pub trait Watch {
    /// A scenario begins, as the `index`-th `of` all.
    fn begins(&self, _scenario: &str, _index: usize, _of: usize) {}

    /// What the server holds, where one can see it.
    fn snapshot(&self) -> LocalBoxFuture<'_, Option<Snapshot>> {
        Box::pin(async { None })
    }
}

/// Sees nothing.
pub struct Blind;

impl Watch for Blind {}

/// Parts that changed though nothing should have.
pub fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| format!("the request was to be refused, but {name} changed"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_new_and_a_lost_part_are_differences() {
        let snapshot = |parts: &[(&str, &str)]| -> Snapshot {
            parts.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let before = snapshot(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = snapshot(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(differences(&before, &after).len(), 3);
        assert_eq!(differences(&before, &before), [""; 0]);
    }
}
