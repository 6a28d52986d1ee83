//! What one run of a scenario knows: its patient, fresh ids, and the documents it has sent.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::entry::Entry;
use crate::placeholder::{Placeholders, Unknown};

pub struct Context {
    pub placeholders: Placeholders,
    /// By the name that the scenario gives them.
    pub objects: BTreeMap<String, Sent>,
    /// Documents whose metadata do not come from the template.
    pub prepared: BTreeMap<String, Prepared>,
    /// Ids of all objects that have been sent, by name.
    pub ids: BTreeMap<String, String>,
    /// The patient may have other documents, which are not the scenario's business.
    pub patient_is_shared: bool,
}

/// An object as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub entry: Entry,
    /// Of a stable document.
    pub octets: Option<Bytes>,
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
            objects: BTreeMap::new(),
            prepared: BTreeMap::new(),
            ids: BTreeMap::new(),
            patient_is_shared,
        }
    }

    /// Placeholders of the scenario. A patient that was given stays.
    pub fn adopt(&mut self, values: &BTreeMap<String, String>) -> Result<(), Unknown> {
        for (name, value) in values {
            let value = self.placeholders.text(value)?;
            if name != "patient" || !self.patient_is_shared {
                self.placeholders.set(name.as_str(), value);
            }
        }
        Ok(())
    }

    /// An object with a permanent id: found again by it, whatever else shares its uniqueId.
    pub fn permanent_id(&self, name: &str) -> Option<&str> {
        let id = self.objects.get(name)?.entry.value("entryUUID");
        id.starts_with("urn:uuid:").then_some(id)
    }

    /// The id of the object `name`, or `name` itself when it is not the name of an object.
    pub fn id(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}
