use xds::fragment::Fragment;

use super::*;
use crate::sql::{Detail, Instance};

const APND: AssociationType = AssociationType::Apnd;
const MEMBER: AssociationType = AssociationType::HasMember;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn instance(logical: u128, number: i32) -> Instance {
    Instance { logical_id: id(logical), number, unique_id: "1.2".into(), patient_id: "1^^^&1.2&ISO".into() }
}

fn stored(number: u128, status: AvailabilityStatus, detail: Detail) -> Stored {
    Stored { entry_uuid: id(number), record: 1, status, detail }
}

/// A document by its number; its first version has the number of the hundred.
fn document(number: u128, status: AvailabilityStatus) -> Stored {
    let version = instance(number / 100 * 100, i32::try_from(number % 100).unwrap() + 1);
    stored(number, status, Detail::DocumentEntry { version, on_demand: false })
}

fn folder(number: u128, status: AvailabilityStatus) -> Stored {
    stored(number, status, Detail::Folder { version: instance(number, 1) })
}

fn link(association_type: AssociationType, source: u128, target: u128) -> Joining {
    let fragment = Fragment::has_member(id(1), id(source), id(target));
    Joining { association_type, source: id(source), target: id(target), fragment }
}

fn renewal(previous: u128, new: u128, propagate: bool) -> Renewal {
    Renewal { previous: id(previous), new: id(new), propagate }
}

fn state() -> State {
    use AvailabilityStatus::{Approved, Deprecated};
    State::of(vec![
        document(100, Approved),
        document(200, Deprecated),
        document(201, Approved),
        document(300, Deprecated),
        folder(900, Approved),
        folder(901, Deprecated),
        stored(800, Approved, Detail::SubmissionSet { patient_id: "1^^^&1.2&ISO".into() }),
    ])
}

/// Source and target of each copy.
fn planned(links: &[Joining], renewals: &[Renewal]) -> Result<Vec<(u128, u128)>, Vec<Disagreement>> {
    let copies = plan(links, renewals, &state())?;
    Ok(copies.iter().map(|copy| (copy.source.as_u128(), copy.target.as_u128())).collect())
}

#[test]
fn a_document_goes_on_in_approved_folders_only() {
    let links = [link(MEMBER, 900, 100), link(MEMBER, 901, 100)];
    assert_eq!(planned(&links, &[renewal(100, 101, true)]), Ok(vec![(900, 101)]));
}

#[test]
fn a_folder_goes_on_with_approved_documents_only() {
    let links = [link(MEMBER, 900, 100), link(MEMBER, 900, 300)];
    assert_eq!(planned(&links, &[renewal(900, 902, true)]), Ok(vec![(902, 100)]));
}

#[test]
fn a_deprecated_document_that_is_renewed_stays_in_its_folder() {
    let links = [link(MEMBER, 900, 300)];
    assert_eq!(planned(&links, &[renewal(300, 301, true)]), Ok(vec![(900, 301)]));
}

#[test]
fn what_a_submission_set_holds_is_not_taken_over() {
    let links = [link(MEMBER, 800, 100), link(AssociationType::UpdateAvailabilityStatus, 800, 100)];
    assert_eq!(planned(&links, &[renewal(100, 101, true)]), Ok(vec![]));
}

#[test]
fn a_relationship_is_taken_over_at_either_end_whatever_the_other_s_status() {
    let links = [link(APND, 100, 300), link(APND, 300, 100)];
    assert_eq!(planned(&links, &[renewal(100, 101, true)]), Ok(vec![(101, 300), (300, 101)]));
}

#[test]
fn nothing_is_taken_over_when_the_sender_says_so() {
    let links = [link(APND, 100, 201), link(MEMBER, 900, 100)];
    assert_eq!(planned(&links, &[renewal(100, 101, false)]), Ok(vec![]));
}

#[test]
fn one_association_joins_two_new_versions() {
    let links = [link(APND, 100, 201)];
    let renewals = [renewal(100, 101, true), renewal(201, 202, true)];
    assert_eq!(planned(&links, &renewals), Ok(vec![(101, 202)]));
    let renewals = [renewal(100, 101, false), renewal(201, 202, false)];
    assert_eq!(planned(&links, &renewals), Ok(vec![]));
}

#[test]
fn two_renewals_that_disagree_are_told() {
    let renewals = [renewal(100, 101, true), renewal(201, 202, false)];
    let disagreement = Disagreement { source: id(101), target: id(202) };
    assert_eq!(planned(&[link(APND, 100, 201)], &renewals), Err(vec![disagreement]));
}

#[test]
fn of_the_versions_at_the_other_end_only_the_newest_is_linked_again() {
    for links in [[link(APND, 100, 200), link(APND, 100, 201)], [link(APND, 100, 201), link(APND, 100, 200)]]
    {
        assert_eq!(planned(&links, &[renewal(100, 101, true)]), Ok(vec![(101, 201)]));
    }
    let other_type = [link(APND, 100, 200), link(AssociationType::Xfrm, 100, 201)];
    assert_eq!(planned(&other_type, &[renewal(100, 101, true)]), Ok(vec![(101, 200), (101, 201)]));
}
