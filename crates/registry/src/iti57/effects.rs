//! What an update writes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::fragment::Fragment;
use xds::metadata::{Association, AssociationType, AvailabilityStatus};
use xds::update::ValidUpdate;
use xds::value::Cx;

use super::State;
use super::propagation::{self, Copy, Disagreement, Renewal};
use crate::Failure;
use crate::sql::{self, Stored, Version};

/// The record of each patient that the update names.
pub(crate) struct Records(pub Vec<(Cx, i64)>);

impl Records {
    fn of(&self, patient: &Cx) -> Result<i64, Failure> {
        let found = self.0.iter().find(|(known, _)| known == patient).map(|(_, record)| *record);
        found.ok_or_else(|| Failure::Internal("a patient without a record".to_owned()))
    }
}

/// Writes an update that passed every rule. The result holds what only shows when it is done: then the transaction must be
/// rolled back.
pub async fn write(
    transaction: &Transaction<'_>,
    update: &ValidUpdate,
    state: &State,
    records: &Records,
    now: DateTime<Utc>,
) -> Result<Vec<Finding>, Failure> {
    let mut writer = Writer {
        transaction,
        update,
        state,
        now: now.format("%Y%m%d%H%M%S").to_string(),
        set: (update.submission_set.entry_uuid, records.of(&update.submission_set.patient_id)?),
        renewals: Vec::new(),
        new: HashMap::new(),
        touched: HashMap::new(),
    };
    writer.submission_set().await?;
    writer.documents(records).await?;
    writer.folders(records).await?;
    writer.associations().await?;
    let disagreements = writer.propagate().await?;
    if !disagreements.is_empty() {
        return Ok(disagreements);
    }
    writer.statuses().await?;
    writer.reconcile().await
}

struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    update: &'a ValidUpdate,
    state: &'a State,
    now: String,
    /// The SubmissionSet and its record.
    set: (Uuid, i64),
    renewals: Vec<Renewal>,
    /// The new versions as they are stored, by their ids.
    new: HashMap<Uuid, Stored>,
    /// Objects whose patient must be compared, with the object of the update that caused it.
    touched: HashMap<Uuid, Uuid>,
}

impl Writer<'_> {
    fn fragment(&self, id: Uuid, version: i32) -> Result<Fragment, Failure> {
        let number = u32::try_from(version).unwrap_or(1);
        let fragment = self.update.fragment(id, number);
        fragment.ok_or_else(|| Failure::Internal("an object without a fragment".to_owned()))
    }

    async fn submission_set(&self) -> Result<(), Failure> {
        let (set, record) = self.set;
        let text = self.fragment(set, 1)?;
        Ok(sql::add_submission_set(self.transaction, record, &self.update.submission_set, &text).await?)
    }

    async fn documents(&mut self, records: &Records) -> Result<(), Failure> {
        let (state, update) = (self.state, self.update);
        for new in &update.documents {
            let id = new.object.entry_uuid;
            let previous = predecessor(state.current_document(new.logical_id))?;
            let version = self.version(new.logical_id, previous);
            let record = records.of(&new.object.patient_id)?;
            let text = self.fragment(id, version.number)?;
            let (set, _) = self.set;
            sql::add_document_entry(self.transaction, record, set, &new.object, &version, &text).await?;
            let from = (previous.record, previous.entry_uuid);
            sql::copy_header_facts(self.transaction, from, (record, id)).await?;
            self.supersede(previous, Stored { entry_uuid: id, record, ..previous.clone() }, new.propagate)
                .await?;
        }
        Ok(())
    }

    async fn folders(&mut self, records: &Records) -> Result<(), Failure> {
        let (state, update) = (self.state, self.update);
        for new in &update.folders {
            let id = new.object.entry_uuid;
            let previous = predecessor(state.current_folder(new.logical_id))?;
            let version = self.version(new.logical_id, previous);
            let record = records.of(&new.object.patient_id)?;
            let text = self.fragment(id, version.number)?;
            let ((set, _), now) = (self.set, &self.now);
            sql::add_folder(self.transaction, record, set, &new.object, &version, now, &text).await?;
            self.supersede(previous, Stored { entry_uuid: id, record, ..previous.clone() }, new.propagate)
                .await?;
        }
        Ok(())
    }

    /// A new version begins with the status of the one before it.
    fn version(&self, logical_id: Uuid, previous: &Stored) -> Version {
        Version { logical_id, number: self.state.next_number(logical_id), status: previous.status }
    }

    async fn supersede(&mut self, previous: &Stored, new: Stored, propagate: bool) -> Result<(), Failure> {
        sql::set_status(self.transaction, previous, AvailabilityStatus::Deprecated).await?;
        let id = new.entry_uuid;
        self.renewals.push(Renewal { previous: previous.entry_uuid, new: id, propagate });
        self.new.insert(id, new);
        self.touched.insert(id, id);
        Ok(())
    }

    /// The associations as sent.
    async fn associations(&mut self) -> Result<(), Failure> {
        for association in &self.update.associations {
            let record = self.record_of(association.source)?;
            let text = self.fragment(association.entry_uuid, 1)?;
            let (set, _) = self.set;
            sql::add_association(self.transaction, record, set, association, &text).await?;
        }
        for association in &self.update.additions {
            self.touched.insert(association.entry_uuid, association.entry_uuid);
            self.gained(association.association_type, association.source).await?;
        }
        Ok(())
    }

    /// A folder that gains a document (TF-3 §4.2.3.4.6).
    async fn gained(&self, kind: AssociationType, source: Uuid) -> Result<(), Failure> {
        let folder =
            self.state.get(source).filter(|source| kind == AssociationType::HasMember && source.is_folder());
        if let Some(folder) = folder {
            sql::touch_folder(self.transaction, folder.record, folder.entry_uuid, &self.now).await?;
        }
        Ok(())
    }

    /// An association lives in the record of its source.
    fn record_of(&self, source: Uuid) -> Result<i64, Failure> {
        let (set, record) = self.set;
        if source == set {
            return Ok(record);
        }
        let stored = self.new.get(&source).or_else(|| self.state.get(source));
        let record = stored.map(|stored| stored.record);
        record.ok_or_else(|| Failure::Internal("an association without a source".to_owned()))
    }

    async fn propagate(&mut self) -> Result<Vec<Finding>, Failure> {
        let previous: Vec<Uuid> = self.renewals.iter().map(|renewal| renewal.previous).collect();
        let links = sql::links_of(self.transaction, &previous).await?;
        let ends: Vec<Uuid> = links.iter().flat_map(|link| [link.source, link.target]).collect();
        let linked = State::read(self.transaction, &ends).await?;
        match propagation::plan(&links, &self.renewals, &linked) {
            Ok(copies) => {
                for copy in &copies {
                    self.copy(copy, &linked).await?;
                }
                Ok(Vec::new())
            }
            Err(disagreements) => Ok(disagreements.iter().map(|d| self.disagreement(d)).collect()),
        }
    }

    async fn copy(&mut self, copy: &Copy<'_>, linked: &State) -> Result<(), Failure> {
        let kind = copy.of.association_type;
        let association = joining(kind, copy.source, copy.target);
        let id = association.entry_uuid;
        let text = copy.of.fragment.between(id, copy.source, copy.target, &mut Uuid::new_v4);
        let text = text.ok_or_else(|| Failure::Internal("a stored association cannot be read".to_owned()))?;
        let home = linked.get(copy.source).map(|source| source.record);
        let record = match self.new.get(&copy.source).map(|new| new.record).or(home) {
            Some(record) => record,
            None => self.record_of(copy.source)?,
        };
        let (set, set_record) = self.set;
        sql::add_association(self.transaction, record, set, &association, &text).await?;
        if kind == AssociationType::HasMember {
            let held = joining(AssociationType::HasMember, set, id);
            let text = Fragment::has_member(held.entry_uuid, set, id);
            sql::add_association(self.transaction, set_record, set, &held, &text).await?;
            if let Some(folder) = linked.get(copy.source) {
                sql::touch_folder(self.transaction, folder.record, folder.entry_uuid, &self.now).await?;
            }
        }
        Ok(())
    }

    fn disagreement(&self, disagreement: &Disagreement) -> Finding {
        let location = self.update.submitted_id(disagreement.source);
        let other = self.update.submitted_id(disagreement.target);
        let context = format!(
            "AssociationPropagation: an association joins {location} and {other}, and only one of the two is to take it over"
        );
        Finding::error(ErrorCode::XDSMetadataUpdateError, Some(&location), context)
    }

    /// The new version first, then its status: a change that names the version before it is meant for the new one.
    async fn statuses(&mut self) -> Result<(), Failure> {
        for change in &self.update.statuses {
            let id =
                self.renewals.iter().find(|r| r.previous == change.target).map_or(change.target, |r| r.new);
            let target = self.new.get(&id).or_else(|| self.state.get(id));
            let target = target.ok_or_else(|| Failure::Internal("a status without an object".to_owned()))?;
            sql::set_status(self.transaction, target, change.new).await?;
            if change.new == AvailabilityStatus::Approved {
                self.touched.entry(id).or_insert(change.asked_by);
            }
        }
        Ok(())
    }

    /// Every approved pair that an approved association joins is of one patient.
    async fn reconcile(&self) -> Result<Vec<Finding>, Failure> {
        let touched: Vec<Uuid> = self.touched.keys().copied().collect();
        let pairs = sql::unreconciled(self.transaction, &touched).await?;
        Ok(pairs
            .into_iter()
            .map(|(source, target)| {
                let cause = [source, target].iter().find_map(|id| self.touched.get(id)).copied();
                let added = self.update.additions.iter().find(|a| (a.source, a.target) == (source, target));
                let cause = cause.or(added.map(|a| a.entry_uuid));
                let location = cause.map(|id| self.update.submitted_id(id));
                let context = format!(
                    "{} and {} are approved and linked, but of two patients",
                    self.update.submitted_id(source),
                    self.update.submitted_id(target)
                );
                Finding::error(ErrorCode::XDSPatientIDReconciliationError, location.as_deref(), context)
            })
            .collect())
    }
}

fn predecessor(previous: Option<&Stored>) -> Result<&Stored, Failure> {
    previous.ok_or_else(|| Failure::Internal("a new version without a previous one".to_owned()))
}

/// An association that the registry itself makes.
fn joining(association_type: AssociationType, source: Uuid, target: Uuid) -> Association {
    Association {
        entry_uuid: Uuid::new_v4(),
        association_type,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: Vec::new(),
    }
}
