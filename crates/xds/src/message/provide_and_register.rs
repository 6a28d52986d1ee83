use std::collections::HashSet;

use xml::{Element, Writer};

use super::{Content, MessageError, child, expect};
use crate::constants::ns::{LCM, XDS};
use crate::ebxml::SubmitObjects;

/// `xds:ProvideAndRegisterDocumentSetRequest`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvideAndRegister<'d> {
    pub objects: SubmitObjects,
    /// (`Document/@id`, octets), in order.
    pub documents: Vec<(String, Content<'d>)>,
}

impl<'d> ProvideAndRegister<'d> {
    /// Each Document has an id of its own; whether there is metadata for it is the repository's question.
    pub fn read(body: Element<'d>) -> Result<Self, MessageError> {
        expect(body, XDS, "ProvideAndRegisterDocumentSetRequest")?;
        let objects = SubmitObjects::read(child(body, LCM, "SubmitObjectsRequest")?)?;
        let mut documents = Vec::new();
        let mut ids = HashSet::new();
        for document in body.children_named(XDS, "Document") {
            let id = document.attribute("id").unwrap_or_default();
            if id.trim().is_empty() {
                return Err(MessageError("a Document has no id".into()));
            }
            if !ids.insert(id) {
                return Err(MessageError(format!("two Documents have the id {id}")));
            }
            documents.push((id.to_owned(), Content::read(document)?));
        }
        Ok(ProvideAndRegister { objects, documents })
    }

    /// The body for sending; `Inline` text must be base64 already.
    pub fn write(&self, w: &mut Writer) {
        w.open("xds:ProvideAndRegisterDocumentSetRequest", &[("xmlns:xds", XDS)]);
        self.objects.write(w);
        for (id, content) in &self.documents {
            w.open("xds:Document", &[("id", id)]);
            content.write(w);
            w.close();
        }
        w.close();
    }
}
