//! Restricted Update Document Set, ITI-92 (Restricted Metadata Update §3.92): an update of documents' metadata that cannot
//! move a document to another patient, place or state.

use access::Requester;
use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::ebxml::SubmitObjects;
use xds::error::{ErrorCode, Finding};
use xds::fragment::Fill;
use xds::metadata::{Availability, AvailabilityStatus, DocumentEntry};
use xds::update::ValidUpdate;
use xds::value::{Cx, uuid_urn};

use crate::iti57::{Scope, State};
use crate::sql::{self, Detail, Stored};
use crate::{Failure, Registry};

use ErrorCode::UnmodifiableMetadataError as Unmodifiable;

impl Registry {
    /// Updates metadata of documents within the restrictions. As for [`Registry::update`], all or nothing.
    pub async fn restricted_update(
        &self,
        requester: &Requester,
        sent: SubmitObjects,
    ) -> Result<Vec<Finding>, Failure> {
        self.update_within(Scope::Restricted, requester, sent).await
    }
}

/// What a restricted update cannot do at all.
pub(crate) fn check_scope(scope: Scope, update: ValidUpdate) -> Result<ValidUpdate, Vec<Finding>> {
    let folders = update.folders.iter().map(|v| v.object.entry_uuid);
    let statuses = update.statuses.iter().map(|s| s.asked_by);
    let additions = update.additions.iter().map(|a| a.entry_uuid);
    let others: Vec<Uuid> = folders.chain(statuses).chain(additions).collect();
    if scope == Scope::Full || others.is_empty() {
        return Ok(update);
    }
    Err(others
        .into_iter()
        .map(|id| {
            let context = "a restricted update (ITI-92) changes metadata of documents and nothing else";
            let location = update.submitted_id(id);
            Finding::error(ErrorCode::XDSMetadataUpdateOperationError, Some(&location), context)
        })
        .collect())
}

/// What the new versions would change although they must not.
pub(crate) async fn unmodifiable(
    transaction: &Transaction<'_>,
    update: &ValidUpdate,
    state: &State,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for new in &update.documents {
        let Some(current) = state.current_document(new.logical_id) else { continue };
        let (entry, availability) = registered(transaction, current).await?;
        let said = said_status(update, new.object.entry_uuid);
        let location = update.submitted_id(new.object.entry_uuid);
        let wrong = compare(&new.object, &entry, availability)
            .into_iter()
            .chain(said.filter(|said| *said != current.status).map(|_| status_changes()));
        findings.extend(wrong.map(|(code, context)| Finding::error(code, Some(&location), context)));
        if !same_patient(transaction, &new.object.patient_id, current).await? {
            let context = "DocumentEntry.patientId: a restricted update (ITI-92) cannot change it";
            let code = ErrorCode::XDSPatientIDReconciliationError;
            findings.push(Finding::error(code, Some(&location), context));
        }
    }
    Ok(findings)
}

/// The entry as it was registered.
async fn registered(
    transaction: &Transaction<'_>,
    current: &Stored,
) -> Result<(DocumentEntry, Availability), Failure> {
    let unreadable = || Failure::Internal("a stored entry cannot be read".to_owned());
    let found = sql::document_fragment(transaction, current.record, current.entry_uuid).await?;
    let (fragment, availability) = found.ok_or_else(unreadable)?;
    let availability = match availability.as_str() {
        "Offline" => Availability::Offline,
        _ => Availability::Online,
    };
    let Detail::DocumentEntry { version, .. } = &current.detail else { return Err(unreadable()) };
    let fill = Fill { patient_id: &version.patient_id, ..Fill::default() };
    let object = fragment.document(&fill).ok_or_else(unreadable)?;
    let entry = DocumentEntry::from_ebxml(&object).map_err(|_| unreadable())?;
    Ok((entry, availability))
}

/// The status that the sender wrote on the new version; none when it left that to the registry.
fn said_status(update: &ValidUpdate, id: Uuid) -> Option<AvailabilityStatus> {
    let urn = uuid_urn(id);
    let object = update.objects().extrinsic_objects.iter().find(|object| object.common.id == urn)?;
    match object.common.status.as_deref() {
        Some(STATUS_APPROVED) => Some(AvailabilityStatus::Approved),
        Some(STATUS_DEPRECATED) => Some(AvailabilityStatus::Deprecated),
        _ => None,
    }
}

fn status_changes() -> (ErrorCode, String) {
    (Unmodifiable, "DocumentEntry.availabilityStatus: differs from that of the current version".to_owned())
}

fn compare(
    new: &DocumentEntry,
    current: &DocumentEntry,
    availability: Availability,
) -> Vec<(ErrorCode, String)> {
    let text = |cx: &Option<Cx>| cx.as_ref().map(|cx| (cx.id.clone(), cx.authority.clone()));
    let fixed = [
        ("documentAvailability", new.availability.unwrap_or_default() == availability),
        ("objectType", new.document_type == current.document_type),
        ("repositoryUniqueId", new.repository_unique_id == current.repository_unique_id),
        ("sourcePatientId", text(&new.source_patient_id) == text(&current.source_patient_id)),
    ];
    fixed
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| {
            (Unmodifiable, format!("DocumentEntry.{name}: a restricted update (ITI-92) cannot change it"))
        })
        .collect()
}

/// Another identifier of the same patient is no change, nor is that of a record that others were merged into.
async fn same_patient(
    transaction: &Transaction<'_>,
    patient: &Cx,
    current: &Stored,
) -> Result<bool, Failure> {
    let Some(named) = sql::find_record(transaction, patient).await? else { return Ok(false) };
    let survivors = sql::survivors(transaction, &[named.number, current.record]).await?;
    let survivor = |record: i64| survivors.iter().find(|(merged, _)| *merged == record).map(|(_, s)| *s);
    Ok(survivor(named.number).is_some() && survivor(named.number) == survivor(current.record))
}
