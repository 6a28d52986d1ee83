//! What one run of a scenario knows: its patient, fresh ids, and the documents it has sent.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::entry::Entry;
use crate::placeholder::Placeholders;

pub struct Context {
    pub placeholders: Placeholders,
    /// By the name that the scenario gives them.
    pub documents: BTreeMap<String, Sent>,
    /// Documents whose metadata do not come from the template.
    pub prepared: BTreeMap<String, Prepared>,
    /// Ids of all objects that have been sent, by name.
    pub ids: BTreeMap<String, String>,
    /// The patient may have other documents, which are not the scenario's business.
    pub patient_is_shared: bool,
}

/// A document as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub entry: Entry,
    pub octets: Bytes,
}

/// A document made elsewhere.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// `rim:ExtrinsicObject`; its prefix is declared around it.
    pub xml: String,
    pub octets: Bytes,
}

impl Context {
    pub fn new(placeholders: Placeholders, patient_is_shared: bool) -> Self {
        Context {
            placeholders,
            documents: BTreeMap::new(),
            prepared: BTreeMap::new(),
            ids: BTreeMap::new(),
            patient_is_shared,
        }
    }

    /// The id of the object `name`, or `name` itself when it is not the name of an object.
    pub fn id(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}
