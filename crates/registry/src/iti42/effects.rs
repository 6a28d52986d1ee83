//! What a registration writes, and what follows from it (TF-2 §3.42.4.1.3.5).

use cda::facts::HeaderFacts;
use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use futures_util::future::{try_join_all, try_join5};
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::metadata::{Association, AssociationType};
use xds::submission::ValidSubmission;

use crate::Failure;
use crate::sql::{self, Existing, ExistingDetail, Version};

/// Writes a submission that passed every rule.
pub async fn write(
    transaction: &Transaction<'_>,
    record: i64,
    submission: &ValidSubmission,
    existing: &[Existing],
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let now = now.format("%Y%m%d%H%M%S").to_string();
    let set = &submission.submission_set;
    let fragment = |id: Uuid| {
        submission.fragment(id).ok_or_else(|| Failure::Internal("an object without a fragment".to_owned()))
    };
    // None waits for another: they go to the database together.
    let documents = submission.documents.iter().map(async |entry| {
        let (text, version) = (fragment(entry.entry_uuid)?, Version::first(entry.entry_uuid));
        sql::add_document_entry(transaction, record, set.entry_uuid, entry, &version, &text).await?;
        Ok::<_, Failure>(())
    });
    let facts = header_facts(submission);
    let facts = facts.iter().map(async |(entry_uuid, facts)| {
        Ok::<_, Failure>(sql::add_header_facts(transaction, record, *entry_uuid, facts).await?)
    });
    let folders = submission.folders.iter().map(async |folder| {
        let (text, version) = (fragment(folder.entry_uuid)?, Version::first(folder.entry_uuid));
        sql::add_folder(transaction, record, set.entry_uuid, folder, &version, &now, &text).await?;
        Ok::<_, Failure>(())
    });
    let associations = submission.associations.iter().map(async |association| {
        let home = home_of(association.source, existing).unwrap_or(record);
        let text = fragment(association.entry_uuid)?;
        sql::add_association(transaction, home, set.entry_uuid, association, &text).await?;
        Ok::<_, Failure>(())
    });
    let text = fragment(set.entry_uuid)?;
    try_join5(
        async { Ok(sql::add_submission_set(transaction, record, set, &text).await?) },
        try_join_all(documents),
        try_join_all(facts),
        try_join_all(folders),
        try_join_all(associations),
    )
    .await?;
    let joining =
        |a: &&Association| a.association_type == AssociationType::HasMember && is_folder(a.source, existing);
    for association in submission.associations.iter().filter(joining) {
        let home = home_of(association.source, existing).unwrap_or(record);
        sql::touch_folder(transaction, home, association.source, &now).await?;
    }
    for replacement in submission.associations.iter().filter(|a| a.association_type.replaces()) {
        let home = home_of(replacement.target, existing).unwrap_or(record);
        replace(transaction, home, submission, replacement, &now).await?;
    }
    Ok(())
}

/// RPLC and XFRM_RPLC: the target, its addenda and its transformations are deprecated, and the new document takes
/// their place in the target's folders. The old one stays a member.
async fn replace(
    transaction: &Transaction<'_>,
    home: i64,
    submission: &ValidSubmission,
    replacement: &Association,
    now: &str,
) -> Result<(), Failure> {
    let has_member = AssociationType::HasMember.urn();
    let derived = [AssociationType::Xfrm.urn(), AssociationType::Apnd.urn()];
    let relatives = sql::relatives_of(transaction, replacement.target, &derived).await?;
    sql::deprecate(transaction, home, replacement.target).await?;
    // A document that transforms what it replaces stays.
    for (relative, home) in relatives.into_iter().filter(|(relative, _)| *relative != replacement.source) {
        sql::deprecate(transaction, home, relative).await?;
    }
    for membership in sql::memberships_of(transaction, replacement.target, has_member).await? {
        // By the sender, or because the new document replaces another one of that folder.
        let holds_it = sql::memberships_of(transaction, replacement.source, has_member)
            .await?
            .iter()
            .any(|other| other.folder == membership.folder);
        if !holds_it {
            let in_folder = link(membership.folder, replacement.source);
            let in_set = link(submission.submission_set.entry_uuid, in_folder.entry_uuid);
            for association in [in_folder, in_set] {
                let text =
                    Fragment::has_member(association.entry_uuid, association.source, association.target);
                let set = submission.submission_set.entry_uuid;
                sql::add_association(transaction, membership.record, set, &association, &text).await?;
            }
        }
        sql::touch_folder(transaction, membership.record, membership.folder, now).await?;
    }
    Ok(())
}

/// A HasMember that the registry itself makes.
fn link(source: Uuid, target: Uuid) -> Association {
    Association {
        entry_uuid: Uuid::new_v4(),
        association_type: AssociationType::HasMember,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: Vec::new(),
    }
}

/// The record where an object lives that was registered before.
fn home_of(id: Uuid, existing: &[Existing]) -> Option<i64> {
    existing.iter().find(|e| e.entry_uuid == id).map(|e| e.record)
}

fn is_folder(id: Uuid, existing: &[Existing]) -> bool {
    existing.iter().any(|e| e.entry_uuid == id && matches!(e.detail, ExistingDetail::Folder { .. }))
}

/// What the repository read in the CDA headers, by document.
fn header_facts(submission: &ValidSubmission) -> Vec<(Uuid, HeaderFacts)> {
    submission
        .objects()
        .extrinsic_objects
        .iter()
        .filter_map(|object| {
            let entry_uuid = xds::value::parse_uuid_urn(&object.common.id)?;
            let facts = HeaderFacts::from_slots(&object.common.slots);
            (facts != HeaderFacts::default()).then_some((entry_uuid, facts))
        })
        .collect()
}
