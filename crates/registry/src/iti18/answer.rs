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
use crate::sql::{self, FoundDetail};
use crate::{Failure, Registry};

/// Objects whose text is read at a time.
pub const PORTION: usize = 64;

/// What a stored query answers with. Its trace is durable.
pub struct Answered {
    return_type: ReturnType,
    objects: Vec<Resolved>,
    database: Database,
}

impl Registry {
    pub(super) fn answered(&self, return_type: ReturnType, objects: Vec<Resolved>) -> Answered {
        Answered { return_type, objects, database: self.database.clone() }
    }
}

impl Answered {
    /// Whether it is better sent in portions.
    pub fn is_long(&self) -> bool {
        self.return_type == ReturnType::LeafClass && self.objects.iter().any(|o| o.found.fragment.is_none())
    }

    pub async fn whole(self) -> Result<QueryResult, Failure> {
        if self.return_type == ReturnType::ObjectRef {
            let ids = self.objects.iter().map(|object| object.found.entry_uuid);
            return Ok(QueryResult::ObjectRefs(ids.collect()));
        }
        let (mut objects, mut portions) = (String::new(), self.portions());
        while let Some(portion) = portions.next().await? {
            objects.push_str(&portion);
        }
        Ok(QueryResult::Objects(objects))
    }

    /// The objects as ebXML, one portion after the other.
    pub fn portions(self) -> Portions {
        Portions { objects: self.objects.into_iter(), database: self.database }
    }
}

pub struct Portions {
    objects: IntoIter<Resolved>,
    database: Database,
}

impl Portions {
    /// None: that was all. What a fragment says never changes; a document that was removed after it was found ends the answer
    /// with an error.
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
        let (records, ids): (Vec<i64>, Vec<Uuid>) =
            unread.map(|object| (object.found.record, object.found.entry_uuid)).unzip();
        match ids.is_empty() {
            true => Ok(HashMap::new()),
            false => Ok(sql::document_fragments(&self.database.get().await?, &records, &ids).await?),
        }
    }
}
