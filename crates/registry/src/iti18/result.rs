//! Whose the objects are that were found, and whether they may be given together.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use xds::error::{ErrorCode, Finding};
use xds::query::{Query, QueryKind, ReturnType};

use super::find::Asked;
use crate::Failure;
use crate::per_patient::{self, Patients};
use crate::sql::{self, Found, FoundDetail, Survivor};

/// An object, and whose it is after all merges.
pub struct Resolved {
    pub(super) found: Found,
    surviving: i64,
    /// The patientId to show, CX; of an Association that of its record, for the trace.
    pub(super) patient_id: String,
}

/// An object of a record that was merged away is shown under the surviving patient: the one that was asked for, or else
/// the identifier under which the surviving record was opened.
pub async fn resolve<C: GenericClient>(
    client: &C,
    asked: &Asked<'_>,
    found: Vec<Found>,
) -> Result<Vec<Resolved>, Failure> {
    let mut others: Vec<i64> =
        found.iter().map(|object| object.record).filter(|record| !asked.heads.contains_key(record)).collect();
    others.sort_unstable();
    others.dedup();
    let survivors = match others.is_empty() {
        true => Vec::new(),
        false => sql::survivors_with_patient(client, &others).await?,
    };
    let survivors: HashMap<i64, &Survivor> = survivors.iter().map(|s| (s.record, s)).collect();
    found
        .into_iter()
        .map(|found| {
            let (surviving, opened_as) = match asked.heads.get(&found.record) {
                Some(head) => (*head, None),
                None => survivors
                    .get(&found.record)
                    .map(|survivor| (survivor.surviving, survivor.patient.as_ref()))
                    .ok_or_else(|| Failure::Internal("a record has no survivor".to_owned()))?,
            };
            let of_record = || {
                let patient = asked.patients.get(&surviving).copied().or(opened_as);
                patient.map(|patient| patient.text.clone()).unwrap_or_default()
            };
            let patient_id = match &found.detail {
                FoundDetail::DocumentEntry { patient_id, .. }
                | FoundDetail::SubmissionSet { patient_id }
                | FoundDetail::Folder { patient_id, .. }
                    if surviving == found.record =>
                {
                    patient_id.clone()
                }
                _ => of_record(),
            };
            Ok(Resolved { surviving, patient_id, found })
        })
        .collect()
}

/// LeafClass shows one patient at a time and not more than the limit; what has no patient to start from stops at the
/// limit whatever it returns (TF-2 §3.18.4.1.2.3.4).
pub fn check(query: &Query, found: &[Resolved], limit: usize) -> Result<(), Failure> {
    let leaf_class = query.return_type == ReturnType::LeafClass;
    let mut findings = Vec::new();
    if limit > 0 && found.len() > limit && (leaf_class || is_of_all(query)) {
        let advice = match is_of_all(query) {
            true => "name patients, or add conditions",
            false => "query with returnType ObjectRef, then GetDocuments in portions",
        };
        findings.push(Finding::error(
            ErrorCode::XDSTooManyResults,
            None,
            format!("more than {limit} objects; {advice}"),
        ));
    }
    let mut records = found
        .iter()
        .filter(|object| !matches!(object.found.detail, FoundDetail::Association { .. }))
        .map(|object| object.surviving);
    if leaf_class
        && is_of_one_patient(&query.kind)
        && let Some(first) = records.next()
        && records.any(|other| other != first)
    {
        findings.push(Finding::error(
            ErrorCode::XDSResultNotSinglePatient,
            None,
            "the result covers several patients; use returnType ObjectRef or ask for one patient",
        ));
    }
    match findings.is_empty() {
        true => Ok(()),
        false => Err(Failure::Refused(findings)),
    }
}

/// Whether the objects may belong to any patient of the registry.
pub fn is_of_all(query: &Query) -> bool {
    match &query.kind {
        QueryKind::FindDocumentsForMultiplePatients(find) => find.patient_ids.is_empty(),
        QueryKind::FindFoldersForMultiplePatients(find) => find.patient_ids.is_empty(),
        _ => false,
    }
}

/// The queries by id of which the standard says that their complete answer is of one patient. Queries by patient are so
/// by themselves, and so are Folders and relatives of a document, by the rules of submissions.
fn is_of_one_patient(kind: &QueryKind) -> bool {
    matches!(
        kind,
        QueryKind::GetDocuments(_)
            | QueryKind::GetFolders(_)
            | QueryKind::GetDocumentsAndAssociations(_)
            | QueryKind::GetSubmissionSets(_)
            | QueryKind::GetSubmissionSetAndContents(_)
            | QueryKind::GetFolderAndContents(_)
    )
}

/// Whose objects they are: one identifier for each record, and not more than `most`.
pub fn patients(found: &[Resolved], most: usize) -> Result<Patients, Failure> {
    let mut patients: Vec<(i64, &str)> =
        found.iter().map(|object| (object.surviving, object.patient_id.as_str())).collect();
    patients.sort_unstable();
    patients.dedup_by_key(|(record, _)| *record);
    if patients.len() > most {
        return Err(Failure::Refused(vec![per_patient::too_many(ErrorCode::XDSTooManyResults, most)]));
    }
    let named = patients.into_iter().map(|(_, patient)| patient.to_owned());
    Ok(named.filter(|patient| !patient.is_empty()).collect())
}
