use uuid::Uuid;
use xml::{Document, Element, Limits, Writer};

use super::*;
use crate::constants::ns;
use crate::error::{ErrorCode, Finding};

const NAMESPACES: &str = "xmlns='urn:ihe:iti:xds-b:2007' xmlns:lcm='urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0'
    xmlns:rim='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0' xmlns:rs='urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0'
    xmlns:query='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'";

/// Parses `<name …>inside</name>` with the usual prefixes and reads it.
fn read<T>(name: &str, attributes: &str, inside: &str, reader: impl Fn(Element<'_>) -> T) -> T {
    let text = format!("<{name} {NAMESPACES} {attributes}>{inside}</{name}>");
    reader(Document::parse(&text, &Limits::default()).unwrap().root())
}

fn written(write: impl Fn(&mut Writer)) -> String {
    let mut w = Writer::new();
    write(&mut w);
    w.finish()
}

fn reread<T>(text: &str, reader: impl Fn(Element<'_>) -> T) -> T {
    reader(Document::parse(text, &Limits::default()).unwrap().root())
}

fn error(location: Option<&str>) -> Finding {
    Finding::error(ErrorCode::XDSDocumentUniqueIdError, location, "no document \"1.2\" & more")
}

fn warning() -> Finding {
    Finding::warning(ErrorCode::XDSExtraMetadataNotSaved, None, "a Slot was not saved")
}

mod response {
    use super::*;

    #[test]
    fn a_response_fails_when_a_finding_is_an_error() {
        assert_eq!(RegistryResponse::of(vec![]).status, ResponseStatus::Success);
        assert_eq!(RegistryResponse::of(vec![warning()]).status, ResponseStatus::Success);
        assert_eq!(RegistryResponse::of(vec![warning(), error(None)]).status, ResponseStatus::Failure);
    }

    #[test]
    fn a_response_is_read_back_as_it_was_written() {
        for status in [ResponseStatus::Success, ResponseStatus::PartialSuccess, ResponseStatus::Failure] {
            let sent = RegistryResponse { status, findings: vec![error(Some("1.2")), warning()] };
            let received = reread(&written(|w| sent.write(w)), RegistryResponse::read).unwrap();
            assert_eq!(received.status, status);
            let first = ReceivedError {
                code: "XDSDocumentUniqueIdError".into(),
                context: "no document \"1.2\" & more".into(),
                location: Some("1.2".into()),
                is_warning: false,
            };
            assert_eq!(received.errors[0], first);
            assert!(received.errors[1].is_warning && received.errors[1].location.is_none());
        }
    }

    #[test]
    fn an_empty_error_list_is_left_out() {
        assert!(!written(|w| RegistryResponse::of(vec![]).write(w)).contains("RegistryErrorList"));
    }

    #[test]
    fn the_highest_severity_is_that_of_the_worst_finding() {
        let severity = |findings: Vec<Finding>| {
            reread(&written(|w| RegistryResponse::of(findings.clone()).write(w)), |root| {
                let list = root.child(ns::RS, "RegistryErrorList").unwrap();
                list.attribute("highestSeverity").unwrap().rsplit(':').next().unwrap().to_owned()
            })
        };
        assert_eq!(severity(vec![warning(), error(None)]), "Error");
        assert_eq!(severity(vec![warning()]), "Warning");
    }

    #[test]
    fn a_status_is_known_by_its_last_word() {
        let status = |urn: &str| {
            read("rs:RegistryResponse", &format!("status='{urn}'"), "", RegistryResponse::read)
                .map(|r| r.status)
        };
        assert_eq!(status("Success"), Ok(ResponseStatus::Success));
        let partial = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:PartialSuccess";
        assert_eq!(status(partial), Ok(ResponseStatus::PartialSuccess));
        assert!(status("urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Unavailable").is_err());
        assert!(read("rs:RegistryResponse", "", "", RegistryResponse::read).is_err());
    }

    #[test]
    fn an_error_without_severity_is_an_error() {
        let list =
            "<rs:RegistryErrorList><rs:RegistryError errorCode='X' codeContext='c'/></rs:RegistryErrorList>";
        let received = read("rs:RegistryResponse", "status='Failure'", list, RegistryResponse::read).unwrap();
        assert_eq!((received.errors.len(), received.errors[0].is_warning), (1, false));
    }

    #[test]
    fn a_response_of_another_namespace_is_refused() {
        assert!(read("RegistryResponse", "status='Success'", "", RegistryResponse::read).is_err());
    }
}

mod provide_and_register {
    use super::*;
    use crate::ebxml::SubmitObjects;

    const OBJECTS: &str = "<lcm:SubmitObjectsRequest><rim:RegistryObjectList/></lcm:SubmitObjectsRequest>";

    fn documents(inside: &str) -> Result<Vec<(String, String)>, MessageError> {
        read("ProvideAndRegisterDocumentSetRequest", "", &format!("{OBJECTS}{inside}"), |body| {
            let documents = ProvideAndRegister::read(body)?.documents.into_iter();
            Ok(documents.map(|(id, content)| (id, format!("{content:?}"))).collect())
        })
    }

    #[test]
    fn documents_come_as_parts_or_inline_in_their_order() {
        let include = "<xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='cid:p1@x'/>";
        let documents =
            documents(&format!("<Document id='b'> {include} </Document><Document id='a'>QQ==</Document>"));
        let expected = [("b", "Part(\"p1@x\")"), ("a", "Inline(\"QQ==\")")];
        assert_eq!(documents.unwrap(), expected.map(|(id, content)| (id.to_owned(), content.to_owned())));
    }

    #[test]
    fn a_submission_may_have_no_document() {
        assert_eq!(documents(""), Ok(vec![]));
    }

    #[test]
    fn a_document_without_id_is_refused() {
        assert!(documents("<Document>QQ==</Document>").is_err());
        assert!(documents("<Document id=' '>QQ==</Document>").is_err());
    }

    #[test]
    fn two_documents_with_one_id_are_refused() {
        assert!(documents("<Document id='a'>QQ==</Document><Document id='a'>Qg==</Document>").is_err());
    }

    #[test]
    fn a_request_without_metadata_is_refused() {
        let document = "<Document id='a'>QQ==</Document>";
        let read = read("ProvideAndRegisterDocumentSetRequest", "", document, |b| {
            ProvideAndRegister::read(b).is_err()
        });
        assert!(read);
    }

    #[test]
    fn a_submission_is_read_back_as_it_was_written() {
        let sent = ProvideAndRegister {
            objects: SubmitObjects::default(),
            documents: vec![
                ("Document01".into(), Content::Part("1@carnet".into())),
                ("Document02".into(), Content::Inline("QQ==".into())),
            ],
        };
        reread(&written(|w| sent.write(w)), |body| {
            assert_eq!(ProvideAndRegister::read(body).as_ref(), Ok(&sent))
        });
    }
}

mod retrieve {
    use super::*;

    fn request(home: Option<&str>, document: &str) -> DocumentRequest {
        DocumentRequest {
            home_community_id: home.map(str::to_owned),
            repository_unique_id: "1.2.3".into(),
            document_unique_id: document.into(),
        }
    }

    fn requests(inside: &str) -> Result<Vec<DocumentRequest>, MessageError> {
        read("RetrieveDocumentSetRequest", "", inside, RetrieveRequest::read).map(|request| request.0)
    }

    #[test]
    fn a_retrieve_request_is_read_back_as_it_was_written() {
        let sent = RetrieveRequest(vec![request(None, "4.5"), request(Some("urn:oid:1.9"), "6.7^8")]);
        assert_eq!(reread(&written(|w| sent.write(w)), RetrieveRequest::read), Ok(sent));
    }

    #[test]
    fn a_request_for_nothing_is_refused() {
        assert!(requests("").is_err());
    }

    #[test]
    fn both_ids_are_needed() {
        let (repository, document) =
            ("<RepositoryUniqueId>1.2.3</RepositoryUniqueId>", "<DocumentUniqueId> 4.5\n</DocumentUniqueId>");
        let with = |inside: &str| requests(&format!("<DocumentRequest>{inside}</DocumentRequest>"));
        assert_eq!(with(&format!("{repository}{document}")), Ok(vec![request(None, "4.5")]));
        assert!(with(repository).is_err());
        assert!(with(document).is_err());
        assert!(with(&format!("{repository}<DocumentUniqueId/>")).is_err());
    }

    #[test]
    fn an_empty_home_is_no_home() {
        let inside = "<DocumentRequest><HomeCommunityId/><RepositoryUniqueId>1.2.3</RepositoryUniqueId>
            <DocumentUniqueId>4.5</DocumentUniqueId></DocumentRequest>";
        assert_eq!(requests(inside), Ok(vec![request(None, "4.5")]));
    }

    #[test]
    fn a_retrieve_response_is_read_back_as_it_was_written() {
        let response =
            RegistryResponse { status: ResponseStatus::PartialSuccess, findings: vec![error(Some("9.9"))] };
        let documents = [
            DocumentResponse {
                request: request(Some("urn:oid:1.9"), "4.5"),
                made: Some(Made { unique_id: "4.6".into(), repository_unique_id: Some("1.2.3".into()) }),
                mime_type: "text/xml".into(),
                content: Content::Part("1@carnet".into()),
            },
            DocumentResponse {
                request: request(None, "6.7"),
                made: None,
                mime_type: "application/pdf".into(),
                content: Content::Inline("QQ==".into()),
            },
        ];
        reread(&written(|w| write_retrieve_response(w, &response, &documents)), |body| {
            let (received, received_documents) = read_retrieve_response(body).unwrap();
            assert_eq!(received.status, ResponseStatus::PartialSuccess);
            assert_eq!(received.errors[0].location.as_deref(), Some("9.9"));
            assert_eq!(received_documents, documents);
        });
    }

    #[test]
    fn the_children_of_a_document_response_may_come_in_any_order() {
        let inside = "<rs:RegistryResponse status='Success'/><DocumentResponse><mimeType>text/xml</mimeType>
            <NewDocumentUniqueId>9</NewDocumentUniqueId><NewRepositoryUniqueId>8</NewRepositoryUniqueId>
            <DocumentUniqueId>4.5</DocumentUniqueId><RepositoryUniqueId>1.2.3</RepositoryUniqueId>
            <Document>QQ==</Document></DocumentResponse>";
        let request = request(None, "4.5");
        read("RetrieveDocumentSetResponse", "", inside, |body| {
            let (_, documents) = read_retrieve_response(body).unwrap();
            assert_eq!(documents[0].request, request);
            let made = Made { unique_id: "9".into(), repository_unique_id: Some("8".into()) };
            assert_eq!(documents[0].made, Some(made));
        });
    }
}

mod remove {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(0x08a15a6f_5b4a_42de_8f95_89474f83abdf);
    const TWO: Uuid = Uuid::from_u128(0x18a15a6f_5b4a_42de_8f95_89474f83abdf);

    fn objects(attributes: &str, inside: &str) -> Result<RemoveObjects, MessageError> {
        read("lcm:RemoveObjectsRequest", attributes, inside, RemoveObjects::read)
    }

    #[test]
    fn a_removal_of_metadata_is_read_back_as_it_was_written() {
        let sent = RemoveObjects::of([ONE, TWO]);
        assert_eq!(reread(&written(|w| sent.write(w)), RemoveObjects::read).as_ref(), Ok(&sent));
        assert_eq!(sent.uuids(), (vec![ONE, TWO], vec![]));
    }

    #[test]
    fn an_id_counts_once_and_one_that_is_no_uuid_is_told_apart() {
        let list = "<rim:ObjectRefList><rim:ObjectRef id='urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf'/>\
            <rim:ObjectRef id=' urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf'/><rim:ObjectRef id='Document01'/></rim:ObjectRefList>";
        assert_eq!(objects("", list).unwrap().uuids(), (vec![ONE], vec!["Document01"]));
    }

    #[test]
    fn a_removal_of_metadata_takes_ids_and_nothing_else() {
        let list = "<rim:ObjectRefList><rim:ObjectRef id='urn:uuid:1'/></rim:ObjectRefList>";
        assert!(objects("", list).is_ok());
        let scope = |scope: &str| {
            format!("deletionScope='urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:{scope}'")
        };
        assert!(objects(&scope("DeleteAll"), list).is_ok(), "the schema's default says nothing more");
        assert!(objects(&scope("DeleteRepositoryItemOnly"), list).is_err());
        assert!(objects("", &format!("<rim:AdhocQuery id='urn:uuid:2'/>{list}")).is_err());
        for wrong in ["", "<rim:ObjectRefList/>", "<rim:ObjectRefList><rim:ObjectRef/></rim:ObjectRefList>"] {
            assert!(objects("", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_removal_of_documents_is_read_back_as_it_was_written() {
        let request = DocumentRequest {
            home_community_id: None,
            repository_unique_id: "1.2.3".into(),
            document_unique_id: "4.5".into(),
        };
        let sent = RemoveDocuments(vec![request]);
        assert_eq!(reread(&written(|w| sent.write(w)), RemoveDocuments::read), Ok(sent));
    }

    #[test]
    fn a_removal_of_nothing_is_refused() {
        let empty = "<r:RemoveDocumentsRequest xmlns:r='urn:ihe:iti:rmd:2017'/>";
        assert!(reread(empty, RemoveDocuments::read).is_err());
    }
}

mod query {
    use super::*;

    const DOCUMENT: Uuid = Uuid::from_u128(0x08a15a6f_5b4a_42de_8f95_89474f83abdf);

    fn received(findings: &[Finding], result: &QueryResult) -> ReceivedQuery {
        reread(&written(|w| write_query_response(w, findings, result)), read_query_response).unwrap()
    }

    #[test]
    fn object_refs_are_read_back_as_they_were_written() {
        let received = received(&[], &QueryResult::ObjectRefs(vec![DOCUMENT]));
        assert_eq!(received.response, ReceivedResponse { status: ResponseStatus::Success, errors: vec![] });
        assert_eq!(received.object_refs, ["urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf"]);
    }

    #[test]
    fn objects_stand_in_the_list_with_their_prefix_declared() {
        let objects = "<rim:ExtrinsicObject id='urn:uuid:1' objectType='urn:x' mimeType='text/xml'/>\
            <rim:RegistryPackage id='urn:uuid:2'/>\
            <rim:Association id='urn:uuid:3' associationType='t' sourceObject='s' targetObject='o'/>";
        let received = received(&[warning()], &QueryResult::Objects(objects.into()));
        assert_eq!(received.response.status, ResponseStatus::Success);
        assert_eq!(received.response.errors.len(), 1);
        assert_eq!(received.documents[0].common.id, "urn:uuid:1");
        assert_eq!(received.packages[0].common.id, "urn:uuid:2");
        assert_eq!(received.associations[0].target_object, "o");
    }

    #[test]
    fn a_failure_has_an_empty_list_after_its_errors_and_no_metadata() {
        let text =
            written(|w| write_query_response(w, &[error(None)], &QueryResult::ObjectRefs(vec![DOCUMENT])));
        let names = |body: Element<'_>| body.children().map(|e| e.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(reread(&text, names), ["RegistryErrorList", "RegistryObjectList"]);
        let received = reread(&text, read_query_response).unwrap();
        assert_eq!(received.response.status, ResponseStatus::Failure);
        assert!(received.object_refs.is_empty());
    }

    #[test]
    fn a_failure_without_object_list_is_understood() {
        let received = read("query:AdhocQueryResponse", "status='Failure'", "", read_query_response).unwrap();
        assert_eq!(received.response.status, ResponseStatus::Failure);
    }
}
