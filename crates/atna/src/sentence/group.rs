//! A consultation is one line, which unfolds.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Language, clean, predicate, sentence, what, when, who};
use crate::message::Indicator;
use crate::table::{Kind, codes};
use crate::{Act, Entry, Event, Outcome};

/// How long a consultation may pause.
const PAUSE: TimeDelta = TimeDelta::minutes(10);

/// What a person reads of one event, or of those that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Of the first event.
    pub at: DateTime<Utc>,
    pub text: String,
    pub outcome: Option<Outcome>,
    /// A secret session: legal representatives do not see it.
    pub hidden_from_legal_representatives: bool,
    /// The events, in the order of time.
    pub events: Vec<Uuid>,
    /// The lines of the events, where there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Line>,
}

/// The entries, which are in the order of time, as lines.
pub fn group<Z: TimeZone>(entries: &[Entry], language: Language, zone: &Z) -> Vec<Line> {
    let one = |entry: &Entry| Line {
        at: entry.at(),
        text: sentence(entry, language, zone),
        outcome: match entry {
            Entry::Own(event) => Some(event.outcome),
            Entry::Received(_) => None,
        },
        hidden_from_legal_representatives: entry.hidden_from_legal_representatives(),
        events: vec![entry.id()],
        parts: Vec::new(),
    };
    let folded = |entries: &[Entry]| match entries {
        [] => None,
        [entry] => Some(one(entry)),
        [first, ..] => {
            let events: Vec<&Event> = entries.iter().filter_map(own).collect();
            let text = together(&events, language, zone);
            let events = entries.iter().map(Entry::id).collect();
            Some(Line { text, events, parts: entries.iter().map(one).collect(), ..one(first) })
        }
    };
    entries.chunk_by(belong_together).filter_map(folded).collect()
}

fn own(entry: &Entry) -> Option<&Event> {
    match entry {
        Entry::Own(event) => Some(event),
        Entry::Received(_) => None,
    }
}

/// Documents that were read, or where none was, that somebody searched.
fn together<Z: TimeZone>(events: &[&Event], language: Language, zone: &Z) -> String {
    let [first, ..] = events else { return String::new() };
    let read: Vec<&Event> = events.iter().filter(|event| is_read(event)).copied().collect();
    let (act, what) = match read.first() {
        Some(event) => (event.act, what::several(&what::documents(&read), language)),
        None => (first.act, String::new()),
    };
    let did = predicate(&act.row().said, Indicator::Success, &what, None, language);
    clean(&format!("{}{did} {}", who(&first.requester, language), when(first.at, language, zone)))
}

fn is_read(event: &Event) -> bool {
    event.act == Act::Iti43Repository
}

/// Successful searches and readings of one patient by one requester, without a long pause.
fn belong_together(a: &Entry, b: &Entry) -> bool {
    let (Entry::Own(a), Entry::Own(b)) = (a, b) else { return false };
    let consults = |event: &Event| {
        let row = event.act.row();
        let consults = is_read(event) || row.kind == Kind::Access && row.event == codes::QUERY;
        consults && event.outcome == Outcome::Success && event.patient.is_some()
    };
    let same_requester = {
        // The two are asked at different addresses of this node.
        let mut other = b.requester.clone();
        other.endpoint.clone_from(&a.requester.endpoint);
        other.reply_to.clone_from(&a.requester.reply_to);
        other == a.requester
    };
    consults(a) && consults(b) && a.patient == b.patient && same_requester && (b.at - a.at).abs() <= PAUSE
}
