//! What went from the log by right: the statement that the event of its going bears.
//!
//! A statement is signed with the key of the log. Whoever can write the database can have an event sequenced, but cannot
//! state that other events are gone.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use transparency::{Note, NoteError, Signer, Verifier};
use uuid::Uuid;

use crate::{Error, Kind};

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The name of the log, and of the key that signed.
    pub origin: String,
    pub loss: Loss,
    /// The lines of signatures below the statement's text.
    pub signature: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    Expired(Expired),
    Blanked(Blanked),
}

/// Events of a month are no more in the database. The latest statement about a month tells of all of its events that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Its first day.
    pub month: NaiveDate,
    /// The kinds that are gone.
    pub kinds: Vec<Kind>,
    /// The positions of the month, those that stay among them: from `first` up to, not including, `until`.
    pub first: u64,
    pub until: u64,
    /// The positions in between that are gone.
    pub gone: Sum,
}

/// Events of a patient have lost their content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blanked {
    pub events: u64,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// SHA-256 of a secret and the identifier that was given, so that only who was handed the secret can tell who it was.
    pub patient: String,
    /// Where events of the patient stood, each with all that is blanked there.
    pub parts: Vec<Part>,
}

/// The events of a month and kind that are blanked, of all patients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub month: NaiveDate,
    pub kind: Kind,
    pub gone: Sum,
}

/// How many there are, and the SHA-256 over what tells them apart, in the order of the log, in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub count: u64,
    pub digest: String,
}

/// A [`Sum`] that is being made.
pub struct Summing {
    count: u64,
    sha: Sha256,
}

impl Summing {
    pub fn new() -> Summing {
        Summing { count: 0, sha: Sha256::new() }
    }

    /// A position where nothing stands.
    pub fn position(&mut self, position: u64) {
        self.count += 1;
        self.sha.update(&position.to_be_bytes());
    }

    /// An event without content: what stays of it.
    pub fn blanked(&mut self, position: u64, id: Uuid, at: DateTime<Utc>, by: Uuid) {
        self.position(position);
        self.sha.update(id.as_bytes());
        self.sha.update(&at.timestamp_micros().to_be_bytes());
        self.sha.update(by.as_bytes());
    }

    pub fn sum(self) -> Sum {
        Sum { count: self.count, digest: STANDARD.encode(self.sha.finish()) }
    }
}

impl Default for Sum {
    /// Of nothing.
    fn default() -> Self {
        Summing::new().sum()
    }
}

impl Gone {
    /// Signs what the event of this id states.
    pub fn sign(loss: Loss, event: Uuid, signer: &Signer) -> Result<Gone, Error> {
        let origin = signer.name().to_owned();
        let text = text(&origin, &loss, event)?;
        let note = signer.sign(&text).map_err(transparency::RecordError::Note)?.to_string();
        // The signatures stand behind the text and an empty line.
        let signature = note.get(text.len() + 1..).unwrap_or_default().to_owned();
        Ok(Gone { origin, loss, signature })
    }

    /// Whether the key of the log signed that the event of this id states so.
    pub fn is_signed(&self, event: Uuid, keys: &[Verifier]) -> bool {
        let Ok(text) = text(&self.origin, &self.loss, event) else { return false };
        let opened = Note::parse(format!("{text}\n{}", self.signature).as_bytes());
        let signed = |note: Note| -> Result<bool, NoteError> {
            Ok(note.text() == text && note.check(keys)?.iter().any(|key| key.name() == self.origin))
        };
        opened.and_then(signed).unwrap_or(false)
    }

    /// What it says, as names and values.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match &self.loss {
            Loss::Expired(expired) => vec![
                ("Month", expired.month.format("%Y-%m").to_string()),
                ("Kinds", expired.kinds.iter().map(Kind::to_string).collect::<Vec<_>>().join(", ")),
                ("Positions", format!("{}-{}", expired.first, expired.until.saturating_sub(1))),
                ("Gone", expired.gone.count.to_string()),
                ("SHA-256", expired.gone.digest.clone()),
            ],
            Loss::Blanked(blanked) => vec![
                ("Blanked", blanked.events.to_string()),
                ("From", blanked.from.to_rfc3339()),
                ("Until", blanked.until.to_rfc3339()),
                ("Patient SHA-256", blanked.patient.clone()),
            ],
        }
    }
}

/// Its first line is no name of a log, so that it cannot be taken for a checkpoint.
fn text(origin: &str, loss: &Loss, event: Uuid) -> Result<String, Error> {
    Ok(format!("{origin} statement\n{event}\n{}\n", serde_json::to_string(loss)?))
}

/// Who a blanking was about, for whoever has the secret.
pub fn patient_digest(secret: Uuid, cx: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(secret.as_bytes());
    sha.update(cx.as_bytes());
    STANDARD.encode(sha.finish())
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Access => "access",
            Kind::Operation => "operation",
            Kind::Received => "received",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_holds_for_its_event_its_words_and_its_key_only() {
        let [signer, other] = ["log", "log"].map(|name| Signer::generate(name).unwrap());
        let keys = [signer.verifier().unwrap()];
        let month = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap();
        let mut sum = Summing::new();
        sum.position(12);
        let kinds = vec![Kind::Access];
        let expired = Expired { month, kinds, first: 3, until: 20, gone: sum.sum() };
        let event = Uuid::new_v4();
        let gone = Gone::sign(Loss::Expired(expired.clone()), event, &signer).unwrap();
        assert!(gone.is_signed(event, &keys));
        assert!(!gone.is_signed(Uuid::new_v4(), &keys));
        assert!(!gone.is_signed(event, &[other.verifier().unwrap()]));
        let more = Expired { until: 21, ..expired };
        assert!(!Gone { loss: Loss::Expired(more), ..gone.clone() }.is_signed(event, &keys));
        assert!(!Gone { signature: String::new(), ..gone.clone() }.is_signed(event, &keys));
        let renamed = Gone { origin: "logs".to_owned(), ..gone.clone() };
        assert!(!renamed.is_signed(event, &keys));
        let read: Gone = serde_json::from_str(&serde_json::to_string(&gone).unwrap()).unwrap();
        assert!(read.is_signed(event, &keys));
    }
}
