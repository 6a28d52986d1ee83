use super::*;
use crate::constants::*;
use crate::ebxml::{self, Common};
use crate::metadata::{AssociationType, ExtraSlot};
use crate::submission::tests::{DOCUMENT, FOLDER, SET, SET_HAS_DOCUMENT, SET_HAS_FOLDER, common, sample};

const REGISTERED: &str = "urn:uuid:00000000-0000-4000-8000-0000000000e1";
const REGISTERED_FOLDER: &str = "urn:uuid:00000000-0000-4000-8000-0000000000e2";
const OTHER: &str = "urn:uuid:00000000-0000-4000-8000-0000000000e3";
const STATUS: &str = "Status01";
const ADDED: &str = "Added01";
const SUBMIT: &str = "Submit01";

const UNDECODABLE: ErrorCode = ErrorCode::XDSMetadataUpdateOperationError;
const REFUSED: ErrorCode = ErrorCode::XDSMetadataUpdateError;
const WRONG: ErrorCode = ErrorCode::XDSRegistryMetadataError;

fn link(id: &str, kind: AssociationType, source: &str, target: &str) -> ebxml::Association {
    ebxml::Association {
        common: Common { id: id.to_owned(), ..Common::default() },
        association_type: kind.urn().to_owned(),
        source_object: source.to_owned(),
        target_object: target.to_owned(),
    }
}

/// One operation of each kind.
fn update() -> SubmitObjects {
    let mut objects = sample();
    objects.associations.retain(|a| [SET_HAS_DOCUMENT, SET_HAS_FOLDER].contains(&a.common.id.as_str()));
    common(&mut objects, DOCUMENT).lid = Some(REGISTERED.to_owned());
    common(&mut objects, FOLDER).lid = Some(REGISTERED_FOLDER.to_owned());
    common(&mut objects, SET_HAS_DOCUMENT).set_slot("PreviousVersion", "1");
    common(&mut objects, SET_HAS_FOLDER).set_slot("PreviousVersion", "3");
    common(&mut objects, SET_HAS_FOLDER).set_slot("AssociationPropagation", "no");
    let mut status = link(STATUS, AssociationType::UpdateAvailabilityStatus, SET, OTHER);
    status.common.set_slot("OriginalStatus", STATUS_APPROVED);
    status.common.set_slot("NewStatus", STATUS_DEPRECATED);
    objects.associations.push(status);
    objects.associations.push(link(ADDED, AssociationType::Apnd, OTHER, REGISTERED));
    objects.associations.push(link(SUBMIT, AssociationType::SubmitAssociation, SET, ADDED));
    objects
}

fn checked(objects: SubmitObjects) -> Result<ValidUpdate, Vec<Finding>> {
    let mut last = 0xf000_0000_0000_4000_8000_0000_0000_0000;
    ValidUpdate::check(objects, &Rules::default(), &mut || {
        last += 1;
        Uuid::from_u128(last)
    })
}

fn association<'a>(objects: &'a mut SubmitObjects, id: &str) -> &'a mut ebxml::Association {
    objects.associations.iter_mut().find(|association| association.common.id == id).unwrap()
}

/// The change leads to one finding and no other, whose sentence begins with `sentence`.
#[track_caller]
fn assert_refused(code: ErrorCode, location: &str, sentence: &str, change: impl FnOnce(&mut SubmitObjects)) {
    let mut objects = update();
    change(&mut objects);
    let findings = checked(objects).map(|_| "accepted").unwrap_err();
    let [finding] = findings.as_slice() else { panic!("not one finding: {findings:#?}") };
    assert_eq!((finding.code, finding.location.as_deref()), (code, Some(location)), "{}", finding.context);
    assert!(finding.context.starts_with(sentence), "{}", finding.context);
}

fn uuid(urn: &str) -> Uuid {
    crate::value::parse_uuid_urn(urn).unwrap()
}

#[test]
fn each_object_triggers_its_operation() {
    let update = checked(update()).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let [document] = update.documents.as_slice() else { panic!("{:#?}", update.documents) };
    assert_eq!((document.logical_id, document.previous_version), (uuid(REGISTERED), 1));
    assert!(document.propagate, "is the rule");
    let [folder] = update.folders.as_slice() else { panic!("{:#?}", update.folders) };
    assert_eq!((folder.logical_id, folder.previous_version), (uuid(REGISTERED_FOLDER), 3));
    assert!(!folder.propagate);
    let [status] = update.statuses.as_slice() else { panic!("{:#?}", update.statuses) };
    assert_eq!(status.target, uuid(OTHER));
    assert_eq!((status.original, status.new), (AvailabilityStatus::Approved, AvailabilityStatus::Deprecated));
    assert_eq!(update.submitted_id(status.asked_by), STATUS);
    let [added] = update.additions.as_slice() else { panic!("{:#?}", update.additions) };
    assert_eq!((added.source, added.target), (uuid(OTHER), uuid(REGISTERED)));
    assert_eq!(update.associations.len(), 5);
    assert!(update.renews(uuid(REGISTERED)) && !update.renews(uuid(OTHER)));
    assert_eq!(update.logical_id_of(document.object.entry_uuid), Some(uuid(REGISTERED)));
}

#[test]
fn a_version_keeps_its_logical_id_in_the_fragment_and_a_first_one_has_its_own() {
    let update = checked(update()).unwrap();
    let id = update.documents[0].object.entry_uuid;
    let fill = crate::fragment::Fill::default();
    let object = update.fragment(id, 4).unwrap().document(&fill).unwrap();
    assert_eq!(object.common.lid.as_deref(), Some(REGISTERED));
    assert_eq!(object.common.version_name.as_deref(), Some("4"));
    let member = update.fragment(update.additions[0].entry_uuid, 1).unwrap();
    let id = Uuid::from_u128(7);
    let copied = member.between(id, uuid(OTHER), uuid(REGISTERED_FOLDER), &mut Uuid::new_v4).unwrap();
    let urn = uuid_urn(id);
    for expected in [
        format!("id=\"{urn}\""),
        format!("lid=\"{urn}\""),
        format!("sourceObject=\"{OTHER}\""),
        format!("targetObject=\"{REGISTERED_FOLDER}\""),
        format!("associationType=\"{}\"", AssociationType::Apnd.urn()),
    ] {
        assert!(copied.as_str().contains(&expected), "{expected} in {}", copied.as_str());
    }
}

#[test]
fn a_copied_association_says_nothing_about_an_update() {
    let mut objects = update();
    objects.associations.push(link("Member", AssociationType::HasMember, SET, ADDED));
    let update = checked(objects).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let with_annotation =
        update.associations.iter().find(|a| update.submitted_id(a.entry_uuid) == SET_HAS_DOCUMENT);
    let fragment = update.fragment(with_annotation.unwrap().entry_uuid, 1).unwrap();
    assert!(fragment.as_str().contains("PreviousVersion"));
    let copied =
        fragment.between(Uuid::from_u128(7), uuid(OTHER), uuid(REGISTERED), &mut Uuid::new_v4).unwrap();
    assert!(!copied.as_str().contains("PreviousVersion"));
    assert!(copied.as_str().contains("SubmissionSetStatus"));
}

#[test]
fn rule_1_an_update_has_one_submission_set() {
    let mut objects = update();
    objects.packages.retain(|package| package.common.id != SET);
    let findings = checked(objects).unwrap_err();
    assert!(findings.iter().any(|f| f.code == WRONG && f.context.contains("exactly one SubmissionSet")));
}

#[test]
fn rule_2_a_first_version_is_not_submitted_by_an_update() {
    let code = ErrorCode::XDSInvalidRequestException;
    assert_refused(code, DOCUMENT, "DocumentEntry: without a logicalID", |o| common(o, DOCUMENT).lid = None);
    assert_refused(code, DOCUMENT, "DocumentEntry: without a logicalID", |o| {
        common(o, DOCUMENT).lid = Some(String::new());
    });
    assert_refused(code, FOLDER, "Folder: without a logicalID", |o| {
        common(o, FOLDER).lid = Some(FOLDER.to_owned());
    });
}

#[test]
fn a_logical_id_is_a_uuid() {
    assert_refused(UNDECODABLE, DOCUMENT, "DocumentEntry.logicalID: ", |o| {
        common(o, DOCUMENT).lid = Some("Document07".to_owned());
    });
}

#[test]
fn rule_9_every_object_has_an_id() {
    let mut objects = update();
    association(&mut objects, SUBMIT).common.id = String::new();
    let findings = checked(objects).unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert!(finding.code == WRONG && finding.context.contains("SubmitAssociation"), "{finding:?}");
}

#[test]
fn rule_13_a_logical_object_gets_one_new_version() {
    let mut objects = update();
    let mut second = objects.extrinsic_objects[0].clone();
    second.common.id = "Document02".into();
    for classification in &mut second.common.classifications {
        classification.classified_object = None;
    }
    for identifier in &mut second.common.external_identifiers {
        identifier.registry_object = None;
        if identifier.identification_scheme == DOCUMENT_ENTRY_UNIQUE_ID {
            identifier.value = "1.2.250.1.999.4.77".into();
        }
    }
    objects.extrinsic_objects.push(second);
    let mut member = link("SetHasDocument02", AssociationType::HasMember, SET, "Document02");
    member.common.set_slot("SubmissionSetStatus", "Original");
    member.common.set_slot("PreviousVersion", "1");
    objects.associations.push(member);
    let findings = checked(objects).unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((finding.code, finding.location.as_deref()), (REFUSED, Some("Document02")));
}

#[test]
fn rule_14_an_object_gets_one_new_status() {
    assert_refused(REFUSED, "Status02", "a second change of status", |o| {
        let mut second = association(o, STATUS).clone();
        second.common.id = "Status02".to_owned();
        o.associations.push(second);
    });
}

#[test]
fn the_has_member_of_a_new_version_says_which_one_it_follows() {
    for value in ["0", "one", "-1", "1.1", "99999999999"] {
        assert_refused(UNDECODABLE, SET_HAS_DOCUMENT, "PreviousVersion: ", |o| {
            common(o, SET_HAS_DOCUMENT).set_slot("PreviousVersion", value);
        });
    }
    assert_refused(UNDECODABLE, SET_HAS_DOCUMENT, "PreviousVersion: needs one value, 0 were sent", |o| {
        common(o, SET_HAS_DOCUMENT).slots.retain(|slot| slot.name != "PreviousVersion");
    });
    assert_refused(UNDECODABLE, SET_HAS_FOLDER, "PreviousVersion: needs one value, 2 were sent", |o| {
        let slots = &mut common(o, SET_HAS_FOLDER).slots;
        slots.iter_mut().filter(|s| s.name == "PreviousVersion").for_each(|s| s.values.push("4".into()));
    });
    assert_refused(UNDECODABLE, SET_HAS_DOCUMENT, "AssociationPropagation: ", |o| {
        common(o, SET_HAS_DOCUMENT).set_slot("AssociationPropagation", "true");
    });
    assert_refused(UNDECODABLE, SET_HAS_DOCUMENT, "NewStatus: does not belong", |o| {
        common(o, SET_HAS_DOCUMENT).set_slot("NewStatus", STATUS_DEPRECATED);
    });
    assert_refused(UNDECODABLE, DOCUMENT, "DocumentEntry: needs exactly one HasMember", |o| {
        o.associations.retain(|a| a.common.id != SET_HAS_DOCUMENT);
    });
    assert_refused(WRONG, SET_HAS_DOCUMENT, "SubmissionSetStatus: must be Original", |o| {
        common(o, SET_HAS_DOCUMENT).slots.retain(|slot| slot.name != "SubmissionSetStatus");
    });
}

#[test]
fn a_change_of_status_says_from_what_to_what() {
    for name in ["OriginalStatus", "NewStatus"] {
        assert_refused(UNDECODABLE, STATUS, &format!("{name}: needs one value"), |o| {
            common(o, STATUS).slots.retain(|slot| slot.name != name);
        });
        assert_refused(UNDECODABLE, STATUS, &format!("{name}: \"Approved\""), |o| {
            common(o, STATUS).set_slot(name, "Approved");
        });
    }
    assert_refused(UNDECODABLE, STATUS, "NewStatus: is the same", |o| {
        common(o, STATUS).set_slot("NewStatus", STATUS_APPROVED);
    });
    assert_refused(UNDECODABLE, STATUS, "PreviousVersion: does not belong", |o| {
        common(o, STATUS).set_slot("PreviousVersion", "1");
    });
    assert_refused(UNDECODABLE, STATUS, "UpdateAvailabilityStatus: sourceObject", |o| {
        association(o, STATUS).source_object = REGISTERED.to_owned();
    });
    assert_refused(UNDECODABLE, STATUS, "UpdateAvailabilityStatus: targetObject", |o| {
        association(o, STATUS).target_object = SET.to_owned();
    });
}

#[test]
fn an_association_is_added_by_one_submit_association() {
    assert_refused(UNDECODABLE, ADDED, "APND: in an update it needs exactly one SubmitAssociation", |o| {
        o.associations.retain(|a| a.common.id != SUBMIT);
    });
    assert_refused(UNDECODABLE, ADDED, "APND: in an update it needs exactly one SubmitAssociation", |o| {
        o.associations.push(link("Submit02", AssociationType::SubmitAssociation, SET, ADDED));
    });
    assert_refused(UNDECODABLE, "Submit02", "SubmitAssociation: targetObject", |o| {
        o.associations.push(link("Submit02", AssociationType::SubmitAssociation, SET, OTHER));
    });
    assert_refused(UNDECODABLE, "Submit02", "SubmitAssociation: targetObject", |o| {
        o.associations.push(link("Submit02", AssociationType::SubmitAssociation, SET, STATUS));
    });
    assert_refused(UNDECODABLE, SUBMIT, "SubmitAssociation: sourceObject", |o| {
        association(o, SUBMIT).source_object = OTHER.to_owned();
    });
    assert_refused(UNDECODABLE, SUBMIT, "NewStatus: does not belong", |o| {
        common(o, SUBMIT).set_slot("NewStatus", STATUS_APPROVED);
    });
    assert_refused(REFUSED, ADDED, "APND: both its ends must be registered already", |o| {
        association(o, ADDED).source_object = DOCUMENT.to_owned();
    });
    assert_refused(REFUSED, ADDED, "APND: joins an object to itself", |o| {
        association(o, ADDED).target_object = OTHER.to_owned();
    });
    assert_refused(UNDECODABLE, ADDED, "PreviousVersion: does not belong", |o| {
        common(o, ADDED).set_slot("PreviousVersion", "1");
    });
}

#[test]
fn the_submission_set_of_an_update_holds_what_is_new_in_it() {
    assert_refused(UNDECODABLE, "Reference", "HasMember: from the SubmissionSet", |o| {
        let mut reference = link("Reference", AssociationType::HasMember, SET, OTHER);
        reference.common.set_slot("SubmissionSetStatus", "Reference");
        o.associations.push(reference);
    });
}

#[test]
fn a_submission_set_alone_updates_nothing() {
    let mut objects = update();
    objects.extrinsic_objects.clear();
    objects.packages.retain(|package| package.common.id == SET);
    objects.associations.clear();
    let findings = checked(objects).unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((finding.code, finding.location.as_deref()), (UNDECODABLE, Some(SET)));
}

#[test]
fn objects_are_held_against_the_rules_of_a_submission() {
    assert_refused(WRONG, DOCUMENT, "DocumentEntry.languageCode: required", |o| {
        common(o, DOCUMENT).slots.retain(|slot| slot.name != "languageCode");
    });
    assert_refused(ErrorCode::XDSRegistryDuplicateUniqueIdInMessage, DOCUMENT, "the uniqueId ", |o| {
        let taken = common(o, SET).external_identifier(SUBMISSION_SET_UNIQUE_ID).unwrap().to_owned();
        let identifiers = &mut common(o, DOCUMENT).external_identifiers;
        let unique_id = identifiers.iter_mut().find(|e| e.identification_scheme == DOCUMENT_ENTRY_UNIQUE_ID);
        unique_id.unwrap().value = taken;
    });
}

#[test]
fn a_patient_may_differ_since_versions_are_compared_when_all_is_done() {
    let mut objects = update();
    let identifiers = &mut common(&mut objects, DOCUMENT).external_identifiers;
    let patient = identifiers.iter_mut().find(|e| e.identification_scheme == DOCUMENT_ENTRY_PATIENT_ID);
    patient.unwrap().value = "180015678901234^^^&1.2.250.1.213.1.4.10&ISO^NH".to_owned();
    assert!(checked(objects).is_ok());
}

#[test]
fn the_slots_of_an_update_are_no_extra_metadata() {
    let update = checked(update()).unwrap();
    assert!(update.associations.iter().all(|a| a.extra == Vec::<ExtraSlot>::new()));
}

/// The example of the supplement, where the samples are.
#[test]
fn the_example_of_an_update_is_understood() {
    let Some(folder) = std::env::var_os("CARNET_CORPUS") else { return };
    let path = std::path::Path::new(&folder).join("schemas/ihe-iti-info/examples/MU/example01/update.xml");
    let text = std::fs::read_to_string(path).unwrap();
    let document = xml::Document::parse(&text, &xml::Limits::default()).unwrap();
    let update = checked(SubmitObjects::read(document.root()).unwrap());
    let update = update.unwrap_or_else(|findings| panic!("{findings:#?}"));
    let [document] = update.documents.as_slice() else { panic!("{update:#?}") };
    assert_eq!(document.previous_version, 1);
    assert_eq!(uuid_urn(document.logical_id), "urn:uuid:20744602-ba65-44e9-87ee-a52303a5183e");
}

#[test]
fn only_the_shared_record_knows_archived_and_deleted_documents() {
    use crate::affinity::{AffinityDomain, Profile};
    for status in [STATUS_ARCHIVED, STATUS_DELETED] {
        let mut objects = update();
        common(&mut objects, STATUS).set_slot("NewStatus", status);
        let findings = checked(objects.clone()).unwrap_err();
        assert!(findings[0].context.starts_with("NewStatus: \"urn:asip:"), "{findings:#?}");
        let affinity = std::sync::Arc::new(AffinityDomain::of(Profile::CiSis));
        let rules = Rules { affinity, ..Rules::default() };
        let mut last = 0xf000_0000_0000_4000_8000_0000_0000_0000;
        let found = ValidUpdate::check(objects, &rules, &mut || {
            last += 1;
            Uuid::from_u128(last)
        });
        let told = |findings: Vec<Finding>| findings.into_iter().any(|f| f.context.starts_with("NewStatus"));
        assert!(!found.is_err_and(told), "{status}");
    }
}
