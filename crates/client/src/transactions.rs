//! ITI-41, ITI-42, ITI-18 and ITI-43 from the client's side.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt;
use soap::{Encoding, Header};
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use uuid::Uuid;
use xds::constants::action;
use xds::ebxml::SubmitObjects;
use xds::message::{
    Content, DocumentRequest, ProvideAndRegister, ReceivedResponse, RegistryResponse, RetrieveRequest,
    read_query_response, read_retrieve_response,
};
use xds::query::Request;
use xds::value::uuid_urn;

use crate::{Client, Error, Outgoing, Progress, QueryAnswer, Retrieved, RetrievedDocument, Source};

/// Octets read from a file at a time.
const CHUNK: usize = 256 << 10;

impl Client {
    /// Files documents with their metadata (ITI-41).
    pub async fn provide_and_register(
        &self,
        objects: SubmitObjects,
        documents: Vec<Outgoing>,
        encoding: Encoding,
    ) -> Result<ReceivedResponse, Error> {
        let mut contents = Vec::new();
        let mut parts = Vec::new();
        for (number, document) in documents.into_iter().enumerate() {
            let content = match encoding {
                Encoding::Simple => Content::Inline(STANDARD.encode(all(&document.content).await?).into()),
                Encoding::Mtom => {
                    let content_id = format!("document-{}@source", number + 1);
                    parts.push(part(&content_id, &document, self.progress.clone()).await?);
                    Content::Part(content_id)
                }
            };
            contents.push((document.id, content));
        }
        let request = ProvideAndRegister { objects, documents: contents };
        let url = &self.endpoints.repository;
        let envelope = envelope(action::ITI_41, url, |w| request.write(w));
        let answer = self.exchange(url, action::ITI_41, encoding, envelope, parts, None).await?;
        answer.read(|body| RegistryResponse::read(body).map_err(|error| error.to_string()))
    }

    /// Registers metadata (ITI-42).
    pub async fn register(&self, objects: &SubmitObjects) -> Result<ReceivedResponse, Error> {
        let url = &self.endpoints.registry;
        let envelope = envelope(action::ITI_42, url, |w| objects.write(w));
        let answer = self.exchange(url, action::ITI_42, Encoding::Simple, envelope, Vec::new(), None).await?;
        answer.read(|body| RegistryResponse::read(body).map_err(|error| error.to_string()))
    }

    /// Asks the registry (ITI-18).
    pub async fn query(&self, request: &Request) -> Result<QueryAnswer, Error> {
        let url = &self.endpoints.registry;
        let envelope = envelope(action::ITI_18, url, |w| request.write(w));
        let answer = self.exchange(url, action::ITI_18, Encoding::Simple, envelope, Vec::new(), None).await?;
        let received = answer.read(|body| read_query_response(body).map_err(|error| error.to_string()))?;
        Ok(QueryAnswer {
            response: received.response,
            documents: received.documents,
            packages: received.packages,
            associations: received.associations,
            object_refs: received.object_refs,
        })
    }

    /// Reads documents (ITI-43) into files of `folder`.
    pub async fn retrieve(
        &self,
        requests: &[DocumentRequest],
        encoding: Encoding,
        folder: &Path,
    ) -> Result<Retrieved, Error> {
        let url = &self.endpoints.repository;
        let request = RetrieveRequest(requests.to_vec());
        let envelope = envelope(action::ITI_43, url, |w| request.write(w));
        let answer = self.exchange(url, action::ITI_43, encoding, envelope, Vec::new(), Some(folder)).await?;
        answer.read(|body| {
            let (response, received) = read_retrieve_response(body).map_err(|error| error.to_string())?;
            let mut documents = Vec::new();
            for document in received {
                let path = match document.content {
                    Content::Part(id) => {
                        let same = |(key, _): &(&String, &PathBuf)| soap::package::same_part(key, &id);
                        let part = answer.parts.iter().find(same);
                        part.map(|(_, path)| path.clone()).ok_or("the package lacks a document's part")?
                    }
                    Content::Inline(text) => inline(&text, folder)?,
                };
                documents.push(RetrievedDocument { request: document.request, mime_type: document.mime_type, path });
            }
            Ok(Retrieved { response, documents })
        })
    }
}

fn envelope(action: &str, url: &str, body: impl FnOnce(&mut xml::Writer)) -> String {
    soap::write(&Header::request(action, &uuid_urn(Uuid::new_v4()), url), body)
}

async fn all(source: &Source) -> Result<Bytes, Error> {
    match source {
        Source::Bytes(bytes) => Ok(bytes.clone()),
        Source::File(path) => tokio::fs::read(path).await.map(Bytes::from).map_err(Error::file(path)),
    }
}

async fn part(content_id: &str, document: &Outgoing, progress: Option<Progress>) -> Result<mtom::Part, Error> {
    let mime_type = &document.mime_type;
    match &document.content {
        Source::Bytes(bytes) => {
            let (size, bytes) = (bytes.len() as u64, bytes.clone());
            let body = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
            Ok(mtom::Part::new(content_id, mime_type, Some(size), body))
        }
        Source::File(path) => {
            let file = File::open(path).await.map_err(Error::file(path))?;
            let size = file.metadata().await.map_err(Error::file(path))?.len();
            let mut sent = 0;
            let body = ReaderStream::with_capacity(file, CHUNK).inspect_ok(move |bytes| {
                sent += bytes.len() as u64;
                if let Some(progress) = &progress {
                    progress(sent);
                }
            });
            Ok(mtom::Part::new(content_id, mime_type, Some(size), body))
        }
    }
}

/// A document that came as base64, as a file.
fn inline(text: &str, folder: &Path) -> Result<PathBuf, String> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let octets = STANDARD.decode(compact).map_err(|_| "a document is not base64")?;
    let path = folder.join(Uuid::new_v4().to_string());
    std::fs::write(&path, octets).map_err(|error| format!("a document cannot be written: {error}"))?;
    Ok(path)
}
