//! What was found, on its way out. An answer of many documents leaves in portions, so that its memory does not follow the
//! number of documents, nor a connection to the database the patience of whoever reads it.

use std::collections::HashMap;
use std::vec::IntoIter;

use database::Database;
use uuid::Uuid;
use xds::fragment::{Fill, Fragment};
use xds::message::QueryResult;
use xds::query::ReturnType;

use super::result::Resolved;
use crate::sql::{self, FoundDetail, Registration};
use crate::{Failure, Registry};

/// Objects whose text is read at a time.
pub const PORTION: usize = 64;

/// What a stored query answers with. Its trace is durable.
pub enum Answered {
    Whole(QueryResult),
    /// Better sent in portions.
    Long(Portions),
}

impl Registry {
    /// The answer, while its trace is written elsewhere: whatever takes time is done when that is under way.
    pub(super) async fn answered(
        &self,
        return_type: ReturnType,
        objects: Vec<Resolved>,
    ) -> Result<Answered, Failure> {
        if return_type == ReturnType::ObjectRef {
            let ids = objects.iter().map(|object| object.found.entry_uuid);
            return Ok(Answered::Whole(QueryResult::ObjectRefs(ids.collect())));
        }
        let is_long = objects.iter().any(|object| object.found.fragment.is_none());
        let portions = Portions { objects: objects.into_iter(), database: self.database.clone() };
        if is_long {
            return Ok(Answered::Long(portions));
        }
        tokio::task::yield_now().await;
        Ok(Answered::Whole(portions.all().await?))
    }
}

impl Answered {
    pub async fn whole(self) -> Result<QueryResult, Failure> {
        match self {
            Answered::Whole(result) => Ok(result),
            Answered::Long(portions) => portions.all().await,
        }
    }
}

/// Objects as ebXML, one portion after the other.
pub struct Portions {
    objects: IntoIter<Resolved>,
    database: Database,
}

impl Portions {
    async fn all(mut self) -> Result<QueryResult, Failure> {
        let mut objects = String::new();
        while let Some(portion) = self.next().await? {
            objects.push_str(&portion);
        }
        Ok(QueryResult::Objects(objects))
    }

    /// None: that was all. What a fragment says never changes; a document that was removed after it was found ends the answer
    /// with an error, even if it was registered again.
    pub async fn next(&mut self) -> Result<Option<String>, Failure> {
        let portion: Vec<Resolved> = self.objects.by_ref().take(PORTION).collect();
        if portion.is_empty() {
            return Ok(None);
        }
        let unread = self.unread(&portion).await?;
        let mut text = String::new();
        for Resolved { found, patient_id, .. } in &portion {
            let fragment = found.fragment.as_ref().or_else(|| unread.get(&found.entry_uuid));
            let fragment = fragment.ok_or_else(|| {
                Failure::Internal("a document was removed while the answer was sent".to_owned())
            })?;
            let mut fill = Fill { status: found.status.urn(), patient_id, ..Fill::default() };
            if let FoundDetail::Folder { last_update_time, .. } = &found.detail {
                fill.last_update_time = last_update_time;
            }
            fragment.fill(&fill, &mut text);
        }
        Ok(Some(text))
    }

    async fn unread(&self, portion: &[Resolved]) -> Result<HashMap<Uuid, Fragment>, Failure> {
        let unread = portion.iter().filter(|object| object.found.fragment.is_none());
        let unread: Vec<Registration> = unread.filter_map(|object| object.found.registration()).collect();
        match unread.is_empty() {
            true => Ok(HashMap::new()),
            false => Ok(sql::document_fragments(&self.database.get().await?, unread).await?),
        }
    }
}
