//! What later steps want to know of an answer.

use crate::answer::{Answer, Body};
use crate::context::Context;
use crate::transaction::association_type;

/// The value that `capture` names: `object.attribute`, `document.part` of a DocumentResponse, or
/// `type:IsSnapshotOf.source`, of the only Association of that type.
pub fn captured(path: &str, answer: &Answer, context: &Context) -> Option<String> {
    let (name, attribute) = path.rsplit_once('.')?;
    let Body::Response(response) = &answer.body else { return None };
    let value = if let Some(kind) = name.strip_prefix("type:") {
        let kind = association_type(kind);
        let mut links = response.entries.iter().filter(|entry| entry.value("type") == kind);
        let link = links.next()?;
        links.next().is_none().then(|| link.value(attribute).to_owned())?
    } else {
        let sent = context.objects.get(name)?;
        let unique_id = sent.entry.value("uniqueId");
        let entry = match context.permanent_id(name) {
            Some(id) => response.entries.iter().find(|entry| entry.value("entryUUID") == id),
            None => response.entries.iter().find(|entry| entry.value("uniqueId") == unique_id),
        };
        let document = || response.documents.iter().find(|document| document.unique_id == unique_id);
        match entry {
            Some(entry) => entry.value(attribute).to_owned(),
            None => document()?.part(attribute)?,
        }
    };
    Some(value).filter(|value| !value.is_empty())
}
