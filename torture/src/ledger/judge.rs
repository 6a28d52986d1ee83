//! Ledger against what the server shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::answers::{DUE, is_excused};
use super::{Act, Answer, Entry, Ledger, Record, World};

/// What was read back for one client.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// For each patient that the client ever named; empty for one that is not open.
    pub records: BTreeMap<String, Record>,
    pub traces: Traces,
}

/// How many traces there are, by [`super::key`].
#[derive(Debug, Clone, Default)]
pub struct Traces {
    /// Of success.
    pub done: BTreeMap<String, u32>,
    /// Of anything else.
    pub failed: BTreeMap<String, u32>,
}

/// What became of a client's ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is wrong, a sentence each. Empty: nothing.
    pub faults: Vec<String>,
    /// The change without an answer, if there was one: whether it took effect.
    pub took_effect: Option<bool>,
}

/// Compares. Of a change without an answer either everything must be there, its traces included, or nothing.
pub fn judge(ledger: &Ledger, seen: &Seen) -> Verdict {
    let without = faults(ledger, None, seen);
    let Some(open) = ledger.open_change() else { return Verdict { faults: without, took_effect: None } };
    if without.is_empty() {
        return Verdict { faults: without, took_effect: Some(false) };
    }
    let with = faults(ledger, Some(open), seen);
    if with.is_empty() {
        return Verdict { faults: with, took_effect: Some(true) };
    }
    let mut faults = if with.len() < without.len() { with } else { without };
    if let Some(entry) = ledger.0.get(open) {
        faults.push(format!("neither whole nor absent: {:?}", entry.act));
    }
    Verdict { faults, took_effect: None }
}

/// What is wrong when exactly the acknowledged changes took effect, and that one.
fn faults(ledger: &Ledger, done: Option<usize>, seen: &Seen) -> Vec<String> {
    let mut world = ledger.world();
    if let Some(entry) = done.and_then(|index| ledger.0.get(index)) {
        // Nothing was sent after it that would depend on the order.
        world.apply(&entry.act);
    }
    let mut faults = Vec::new();
    compare(&world, &seen.records, &mut faults);
    changes(ledger, done, seen, &mut faults);
    reads(ledger, seen, &mut faults);
    failures(ledger, seen, &mut faults);
    faults
}

/// The records alone, of a ledger that was judged before and whose records are read again.
pub fn judge_records(ledger: &Ledger, records: &BTreeMap<String, Record>) -> Vec<String> {
    let mut faults = Vec::new();
    compare(&ledger.world(), records, &mut faults);
    faults
}

fn compare(world: &World, records: &BTreeMap<String, Record>, faults: &mut Vec<String>) {
    let nothing = Record::default();
    let patients: BTreeSet<&String> = world.0.keys().chain(records.keys()).collect();
    for patient in patients {
        let expected = world.0.get(patient).unwrap_or(&nothing);
        let shown = records.get(patient).unwrap_or(&nothing);
        let maps = [
            ("document", texts(&expected.documents), texts(&shown.documents)),
            ("octets", texts(&expected.octets), texts(&shown.octets)),
            ("set", names(&expected.sets), names(&shown.sets)),
            ("association", names(&expected.links), names(&shown.links)),
        ];
        for (what, expected, shown) in maps {
            differences(what, &expected, &shown, faults);
        }
    }
}

fn differences(
    what: &str,
    expected: &BTreeMap<String, String>,
    shown: &BTreeMap<String, String>,
    faults: &mut Vec<String>,
) {
    for (id, value) in expected {
        match shown.get(id) {
            None => faults.push(format!("lost: {what} {id} {value}")),
            Some(other) if other != value => {
                faults.push(format!("changed: {what} {id} is {other} and not {value}"))
            }
            Some(_) => {}
        }
    }
    for (id, value) in shown.iter().filter(|(id, _)| !expected.contains_key(*id)) {
        faults.push(format!("not to be there: {what} {id} {value}"));
    }
}

fn texts<K: Debug, V: Debug>(map: &BTreeMap<K, V>) -> BTreeMap<String, String> {
    map.iter().map(|(key, value)| (format!("{key:?}"), format!("{value:?}"))).collect()
}

fn names<K: Debug>(set: &BTreeSet<K>) -> BTreeMap<String, String> {
    set.iter().map(|key| (format!("{key:?}"), String::new())).collect()
}

/// One trace of success for each change that took effect, none for others.
fn changes(ledger: &Ledger, done: Option<usize>, seen: &Seen, faults: &mut Vec<String>) {
    let mut expected: BTreeMap<String, u32> = BTreeMap::new();
    for (index, Entry { act, answer, .. }) in
        ledger.0.iter().enumerate().filter(|(_, entry)| entry.act.is_change())
    {
        let happened = *answer == Answer::Acknowledged || done == Some(index);
        for key in act.traces() {
            *expected.entry(key).or_default() += u32::from(happened);
        }
    }
    for (key, expected) in expected {
        let found = seen.traces.done.get(&key).copied().unwrap_or_default();
        if found != expected {
            faults.push(format!("traces: {found} and not {expected} of {key}"));
        }
    }
}

/// At least one trace for each read that was answered, at most one for each that was sent. Events of other nodes likewise:
/// who is told to come again sends the event again, though it may have been taken.
fn reads(ledger: &Ledger, seen: &Seen, faults: &mut Vec<String>) {
    let mut bounds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for Entry { act, answer, .. } in ledger.0.iter().filter(|entry| !entry.act.is_change()) {
        for key in act.traces() {
            let (least, most) = bounds.entry(key).or_default();
            *least += u32::from(*answer == Answer::Acknowledged);
            *most += 1;
        }
    }
    for (key, (least, most)) in bounds {
        let found = seen.traces.done.get(&key).copied().unwrap_or_default();
        if found < least || found > most {
            faults.push(format!("traces: {found} of {key}, for {least} answers to {most} requests"));
        }
    }
}

/// Who is told why a change is refused has left a trace; nothing else fails more often than it was not acknowledged.
fn failures(ledger: &Ledger, seen: &Seen, faults: &mut Vec<String>) {
    let mut bounds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for Entry { act, answer, .. } in &ledger.0 {
        // The first is that of the actor who answers; what an actor behind it did is not known here.
        for (number, key) in act.traces().into_iter().enumerate() {
            let (least, most) = bounds.entry(key).or_default();
            *least += u32::from(number == 0 && act.is_change() && is_excused(answer, DUE));
            // A document is removed although its octets may stay for a while, of which there is another trace.
            let may_fail = matches!(act, Act::RemoveDocument { .. });
            *most += u32::from(may_fail || *answer != Answer::Acknowledged);
        }
    }
    for (key, (least, most)) in bounds {
        let found = seen.traces.failed.get(&key).copied().unwrap_or_default();
        if found < least || found > most {
            faults.push(format!("traces: {found} failures of {key}, and not {least} to {most}"));
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
