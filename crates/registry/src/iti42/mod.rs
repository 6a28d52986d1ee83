//! Register Document Set-b, ITI-42 (TF-2 §3.42).
//!
//! In this order: what can be checked without the registry's state ([`ValidSubmission::check`]), then under locks the
//! rules about patients, uniqueness and references ([`rules`]), then everything is written with its side effects
//! ([`effects`]), its trace and whatever the caller wants to commit with it. One SQL transaction, all or nothing.

mod effects;
mod headers;
pub(crate) mod rules;

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use chrono::Utc;
use deadpool_postgres::Transaction;
use futures_util::future::try_join;
use uuid::Uuid;
use xds::ebxml::SubmitObjects;
use xds::error::Finding;
use xds::metadata::SubmissionSet;
use xds::rules::Rule;
use xds::submission::{self, Claims, Refused, ValidSubmission};
use xds::value::Cx;

use crate::patients::{Record, State};
use crate::{Failure, Registry, UnknownPatients, sql};

pub(crate) const NO_RECORD: &str = "no record is open for this patient";

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

/// What [`Registry::judge`] found.
struct Judged {
    /// The patient's, if there is one.
    record: Option<i64>,
    existing: Vec<sql::Existing>,
    findings: Vec<Finding>,
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
        let event = Event::new(Act::Iti42Registry, Outcome::Success, requester, &self.source);
        self.register_by(submission::Transaction::Iti42, event, sent, companion).await
    }

    /// What ITI-42 and ITI-61 have in common: all but the rules about the type of the documents.
    pub(crate) async fn register_by(
        &self,
        transaction: submission::Transaction,
        event: Event,
        sent: SubmitObjects,
        companion: &impl Companion,
    ) -> Result<Vec<Finding>, Failure> {
        let event = about(event, &sent);
        let headers = headers::check(&sent, self.settings.rules.affinity.profile);
        let result = match ValidSubmission::check(sent, transaction, &self.settings.rules, &mut Uuid::new_v4)
        {
            Ok(submission) => self.commit(&submission, headers, event.clone(), companion).await,
            Err(mut refused) => {
                refused.findings.extend(headers);
                Err(self.refuse(refused).await)
            }
        };
        if let Err(failure) = &result {
            self.trace_failure(vec![event], failure).await?;
        }
        result
    }

    /// Refuses a submission whatever it says, with its trace: its sender may not register here.
    pub async fn turn_away(
        &self,
        requester: &Requester,
        sent: &SubmitObjects,
        findings: Vec<Finding>,
    ) -> Result<Vec<Finding>, Failure> {
        let failure = Failure::Refused(findings);
        let event = Event::new(Act::Iti42Registry, Outcome::Success, requester, &self.source);
        self.trace_failure(vec![about(event, sent)], &failure).await?;
        Err(failure)
    }

    async fn commit(
        &self,
        submission: &ValidSubmission,
        headers: Vec<Finding>,
        event: Event,
        companion: &impl Companion,
    ) -> Result<Vec<Finding>, Failure> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        let (errors, remarks): (Vec<Finding>, Vec<Finding>) =
            headers.into_iter().partition(Finding::is_error);
        let mut judged = self.judge(&transaction, submission.claims()).await?;
        judged.findings.extend(errors);
        let Some(record) = judged.record.filter(|_| judged.findings.is_empty()) else {
            transaction.rollback().await?;
            return Err(Failure::Refused(judged.findings));
        };
        effects::write(&transaction, record, submission, &judged.existing, Utc::now()).await?;
        let trace = async { Ok(atna::record(&transaction, &[event]).await?) };
        try_join(companion.write(&transaction), trace).await?;
        if let Err(error) = transaction.commit().await {
            drop(client);
            self.outcome_after(error, &submission.submission_set).await?;
        }
        Ok(submission.warnings.iter().cloned().chain(remarks).collect())
    }

    /// What the registry's state says about a submission; takes the locks that keep it so until the transaction ends.
    async fn judge(&self, transaction: &Transaction<'_>, claims: &Claims) -> Result<Judged, Failure> {
        let unique_ids = rules::unique_ids(claims);
        sql::lock_unique_ids(transaction, &unique_ids).await?;
        // Locked in one order, so that two submissions cannot wait for each other.
        let mut patients: Vec<&Cx> = claims.patients.iter().collect();
        patients.sort_by_key(|patient| (&patient.authority, &patient.id));
        let (mut record, mut findings) = (None, Vec::new());
        for patient in patients {
            let (number, unknown) = self.record_for(transaction, patient).await?;
            if Some(patient) == claims.patients.first() {
                record = number;
            }
            findings.extend(unknown);
        }
        let referenced = rules::referenced_ids(claims);
        let (existing, equal) = try_join(
            sql::existing_objects(transaction, &referenced),
            sql::objects_with_unique_ids(transaction, &unique_ids),
        )
        .await?;
        let survivors = rules::Survivors::find(transaction, record, &existing).await?;
        findings.extend(rules::check(claims, &survivors, &existing, &equal));
        Ok(Judged { record, existing, findings })
    }

    /// A submission that is wrong in itself is also told what is wrong with it in this registry, so that its sender
    /// mends everything at once.
    async fn refuse(&self, refused: Refused) -> Failure {
        let judge = async {
            let mut client = self.database.get().await?;
            let transaction = client.transaction().await?;
            let judged = self.judge(&transaction, &refused.claims).await?;
            transaction.rollback().await?;
            Ok::<_, Failure>(judged.findings)
        };
        match judge.await {
            Ok(more) => Failure::Refused(refused.findings.into_iter().chain(more).collect()),
            Err(failure) => failure,
        }
    }

    /// The patient's record, opened now if that is the policy and locked against merges, and the finding that it cannot be
    /// written to.
    pub(crate) async fn record_for(
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

    /// The answer to a commit was lost: looks for the SubmissionSet on a new connection. The lock on its uniqueId
    /// waits until the old transaction has ended, so "not there" is certain.
    pub(crate) async fn outcome_after(
        &self,
        error: tokio_postgres::Error,
        set: &SubmissionSet,
    ) -> Result<(), Failure> {
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

    /// The trace of what did not succeed, in a transaction of its own.
    pub(crate) async fn trace_failure(&self, events: Vec<Event>, failure: &Failure) -> Result<(), Failure> {
        let outcome = match failure {
            // What took effect has its own trace.
            Failure::OutcomeUnknown => return Ok(()),
            Failure::Refused(_) => Outcome::MinorFailure,
            Failure::Unavailable(_) | Failure::Internal(_) => Outcome::SeriousFailure,
        };
        let events: Vec<Event> =
            events.into_iter().map(|event| Event { outcome, ..event }.described(failure.codes())).collect();
        if let Err(error) = self.write_trace(&events).await {
            match failure.is_refusal() {
                // Without a trace not even the reason is given away.
                true => return Err(error),
                false if self.database.is_away() => {}
                false => tracing::error!("the trace of a failed submission cannot be written: {error}"),
            }
        }
        Ok(())
    }

    /// Writes events that go with no other change; durable when this returns.
    pub(crate) async fn write_trace(&self, events: &[Event]) -> Result<(), Failure> {
        Ok(self.traces.record(events).await?)
    }
}

/// The event with the patient and the SubmissionSet that it is about.
fn about(event: Event, sent: &SubmitObjects) -> Event {
    let event = event.patient(sent.patient_ids().first().copied());
    match sent.submission_set_unique_id() {
        Some(id) => {
            let titles = sent.document_titles();
            event.object(Object::SubmissionSet { unique_id: id.to_owned(), titles })
        }
        None => event,
    }
}

pub(crate) fn unknown_patient(patient: &Cx, reason: &str) -> Finding {
    Rule::V8.broken(None, format!("{}: {reason}", patient.text))
}
