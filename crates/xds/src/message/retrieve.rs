use xml::{Element, Writer};

use super::{Content, MessageError, ReceivedResponse, RegistryResponse, child, expect};
use crate::constants::ns::{RS, XDS};

/// One `xds:DocumentRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRequest {
    pub home_community_id: Option<String>,
    pub repository_unique_id: String,
    pub document_unique_id: String,
}

/// `xds:RetrieveDocumentSetRequest`: read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrieveRequest(pub Vec<DocumentRequest>);

/// One `xds:DocumentResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentResponse<'d> {
    pub request: DocumentRequest,
    pub mime_type: String,
    pub content: Content<'d>,
}

impl RetrieveRequest {
    /// At least one DocumentRequest, each with both ids.
    pub fn read(body: Element<'_>) -> Result<Self, MessageError> {
        expect(body, XDS, "RetrieveDocumentSetRequest")?;
        let requests: Vec<_> = body
            .children_named(XDS, "DocumentRequest")
            .map(DocumentRequest::read)
            .collect::<Result<_, _>>()?;
        match requests.is_empty() {
            true => Err(MessageError("RetrieveDocumentSetRequest has no DocumentRequest".into())),
            false => Ok(RetrieveRequest(requests)),
        }
    }

    pub fn write(&self, w: &mut Writer) {
        w.open("xds:RetrieveDocumentSetRequest", &[("xmlns:xds", XDS)]);
        for request in &self.0 {
            w.open("xds:DocumentRequest", &[]);
            request.write(w);
            w.close();
        }
        w.close();
    }
}

impl DocumentRequest {
    /// The ids of a DocumentRequest or a DocumentResponse.
    fn read(element: Element<'_>) -> Result<Self, MessageError> {
        let home = element.child(XDS, "HomeCommunityId").map(|home| home.text().trim().to_owned());
        Ok(DocumentRequest {
            home_community_id: home.filter(|home| !home.is_empty()),
            repository_unique_id: text(element, "RepositoryUniqueId")?,
            document_unique_id: text(element, "DocumentUniqueId")?,
        })
    }

    fn write(&self, w: &mut Writer) {
        if let Some(home) = &self.home_community_id {
            w.element("xds:HomeCommunityId", &[], home);
        }
        w.element("xds:RepositoryUniqueId", &[], &self.repository_unique_id);
        w.element("xds:DocumentUniqueId", &[], &self.document_unique_id);
    }
}

fn text(parent: Element<'_>, name: &str) -> Result<String, MessageError> {
    let text = child(parent, XDS, name)?.text().trim().to_owned();
    match text.is_empty() {
        true => Err(MessageError(format!("{name} of a {} is empty", parent.name()))),
        false => Ok(text),
    }
}

/// `xds:RetrieveDocumentSetResponse`.
pub fn write_retrieve_response(
    w: &mut Writer,
    response: &RegistryResponse,
    documents: &[DocumentResponse<'_>],
) {
    w.open("xds:RetrieveDocumentSetResponse", &[("xmlns:xds", XDS)]);
    response.write(w);
    for document in documents {
        w.open("xds:DocumentResponse", &[]);
        document.request.write(w);
        w.element("xds:mimeType", &[], &document.mime_type);
        w.open("xds:Document", &[]);
        document.content.write(w);
        w.close().close();
    }
    w.close();
}

/// Reads a `xds:RetrieveDocumentSetResponse`; the order of the children of a DocumentResponse is of no account.
pub fn read_retrieve_response(
    body: Element<'_>,
) -> Result<(ReceivedResponse, Vec<DocumentResponse<'_>>), MessageError> {
    expect(body, XDS, "RetrieveDocumentSetResponse")?;
    let response = RegistryResponse::read(child(body, RS, "RegistryResponse")?)?;
    let documents = body.children_named(XDS, "DocumentResponse").map(|document| {
        Ok(DocumentResponse {
            request: DocumentRequest::read(document)?,
            mime_type: text(document, "mimeType")?,
            content: Content::read(child(document, XDS, "Document")?)?,
        })
    });
    Ok((response, documents.collect::<Result<_, _>>()?))
}
