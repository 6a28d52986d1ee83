//! What clients were told and when, whatever became of what they asked for.

use std::time::{Duration, Instant};

use super::{Answer, Entry, Ledger, World};

/// What clients may be told at a time beside what is due: parts of answers.
pub type Excuses = &'static [&'static str];

pub const NONE: Excuses = &[];
/// The server is away.
pub const AWAY: Excuses = &["unreachable"];
/// The database is: over SOAP, MLLP and FHIR.
pub const BUSY: Excuses =
    &["XDSRegistryBusy", "XDSRegistryNotAvailable", "the database cannot be reached", "HTTP 503"];
/// There is no room for documents.
pub const FULL: Excuses = &["XDSRepositoryOutOfResources"];
/// Why acts of the mix are refused at any time.
pub const DUE: Excuses =
    &["XDSUnknownPatientId", "XDSRegistryDeprecatedDocumentError", "XDSDocumentUniqueIdError"];
/// Words that tell the other side nothing, whatever follows.
const INTERNAL: &str = "nternal error";

pub fn is_excused(answer: &Answer, excuses: Excuses) -> bool {
    matches!(answer, Answer::Refused(reason)
        if !reason.contains(INTERNAL) && excuses.iter().any(|excuse| reason.contains(excuse)))
}

/// Refusals of what should have been done, and those that tell another reason than the one they have.
pub fn refusals(ledger: &Ledger, excuses: Excuses) -> Vec<String> {
    let refused = ledger.0.iter().zip(due(ledger)).filter(|(entry, _)| {
        matches!(entry.answer, Answer::Refused(_)) && !is_excused(&entry.answer, excuses)
    });
    refused
        .filter(|(entry, is_due)| !is_due || !is_excused(&entry.answer, DUE))
        .map(|(Entry { act, answer, .. }, _)| format!("refused for no good reason: {answer:?} to {act:?}"))
        .collect()
}

/// Of each line, whether the act had to be refused; after a change whose outcome is not known, whether it may have had to.
pub fn due(ledger: &Ledger) -> Vec<bool> {
    let (mut world, mut other) = (World::default(), None::<World>);
    let mut due = Vec::new();
    for Entry { act, answer, .. } in &ledger.0 {
        due.push(world.refuses(act) || other.as_ref().is_some_and(|other| other.refuses(act)));
        if *answer == Answer::Acknowledged {
            world.apply(act);
        } else if answer.is_open() && act.is_change() {
            other.get_or_insert_with(|| world.clone()).apply(act);
        }
    }
    due
}

/// Acts that had no answer within this time, each in a sentence.
pub fn late<'a>(entries: impl Iterator<Item = &'a Entry>, limit: Duration) -> Vec<String> {
    entries
        .filter_map(|entry| match (&entry.answer, entry.took()) {
            (Answer::Open, _) | (_, None) => Some(format!("no answer to {:?}", entry.act)),
            (_, Some(took)) if took > limit => Some(format!("an answer after {took:?} to {:?}", entry.act)),
            _ => None,
        })
        .collect()
}

/// The longest time to an answer.
pub fn longest<'a>(entries: impl Iterator<Item = &'a Entry>) -> Duration {
    entries.filter_map(Entry::took).max().unwrap_or_default()
}

/// When clients were told that the server is busy.
pub fn busy<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Instant> {
    entries.filter(|entry| is_excused(&entry.answer, BUSY)).filter_map(|entry| entry.ended).collect()
}
