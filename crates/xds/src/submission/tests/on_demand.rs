//! What ITI-61 asks of documents that do not exist yet (V20, V24, V25).

use super::*;
use crate::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE};
use crate::rules::Rule;

/// The good submission with an On-Demand document in place of the Stable one.
fn on_demand() -> SubmitObjects {
    let mut objects = sample();
    let common = &mut objects.extrinsic_objects[0].common;
    common.object_type = Some(DOCUMENT_ENTRY_ON_DEMAND.to_owned());
    common.slots.retain(|slot| !["creationTime", "hash", "size"].contains(&slot.name.as_str()));
    objects
}

fn wrong(objects: SubmitObjects) -> Vec<(Option<Rule>, String)> {
    let findings = checked_in(Transaction::Iti61, objects, &Rules::default()).unwrap_err();
    findings.into_iter().map(|finding| (finding.rule, finding.context)).collect()
}

#[test]
fn v24_on_demand_documents_come_by_iti_61_and_stable_ones_do_not() {
    let submission = checked_in(Transaction::Iti61, on_demand(), &Rules::default()).unwrap();
    assert_eq!(submission.documents[0].document_type, DocumentType::OnDemand);
    assert_eq!(submission.documents[0].creation_time, None);
    assert!(checked(on_demand()).is_err());
    let [(rule, context)] = &wrong(sample())
        .into_iter()
        .filter(|(_, context)| context.contains("objectType"))
        .collect::<Vec<_>>()[..]
    else {
        panic!("one finding about the type is expected")
    };
    assert_eq!(*rule, Some(Rule::V24));
    assert!(context.contains("ITI-42"), "{context}");
}

#[test]
fn v25_what_is_made_later_has_neither_time_nor_digest_now() {
    let values =
        [("creationTime", "20240229"), ("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("size", "0")];
    for (name, value) in values {
        let mut objects = on_demand();
        objects.extrinsic_objects[0].common.set_slot(name, value);
        let [(rule, context)] = &wrong(objects)[..] else { panic!("{name}: one finding is expected") };
        assert_eq!(*rule, Some(Rule::V25));
        assert!(context.contains(name), "{context}");
    }
    let mut objects = on_demand();
    values.iter().for_each(|(name, value)| objects.extrinsic_objects[0].common.set_slot(name, *value));
    assert_eq!(wrong(objects).len(), 3, "each is reported");
}

#[test]
fn v20_only_a_stable_document_is_a_snapshot() {
    let snapshot = |objects: &mut SubmitObjects| {
        objects.associations.push(wire("Snapshot", AssociationType::IsSnapshotOf, DOCUMENT, ELSEWHERE));
    };
    let mut objects = on_demand();
    snapshot(&mut objects);
    let [(rule, context)] = &wrong(objects)[..] else { panic!("one finding is expected") };
    assert_eq!(*rule, Some(Rule::V20));
    assert!(context.contains("Stable"), "{context}");
    let mut stable = sample();
    assert_eq!(stable.extrinsic_objects[0].common.object_type.as_deref(), Some(DOCUMENT_ENTRY_STABLE));
    snapshot(&mut stable);
    checked(stable).unwrap();
}

#[test]
fn an_on_demand_document_may_replace_a_registered_one() {
    let mut objects = on_demand();
    objects.associations.push(wire("Replaces", AssociationType::Rplc, DOCUMENT, ELSEWHERE));
    checked_in(Transaction::Iti61, objects, &Rules::default()).unwrap();
}
