//! What is accepted, and what becomes of its ids.

use super::*;
use crate::constants::*;
use crate::ebxml::Classification;
use crate::value::parse_uuid_urn;

fn commons(objects: &SubmitObjects) -> Vec<&Common> {
    let documents = objects.extrinsic_objects.iter().map(|o| &o.common);
    let packages = objects.packages.iter().map(|o| &o.common);
    documents.chain(packages).chain(objects.associations.iter().map(|o| &o.common)).collect()
}

fn inner_ids(objects: &SubmitObjects) -> Vec<Option<&str>> {
    commons(objects)
        .into_iter()
        .flat_map(|common| {
            let classifications = common.classifications.iter().map(|c| c.id.as_deref());
            classifications.chain(common.external_identifiers.iter().map(|e| e.id.as_deref()))
        })
        .collect()
}

#[test]
fn typed_values_come_back_from_the_wire_form_unchanged() {
    let submission = checked(with_uuids()).unwrap();
    assert_eq!(submission.documents, [document()]);
    assert_eq!(submission.submission_set, submission_set());
    assert_eq!(submission.folders, [folder()]);
    assert_eq!(submission.associations, associations());
    assert_eq!(submission.warnings, []);
}

#[test]
fn submitted_uuids_are_kept() {
    let submission = checked(with_uuids()).unwrap();
    let ids: Vec<String> = commons(submission.objects()).iter().map(|common| common.id.clone()).collect();
    assert_eq!(ids, commons(&with_uuids()).iter().map(|common| common.id.clone()).collect::<Vec<_>>());
    assert_eq!(submission.submitted_id(uuid_of(DOCUMENT)), uuid_urn(uuid_of(DOCUMENT)));
}

#[test]
fn a_symbolic_id_becomes_the_same_uuid_everywhere() {
    let submission = assert_accepted(|objects| {
        let entry = common(objects, DOCUMENT);
        entry.classifications.iter_mut().for_each(|c| c.classified_object = Some(DOCUMENT.into()));
        entry.external_identifiers.iter_mut().for_each(|e| e.registry_object = Some(DOCUMENT.into()));
        entry.lid = Some(DOCUMENT.into());
    });
    let (entry, folder) = (submission.documents[0].entry_uuid, submission.folders[0].entry_uuid);
    let set = submission.submission_set.entry_uuid;
    let [set_document, set_folder, folder_document, set_membership] = submission.associations.as_slice()
    else {
        panic!("{:?}", submission.associations)
    };
    assert_eq!((set_document.source, set_document.target), (set, entry));
    assert_eq!((set_folder.source, set_folder.target), (set, folder));
    assert_eq!((folder_document.source, folder_document.target), (folder, entry));
    assert_eq!((set_membership.source, set_membership.target), (set, folder_document.entry_uuid));
    let wire = &submission.objects().extrinsic_objects[0].common;
    let urn = uuid_urn(entry);
    assert_eq!((&wire.id, wire.lid.as_ref()), (&urn, Some(&urn)));
    assert!(wire.classifications.iter().all(|c| c.classified_object.as_ref() == Some(&urn)));
    assert!(wire.external_identifiers.iter().all(|e| e.registry_object.as_ref() == Some(&urn)));
    assert_eq!(submission.submitted_id(entry), DOCUMENT);
    assert_eq!(submission.submitted_id(set_membership.entry_uuid), SET_HAS_MEMBERSHIP);
}

#[test]
fn every_object_has_a_uuid_of_its_own() {
    let submission = checked(sample()).unwrap();
    let objects = submission.objects();
    let mut ids = inner_ids(objects);
    ids.extend(commons(objects).iter().map(|common| Some(common.id.as_str())));
    let count = ids.len();
    let mut uuids: Vec<Uuid> = ids.into_iter().filter_map(|id| parse_uuid_urn(id?)).collect();
    assert_eq!(uuids.len(), count, "an id is missing or no UUID");
    uuids.sort_unstable();
    uuids.dedup();
    assert_eq!(uuids.len(), count, "an id is there twice");
}

#[test]
fn inner_ids_are_kept_when_they_are_uuids_and_filled_when_they_are_not() {
    let own = "urn:uuid:ABCDEFAB-0000-4000-8000-000000000001";
    let submission = assert_accepted(|objects| {
        let inner = &mut common(objects, DOCUMENT).classifications;
        (inner[0].id, inner[1].id, inner[2].id) = (Some(own.into()), None, Some(String::new()));
        common(objects, FOLDER).external_identifiers.iter_mut().for_each(|e| e.id = None);
    });
    assert_eq!(inner_ids(submission.objects())[0], Some(own.to_lowercase().as_str()));
    assert!(inner_ids(submission.objects()).iter().all(|id| id.and_then(parse_uuid_urn).is_some()));
}

#[test]
fn upper_case_uuids_become_lower_case() {
    let upper = "urn:uuid:ABCDEFAB-0000-4000-8000-000000000001";
    let elsewhere = "urn:uuid:ABCDEFAB-0000-4000-8000-000000000002";
    let mut objects = renamed(sample(), DOCUMENT, upper);
    common(&mut objects, upper).classifications[0].classified_object = Some(upper.into());
    objects.associations.push(wire("Replacement", AssociationType::Rplc, upper, elsewhere));
    let submission = checked(objects).unwrap();
    let wire = submission.objects();
    assert_eq!(wire.extrinsic_objects[0].common.id, upper.to_lowercase());
    assert_eq!(wire.associations[0].target_object, upper.to_lowercase());
    let replacement = wire.associations.last().unwrap();
    assert_eq!(replacement.source_object, upper.to_lowercase());
    assert_eq!(replacement.target_object, elsewhere.to_lowercase());
    assert_eq!(submission.submitted_id(submission.documents[0].entry_uuid), upper);
}

#[test]
fn an_association_without_id_gets_one() {
    let submission = assert_accepted(|objects| {
        association(objects, SET_HAS_DOCUMENT).common.id.clear();
        association(objects, SET_HAS_FOLDER).common.id.clear();
    });
    let ids: Vec<Uuid> = submission.associations.iter().map(|association| association.entry_uuid).collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_hash_is_read_in_either_case() {
    let submission = assert_accepted(|objects| {
        common(objects, DOCUMENT).set_slot("hash", document().hash.unwrap().to_uppercase())
    });
    assert_eq!(submission.documents[0].hash, document().hash);
}

#[test]
fn a_registered_document_may_be_referenced() {
    let submission = assert_accepted(|objects| {
        let mut reference = wire("Reference", AssociationType::HasMember, SET, ELSEWHERE);
        reference.common.set_slot("SubmissionSetStatus", "Reference");
        objects.associations.push(reference);
    });
    let reference = submission.associations.last().unwrap();
    assert_eq!(reference.submission_set_status, Some(SubmissionSetStatus::Reference));
}

/// The signed submission of the DMP: inner objects name no owner, an author has no code or an empty one, the
/// patientId carries the date of its assignment, and the signature signs the whole SubmissionSet.
#[test]
fn the_submission_of_the_dmp_is_accepted() {
    const SIGNATURE: &str = "Signature01";
    let mut objects = sample();
    let change = |objects: &mut SubmitObjects| {
        add_document(objects, SIGNATURE, "1.2.250.1.999.4.8");
        for id in [DOCUMENT, SIGNATURE] {
            common(objects, id).set_slot(
                "legalAuthenticator",
                "801234567897^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
            );
        }
        objects.associations.push(wire("assoc9", AssociationType::Signs, SIGNATURE, SET));
        let documents = objects.extrinsic_objects.iter_mut().map(|o| &mut o.common);
        for common in documents.chain(objects.packages.iter_mut().map(|o| &mut o.common)) {
            common.status = None;
            common.classifications.iter_mut().for_each(|c| c.classified_object = None);
            common.external_identifiers.iter_mut().for_each(|e| e.registry_object = None);
        }
        let is_author = |c: &&mut Classification| c.scheme.as_deref() == Some(DOCUMENT_ENTRY_AUTHOR);
        let authors = objects
            .extrinsic_objects
            .iter_mut()
            .flat_map(|o| &mut o.common.classifications)
            .filter(is_author);
        for (author, representation) in authors.zip([None, Some(String::new())]) {
            author.node_representation = representation;
            author.slots.retain(|slot| slot.name != "authorRole");
        }
        let dated = format!("{PATIENT}^^20100907");
        for identifier in &mut common(objects, DOCUMENT).external_identifiers {
            if identifier.identification_scheme == DOCUMENT_ENTRY_PATIENT_ID {
                identifier.value.clone_from(&dated);
            }
        }
        for name in &mut common(objects, DOCUMENT).name {
            (name.lang, name.charset) = (Some("FR".into()), Some("UTF8".into()));
        }
        objects.associations.iter_mut().for_each(|association| association.common.object_type = None);
    };
    change(&mut objects);
    let submission = checked_by(objects, &super::ci_sis::national()).unwrap_or_else(|f| panic!("{f:#?}"));
    let entry = &submission.documents[0];
    assert_eq!(entry.patient_id.text, "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH^^20100907");
    assert_eq!(entry.patient_id, submission.submission_set.patient_id);
    let signs = submission.associations.last().unwrap();
    assert_eq!(
        (signs.source, signs.target),
        (submission.documents[1].entry_uuid, submission.submission_set.entry_uuid)
    );
    let wire = submission.objects();
    let urn = uuid_urn(entry.entry_uuid);
    assert!(
        wire.extrinsic_objects[0]
            .common
            .classifications
            .iter()
            .all(|c| c.classified_object.as_ref() == Some(&urn))
    );
}

#[test]
fn an_empty_home_counts_as_none() {
    let submission = assert_accepted(|objects| common(objects, DOCUMENT).home = Some(String::new()));
    assert_eq!(submission.documents[0].home_community_id, None);
}
