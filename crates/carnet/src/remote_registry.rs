//! The registry of another process, ours or not, as the repository's registry: ITI-42 and ITI-18 over SOAP.
//!
//! Documents are durable before the registry is asked. When the answer to a registration is lost, the registry is asked for
//! the SubmissionSet; only if that does not tell is the outcome unknown, and then it is asked again later.

use access::Requester;
use atna::{Event, Outcome};
use client::{Client, Endpoints, Error};
use database::Database;
use repository::pending::{Begun, Sent};
use repository::port::{self, Filing, Known, Readable, RegistryFailure};
use xds::constants::{
    DOCUMENT_ENTRY_PATIENT_ID, DOCUMENT_ENTRY_UNIQUE_ID, QUERY_GET_SUBMISSION_SET_AND_CONTENTS,
};
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::{ErrorCode, Finding};
use xds::message::{ReceivedResponse, ResponseStatus};
use xds::query::{Level, Request, ReturnType};

use crate::outgoing::Outgoing;

pub struct RemoteRegistry {
    pub url: String,
    /// It is a Carnet, and is told what the documents' headers say.
    pub is_carnet: bool,
    pub repository_unique_id: String,
    /// Of the repository.
    pub database: Database,
    pub outgoing: Outgoing,
    /// The repository's own address, for traces.
    pub endpoint: String,
}

/// What the answer to a registration tells.
enum Told {
    Registered(Vec<Finding>),
    Refused(RegistryFailure),
    Nothing(Error),
}

impl port::Registry for RemoteRegistry {
    async fn register(
        &self,
        _requester: &Requester,
        mut objects: SubmitObjects,
        filing: Filing,
    ) -> Result<Vec<Finding>, RegistryFailure> {
        if !self.is_carnet {
            objects.drop_internal_slots();
        }
        let submission_set = objects.submission_set_unique_id().unwrap_or_default().to_owned();
        let sent = filing.sent(&submission_set);
        let begun = filing.begin(&self.database, &submission_set).await.map_err(own)?;
        let trace = |outcome| filing.sending(outcome, &self.url, &self.endpoint);
        match self.submit(&objects).await {
            Told::Registered(warnings) => {
                self.settled(begun, &submission_set, &[trace(Outcome::Success)]).await?;
                Ok(warnings)
            }
            Told::Refused(failure) => {
                let outcome = match failure {
                    RegistryFailure::Refused(_) => Outcome::MinorFailure,
                    _ => Outcome::SeriousFailure,
                };
                match begun.refused(&self.database, &[trace(outcome)]).await {
                    Ok(()) => Err(failure),
                    Err(error) => Err(unknown(&submission_set, &error)),
                }
            }
            Told::Nothing(error) => {
                tracing::warn!(submission_set, "the registry's answer was lost: {error}");
                match self.has(&sent).await {
                    Ok(Known::Registered) => {
                        self.settled(begun, &submission_set, &[trace(Outcome::Success)]).await?;
                        Ok(Vec::new())
                    }
                    // It may still be at work.
                    Ok(Known::Perhaps | Known::Not) => {
                        Err(unknown(&submission_set, &"the registry does not have it yet"))
                    }
                    Err(error) => Err(unknown(&submission_set, &error)),
                }
            }
        }
    }

    async fn has(&self, sent: &Sent) -> Result<Known, RegistryFailure> {
        // What an update has hidden since is shown by a registry that knows of it.
        let level = if self.is_carnet { Level::Complete } else { Level::Current };
        let request = Request::new(QUERY_GET_SUBMISSION_SET_AND_CONTENTS, ReturnType::LeafClass)
            .with_string("$XDSSubmissionSetUniqueId", &sent.submission_set)
            .with_level(level);
        let answer = self.client().query(&request).await.map_err(away)?;
        if answer.response.status == ResponseStatus::Failure {
            return Err(RegistryFailure::Failed(findings(&answer.response)));
        }
        if answer.packages.is_empty() {
            return Ok(Known::Not);
        }
        let shown: Vec<Readable> = answer.documents.iter().filter_map(readable).collect();
        Ok(sent.among(shown.iter().filter_map(|shown| Some((&*shown.unique_id, shown.hash.as_deref()?)))))
    }

    async fn readable(
        &self,
        _requester: &Requester,
        unique_ids: &[String],
    ) -> Result<Vec<Readable>, RegistryFailure> {
        match self.entries(unique_ids).await? {
            Some(found) => Ok(found),
            // Documents of several patients are not shown together (TF-2 §3.18.4.1.3).
            None => {
                let mut all = Vec::new();
                for id in unique_ids {
                    all.extend(self.entries(std::slice::from_ref(id)).await?.unwrap_or_default());
                }
                Ok(all)
            }
        }
    }

    async fn find_documents(
        &self,
        _requester: &Requester,
        query: &Request,
    ) -> Result<Vec<ExtrinsicObject>, RegistryFailure> {
        let answer = self.client().query(query).await.map_err(away)?;
        match answer.response.status {
            ResponseStatus::Failure => Err(RegistryFailure::Refused(findings(&answer.response))),
            _ => Ok(answer.documents),
        }
    }
}

impl RemoteRegistry {
    fn client(&self) -> Client {
        self.outgoing.client(Endpoints { registry: self.url.clone(), repository: String::new() })
    }

    async fn submit(&self, objects: &SubmitObjects) -> Told {
        match self.client().register(objects).await {
            Ok(response) => match response.status {
                ResponseStatus::Success => Told::Registered(findings(&response)),
                ResponseStatus::Failure => {
                    Told::Refused(RegistryFailure::Refused(match response.errors.is_empty() {
                        true => vec![refusal("without a reason".to_owned())],
                        false => findings(&response),
                    }))
                }
                ResponseStatus::PartialSuccess => {
                    Told::Nothing(Error::Answer("PartialSuccess to a registration".to_owned()))
                }
            },
            Err(error @ Error::Connect { .. }) => {
                Told::Refused(RegistryFailure::Unavailable(error.to_string()))
            }
            // The message was not understood, so nothing was done.
            Err(Error::Fault { code, reason }) if !code.starts_with("Receiver") => Told::Refused(
                RegistryFailure::Failed(vec![refusal(format!("(SOAP fault {code}): {reason}"))]),
            ),
            Err(Error::Status(status @ 400..=499)) => {
                Told::Refused(RegistryFailure::Failed(vec![refusal(format!("with HTTP status {status}"))]))
            }
            Err(error) => Told::Nothing(error),
        }
    }

    /// The registry has it. When that cannot be written down now, it is found out again later.
    async fn settled(
        &self,
        begun: Begun,
        submission_set: &str,
        events: &[Event],
    ) -> Result<(), RegistryFailure> {
        begun.registered(&self.database, events).await.map_err(|error| unknown(submission_set, &error))
    }

    /// `None` when the documents belong to several patients.
    async fn entries(&self, unique_ids: &[String]) -> Result<Option<Vec<Readable>>, RegistryFailure> {
        let request = Request::get_documents_by_unique_id(unique_ids, ReturnType::LeafClass);
        let answer = self.client().query(&request).await.map_err(away)?;
        let several = ErrorCode::XDSResultNotSinglePatient.to_string();
        match answer.response.status {
            ResponseStatus::Failure if answer.response.errors.iter().any(|e| e.code == several) => Ok(None),
            ResponseStatus::Failure => Err(RegistryFailure::Failed(findings(&answer.response))),
            _ => {
                let ours = |object: &&ExtrinsicObject| {
                    object.common.slot_value("repositoryUniqueId") == Some(&self.repository_unique_id)
                };
                Ok(Some(answer.documents.iter().filter(ours).filter_map(readable).collect()))
            }
        }
    }
}

fn readable(object: &ExtrinsicObject) -> Option<Readable> {
    Some(Readable {
        unique_id: object.common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID)?.to_owned(),
        hash: object.common.slot_value("hash").map(str::to_ascii_lowercase),
        patient_id: object.common.external_identifier(DOCUMENT_ENTRY_PATIENT_ID)?.to_owned(),
        title: object.common.title().map(str::to_owned),
    })
}

/// Whatever the registry said, verbatim.
fn findings(response: &ReceivedResponse) -> Vec<Finding> {
    response.errors.iter().map(Finding::relayed).collect()
}

fn refusal(how: String) -> Finding {
    Finding::error(ErrorCode::XDSRepositoryError, None, format!("The registry refused the metadata {how}"))
}

/// A question that was not answered; it may be asked again.
fn away(error: Error) -> RegistryFailure {
    match error {
        Error::Fault { .. } | Error::Answer(_) => {
            tracing::error!("the registry did not answer a query: {error}");
            RegistryFailure::Failed(vec![Finding::error(
                ErrorCode::XDSRepositoryError,
                None,
                "The registry did not understand this repository; nothing was done.",
            )])
        }
        error => RegistryFailure::Unavailable(error.to_string()),
    }
}

/// The repository's own database, before anything was sent.
fn own(failure: repository::Failure) -> RegistryFailure {
    match failure {
        repository::Failure::Unavailable(reason) => RegistryFailure::Unavailable(reason),
        repository::Failure::Registry(failure) => failure,
        other => RegistryFailure::Failed(other.findings()),
    }
}

fn unknown(submission_set: &str, reason: &dyn std::fmt::Display) -> RegistryFailure {
    tracing::error!(submission_set, "whether the submission was registered is not known yet: {reason}");
    RegistryFailure::OutcomeUnknown
}
