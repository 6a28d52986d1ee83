//! Each transaction from the client's side.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use soap::Encoding;
use soap::package::same_part;
use xds::constants::action;
use xds::ebxml::SubmitObjects;
use xds::message::{
    Content, DocumentRequest, Made, ProvideAndRegister, ReceivedResponse, RegistryResponse, RemoveDocuments,
    RemoveObjects, RetrieveRequest, read_query_response, read_retrieve_response,
};
use xds::query::Request;

use crate::exchange::Answer;
use crate::parts::{Received, all, outgoing, write};
use crate::{Client, Error, Outgoing, QueryAnswer, Retrieved, RetrievedDocument};

impl Client {
    /// Files documents with their metadata (ITI-41). With [`Encoding::Mtom`] they stream, with [`Encoding::Simple`] they
    /// are inside the envelope, all in memory.
    pub async fn provide_and_register(
        &self,
        objects: SubmitObjects,
        documents: Vec<Outgoing>,
        encoding: Encoding,
    ) -> Result<ReceivedResponse, Error> {
        let content_id = |index: usize| format!("document-{}@source", index + 1);
        let mut contents = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let content = match encoding {
                Encoding::Simple => Content::Inline(STANDARD.encode(all(&document.content).await?).into()),
                Encoding::Mtom => Content::Part(content_id(index)),
            };
            contents.push((document.id.clone(), content));
        }
        let request = ProvideAndRegister { objects, documents: contents };
        let mut call = self.call(&self.endpoints.repository, action::ITI_41, encoding, |w| request.write(w));
        if encoding == Encoding::Mtom {
            for (index, document) in documents.into_iter().enumerate() {
                call.parts.push(outgoing(&content_id(index), document, call.meter.clone()).await?);
            }
        }
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Registers metadata (ITI-42).
    pub async fn register(&self, objects: &SubmitObjects) -> Result<ReceivedResponse, Error> {
        let call =
            self.call(&self.endpoints.registry, action::ITI_42, Encoding::Simple, |w| objects.write(w));
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Registers on-demand documents (ITI-61). The action of the answer is not looked at: it breaks the rule for names,
    /// and servers differ.
    pub async fn register_on_demand(&self, objects: &SubmitObjects) -> Result<ReceivedResponse, Error> {
        let call =
            self.call(&self.endpoints.registry, action::ITI_61, Encoding::Simple, |w| objects.write(w));
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Removes objects from the registry (ITI-62).
    pub async fn remove_metadata(&self, request: &RemoveObjects) -> Result<ReceivedResponse, Error> {
        let call =
            self.call(&self.endpoints.registry, action::ITI_62, Encoding::Simple, |w| request.write(w));
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Removes documents from the repository (ITI-86).
    pub async fn remove_documents(&self, requests: &[DocumentRequest]) -> Result<ReceivedResponse, Error> {
        let request = RemoveDocuments(requests.to_vec());
        let call =
            self.call(&self.endpoints.repository, action::ITI_86, Encoding::Simple, |w| request.write(w));
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Updates metadata (ITI-57).
    pub async fn update(&self, objects: &SubmitObjects) -> Result<ReceivedResponse, Error> {
        let call =
            self.call(&self.endpoints.registry, action::ITI_57, Encoding::Simple, |w| objects.write(w));
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Updates metadata of documents within the restrictions of ITI-92.
    pub async fn restricted_update(&self, objects: &SubmitObjects) -> Result<ReceivedResponse, Error> {
        let call =
            self.call(&self.endpoints.registry, action::ITI_92, Encoding::Simple, |w| objects.write(w));
        self.exchange(call).await?.read(RegistryResponse::read)
    }

    /// Asks the registry (ITI-18), by any stored query.
    pub async fn query(&self, request: &Request) -> Result<QueryAnswer, Error> {
        self.ask(action::ITI_18, request).await
    }

    /// Asks the registry about several patients (ITI-51).
    pub async fn multi_patient_query(&self, request: &Request) -> Result<QueryAnswer, Error> {
        self.ask(action::ITI_51, request).await
    }

    async fn ask(&self, action: &str, request: &Request) -> Result<QueryAnswer, Error> {
        let call = self.call(&self.endpoints.registry, action, Encoding::Simple, |w| request.write(w));
        let received = self.exchange(call).await?.read(read_query_response)?;
        Ok(QueryAnswer {
            response: received.response,
            documents: received.documents,
            packages: received.packages,
            associations: received.associations,
            object_refs: received.object_refs,
        })
    }

    /// Reads documents (ITI-43) into new files of `folder`, which is best a folder that nobody else uses: files of an answer
    /// that turns out wrong stay there.
    pub async fn retrieve(
        &self,
        requests: &[DocumentRequest],
        encoding: Encoding,
        folder: &Path,
    ) -> Result<Retrieved, Error> {
        let request = RetrieveRequest(requests.to_vec());
        let mut call = self.call(&self.endpoints.repository, action::ITI_43, encoding, |w| request.write(w));
        call.folder = Some(folder);
        let answer = self.exchange(call).await?;
        let (response, places) = answer.read(|body| places(&answer, body))?;
        let mut documents = Vec::new();
        for (request, made, mime_type, place) in places {
            let Received { path, size } = match place {
                Place::File(received) => received,
                Place::Memory(octets) => write(&octets, folder).await?,
            };
            documents.push(RetrievedDocument { request, made, mime_type, path, size });
        }
        Ok(Retrieved { response, documents })
    }
}

/// Where the octets of a document are that was received.
enum Place {
    File(Received),
    Memory(Vec<u8>),
}

type Places = Vec<(DocumentRequest, Option<Made>, String, Place)>;

fn places(answer: &Answer, body: xml::Element<'_>) -> Result<(ReceivedResponse, Places), String> {
    let (response, received) = read_retrieve_response(body).map_err(|error| error.to_string())?;
    let mut places = Vec::new();
    for document in received {
        let place = match document.content {
            Content::Part(id) => {
                let encoded =
                    || answer.parts.iter().find(|(key, _)| same_part(key, &id)).map(|(_, part)| part);
                let part = answer.parts.get(&id).or_else(encoded);
                Place::File(part.ok_or_else(|| format!("the package has no part cid:{id}"))?.clone())
            }
            Content::Inline(text) => {
                let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
                Place::Memory(STANDARD.decode(compact).map_err(|_| "a document is not base64")?)
            }
        };
        places.push((document.request, document.made, document.mime_type, place));
    }
    Ok((response, places))
}
