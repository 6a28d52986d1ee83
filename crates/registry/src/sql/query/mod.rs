//! Statements of stored queries, by object. What holds for all of them:
//!
//! * Each starts at record numbers or at a global key (ids, ends of associations), so that it costs what the record
//!   costs. Those of ITI-51 without patients start at a code and end at their limit.
//! * `$1` is where it starts, `$2` whether everything is shown (`$MetadataLevel` 2), `$3` a limit, or null.
//! * A condition whose parameter is null is no condition.
//! * A JSON parameter is an array of arrays: each inner array must match.
//! * What ITI-62 removed is never shown.

/// Objects of a kind by a table that leads from ids to them.
macro_rules! by_id_in {
    ($kind:literal, $table:literal, $id:literal) => {
        concat!(
            "from ",
            $table,
            " as given join ",
            $kind,
            " on ",
            $kind,
            ".record = given.record and ",
            $kind,
            ".entry_uuid = given.entry_uuid where given.",
            $id,
            " = any($1)"
        )
    };
}

mod associations;
#[cfg(test)]
mod cost;
mod documents;
mod folders;
mod submission_sets;

pub use associations::{associations_by_id, associations_from, associations_of, associations_to};
pub use documents::{
    Readable, document_fragments, documents_by_ids, find_documents, find_documents_of_all,
    find_documents_of_unmerged, readable_documents,
};
pub use folders::{find_folders, find_folders_of_all, folders_by_ids};
pub use submission_sets::{find_submission_sets, submission_sets_by_ids};

use chrono::{DateTime, Utc};
use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::query::{Level, Status};
use xds::value::Dtm;

use super::StoredFragment;

/// An object as a query finds it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it lies; it may be a record that was merged into another.
    pub record: i64,
    pub entry_uuid: Uuid,
    /// None: not read yet.
    pub fragment: Option<Fragment>,
    pub status: Status,
    pub detail: FoundDetail,
}

/// patient_id is the CX as stored.
#[derive(Debug, Clone)]
pub enum FoundDetail {
    DocumentEntry { patient_id: String, registered_at: DateTime<Utc> },
    SubmissionSet { patient_id: String },
    Folder { patient_id: String, last_update_time: String },
    Association { source: Uuid, target: Uuid },
}

/// One registration of a document: its record, its entryUUID, and when. What was removed may come again under its entryUUID,
/// with another text.
pub type Registration = (i64, Uuid, DateTime<Utc>);

impl Found {
    pub fn registration(&self) -> Option<Registration> {
        match self.detail {
            FoundDetail::DocumentEntry { registered_at, .. } => {
                Some((self.record, self.entry_uuid, registered_at))
            }
            _ => None,
        }
    }
}

/// What every statement needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    pub level: Level,
    pub limit: Option<i64>,
}

impl Reach {
    fn everything(self) -> bool {
        self.level == Level::Complete
    }
}

/// Reads a row that begins with record, entry_uuid, fragment, status.
fn found(row: &Row, detail: impl FnOnce(&Row) -> Result<FoundDetail, Error>) -> Result<Found, Error> {
    let entry_uuid: Uuid = row.try_get(1)?;
    let fragment = row.try_get::<_, Option<StoredFragment>>(2).inspect_err(|error| {
        tracing::error!("the fragment of {entry_uuid} cannot be read (carnet fsck tells more): {error}");
    })?;
    Ok(Found {
        record: row.try_get(0)?,
        entry_uuid,
        fragment: fragment.map(|stored| stored.0),
        status: Status::from_name(row.try_get(3)?).unwrap_or(Status::Deprecated),
        detail: detail(row)?,
    })
}

/// An empty list puts no condition.
fn some(values: &[String]) -> Option<&[String]> {
    (!values.is_empty()).then_some(values)
}

fn json_groups(groups: &[Vec<String>]) -> Option<serde_json::Value> {
    (!groups.is_empty()).then(|| groups.iter().map(|group| serde_json::Value::from(group.clone())).collect())
}

fn time(time: &Option<Dtm>) -> Option<String> {
    time.as_ref().map(Dtm::padded)
}

fn status_names(status: &[Status]) -> Vec<&'static str> {
    status.iter().map(|status| status.name()).collect()
}
