//! Register Document Set-b, ITI-42 (TF-2 §3.42).
//!
//! In this order: what can be checked without the registry's state ([`ValidSubmission::check`]), then under locks the
//! rules about patients, uniqueness and references ([`rules`]), then everything is written with its side effects
//! ([`effects`]), its trace and whatever the caller wants to commit with it. One SQL transaction, all or nothing.

mod effects;
mod rules;

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use chrono::Utc;
use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::submission::ValidSubmission;
use xds::value::Cx;

use crate::patients::{Record, State};
use crate::{Failure, Registry, UnknownPatients, sql};

const NO_RECORD: &str = "no record is open for this patient";

/// What a caller who shares the database commits together with a registration.
#[allow(async_fn_in_trait, reason = "requests stay on the thread that took them: no Send bound is wanted")]
pub trait Companion {
    async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Failure>;
}

/// For callers who have nothing to add.
pub struct Alone;

impl Companion for Alone {
    async fn write(&self, _: &Transaction<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

impl Registry {
    /// Registers a submission. `Ok` holds the warnings of a success; then everything is durable. With
    /// [`Failure::OutcomeUnknown`] it may be; with any other failure nothing is stored.
    pub async fn register(
        &self,
        requester: &Requester,
        sent: SubmitObjects,
        companion: &impl Companion,
    ) -> Result<Vec<Finding>, Failure> {
        let submission_set = sent.submission_set_unique_id().map(str::to_owned);
        let patients: Vec<String> = sent.patient_ids().into_iter().map(str::to_owned).collect();
        let mut event = Event::new(Act::Iti42Registry, Outcome::Success, requester, &self.source)
            .patient(patients.first().map(String::as_str));
        if let Some(unique_id) = submission_set {
            event = event.object(Object::SubmissionSet { unique_id });
        }
        let result = match ValidSubmission::check(sent, &self.settings.rules, &mut Uuid::new_v4) {
            Ok(submission) => self.commit(&submission, event.clone(), companion).await,
            Err(findings) => Err(self.with_patient_findings(findings, &patients).await),
        };
        if let Err(failure) = &result {
            self.trace_failure(event, failure).await?;
        }
        result
    }

    async fn commit(
        &self,
        submission: &ValidSubmission,
        event: Event,
        companion: &impl Companion,
    ) -> Result<Vec<Finding>, Failure> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        let unique_ids = rules::unique_ids(submission);
        sql::lock_unique_ids(&transaction, &unique_ids).await?;
        let (patient, unknown) = self.record_for(&transaction, &submission.submission_set.patient_id).await?;
        let existing = sql::existing_objects(&transaction, &rules::referenced_ids(submission)).await?;
        let survivors = rules::Survivors::find(&transaction, patient, &existing).await?;
        let equal = sql::objects_with_unique_ids(&transaction, &unique_ids).await?;
        let findings: Vec<Finding> =
            unknown.into_iter().chain(rules::check(submission, &survivors, &existing, &equal)).collect();
        let Some(record) = patient.filter(|_| findings.is_empty()) else {
            transaction.rollback().await?;
            return Err(Failure::Refused(findings));
        };
        effects::write(&transaction, record, submission, &existing, Utc::now()).await?;
        companion.write(&transaction).await?;
        atna::record(&*transaction, &[event]).await?;
        if let Err(error) = transaction.commit().await {
            drop(client);
            self.outcome_after(error, submission).await?;
        }
        Ok(submission.warnings.clone())
    }

    /// The patient's record, opened now if that is the policy and locked against merges, and the finding that it cannot be
    /// written to.
    async fn record_for(
        &self,
        transaction: &Transaction<'_>,
        patient: &Cx,
    ) -> Result<(Option<i64>, Option<Finding>), Failure> {
        let mut found = sql::lock_record(transaction, patient).await?;
        if found.is_none() && self.settings.unknown_patients == UnknownPatients::Open {
            sql::open_record(transaction, patient).await?;
            found = sql::lock_record(transaction, patient).await?;
        }
        Ok(match found {
            Some(Record { number, state: State::Open }) => (Some(number), None),
            Some(Record { number, state }) => {
                (Some(number), Some(unknown_patient(patient, &format!("the record is {state}"))))
            }
            None => (None, Some(unknown_patient(patient, NO_RECORD))),
        })
    }

    /// A submission whose metadata are wrong is also told that its patient is unknown, so that the sender mends both.
    async fn with_patient_findings(&self, mut findings: Vec<Finding>, patients: &[String]) -> Failure {
        if self.settings.unknown_patients == UnknownPatients::Refuse {
            for patient in patients.iter().filter_map(|text| Cx::parse(text).ok()) {
                match self.knows(&patient).await {
                    Ok(true) => {}
                    Ok(false) => findings.push(unknown_patient(&patient, NO_RECORD)),
                    Err(failure) => return failure,
                }
            }
        }
        Failure::Refused(findings)
    }

    /// The answer to a commit was lost: looks for the SubmissionSet on a new connection. The lock on its uniqueId
    /// waits until the old transaction has ended, so "not there" is certain.
    async fn outcome_after(
        &self,
        error: tokio_postgres::Error,
        submission: &ValidSubmission,
    ) -> Result<(), Failure> {
        let set = &submission.submission_set;
        tracing::warn!(submission_set = %set.unique_id, "the answer to a commit was lost: {error}");
        let lookup = async {
            let mut client = self.database.get().await?;
            let transaction = client.transaction().await?;
            sql::lock_unique_ids(&transaction, &[&set.unique_id]).await?;
            let found = sql::registered_submission(&transaction, &set.unique_id).await?;
            transaction.rollback().await?;
            Ok::<_, Failure>(found)
        };
        match lookup.await {
            Ok(Some(found)) if found == set.entry_uuid => Ok(()),
            Ok(_) => Err(error.into()),
            Err(_) => Err(Failure::OutcomeUnknown),
        }
    }

    async fn trace_failure(&self, mut event: Event, failure: &Failure) -> Result<(), Failure> {
        event.outcome = match failure.is_refusal() {
            true => Outcome::MinorFailure,
            false => Outcome::SeriousFailure,
        };
        let event = event.described(failure.codes());
        if let Err(error) = self.write_trace(&[event]).await {
            match failure.is_refusal() {
                // Without a trace not even the reason is given away.
                true => return Err(error),
                false => tracing::error!("the trace of a failed submission cannot be written: {error}"),
            }
        }
        Ok(())
    }

    /// Writes events in a transaction of their own.
    pub(crate) async fn write_trace(&self, events: &[Event]) -> Result<(), Failure> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        atna::record(&*transaction, events).await?;
        Ok(transaction.commit().await?)
    }
}

fn unknown_patient(patient: &Cx, reason: &str) -> Finding {
    Finding::error(ErrorCode::XDSUnknownPatientId, None, format!("{}: {reason}", patient.text))
}
