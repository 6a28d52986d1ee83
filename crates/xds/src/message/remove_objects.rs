use uuid::Uuid;
use xml::{Element, Writer};

use super::{MessageError, child, expect};
use crate::constants::ns::{LCM, RIM};
use crate::value::{parse_uuid_urn, uuid_urn};

/// What ebRS takes for granted when no scope is given: the object with everything about it.
const DELETE_ALL: &str = "urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:DeleteAll";

/// `lcm:RemoveObjectsRequest` as Remove Metadata (ITI-62) uses it: entryUUIDs and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveObjects(
    /// `ObjectRef/@id` as sent, each once.
    pub Vec<String>,
);

impl RemoveObjects {
    pub fn of(ids: impl IntoIterator<Item = Uuid>) -> Self {
        RemoveObjects(ids.into_iter().map(uuid_urn).collect())
    }

    /// One list with at least one ObjectRef. A query in place of ids is not for this transaction.
    pub fn read(body: Element<'_>) -> Result<Self, MessageError> {
        expect(body, LCM, "RemoveObjectsRequest")?;
        if body.child(RIM, "AdhocQuery").is_some() {
            return Err(MessageError("RemoveObjectsRequest: takes ObjectRefs and no AdhocQuery".into()));
        }
        let scope = body.attribute("deletionScope").map(str::trim);
        if scope.is_some_and(|scope| scope != DELETE_ALL) {
            return Err(MessageError("RemoveObjectsRequest: takes no deletionScope".into()));
        }
        let list = child(body, RIM, "ObjectRefList")?;
        let mut ids: Vec<String> = Vec::new();
        for reference in list.children_named(RIM, "ObjectRef") {
            let id = reference.attribute("id").map(str::trim).unwrap_or_default();
            if id.is_empty() {
                return Err(MessageError("RemoveObjectsRequest: an ObjectRef without an id".into()));
            }
            ids.push(id.to_owned());
        }
        if ids.is_empty() {
            return Err(MessageError("RemoveObjectsRequest: ObjectRefList has no ObjectRef".into()));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(RemoveObjects(ids))
    }

    pub fn write(&self, w: &mut Writer) {
        w.open("lcm:RemoveObjectsRequest", &[("xmlns:lcm", LCM), ("xmlns:rim", RIM)]);
        w.open("rim:ObjectRefList", &[]);
        for id in &self.0 {
            w.empty("rim:ObjectRef", &[("id", id)]);
        }
        w.close().close();
    }

    /// The ids that are `urn:uuid:`, and those that are not and therefore name nothing.
    pub fn uuids(&self) -> (Vec<Uuid>, Vec<&str>) {
        let mut uuids: Vec<Uuid> = self.0.iter().filter_map(|id| parse_uuid_urn(id)).collect();
        uuids.sort_unstable();
        uuids.dedup();
        let others = self.0.iter().map(String::as_str).filter(|id| parse_uuid_urn(id).is_none()).collect();
        (uuids, others)
    }
}
