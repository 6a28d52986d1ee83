//! Retrieve Document Set, ITI-43 (TF-2 §3.43). Octets leave only when the trace of their leaving is durable.

use access::Requester;
use atna::{Act, Event, Outcome};
use blob::BlobStore;
use blob::format::CHUNK;
use bytes::Bytes;
use futures_util::future::{Either, Ready, ready};
use futures_util::stream::{Once, once};
use xds::error::{ErrorCode, Finding};
use xds::message::{DocumentRequest, Made, RegistryResponse, ResponseStatus};

use crate::port::{self, Readable};
use crate::sql::StoredDocument;
use crate::trace::{Touched, events};
use crate::{Failure, Repository, sql};

/// Octets that are read of the documents of one request before the first leaves. Most requests ask for less; of the others
/// the first documents are held, and those behind are read again when it is their turn.
const HELD: u64 = 4 << 20;

/// A document on its way out.
pub struct Retrieved<Reader> {
    pub request: DocumentRequest,
    pub made: Option<Made>,
    pub mime_type: String,
    pub size: u64,
    /// Verified octets, as a stream.
    pub octets: Octets<Reader>,
}

/// From the document store, or just made.
pub type Octets<Reader> = Either<Reader, Once<Ready<Result<Bytes, blob::Error>>>>;

/// What one item of the request leads to.
pub(crate) enum Item {
    Found {
        request: DocumentRequest,
        made: Option<Made>,
        document: StoredDocument,
        patient: String,
        title: Option<String>,
    },
    /// Made now and not kept.
    Made {
        request: DocumentRequest,
        made: Made,
        mime_type: String,
        octets: Bytes,
        patient: String,
        title: Option<String>,
    },
    Missing {
        request: DocumentRequest,
        finding: Finding,
    },
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// Each document asked for, or the reason why not; in the order of the request. When all that is there has more octets
    /// than `most` nothing is given.
    pub async fn retrieve(
        &self,
        requester: &Requester,
        requests: Vec<DocumentRequest>,
        most: u64,
    ) -> Result<(RegistryResponse, Vec<Retrieved<B::Reader>>), Failure> {
        let result = match self.find(requester, &requests).await {
            Ok(items) if items.iter().map(Item::size).sum::<u64>() > most => {
                self.refuse_all(requester, items, most).await
            }
            Ok(items) => self.open(requester, items).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result {
            let missing = requests.into_iter().map(Touched::unknown).collect();
            let event = self.retrieval(requester, Outcome::SeriousFailure).described(failure.codes());
            if let Err(error) = self.write_trace(&events(&event, missing)).await
                && !self.database.is_away()
            {
                tracing::error!("the trace of a failed retrieval cannot be written: {error}");
            }
        }
        result
    }

    async fn find(&self, requester: &Requester, requests: &[DocumentRequest]) -> Result<Vec<Item>, Failure> {
        if requests.len() > self.settings.documents {
            let limit = self.settings.documents;
            return Err(Failure::OutOfResources(format!("More than {limit} documents in one request.")));
        }
        let ids: Vec<String> = requests.iter().map(|r| r.document_unique_id.clone()).collect();
        let readable = self.registry.readable(requester, &ids).await?;
        let stored = {
            let client = self.database.get().await?;
            sql::by_unique_id(&client, &ids).await?
        };
        let stored = self.readable_copies(stored).await;
        let mut items = Vec::new();
        for request in requests {
            let made = match self.may_be_on_demand(request, &readable) {
                true => self.on_demand(requester, request).await?,
                false => None,
            };
            items.push(made.unwrap_or_else(|| self.item(request, &readable, &stored)));
        }
        Ok(items)
    }

    /// Where a document was filed more than once: of its copies those that can be read, or else the last.
    async fn readable_copies(&self, mut stored: Vec<StoredDocument>) -> Vec<StoredDocument> {
        let mut at = 0;
        while let Some((copy, behind)) = stored.get(at..).and_then(<[_]>::split_first) {
            let is_copy =
                |other: &StoredDocument| other.unique_id == copy.unique_id && other.sha1 == copy.sha1;
            if !behind.iter().any(is_copy) {
                at += 1;
                continue;
            }
            match self.blobs.open(&copy.blob, copy.size).await {
                Ok(_) => at += 1,
                Err(error) => {
                    tracing::error!(document = %copy.unique_id, "a copy of a stored document cannot be read: {error}");
                    stored.remove(at);
                }
            }
        }
        stored
    }

    /// A Stable entry always has a hash.
    fn may_be_on_demand(&self, request: &DocumentRequest, readable: &[Readable]) -> bool {
        let id = &request.document_unique_id;
        request.repository_unique_id == self.settings.unique_id
            && readable.iter().any(|readable| readable.unique_id == *id && readable.hash.is_none())
    }

    fn item(&self, request: &DocumentRequest, readable: &[Readable], stored: &[StoredDocument]) -> Item {
        let request = request.clone();
        let id = &request.document_unique_id;
        if request.repository_unique_id != self.settings.unique_id {
            let context = format!("{} is not this repository", request.repository_unique_id);
            return missing(request, ErrorCode::XDSUnknownRepositoryId, context);
        }
        // What the registry shows and what is stored must be the same octets.
        let found = stored.iter().filter(|document| document.unique_id == *id).find_map(|document| {
            readable
                .iter()
                .find(|r| r.unique_id == *id && r.hash.as_deref().is_none_or(|hash| hash == document.sha1))
                .map(|r| (document.clone(), r.clone()))
        });
        match found {
            Some((document, Readable { patient_id: patient, title, .. })) => {
                Item::Found { request, made: None, document, patient, title }
            }
            None => {
                let context = format!("no document {id} is available here");
                missing(request, ErrorCode::XDSDocumentUniqueIdError, context)
            }
        }
    }

    async fn open(
        &self,
        requester: &Requester,
        items: Vec<Item>,
    ) -> Result<(RegistryResponse, Vec<Retrieved<B::Reader>>), Failure> {
        let (mut given, mut refused) = (Vec::new(), Vec::new());
        let (mut documents, mut findings) = (Vec::new(), Vec::new());
        let mut held = 0;
        for item in items {
            match item {
                Item::Missing { request, finding } => {
                    findings.push(finding);
                    refused.push(Touched::unknown(request));
                }
                Item::Made { request, made, mime_type, octets, patient, title } => {
                    given.push(Touched { request: request.clone(), patient: Some(patient), title });
                    let size = octets.len() as u64;
                    let octets = Either::Right(once(ready(Ok(octets))));
                    documents.push(Retrieved { request, made: Some(made), mime_type, size, octets });
                }
                Item::Found { request, made, document, patient, title } => {
                    let patient = Some(patient);
                    // A reader that was opened holds one chunk.
                    held += document.size.min(CHUNK as u64);
                    let opened = match held <= HELD {
                        true => self.blobs.open(&document.blob, document.size).await,
                        false => self.blobs.open_later(&document.blob, document.size).await,
                    };
                    match opened {
                        Ok(octets) => {
                            let (mime_type, size) = (document.mime_type, document.size);
                            documents.push(Retrieved {
                                request: request.clone(),
                                made,
                                mime_type,
                                size,
                                octets: Either::Left(octets),
                            });
                            given.push(Touched { request, patient, title });
                        }
                        Err(error) => {
                            tracing::error!(document = %document.unique_id, "a stored document cannot be read: {error}");
                            findings.push(Finding::error(
                                ErrorCode::XDSRepositoryError,
                                Some(&document.unique_id),
                                format!("{}: the stored document cannot be read", document.unique_id),
                            ));
                            refused.push(Touched { request, patient, title });
                        }
                    }
                }
            }
        }
        let mut traces = events(&self.retrieval(requester, Outcome::Success), given);
        traces.extend(events(&self.refusal(requester, &findings), refused));
        self.write_trace(&traces).await?;
        let status = match (documents.is_empty(), findings.is_empty()) {
            (_, true) => ResponseStatus::Success,
            (false, false) => ResponseStatus::PartialSuccess,
            (true, false) => ResponseStatus::Failure,
        };
        Ok((RegistryResponse { status, findings }, documents))
    }

    /// Too much for one answer: no document is opened.
    async fn refuse_all(
        &self,
        requester: &Requester,
        items: Vec<Item>,
        most: u64,
    ) -> Result<(RegistryResponse, Vec<Retrieved<B::Reader>>), Failure> {
        let context = format!("the documents have more than {most} octets together; ask for them by MTOM");
        let mut findings = vec![Finding::error(ErrorCode::XDSRepositoryOutOfResources, None, context)];
        let mut refused = Vec::new();
        for item in items {
            refused.push(match item {
                Item::Found { request, patient, title, .. } | Item::Made { request, patient, title, .. } => {
                    Touched { request, patient: Some(patient), title }
                }
                Item::Missing { request, finding } => {
                    findings.push(finding);
                    Touched::unknown(request)
                }
            });
        }
        self.write_trace(&events(&self.refusal(requester, &findings), refused)).await?;
        Ok((RegistryResponse::of(findings), Vec::new()))
    }

    fn refusal(&self, requester: &Requester, findings: &[Finding]) -> Event {
        let codes: Vec<String> = findings.iter().map(|f| f.code().into_owned()).collect();
        self.retrieval(requester, Outcome::MinorFailure).described(codes.join(" "))
    }

    fn retrieval(&self, requester: &Requester, outcome: Outcome) -> Event {
        Event::new(Act::Iti43Repository, outcome, requester, &self.source)
    }
}

impl Item {
    /// Octets that it adds to the answer.
    fn size(&self) -> u64 {
        match self {
            Item::Found { document, .. } => document.size,
            Item::Made { octets, .. } => octets.len() as u64,
            Item::Missing { .. } => 0,
        }
    }
}

pub(crate) fn missing(request: DocumentRequest, code: ErrorCode, context: String) -> Item {
    let finding = Finding::error(code, Some(&request.document_unique_id), context);
    Item::Missing { request, finding }
}
