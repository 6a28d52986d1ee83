//! Update Document Set, ITI-57 (XDS Metadata Update §3.57).
//!
//! In this order: what can be checked without the registry's state ([`ValidUpdate::check`]), then under locks the rules
//! about what is registered ([`rules`] over [`state`]), then new versions, statuses and associations are written
//! ([`effects`], [`propagation`]) and the patients of everything that is linked are compared. One SQL transaction, all or
//! nothing. [`crate::iti92`] goes the same way with more rules.

mod effects;
mod propagation;
mod rules;
mod state;

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use chrono::Utc;
use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::update::ValidUpdate;
use xds::value::Cx;

use crate::iti42::{NO_RECORD, unknown_patient};
use crate::per_patient::{self, Patients};
use crate::{Failure, Registry, UnknownPatients, iti92, sql};

pub(crate) use effects::Records;
pub(crate) use state::State;

/// Which of the two transactions an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Full,
    /// ITI-92: new versions of documents that leave certain attributes alone.
    Restricted,
}

impl Registry {
    /// Updates metadata. `Ok` means that everything is durable. With [`Failure::OutcomeUnknown`] it may be; with any other
    /// failure nothing has changed.
    pub async fn update(&self, requester: &Requester, sent: SubmitObjects) -> Result<Vec<Finding>, Failure> {
        self.update_within(Scope::Full, requester, sent).await
    }

    pub(crate) async fn update_within(
        &self,
        scope: Scope,
        requester: &Requester,
        sent: SubmitObjects,
    ) -> Result<Vec<Finding>, Failure> {
        let act = match scope {
            Scope::Full => Act::Iti57Registry,
            Scope::Restricted => Act::Iti92Registry,
        };
        let mut event = Event::new(act, Outcome::Success, requester, &self.source);
        let mut repeated = 0;
        if let Some(unique_id) = sent.submission_set_unique_id() {
            let titles = sent.document_titles();
            repeated = unique_id.len() + titles.iter().map(String::len).sum::<usize>();
            event = event.object(Object::SubmissionSet { unique_id: unique_id.to_owned(), titles });
        }
        let named: Vec<String> = sent.patient_ids().into_iter().map(str::to_owned).collect();
        // Of everyone whose record the update touches, or tried to.
        let mut patients: Patients = named.iter().cloned().collect();
        let checked = ValidUpdate::check(sent, &self.settings.rules, &mut Uuid::new_v4)
            .and_then(|update| iti92::check_scope(scope, update));
        let most = self.most_patients(repeated);
        let result = match checked {
            checked if patients.len() > most => {
                patients.clear();
                let mut findings = checked.err().unwrap_or_default();
                findings.push(per_patient::too_many(ErrorCode::XDSRegistryOutOfResources, most));
                Err(Failure::Refused(findings))
            }
            Ok(update) => self.commit_update(scope, &update, &event, &mut patients, most).await,
            Err(findings) => Err(self.with_patient_findings(findings, &named).await),
        };
        if let Err(failure) = &result {
            self.trace_failure(per_patient::events(&event, &patients), failure).await?;
        }
        result.map(|()| Vec::new())
    }

    /// An update that is wrong in itself is also told that its patient is unknown, so that its sender mends both.
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

    async fn commit_update(
        &self,
        scope: Scope,
        update: &ValidUpdate,
        event: &Event,
        patients: &mut Patients,
        most: usize,
    ) -> Result<(), Failure> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        let refused = self.apply(scope, &transaction, update, patients, most).await?;
        if !refused.is_empty() {
            transaction.rollback().await?;
            return Err(Failure::Refused(refused));
        }
        atna::record(&transaction, &per_patient::events(event, patients)).await?;
        if let Err(error) = transaction.commit().await {
            drop(client);
            self.outcome_after(error, &update.submission_set).await?;
        }
        Ok(())
    }

    /// Does everything inside the transaction; the result holds what stands against it.
    async fn apply(
        &self,
        scope: Scope,
        transaction: &Transaction<'_>,
        update: &ValidUpdate,
        patients: &mut Patients,
        most: usize,
    ) -> Result<Vec<Finding>, Failure> {
        let unique_ids = rules::unique_ids(update);
        sql::lock_unique_ids(transaction, &unique_ids).await?;
        let (records, mut findings) = self.records_for(transaction, update).await?;
        let state = State::load(transaction, update).await?;
        let touched = state.patients(update);
        if touched.union(patients).count() > most {
            // The trace names those whom the update names, so nothing is told of the others.
            findings.push(per_patient::too_many(ErrorCode::XDSRegistryOutOfResources, most));
            return Ok(findings);
        }
        patients.extend(touched);
        let equal = sql::objects_with_unique_ids(transaction, &unique_ids).await?;
        findings.extend(rules::check(scope, update, &state, &equal));
        if scope == Scope::Restricted {
            findings.extend(iti92::unmodifiable(transaction, update, &state).await?);
        }
        let Some(records) = records.filter(|_| findings.is_empty()) else { return Ok(findings) };
        effects::write(transaction, update, &state, &records, Utc::now()).await
    }

    /// The record of every patient that the update names, opened now if that is the policy.
    async fn records_for(
        &self,
        transaction: &Transaction<'_>,
        update: &ValidUpdate,
    ) -> Result<(Option<Records>, Vec<Finding>), Failure> {
        let set = &update.submission_set.patient_id;
        let documents = update.documents.iter().map(|v| &v.object.patient_id);
        let folders = update.folders.iter().map(|v| &v.object.patient_id);
        let mut named: Vec<&Cx> = Vec::new();
        for patient in std::iter::once(set).chain(documents).chain(folders) {
            if !named.contains(&patient) {
                named.push(patient);
            }
        }
        // Locked in one order, so that two transactions cannot wait for each other.
        named.sort_by_key(|patient| (&patient.authority, &patient.id));
        let (mut records, mut findings) = (Vec::new(), Vec::new());
        for patient in named {
            let (record, unknown) = self.record_for(transaction, patient).await?;
            records.extend(record.map(|record| (patient.clone(), record)));
            findings.extend(unknown);
        }
        Ok((findings.is_empty().then_some(Records(records)), findings))
    }
}
