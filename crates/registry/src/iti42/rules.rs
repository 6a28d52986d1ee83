//! The rules that need the registry's state: references (V17 to V20, V23), patients (V9), uniqueness (V10 to V13, V15, V26).

use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::error::Finding;
use xds::metadata::{Association, AssociationType, SubmissionSetStatus};
use xds::rules::Rule;
use xds::submission::{Claim, ClaimKind, Claims};
use xds::value::uuid_urn;

use crate::Failure;
use crate::sql::{self, EqualId, Existing, ExistingDetail};

/// Every uniqueId of the submission.
pub fn unique_ids(claims: &Claims) -> Vec<&str> {
    claims.objects.iter().filter_map(|object| object.unique_id.as_deref()).collect()
}

/// Ids that the registry may know: association ends outside the submission, and the submission's own ids, which must
/// be new.
pub fn referenced_ids(claims: &Claims) -> Vec<Uuid> {
    let ends = claims.associations.iter().flat_map(|a| [a.source, a.target]);
    let mut ids: Vec<Uuid> = claims.objects.iter().map(|object| object.entry_uuid).chain(ends).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
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
        if existing.is_empty() {
            return Ok(Survivors { patient, of: Vec::new() });
        }
        let records: Vec<i64> = existing.iter().map(|e| e.record).chain(patient).collect();
        Ok(Survivors { patient, of: sql::survivors(transaction, &records).await? })
    }

    fn of(&self, record: i64) -> Option<i64> {
        self.of.iter().find(|(merged, _)| *merged == record).map(|(_, survivor)| *survivor)
    }

    /// True for a record of another patient. A submission whose patient is not known has been told so already.
    fn is_another(&self, record: i64) -> bool {
        self.patient.is_some_and(|patient| self.of(record).is_none_or(|s| self.of(patient) != Some(s)))
    }
}

/// Everything that is wrong with the submission as the registry stands now.
pub fn check(
    claims: &Claims,
    survivors: &Survivors,
    existing: &[Existing],
    equal: &[EqualId],
) -> Vec<Finding> {
    let checker = Checker { claims, survivors, existing };
    let mut findings = checker.new_ids();
    findings.extend(claims.objects.iter().filter_map(|object| checker.unique_id(object, equal)));
    findings.extend(claims.associations.iter().flat_map(|a| checker.association(a)));
    findings
}

struct Checker<'a> {
    claims: &'a Claims,
    survivors: &'a Survivors,
    existing: &'a [Existing],
}

impl Checker<'_> {
    fn broken(&self, rule: Rule, object: Uuid, context: impl Into<String>) -> Finding {
        rule.broken(Some(&self.claims.submitted_id(object)), context)
    }

    fn known(&self, id: Uuid) -> Option<&Existing> {
        self.existing.iter().find(|e| e.entry_uuid == id)
    }

    /// V15: an id that the registry already has.
    fn new_ids(&self) -> Vec<Finding> {
        let own = self.claims.objects.iter().map(|object| object.entry_uuid);
        own.filter(|id| self.known(*id).is_some())
            .map(|id| {
                let context =
                    format!("the id {} already belongs to an object of this registry", uuid_urn(id));
                self.broken(Rule::V15, id, context)
            })
            .collect()
    }

    /// V10 to V13, V26.
    fn unique_id(&self, object: &Claim, equal: &[EqualId]) -> Option<Finding> {
        let id = object.unique_id.as_deref()?;
        let mut others = equal.iter().filter(|e| e.unique_id == id);
        let (rule, context) = match &object.kind {
            ClaimKind::Association => return None,
            ClaimKind::SubmissionSet => {
                others.next()?;
                (Rule::V12, format!("SubmissionSet.uniqueId {id} is already used in this registry"))
            }
            ClaimKind::Folder => {
                others.next()?;
                (Rule::V13, format!("Folder.uniqueId {id} is already used in this registry"))
            }
            ClaimKind::DocumentEntry { on_demand, hash, size } => {
                others.find_map(|other| differs(id, *on_demand, hash.as_deref(), *size, other))?
            }
        };
        Some(self.broken(rule, object.entry_uuid, context))
    }

    /// V17 to V20, V23 and V9 for the ends that are outside the submission.
    fn association(&self, association: &Association) -> Vec<Finding> {
        [(association.source, End::Source), (association.target, End::Target)]
            .into_iter()
            .filter(|(id, _)| !self.claims.is_own(*id))
            .filter_map(|(id, end)| {
                let (rule, context) = self.end(association, id, end)?;
                Some(self.broken(rule, association.entry_uuid, context))
            })
            .collect()
    }

    fn end(&self, association: &Association, id: Uuid, end: End) -> Option<(Rule, String)> {
        let urn = uuid_urn(id);
        let kind = association.association_type;
        let Some(Existing { record, detail, .. }) = self.known(id) else {
            let context = format!("{end}Object {urn} is neither in this submission nor in this registry");
            return Some((Rule::V17, context));
        };
        match (detail, kind, end) {
            (ExistingDetail::Folder { approved }, AssociationType::HasMember, End::Source) => {
                if !approved {
                    return Some((Rule::V19Folder, format!("the Folder {urn} is deprecated")));
                }
                self.same_patient(*record, &urn)
            }
            (ExistingDetail::DocumentEntry { approved, on_demand }, _, End::Target) => {
                let from_set = self.claims.is_submission_set(association.source);
                if !approved {
                    let rule = match kind == AssociationType::HasMember && !from_set {
                        true => Rule::V19Document,
                        false => Rule::V18,
                    };
                    return Some((rule, format!("the document {urn} is deprecated")));
                }
                if kind == AssociationType::IsSnapshotOf && !on_demand {
                    return Some((Rule::V20, format!("IsSnapshotOf: {urn} is not On-Demand")));
                }
                match (from_set, association.submission_set_status) {
                    (true, Some(SubmissionSetStatus::Original)) => {
                        let context = format!(
                            "SubmissionSetStatus Original, but {urn} is already registered: use Reference"
                        );
                        Some((Rule::V23, context))
                    }
                    // A Reference may lead to another patient: the child's document in the mother's submission.
                    (true, _) => None,
                    (false, _) => self.same_patient(*record, &urn),
                }
            }
            (_, AssociationType::HasMember, _) => {
                let context = format!("HasMember cannot have {urn} as {end}Object: wrong kind of object");
                Some((Rule::V21, context))
            }
            _ => Some((Rule::V17, format!("{end}Object {urn} is not a DocumentEntry"))),
        }
    }

    /// V9.
    fn same_patient(&self, record: i64, urn: &str) -> Option<(Rule, String)> {
        let patient = self.claims.patients.first()?;
        let context = || format!("{urn} belongs to another patient than {}", patient.text);
        self.survivors.is_another(record).then(|| (Rule::V9, context()))
    }
}

/// V10 and V11.
pub(crate) fn differs(
    id: &str,
    on_demand: bool,
    hash: Option<&str>,
    size: Option<u64>,
    other: &EqualId,
) -> Option<(Rule, String)> {
    let same_hash = match (hash, other.hash.as_deref()) {
        (Some(mine), Some(theirs)) => mine.eq_ignore_ascii_case(theirs),
        (mine, theirs) => mine == theirs,
    };
    if !other.is_document {
        let context = format!("{id}: a SubmissionSet or Folder of this registry has this uniqueId");
        Some((Rule::V11, context))
    } else if on_demand != other.on_demand {
        let kind = if other.on_demand { "an On-Demand" } else { "a Stable" };
        Some((Rule::V26, format!("{id}: {kind} document of this registry has this uniqueId")))
    } else if on_demand {
        None
    } else if !same_hash {
        Some((Rule::V10Hash, format!("{id}: registered before with another hash")))
    } else if size.and_then(|size| i64::try_from(size).ok()) != other.size {
        Some((Rule::V10Size, format!("{id}: registered before with another size")))
    } else {
        None
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

#[cfg(test)]
mod tests;
