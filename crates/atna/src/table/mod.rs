//! The event table: what each act of each actor is called in audit messages. An act is one row of [`rows`].

pub mod codes;
mod page;
mod rows;

pub use codes::Code;
pub use page::document;
pub use rows::Act;
use serde::{Deserialize, Serialize};

/// EventActionCode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
    Execute,
}

impl Action {
    pub fn letter(self) -> &'static str {
        match self {
            Action::Create => "C",
            Action::Read => "R",
            Action::Update => "U",
            Action::Delete => "D",
            Action::Execute => "E",
        }
    }

    pub fn from_letter(letter: &str) -> Option<Self> {
        [Action::Create, Action::Read, Action::Update, Action::Delete, Action::Execute]
            .into_iter()
            .find(|action| action.letter() == letter)
    }
}

/// What an entry is about; decides with what it is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(i16)]
pub enum Kind {
    /// Access to patients' records.
    Access = 1,
    /// Operation of the server, and use of the audit itself.
    Operation = 2,
    /// What other nodes told.
    Received = 3,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Access, Kind::Operation, Kind::Received];

    pub fn from_number(number: i16) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// As it stands in the database.
    pub fn number(self) -> i16 {
        self as i16
    }
}

/// How an act is told to people: what happened, and what was tried (an infinitive). `{}` is what was touched.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    pub fr: [&'static str; 2],
    pub en: [&'static str; 2],
}

/// One row of the event table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The transaction's number, or what an administrative act is.
    pub transaction: &'static str,
    pub actor: &'static str,
    pub kind: Kind,
    /// EventID.
    pub event: Code,
    pub action: Action,
    /// EventTypeCode, the most general first.
    pub types: &'static [Code],
    /// RoleIDCode of the one who asked, and ours.
    pub roles: [Code; 2],
    /// The audit itself is what is touched.
    pub touches_log: bool,
    pub said: Said,
}

impl Row {
    /// The EventTypeCode that says most.
    pub fn type_code(&self) -> Code {
        self.types.last().copied().unwrap_or(self.event)
    }
}
