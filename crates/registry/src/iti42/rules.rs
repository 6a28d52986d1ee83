//! The rules that need the registry's state: references (V17 to V20, V23), patients (V9), uniqueness (V10 to V13, V15).
//! Numbers as in the validation table of ARCHITECTURE.md.

use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::metadata::{Association, AssociationType, SubmissionSetStatus};
use xds::submission::ValidSubmission;
use xds::value::uuid_urn;

use crate::Failure;
use crate::sql::{self, EqualId, Existing, ExistingDetail};

/// Every uniqueId of the submission.
pub fn unique_ids(submission: &ValidSubmission) -> Vec<&str> {
    let documents = submission.documents.iter().map(|d| d.unique_id.as_str());
    let folders = submission.folders.iter().map(|f| f.unique_id.as_str());
    std::iter::once(submission.submission_set.unique_id.as_str()).chain(documents).chain(folders).collect()
}

/// Ids that the registry may know: association ends outside the submission, and the submission's own ids, which must
/// be new.
pub fn referenced_ids(submission: &ValidSubmission) -> Vec<Uuid> {
    let ends = submission.associations.iter().flat_map(|a| [a.source, a.target]);
    let mut ids: Vec<Uuid> = own_ids(submission).into_iter().chain(ends).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn own_ids(submission: &ValidSubmission) -> Vec<Uuid> {
    let documents = submission.documents.iter().map(|d| d.entry_uuid);
    let folders = submission.folders.iter().map(|f| f.entry_uuid);
    let associations = submission.associations.iter().map(|a| a.entry_uuid);
    std::iter::once(submission.submission_set.entry_uuid)
        .chain(documents)
        .chain(folders)
        .chain(associations)
        .collect()
}

/// Which records are one patient's: merges are resolved, and the text of an identifier says nothing.
pub struct Survivors {
    /// The submission's patient, if there is a record.
    patient: Option<i64>,
    /// (record, the one that survives of it)
    of: Vec<(i64, i64)>,
}

impl Survivors {
    /// `patient`: the submission's record, which is locked: what was merged into it stays so until the transaction ends.
    pub async fn find(
        transaction: &Transaction<'_>,
        patient: Option<i64>,
        existing: &[Existing],
    ) -> Result<Survivors, Failure> {
        let records: Vec<i64> = existing.iter().map(|e| e.record).chain(patient).collect();
        Ok(Survivors { patient, of: sql::survivors(transaction, &records).await? })
    }

    fn of(&self, record: i64) -> Option<i64> {
        self.of.iter().find(|(merged, _)| *merged == record).map(|(_, survivor)| *survivor)
    }

    fn is_patient(&self, record: i64) -> bool {
        self.patient.is_some_and(|patient| self.of(record).is_some_and(|s| self.of(patient) == Some(s)))
    }
}

/// Everything that is wrong with the submission as the registry stands now.
pub fn check(
    submission: &ValidSubmission,
    survivors: &Survivors,
    existing: &[Existing],
    equal: &[EqualId],
) -> Vec<Finding> {
    let checker = Checker { submission, own: own_ids(submission), survivors, existing };
    let mut findings = checker.new_ids();
    findings.extend(checker.uniqueness(equal));
    findings.extend(submission.associations.iter().flat_map(|a| checker.association(a)));
    findings
}

struct Checker<'a> {
    submission: &'a ValidSubmission,
    own: Vec<Uuid>,
    survivors: &'a Survivors,
    existing: &'a [Existing],
}

impl Checker<'_> {
    fn finding(&self, code: ErrorCode, object: Uuid, context: impl Into<String>) -> Finding {
        Finding::error(code, Some(&self.submission.submitted_id(object)), context)
    }

    fn known(&self, id: Uuid) -> Option<&Existing> {
        self.existing.iter().find(|e| e.entry_uuid == id)
    }

    /// V15: an id that the registry already has.
    fn new_ids(&self) -> Vec<Finding> {
        self.own
            .iter()
            .filter(|id| self.known(**id).is_some())
            .map(|id| {
                let context =
                    format!("the id {} already belongs to an object of this registry", uuid_urn(*id));
                self.finding(ErrorCode::XDSRegistryMetadataError, *id, context)
            })
            .collect()
    }

    /// V10 to V13.
    fn uniqueness(&self, equal: &[EqualId]) -> Vec<Finding> {
        use ErrorCode::*;
        let mut findings = Vec::new();
        let taken = |unique_id: &str| equal.iter().any(|e| e.unique_id == unique_id);
        let set = &self.submission.submission_set;
        if taken(&set.unique_id) {
            let context =
                format!("SubmissionSet.uniqueId {} is already used in this registry", set.unique_id);
            findings.push(self.finding(XDSDuplicateUniqueIdInRegistry, set.entry_uuid, context));
        }
        for folder in self.submission.folders.iter().filter(|f| taken(&f.unique_id)) {
            let context = format!("Folder.uniqueId {} is already used in this registry", folder.unique_id);
            findings.push(self.finding(XDSDuplicateUniqueIdInRegistry, folder.entry_uuid, context));
        }
        for document in &self.submission.documents {
            let id = &document.unique_id;
            for other in equal.iter().filter(|e| e.unique_id == *id) {
                let size = document.size.and_then(|size| i64::try_from(size).ok());
                let same_hash = match (&document.hash, &other.hash) {
                    (Some(mine), Some(theirs)) => mine.eq_ignore_ascii_case(theirs),
                    (mine, theirs) => mine == theirs,
                };
                let (code, context) = if !other.is_document {
                    let context =
                        format!("{id}: a SubmissionSet or Folder of this registry has this uniqueId");
                    (XDSRegistryMetadataError, context)
                } else if !same_hash {
                    (XDSNonIdenticalHash, format!("{id}: registered before with another hash"))
                } else if size != other.size {
                    (XDSNonIdenticalSize, format!("{id}: registered before with another size"))
                } else {
                    continue;
                };
                findings.push(self.finding(code, document.entry_uuid, context));
                break;
            }
        }
        findings
    }

    /// V17 to V20, V23 and V9 for the ends that are outside the submission.
    fn association(&self, association: &Association) -> Vec<Finding> {
        [(association.source, End::Source), (association.target, End::Target)]
            .into_iter()
            .filter(|(id, _)| !self.own.contains(id))
            .filter_map(|(id, end)| {
                self.end(association, id, end)
                    .map(|(code, context)| self.finding(code, association.entry_uuid, context))
            })
            .collect()
    }

    fn end(&self, association: &Association, id: Uuid, end: End) -> Option<(ErrorCode, String)> {
        use ErrorCode::*;
        let urn = uuid_urn(id);
        let kind = association.association_type;
        let Some(Existing { record, detail, .. }) = self.known(id) else {
            let context = format!("{end}Object {urn} is neither in this submission nor in this registry");
            return Some((UnresolvedReferenceException, context));
        };
        match (detail, kind, end) {
            (ExistingDetail::Folder { approved }, AssociationType::HasMember, End::Source) => {
                if !approved {
                    return Some((XDSRegistryMetadataError, format!("the Folder {urn} is deprecated")));
                }
                self.same_patient(*record, &urn)
            }
            (ExistingDetail::DocumentEntry { approved, on_demand }, _, End::Target) => {
                if !approved {
                    return Some((
                        XDSRegistryDeprecatedDocumentError,
                        format!("the document {urn} is deprecated"),
                    ));
                }
                if kind == AssociationType::IsSnapshotOf && !on_demand {
                    return Some((XDSRegistryMetadataError, format!("IsSnapshotOf: {urn} is not On-Demand")));
                }
                let from_set = association.source == self.submission.submission_set.entry_uuid;
                match (from_set, association.submission_set_status) {
                    (true, Some(SubmissionSetStatus::Original)) => Some((
                        XDSRegistryMetadataError,
                        format!(
                            "SubmissionSetStatus Original, but {urn} is already registered: use Reference"
                        ),
                    )),
                    // A Reference may lead to another patient: the child's document in the mother's submission.
                    (true, _) => None,
                    (false, _) => self.same_patient(*record, &urn),
                }
            }
            (_, AssociationType::HasMember, _) => Some((
                XDSRegistryMetadataError,
                format!("HasMember cannot have {urn} as {end}Object: wrong kind of object"),
            )),
            _ => Some((UnresolvedReferenceException, format!("{end}Object {urn} is not a DocumentEntry"))),
        }
    }

    /// V9.
    fn same_patient(&self, record: i64, urn: &str) -> Option<(ErrorCode, String)> {
        (!self.survivors.is_patient(record)).then(|| {
            let context = format!(
                "{urn} belongs to another patient than {}",
                self.submission.submission_set.patient_id.text
            );
            (ErrorCode::XDSPatientIdDoesNotMatch, context)
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Source,
    Target,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            End::Source => "source",
            End::Target => "target",
        })
    }
}
