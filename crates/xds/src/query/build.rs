//! Requests for sending: the client's side.

use uuid::Uuid;

use super::parameter::METADATA_LEVEL;
use super::{Level, Request, ReturnType, Status, find_documents, get_documents, syntax};
use crate::constants::{QUERY_FIND_DOCUMENTS, QUERY_GET_DOCUMENTS};
use crate::value::{Cx, Dtm, uuid_urn};

impl Request {
    /// A stored query without parameters; `id` is its `urn:uuid:`.
    pub fn new(id: &str, return_type: ReturnType) -> Request {
        Request {
            id: id.to_owned(),
            return_type: return_type.name().to_owned(),
            home: None,
            parameters: Vec::new(),
        }
    }

    /// FindDocuments with its required parameters. More conditions follow by [`Request::with_list`] and its like.
    pub fn find_documents(patient_id: &Cx, status: &[Status], return_type: ReturnType) -> Request {
        Request::new(QUERY_FIND_DOCUMENTS, return_type)
            .with_string(find_documents::PATIENT_ID, &patient_id.text)
            .with_list(find_documents::STATUS, status.iter().map(|status| status.urn()))
    }

    pub fn get_documents_by_unique_id<T: AsRef<str>>(
        unique_ids: impl IntoIterator<Item = T>,
        return_type: ReturnType,
    ) -> Request {
        Request::new(QUERY_GET_DOCUMENTS, return_type).with_list(get_documents::UNIQUE_ID, unique_ids)
    }

    pub fn get_documents_by_entry_uuid(
        entry_uuids: impl IntoIterator<Item = Uuid>,
        return_type: ReturnType,
    ) -> Request {
        Request::new(QUERY_GET_DOCUMENTS, return_type)
            .with_list(get_documents::ENTRY_UUID, entry_uuids.into_iter().map(uuid_urn))
    }

    /// A parameter that has one string; it is quoted here.
    pub fn with_string(self, name: &str, value: &str) -> Request {
        self.with(name, vec![syntax::quote(value)])
    }

    /// A parameter that takes any of several strings; they are quoted here and spread over as many Values as they
    /// need. Given again with the same name, both lists must match, where the attribute is multi-valued.
    pub fn with_list<T: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Request {
        self.with(name, syntax::lists(values))
    }

    pub fn with_uuids(self, name: &str, ids: impl IntoIterator<Item = Uuid>) -> Request {
        self.with_list(name, ids.into_iter().map(uuid_urn))
    }

    /// Asks for the past of the record too. [`Level::Current`] is what a query gives by itself.
    pub fn with_level(self, level: Level) -> Request {
        match level {
            Level::Current => self,
            Level::Complete => self.with(METADATA_LEVEL, vec!["2".to_owned()]),
        }
    }

    pub fn with_time(self, name: &str, time: &Dtm) -> Request {
        self.with(name, vec![time.as_str().to_owned()])
    }

    fn with(mut self, name: &str, values: Vec<String>) -> Request {
        self.parameters.push((name.to_owned(), values));
        self
    }
}
