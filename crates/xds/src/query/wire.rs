//! `query:AdhocQueryRequest` as XML.

use xml::{Element, Writer};

use super::Request;
use crate::constants::ns::{QUERY, RIM};
use crate::message::MessageError;

impl Request {
    /// Reads a `query:AdhocQueryRequest`. Only its shape is judged here; [`Request::parse`] judges the parameters.
    pub fn read(body: Element<'_>) -> Result<Request, MessageError> {
        if !body.is(QUERY, "AdhocQueryRequest") {
            return Err(MessageError("the body is not a query:AdhocQueryRequest".into()));
        }
        let query = body
            .child(RIM, "AdhocQuery")
            .ok_or_else(|| MessageError("AdhocQueryRequest has no rim:AdhocQuery".into()))?;
        let option = body.child(QUERY, "ResponseOption").and_then(|option| option.attribute("returnType"));
        let parameters: Result<_, _> = query.children_named(RIM, "Slot").map(parameter).collect();
        Ok(Request {
            id: query.attribute("id").unwrap_or_default().trim().to_owned(),
            // The schema's default, which XDS does not allow.
            return_type: option.unwrap_or("RegistryObject").trim().to_owned(),
            home: query.attribute("home").map(|home| home.trim().to_owned()).filter(|home| !home.is_empty()),
            parameters: parameters?,
        })
    }

    /// Writes the body for sending.
    pub fn write(&self, w: &mut Writer) {
        w.open("query:AdhocQueryRequest", &[("xmlns:query", QUERY), ("xmlns:rim", RIM)]);
        let option = [("returnComposedObjects", "true"), ("returnType", self.return_type.as_str())];
        w.empty("query:ResponseOption", &option);
        let mut attributes = vec![("id", self.id.as_str())];
        attributes.extend(self.home.as_deref().map(|home| ("home", home)));
        w.open("rim:AdhocQuery", &attributes);
        for (name, values) in &self.parameters {
            w.open("rim:Slot", &[("name", name)]).open("rim:ValueList", &[]);
            for value in values {
                w.element("rim:Value", &[], value);
            }
            w.close().close();
        }
        w.close().close();
    }
}

fn parameter(slot: Element<'_>) -> Result<(String, Vec<String>), MessageError> {
    let name = slot.attribute("name").ok_or_else(|| MessageError("a Slot of AdhocQuery has no name".into()))?;
    let lists = slot.children_named(RIM, "ValueList");
    let values = lists.flat_map(|list| list.children_named(RIM, "Value")).map(|value| value.text().into_owned());
    Ok((name.to_owned(), values.collect()))
}
