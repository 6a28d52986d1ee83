use xml::{Element, Writer};

use super::{Content, MessageError, ReceivedResponse, RegistryResponse, child, expect};
use crate::constants::ns::{RMD, RS, XDS};

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

/// `rmd:RemoveDocumentsRequest` (ITI-86): read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveDocuments(pub Vec<DocumentRequest>);

/// One `xds:DocumentResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentResponse<'d> {
    pub request: DocumentRequest,
    /// Of a document that was made when it was asked for.
    pub made: Option<Made>,
    pub mime_type: String,
    pub content: Content<'d>,
}

/// Under which ids a document is known that an On-Demand entry led to (TF-2 §3.43.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// `NewDocumentUniqueId`: the same one means the same octets.
    pub unique_id: String,
    /// `NewRepositoryUniqueId`: where it can be retrieved again; only when it is kept.
    pub repository_unique_id: Option<String>,
}

impl RetrieveRequest {
    /// At least one DocumentRequest, each with both ids.
    pub fn read(body: Element<'_>) -> Result<Self, MessageError> {
        expect(body, XDS, "RetrieveDocumentSetRequest")?;
        DocumentRequest::read_all(body).map(RetrieveRequest)
    }

    pub fn write(&self, w: &mut Writer) {
        w.open("xds:RetrieveDocumentSetRequest", &[("xmlns:xds", XDS)]);
        DocumentRequest::write_all(&self.0, w);
        w.close();
    }
}

impl RemoveDocuments {
    /// At least one DocumentRequest, each with both ids.
    pub fn read(body: Element<'_>) -> Result<Self, MessageError> {
        expect(body, RMD, "RemoveDocumentsRequest")?;
        DocumentRequest::read_all(body).map(RemoveDocuments)
    }

    pub fn write(&self, w: &mut Writer) {
        w.open("rmd:RemoveDocumentsRequest", &[("xmlns:rmd", RMD), ("xmlns:xds", XDS)]);
        DocumentRequest::write_all(&self.0, w);
        w.close();
    }
}

impl DocumentRequest {
    fn read_all(body: Element<'_>) -> Result<Vec<Self>, MessageError> {
        let requests: Vec<_> = body
            .children_named(XDS, "DocumentRequest")
            .map(DocumentRequest::read)
            .collect::<Result<_, _>>()?;
        match requests.is_empty() {
            true => Err(MessageError(format!("{} has no DocumentRequest", body.name()))),
            false => Ok(requests),
        }
    }

    fn write_all(requests: &[Self], w: &mut Writer) {
        for request in requests {
            w.open("xds:DocumentRequest", &[]);
            request.write(w);
            w.close();
        }
    }

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

impl Made {
    fn read(document: Element<'_>) -> Option<Self> {
        let text = |name| document.child(XDS, name).map(|element| element.text().trim().to_owned());
        Some(Made {
            unique_id: text("NewDocumentUniqueId").filter(|id| !id.is_empty())?,
            repository_unique_id: text("NewRepositoryUniqueId").filter(|id| !id.is_empty()),
        })
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
        if let Some(made) = &document.made {
            if let Some(repository) = &made.repository_unique_id {
                w.element("xds:NewRepositoryUniqueId", &[], repository);
            }
            w.element("xds:NewDocumentUniqueId", &[], &made.unique_id);
        }
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
            made: Made::read(document),
            mime_type: text(document, "mimeType")?,
            content: Content::read(child(document, XDS, "Document")?)?,
        })
    });
    Ok((response, documents.collect::<Result<_, _>>()?))
}
