use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use transparency::Restoration;
use uuid::Uuid;

use crate::Kind;

/// What a verification found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The first event that was looked at.
    pub from: u64,
    /// Events that are as they were signed.
    pub events: u64,
    /// Of these, events whose content was blanked by right.
    pub blanked: u64,
    /// Events that expired by right. They are not counted among the events.
    pub expired: u64,
    /// Events that the last checkpoint in the database speaks of.
    pub size: u64,
    /// The size in the last checkpoint that was held outside, if a file of them was given.
    pub outside: Option<u64>,
    /// Events that wait for their place, normally for two seconds at most, and since when. No checkpoint covers them.
    pub waiting: i64,
    pub waiting_since: Option<DateTime<Utc>>,
    /// Restores of backups that were written down and signed.
    pub restorations: Vec<Restoration>,
    /// The first thing that is wrong.
    pub finding: Option<What>,
}

impl Report {
    pub(super) fn found(self, what: What) -> Report {
        Report { finding: Some(what), ..self }
    }

    /// Nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.finding.is_none()
    }
}

/// What is wrong with a log, at the first place where something is. Positions are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum What {
    /// Its content or salt is not what was signed.
    Altered {
        position: u64,
        id: Uuid,
        at: DateTime<Utc>,
    },
    /// A column says something else than the content.
    Column {
        position: u64,
        id: Uuid,
        column: &'static str,
    },
    Removed {
        position: u64,
    },
    /// It is back, although the log says that it expired.
    Returned {
        position: u64,
        id: Uuid,
    },
    /// Other events of a month are missing than those of which the log says that they expired.
    Missing {
        month: NaiveDate,
        first: u64,
        until: u64,
        stated: u64,
        found: u64,
    },
    /// Other events are blanked than the log says.
    Blanked {
        month: NaiveDate,
        kind: Kind,
        stated: u64,
        found: u64,
    },
    /// What is said to have gone was not said with the key of the log, or its event is not in the log.
    Statement {
        id: Uuid,
    },
    /// A second event claims a position.
    Inserted {
        position: u64,
        id: Uuid,
    },
    /// The event that stands here was signed at another place.
    Moved {
        position: u64,
        id: Uuid,
    },
    /// It stands in the log behind all that was signed, where no event can come without being signed at once.
    Unsigned {
        position: u64,
        id: Uuid,
    },
    /// The end of the log is missing: a checkpoint outside knows of more events.
    Truncated {
        known: u64,
        found: u64,
    },
    /// Events between two checkpoints are not what was signed; the later checkpoint marks none of them.
    Between {
        from: u64,
        until: u64,
    },
    /// A signed head in the database is not signed by a known key.
    Checkpoint {
        size: u64,
    },
    /// The events are as signed, and the stored hash tree is not.
    Tile {
        position: u64,
    },
    /// The stored hash tree is not the one that was signed at this size.
    Tree {
        size: u64,
    },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Altered { position, id, at } => write!(
                f,
                "event {position} was altered: what stands there, as event {id} of {at}, is not what was signed"
            ),
            What::Column { position, id, column } => write!(
                f,
                "event {position} ({id}) was altered: its column {column} does not say what its content says"
            ),
            What::Removed { position } => write!(f, "event {position} was removed"),
            What::Returned { position, id } => {
                write!(f, "event {position} ({id}) was inserted: the log says that it expired")
            }
            What::Missing { month, first, until, stated, found } => write!(
                f,
                "events of {} (positions {first} to {}) were removed, or inserted after they had expired: {found} are missing, and \
                 they are not the {stated} of which the log says that they expired",
                month.format("%Y-%m"),
                until.saturating_sub(1)
            ),
            What::Blanked { month, kind, stated, found } => write!(
                f,
                "{kind} events of {} were altered: {found} are blanked, and they are not the {stated} of which the log says that \
                 they were",
                month.format("%Y-%m")
            ),
            What::Statement { id } => write!(
                f,
                "the statement {id} of events that expired or were blanked is forged: the log's key did not sign it, or its event \
                 is not in the log"
            ),
            What::Inserted { position, id } => {
                write!(f, "event {id} was inserted: position {position} is that of another event")
            }
            What::Moved { position, id } => write!(
                f,
                "event {position} is not the one that was signed there but {id}, which was signed at another place: events \
                 were removed, inserted or reordered from here on"
            ),
            What::Unsigned { position, id } => {
                write!(f, "event {position} ({id}) was inserted: it stands behind everything that was signed")
            }
            What::Truncated { known, found } => write!(
                f,
                "event {found} and those behind it were removed: the checkpoints outside know of {known} events, the \
                 database has signed {found}"
            ),
            What::Between { from, until } => write!(
                f,
                "an event from {from} up to {} was altered, removed, inserted or reordered: the root of the tree of {until} \
                 events is not the signed one",
                until.saturating_sub(1)
            ),
            What::Checkpoint { size } => write!(
                f,
                "the checkpoint of {size} events in the database is not signed by a known key: it was altered, or the log \
                 was signed by another key"
            ),
            What::Tile { position } => write!(
                f,
                "the hash tree in the database was altered at event {position}; the events are as they were signed up to here"
            ),
            What::Tree { size } => {
                write!(f, "the hash tree in the database is not the one that was signed at {size} events")
            }
        }
    }
}
