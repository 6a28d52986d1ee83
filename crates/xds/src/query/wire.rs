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
    let name =
        slot.attribute("name").ok_or_else(|| MessageError("a Slot of AdhocQuery has no name".into()))?;
    let lists = slot.children_named(RIM, "ValueList");
    let values = lists
        .flat_map(|list| list.children_named(RIM, "Value"))
        .map(|value| value.text().trim_matches([' ', '\t', '\r', '\n']).to_owned());
    Ok((name.to_owned(), values.collect()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use xml::{Document, Limits};

    use super::*;
    use crate::constants::QUERY_FIND_DOCUMENTS;
    use crate::query::{Level, ObjectIds, Query, QueryKind, ReturnType, Status};
    use crate::value::{Cx, Dtm};

    fn read(text: &str) -> Result<Request, MessageError> {
        Request::read(Document::parse(text, &Limits::default()).unwrap().root())
    }

    fn body(inside: &str) -> String {
        format!(
            "<q:AdhocQueryRequest xmlns:q='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'
                xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'>{inside}</q:AdhocQueryRequest>"
        )
    }

    #[test]
    fn a_request_is_read_as_it_was_sent() {
        let text = body(
            "<q:ResponseOption returnType='ObjectRef'/>
            <AdhocQuery id=' urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d ' home='urn:oid:1.2.3'>
                <Slot name='$a'><ValueList><Value>1</Value><Value>'&amp;'</Value></ValueList></Slot>
                <Slot name='$a'><ValueList/></Slot>
                <Slot name='$b'/>
            </AdhocQuery>",
        );
        assert_eq!(
            read(&text).unwrap(),
            Request {
                id: QUERY_FIND_DOCUMENTS.into(),
                return_type: "ObjectRef".into(),
                home: Some("urn:oid:1.2.3".into()),
                parameters: vec![
                    ("$a".into(), vec!["1".into(), "'&'".into()]),
                    ("$a".into(), vec![]),
                    ("$b".into(), vec![]),
                ],
            }
        );
    }

    #[test]
    fn a_missing_return_type_is_the_default_of_the_schema() {
        assert_eq!(read(&body("<q:ResponseOption/><AdhocQuery/>")).unwrap().return_type, "RegistryObject");
        assert_eq!(read(&body("<AdhocQuery/>")).unwrap().return_type, "RegistryObject");
    }

    #[test]
    fn what_is_no_query_request_is_refused() {
        assert!(read("<AdhocQueryRequest/>").is_err());
        assert!(read(&body("<q:ResponseOption/>")).is_err());
        assert!(read(&body("<AdhocQuery><Slot><ValueList/></Slot></AdhocQuery>")).is_err());
    }

    #[test]
    fn a_request_that_is_built_is_written_read_and_understood() {
        let ids: Vec<String> = (0..50).map(|n| format!("1.2.250.1.999.2026.{n}")).collect();
        let mut built = Request::get_documents_by_unique_id(&ids, ReturnType::ObjectRef);
        built.home = Some("urn:oid:1.2.3".into());
        let mut w = Writer::new();
        built.write(&mut w);
        let received = read(&w.finish()).unwrap();
        assert_eq!(received, built);
        assert!(received.parameters[0].1.len() > 1, "the list is spread over several Values");
        let query = received.parse().unwrap();
        let kind = QueryKind::GetDocuments(ObjectIds::UniqueIds(ids));
        assert_eq!(query, Query { return_type: ReturnType::ObjectRef, level: Level::Current, kind });
    }

    #[test]
    fn conditions_are_added_to_a_built_request() {
        let patient = Cx::new("O'1", "1.2.3");
        let built =
            Request::find_documents(&patient, &[Status::Approved, Status::Deprecated], ReturnType::LeafClass)
                .with_list("$XDSDocumentEntryEventCodeList", ["a^^s", "b^^s"])
                .with_list("$XDSDocumentEntryEventCodeList", ["c^^s"])
                .with_time("$XDSDocumentEntryCreationTimeFrom", &Dtm::parse("2024").unwrap());
        let QueryKind::FindDocuments(find) = built.parse().unwrap().kind else { panic!("{built:?}") };
        assert_eq!(
            (find.patient_id, find.filter.status),
            (patient, vec![Status::Approved, Status::Deprecated])
        );
        assert_eq!(find.filter.event_codes, [vec!["a^^s", "b^^s"], vec!["c^^s"]]);
        assert_eq!(find.filter.creation_time.from, Some(Dtm::parse("2024").unwrap()));
    }

    #[test]
    fn documents_are_asked_for_by_entry_uuid() {
        let id: Uuid = "08a15a6f-5b4a-42de-8f95-89474f83abdf".parse().unwrap();
        let built = Request::get_documents_by_entry_uuid([id], ReturnType::LeafClass);
        assert_eq!(built.parse().unwrap().kind, QueryKind::GetDocuments(ObjectIds::EntryUuids(vec![id])));
    }
}
