//! The objects that each stored query returns (TF-2 §3.18.4.1.2.3.7, §3.51.4.1.2.3).

use std::collections::{HashMap, HashSet};

use deadpool_postgres::{Client, Transaction};
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::query::{
    DocumentFilter, FindDocuments, FindDocumentsForMultiplePatients, FindFoldersForMultiplePatients,
    FolderFilter, GetAll, GetDocumentsAndAssociations, GetFolderAndContents, GetFoldersForDocument,
    GetRelatedDocuments, GetSubmissionSetAndContents, ObjectIds, Query, QueryKind, ReturnType,
    SubmissionSetFilter,
};
use xds::value::Cx;

use super::answer::PORTION;
use super::result::is_of_all;
use crate::patients::{Record, State};
use crate::sql::{self, Family, Found, FoundDetail, Reach};
use crate::{Failure, Registry, UnknownInQuery};

const HAS_MEMBER: &[&str] = &["urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"];

impl Registry {
    /// `records` are those of the patients who were asked for.
    pub(super) async fn find(
        &self,
        t: &Transaction<'_>,
        query: &Query,
        records: &[i64],
    ) -> Result<Vec<Found>, Failure> {
        let reach = Reach { level: query.level, limit: self.limit(query) };
        Ok(match &query.kind {
            QueryKind::FindDocuments(find) => sql::find_documents(t, records, &find.filter, reach).await?,
            QueryKind::FindSubmissionSets(find) => {
                sql::find_submission_sets(t, records, &find.filter, reach).await?
            }
            QueryKind::FindFolders(find) => sql::find_folders(t, records, &find.filter, reach).await?,
            QueryKind::GetAll(get) => get_all(t, get, records, reach).await?,
            QueryKind::GetDocuments(ids) => sql::documents_by_ids(t, ids, None, reach).await?,
            QueryKind::GetFolders(ids) => sql::folders_by_ids(t, ids, reach).await?,
            QueryKind::GetAssociations(get) => {
                let status = get.association_status.as_deref();
                sql::associations_of(t, &get.objects, status, None, reach).await?
            }
            QueryKind::GetDocumentsAndAssociations(get) => documents_and_associations(t, get, reach).await?,
            QueryKind::GetSubmissionSets(members) => submission_sets(t, members, reach).await?,
            QueryKind::GetSubmissionSetAndContents(get) => set_and_contents(t, get, reach).await?,
            QueryKind::GetFolderAndContents(get) => folder_and_contents(t, get, reach).await?,
            QueryKind::GetFoldersForDocument(get) => folders_for_document(t, get, reach).await?,
            QueryKind::GetRelatedDocuments(get) => related_documents(t, get, reach).await?,
            QueryKind::FindDocumentsForMultiplePatients(find) => {
                let FindDocumentsForMultiplePatients { patient_ids, filter } = find.as_ref();
                match patient_ids.is_empty() {
                    true => sql::find_documents_of_all(t, filter, reach).await?,
                    false => sql::find_documents(t, records, filter, reach).await?,
                }
            }
            QueryKind::FindFoldersForMultiplePatients(find) => {
                let FindFoldersForMultiplePatients { patient_ids, filter } = find;
                match patient_ids.is_empty() {
                    true => sql::find_folders_of_all(t, filter, reach).await?,
                    false => sql::find_folders(t, records, filter, reach).await?,
                }
            }
        })
    }

    /// The query that is asked most goes to the database once. None: nothing was found so, and the other way tells why.
    pub(super) async fn find_by_one_statement<'q>(
        &self,
        client: &Client,
        query: &Query,
        find: &'q FindDocuments,
    ) -> Result<Option<(Asked<'q>, Vec<Found>)>, Failure> {
        let reach = Reach { level: query.level, limit: self.limit(query) };
        let fragments = match query.return_type {
            ReturnType::LeafClass => PORTION,
            ReturnType::ObjectRef => 0,
        };
        let FindDocuments { patient_id, filter } = find;
        let found = sql::find_documents_of_unmerged(client, patient_id, filter, reach, fragments).await?;
        Ok(found.first().map(|first| first.record).map(|record| {
            let asked = Asked {
                records: vec![record],
                heads: HashMap::from([(record, record)]),
                patients: HashMap::from([(record, &find.patient_id)]),
            };
            (asked, found)
        }))
    }

    /// One more than an answer may hold: it tells that there are too many.
    fn limit(&self, query: &Query) -> Option<i64> {
        let bounded = query.return_type == ReturnType::LeafClass || is_of_all(query);
        match self.settings.query_results {
            results if bounded && results > 0 => i64::try_from(results).ok().map(|n| n.saturating_add(1)),
            _ => None,
        }
    }

    /// The records of the patients a query asks for, by themselves or with others.
    pub(super) async fn asked<'q>(
        &self,
        t: &Transaction<'_>,
        query: &'q Query,
    ) -> Result<Asked<'q>, Failure> {
        let patients = asked_patients(query);
        if patients.is_empty() {
            return Ok(Asked::default());
        }
        let (mut asked, mut unknown) = (Asked::default(), Vec::new());
        for (patient, family) in patients.iter().zip(sql::families(t, patients).await?) {
            match family {
                Some(Family { head: Record { number, state: State::Open | State::Closed }, records }) => {
                    asked.patients.insert(number, patient);
                    asked.heads.extend(records.iter().map(|record| (*record, number)));
                    asked.records.extend(records);
                }
                Some(Family { head: Record { state: State::Merged, .. }, .. }) | None => {
                    unknown.push(Finding::error(
                        ErrorCode::XDSUnknownPatientId,
                        None,
                        format!("{}: no record is open for this patient", patient.text),
                    ));
                }
            }
        }
        if self.settings.unknown_in_query == UnknownInQuery::Error && !unknown.is_empty() {
            return Err(Failure::Refused(unknown));
        }
        Ok(asked)
    }
}

/// Whom a query asks for.
#[derive(Default)]
pub struct Asked<'q> {
    /// Their records, with all that were merged into them.
    pub records: Vec<i64>,
    /// Of each of these, the one that survives.
    pub heads: HashMap<i64, i64>,
    /// Who was asked for, by the surviving record.
    pub patients: HashMap<i64, &'q Cx>,
}

fn asked_patients(query: &Query) -> &[Cx] {
    use std::slice::from_ref;
    match &query.kind {
        QueryKind::FindDocuments(find) => from_ref(&find.patient_id),
        QueryKind::FindSubmissionSets(find) => from_ref(&find.patient_id),
        QueryKind::FindFolders(find) => from_ref(&find.patient_id),
        QueryKind::GetAll(get) => from_ref(&get.patient_id),
        QueryKind::FindDocumentsForMultiplePatients(find) => &find.patient_ids,
        QueryKind::FindFoldersForMultiplePatients(find) => &find.patient_ids,
        _ => &[],
    }
}

async fn get_all(
    t: &Transaction<'_>,
    get: &GetAll,
    records: &[i64],
    reach: Reach,
) -> Result<Vec<Found>, Failure> {
    let sets = SubmissionSetFilter { status: get.submission_set_status.clone(), ..Default::default() };
    let documents = DocumentFilter {
        status: get.document_status.clone(),
        document_types: get.documents.document_types.clone(),
        format_code: get.documents.format_code.clone(),
        confidentiality_codes: get.documents.confidentiality_codes.clone(),
        ..Default::default()
    };
    let folders = FolderFilter { status: get.folder_status.clone(), ..Default::default() };
    let mut found = sql::find_submission_sets(t, records, &sets, reach).await?;
    found.extend(sql::find_documents(t, records, &documents, reach).await?);
    found.extend(sql::find_folders(t, records, &folders, reach).await?);
    let status = get.association_status.as_deref();
    let associations = sql::associations_of(t, &ids(&found), status, None, reach).await?;
    found.extend(associations);
    Ok(found)
}

async fn documents_and_associations(
    t: &Transaction<'_>,
    get: &GetDocumentsAndAssociations,
    reach: Reach,
) -> Result<Vec<Found>, Failure> {
    let mut found = sql::documents_by_ids(t, &get.documents, None, reach).await?;
    let status = get.association_status.as_deref();
    let associations = sql::associations_of(t, &ids(&found), status, None, reach).await?;
    found.extend(associations);
    Ok(found)
}

/// HasMember leads from Folders too: only those are meant that lead from a SubmissionSet.
async fn submission_sets(t: &Transaction<'_>, members: &[Uuid], reach: Reach) -> Result<Vec<Found>, Failure> {
    let whole = Reach { limit: None, ..reach };
    let memberships = sql::associations_to(t, members, None, Some(HAS_MEMBER), whole).await?;
    let sources = ObjectIds::EntryUuids(memberships.iter().filter_map(source).collect());
    let mut found = sql::submission_sets_by_ids(t, &sources, reach).await?;
    let sets: HashSet<Uuid> = ids(&found).into_iter().collect();
    found.extend(memberships.into_iter().filter(|m| source(m).is_some_and(|set| sets.contains(&set))));
    Ok(found)
}

/// Memberships are read without limit: they say what is in the answer, which the limit is about.
async fn set_and_contents(
    t: &Transaction<'_>,
    get: &GetSubmissionSetAndContents,
    reach: Reach,
) -> Result<Vec<Found>, Failure> {
    let whole = Reach { limit: None, ..reach };
    let mut found = sql::submission_sets_by_ids(t, &get.submission_set, reach).await?;
    let members = sql::associations_from(t, &ids(&found), None, Some(HAS_MEMBER), whole).await?;
    let targets: Vec<Uuid> = members.iter().filter_map(target).collect();
    let named = ObjectIds::EntryUuids(targets.clone());
    found.extend(sql::documents_by_ids(t, &named, Some(&get.documents), reach).await?);
    found.extend(sql::folders_by_ids(t, &named, reach).await?);
    let mut objects: HashSet<Uuid> = ids(&found).into_iter().collect();
    let in_folders = sql::associations_by_id(t, &targets, Some(HAS_MEMBER), whole).await?;
    let in_folders: Vec<Found> = in_folders.into_iter().filter(|a| joins(a, &objects)).collect();
    objects.extend(ids(&in_folders));
    found.extend(members.into_iter().filter(|member| joins(member, &objects)));
    found.extend(in_folders);
    Ok(found)
}

async fn folder_and_contents(
    t: &Transaction<'_>,
    get: &GetFolderAndContents,
    reach: Reach,
) -> Result<Vec<Found>, Failure> {
    let whole = Reach { limit: None, ..reach };
    let mut found = sql::folders_by_ids(t, &get.folder, reach).await?;
    let status = get.association_status.as_deref();
    let members = sql::associations_from(t, &ids(&found), status, Some(HAS_MEMBER), whole).await?;
    let named = ObjectIds::EntryUuids(members.iter().filter_map(target).collect());
    found.extend(sql::documents_by_ids(t, &named, Some(&get.documents), reach).await?);
    let objects = ids(&found).into_iter().collect();
    found.extend(members.into_iter().filter(|member| joins(member, &objects)));
    Ok(found)
}

async fn folders_for_document(
    t: &Transaction<'_>,
    get: &GetFoldersForDocument,
    reach: Reach,
) -> Result<Vec<Found>, Failure> {
    let whole = Reach { limit: None, ..reach };
    let documents = sql::documents_by_ids(t, &get.document, None, whole).await?;
    let status = get.association_status.as_deref();
    let memberships = sql::associations_to(t, &ids(&documents), status, Some(HAS_MEMBER), whole).await?;
    let sources = ObjectIds::EntryUuids(memberships.iter().filter_map(source).collect());
    Ok(sql::folders_by_ids(t, &sources, reach).await?)
}

/// The types of DocumentEntry hold for the document itself too: an Association is given with both its ends or not at
/// all.
async fn related_documents(
    t: &Transaction<'_>,
    get: &GetRelatedDocuments,
    reach: Reach,
) -> Result<Vec<Found>, Failure> {
    let whole = Reach { limit: None, ..reach };
    let documents = sql::documents_by_ids(t, &get.document, None, whole).await?;
    let status = get.association_status.as_deref();
    let types: Vec<&str> = get.association_types.iter().map(String::as_str).collect();
    let associations = sql::associations_of(t, &ids(&documents), status, Some(&types), whole).await?;
    let ends: Vec<Uuid> = associations.iter().flat_map(|a| source(a).into_iter().chain(target(a))).collect();
    let ends = ObjectIds::EntryUuids(ends);
    let mut found = sql::documents_by_ids(t, &ends, Some(&get.documents), whole).await?;
    let passed = ids(&found).into_iter().collect();
    let associations: Vec<Found> = associations.into_iter().filter(|a| joins(a, &passed)).collect();
    let joined: HashSet<Uuid> =
        associations.iter().flat_map(|a| source(a).into_iter().chain(target(a))).collect();
    found.retain(|document| joined.contains(&document.entry_uuid));
    found.extend(associations);
    Ok(found)
}

fn ids(found: &[Found]) -> Vec<Uuid> {
    found.iter().map(|object| object.entry_uuid).collect()
}

fn source(association: &Found) -> Option<Uuid> {
    match association.detail {
        FoundDetail::Association { source, .. } => Some(source),
        _ => None,
    }
}

fn target(association: &Found) -> Option<Uuid> {
    match association.detail {
        FoundDetail::Association { target, .. } => Some(target),
        _ => None,
    }
}

/// Whether both ends are among the objects.
fn joins(association: &Found, objects: &HashSet<Uuid>) -> bool {
    [source(association), target(association)].iter().all(|end| end.is_some_and(|end| objects.contains(&end)))
}
