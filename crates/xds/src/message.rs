//! Message bodies of the XDS.b transactions: reading and writing (TF-2 §3.18, §3.41 to §3.43; schema order).

use xml::{Element, Writer};

use crate::ebxml::SubmitObjects;
use crate::error::Finding;

/// Why a recognisable body cannot be used at all; becomes a RegistryResponse with a metadata error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(pub String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    Success,
    PartialSuccess,
    Failure,
}

/// `rs:RegistryResponse`: ITI-41, ITI-42 and inside ITI-43.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryResponse {
    pub status: ResponseStatus,
    pub findings: Vec<Finding>,
}

impl RegistryResponse {
    /// Failure when any finding is an error, else Success.
    pub fn of(_findings: Vec<Finding>) -> Self {
        todo!()
    }

    pub fn read(_element: Element<'_>) -> Result<ReceivedResponse, MessageError> {
        todo!()
    }

    pub fn write(&self, _w: &mut Writer) {
        todo!()
    }
}

/// A RegistryResponse as a client receives it: codes are whatever the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedResponse {
    pub status: ResponseStatus,
    pub errors: Vec<ReceivedError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedError {
    pub code: String,
    pub context: String,
    pub location: Option<String>,
    pub is_warning: bool,
}

/// Where the octets of a document are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'d> {
    /// Content-ID of the part, percent-decoded, without brackets.
    Part(String),
    /// Base64 text as it stands, white space included.
    Inline(std::borrow::Cow<'d, str>),
}

/// `xds:ProvideAndRegisterDocumentSetRequest`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvideAndRegister<'d> {
    pub objects: SubmitObjects,
    /// (`Document/@id`, octets), in order.
    pub documents: Vec<(String, Content<'d>)>,
}

impl<'d> ProvideAndRegister<'d> {
    pub fn read(_body: Element<'d>) -> Result<Self, MessageError> {
        todo!()
    }

    /// The body for sending; `Inline` text must be base64 already.
    pub fn write(&self, _w: &mut Writer) {
        todo!()
    }
}

/// One `xds:DocumentRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRequest {
    pub home_community_id: Option<String>,
    pub repository_unique_id: String,
    pub document_unique_id: String,
}

/// `xds:RetrieveDocumentSetRequest`: read and written.
pub struct RetrieveRequest(pub Vec<DocumentRequest>);

impl RetrieveRequest {
    pub fn read(_body: Element<'_>) -> Result<Self, MessageError> {
        todo!()
    }

    pub fn write(&self, _w: &mut Writer) {
        todo!()
    }
}

/// One `xds:DocumentResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentResponse<'d> {
    pub request: DocumentRequest,
    pub mime_type: String,
    pub content: Content<'d>,
}

/// `xds:RetrieveDocumentSetResponse`.
pub fn write_retrieve_response(
    _w: &mut Writer,
    _response: &RegistryResponse,
    _documents: &[DocumentResponse<'_>],
) {
    todo!()
}

pub fn read_retrieve_response(
    _body: Element<'_>,
) -> Result<(ReceivedResponse, Vec<DocumentResponse<'_>>), MessageError> {
    todo!()
}

/// What ITI-18 answers with.
pub enum QueryResult {
    /// `entryUUID`s.
    ObjectRefs(Vec<uuid::Uuid>),
    /// Complete objects as ebXML, ready to copy.
    Objects(String),
}

/// `query:AdhocQueryResponse`; the object list is written even when it is empty.
pub fn write_query_response(_w: &mut Writer, _findings: &[Finding], _result: &QueryResult) {
    todo!()
}
