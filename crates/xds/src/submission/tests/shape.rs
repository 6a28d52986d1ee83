//! The objects together: V1, V9, V14, V16, V17, V20 to V24, and the shape of a submission (TF-3 §4.1.4).

use super::*;
use crate::constants::*;
use crate::ebxml::Classification;

const OTHER_PATIENT: &str = "180015678901234^^^&1.2.250.1.213.1.4.10&ISO^NH";

fn mark(node: &str) -> Classification {
    Classification { node: Some(node.into()), ..Classification::default() }
}

/// Sets the value of every identifier of that scheme.
fn identify(objects: &mut SubmitObjects, id: &str, scheme: &str, value: &str) {
    let identifiers = &mut common(objects, id).external_identifiers;
    identifiers.iter_mut().filter(|e| e.identification_scheme == scheme).for_each(|e| e.value = value.into());
}

#[test]
fn v1_a_submission_has_a_submission_set() {
    assert_broken(Rule::V1, None, "a submission has exactly one SubmissionSet, this one has 0", |objects| {
        objects.packages.retain(|package| package.common.id != SET);
        objects.associations.retain(|association| association.source_object != SET);
    });
}

#[test]
fn v1_a_submission_has_no_second_submission_set() {
    assert_broken(Rule::V1, None, "a submission has exactly one SubmissionSet, this one has 2", |objects| {
        let mut second = submission_set();
        second.unique_id = "1.2.250.1.999.4.9".into();
        let mut package = second.to_ebxml();
        package.common.id = "SubmissionSet02".into();
        objects.packages.push(package);
    });
}

#[test]
fn v1_a_package_is_a_submission_set_or_a_folder() {
    let sentence = "RegistryPackage: needs one Classification that marks it as SubmissionSet or as Folder";
    let mut package = folder().to_ebxml();
    package.common.id = "Package01".into();
    let mut unmarked = package.clone();
    unmarked.common.classifications.retain(|classification| classification.node.is_none());
    assert_broken(Rule::V1, "Package01", sentence, |objects| objects.packages.push(unmarked));
    package.common.classifications.push(mark(SUBMISSION_SET_NODE));
    assert_broken(Rule::V1, "Package01", sentence, |objects| objects.packages.push(package));
}

#[test]
fn v9_all_objects_are_of_one_patient() {
    assert_broken(Rule::V9, DOCUMENT, "DocumentEntry.patientId ", |objects| {
        identify(objects, DOCUMENT, DOCUMENT_ENTRY_PATIENT_ID, OTHER_PATIENT);
    });
    assert_broken(Rule::V9, FOLDER, "Folder.patientId ", |objects| {
        identify(objects, FOLDER, FOLDER_PATIENT_ID, OTHER_PATIENT);
    });
    let other_authority = "279035121518989^^^&1.2.250.1.213.1.4.8&ISO^NH";
    assert_broken(Rule::V9, DOCUMENT, "DocumentEntry.patientId ", |objects| {
        identify(objects, DOCUMENT, DOCUMENT_ENTRY_PATIENT_ID, other_authority);
    });
}

#[test]
fn v14_no_unique_id_is_there_twice() {
    let DocumentEntry { unique_id, .. } = document();
    let sentence = format!("the uniqueId {unique_id} is there twice");
    assert_broken(Rule::V14, "Document02", &sentence, |objects| {
        add_document(objects, "Document02", &unique_id)
    });
    // Packages come first, so the document is the one that repeats.
    assert_broken(Rule::V14, DOCUMENT, &sentence, |objects| {
        identify(objects, FOLDER, FOLDER_UNIQUE_ID, &unique_id)
    });
    assert_broken(Rule::V14, DOCUMENT, &sentence, |objects| {
        identify(objects, SET, SUBMISSION_SET_UNIQUE_ID, &unique_id)
    });
}

#[test]
fn v14_unique_ids_that_are_missing_are_not_the_same() {
    let findings = findings_after(|objects| {
        identify(objects, SET, SUBMISSION_SET_UNIQUE_ID, "");
        identify(objects, FOLDER, FOLDER_UNIQUE_ID, "");
    });
    let contexts: Vec<&str> = findings.iter().map(|finding| finding.context.as_str()).collect();
    assert_eq!(
        contexts,
        ["SubmissionSet.uniqueId: required, and missing", "Folder.uniqueId: required, and missing"]
    );
}

#[test]
fn v9_and_v14_are_found_whatever_else_is_wrong_with_the_object() {
    let findings = findings_after(|objects| {
        common(objects, DOCUMENT).set_slot("hash", "da39");
        identify(objects, DOCUMENT, DOCUMENT_ENTRY_PATIENT_ID, OTHER_PATIENT);
        identify(objects, DOCUMENT, DOCUMENT_ENTRY_UNIQUE_ID, &folder().unique_id);
    });
    let rules: Vec<Rule> = findings.iter().filter_map(|finding| finding.rule).collect();
    let expected = [Rule::V3, Rule::V9, Rule::V14];
    assert_eq!(rules, expected, "{findings:#?}");
}

#[test]
fn v16_no_id_is_there_twice() {
    let sentence = "the id \"SetHasFolder\" is used by two objects of the submission";
    assert_broken(Rule::V16, SET_HAS_FOLDER, sentence, |objects| {
        association(objects, SET_HAS_DOCUMENT).common.id = SET_HAS_FOLDER.into();
    });
}

#[test]
fn v16_the_case_of_a_uuid_makes_no_other_id() {
    let uuid = "urn:uuid:abcdefab-0000-4000-8000-000000000001";
    let upper = "urn:uuid:ABCDEFAB-0000-4000-8000-000000000001";
    let objects = renamed(renamed(sample(), SET_HAS_FOLDER, uuid), SET_HAS_DOCUMENT, upper);
    let findings = checked(objects).unwrap_err();
    let context = format!("the id \"{upper}\" is used by two objects of the submission");
    let contexts: Vec<&str> = findings.iter().map(|finding| finding.context.as_str()).collect();
    let other_order = context.replace(upper, uuid);
    assert!(contexts == [context.as_str()] || contexts == [other_order.as_str()], "{findings:#?}");
}

#[test]
fn v17_an_association_end_is_here_or_a_uuid() {
    for (wrong_end, name) in
        [("Document9", "targetObject"), ("urn:uuid:9", "targetObject"), ("Folder9", "sourceObject")]
    {
        let sentence = format!("Association.{name}: \"{wrong_end}\" is no object of this submission");
        assert_broken(Rule::V17, "Extra", &sentence, |objects| {
            let (source, target) =
                if name == "sourceObject" { (wrong_end, DOCUMENT) } else { (SET, wrong_end) };
            objects.associations.push(wire("Extra", AssociationType::HasMember, source, target));
        });
    }
}

#[test]
fn v17_a_relationship_comes_from_a_document_of_this_submission() {
    for source in [SET, FOLDER, SET_HAS_DOCUMENT, ELSEWHERE] {
        assert_broken(
            Rule::V17,
            "Relation",
            "APND: sourceObject must be a document of this submission",
            |objects| {
                objects.associations.push(wire("Relation", AssociationType::Apnd, source, ELSEWHERE));
            },
        );
    }
}

#[test]
fn v17_a_relationship_leads_to_a_document() {
    for target in [SET, FOLDER, SET_HAS_DOCUMENT] {
        assert_broken(Rule::V17, "Relation", "XFRM: targetObject must be a document", |objects| {
            objects.associations.push(wire("Relation", AssociationType::Xfrm, DOCUMENT, target));
        });
    }
}

#[test]
fn v17_what_is_replaced_is_registered_already() {
    use AssociationType::{IsSnapshotOf, Rplc, XfrmRplc};
    for (kind, name) in [(Rplc, "RPLC"), (XfrmRplc, "XFRM_RPLC"), (IsSnapshotOf, "IsSnapshotOf")] {
        let sentence = format!("{name}: targetObject must be a document that is registered already");
        assert_broken(Rule::V17, "Relation", &sentence, |objects| {
            add_document(objects, "Document02", "1.2.250.1.999.4.7");
            objects.associations.push(wire("Relation", kind, "Document02", DOCUMENT));
        });
        assert_accepted(|objects| objects.associations.push(wire("Relation", kind, DOCUMENT, ELSEWHERE)));
    }
}

#[test]
fn v17_documents_of_one_submission_may_be_related() {
    use AssociationType::{Apnd, Signs, Xfrm};
    for kind in [Apnd, Xfrm, Signs] {
        assert_accepted(|objects| {
            add_document(objects, "Document02", "1.2.250.1.999.4.7");
            objects.associations.push(wire("Relation", kind, "Document02", DOCUMENT));
        });
    }
}

#[test]
fn v17_a_snapshot_comes_from_a_document_of_this_submission() {
    assert_broken(Rule::V17, "Relation", "IsSnapshotOf: sourceObject ", |objects| {
        objects.associations.push(wire("Relation", AssociationType::IsSnapshotOf, FOLDER, ELSEWHERE));
    });
}

#[test]
fn v21_an_association_type_is_one_of_a_submission() {
    for sent in ["HasMember", "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus", "urn:example:type"]
    {
        let sentence =
            format!("Association.associationType: \"{sent}\" is not a type that may be submitted here");
        assert_broken(Rule::V21, "Relation", &sentence, |objects| {
            let mut relation = wire("Relation", AssociationType::Apnd, DOCUMENT, ELSEWHERE);
            relation.association_type = sent.into();
            objects.associations.push(relation);
        });
    }
}

#[test]
fn v21_membership_is_of_the_right_kinds() {
    for (source, target) in
        [(FOLDER, FOLDER), (FOLDER, SET), (SET, SET), (DOCUMENT, ELSEWHERE), (SET_HAS_DOCUMENT, DOCUMENT)]
    {
        assert_broken(Rule::V21, "Extra", "HasMember: wrong kind of object at one of its ends", |objects| {
            objects.associations.push(wire("Extra", AssociationType::HasMember, source, target));
        });
    }
}

#[test]
fn v21_a_submission_set_holds_of_associations_only_memberships_of_folders() {
    assert_broken(
        Rule::V21,
        "Extra",
        "HasMember: of the associations, a SubmissionSet holds only those of a Folder",
        |objects| {
            objects.associations.push(wire("Extra", AssociationType::HasMember, SET, SET_HAS_DOCUMENT));
        },
    );
}

#[test]
fn v21_a_new_version_is_no_submission() {
    for lid in [ELSEWHERE, "Document99"] {
        for id in [DOCUMENT, FOLDER] {
            assert_broken(Rule::V21, id, "logicalID: differs from the id", |objects| {
                common(objects, id).lid = Some(lid.into())
            });
        }
    }
    for lid in [DOCUMENT, ""] {
        assert_accepted(|objects| common(objects, DOCUMENT).lid = Some(lid.into()));
    }
}

#[test]
fn v21_annotations_of_a_metadata_update_are_refused() {
    for name in ["PreviousVersion", "NewStatus", "OriginalStatus", "AssociationPropagation"] {
        let sentence = format!("Association.{name}: belongs to a metadata update (ITI-57)");
        assert_broken(Rule::V21, SET_HAS_DOCUMENT, &sentence, |objects| {
            common(objects, SET_HAS_DOCUMENT).set_slot(name, "1")
        });
    }
}

#[test]
fn v22_a_membership_takes_no_documentation() {
    let documented = |source, target, kind| {
        let documentation =
            Association { documentation: Some(code("SIGNED")), ..associations().swap_remove(0) };
        let mut association = wire("Extra", kind, source, target);
        association.common.classifications = documentation.to_ebxml().common.classifications;
        association
    };
    assert_broken(Rule::V22, "Extra", "HasMember: takes no association documentation", |objects| {
        let mut reference = documented(SET, ELSEWHERE, AssociationType::HasMember);
        reference.common.set_slot("SubmissionSetStatus", "Reference");
        objects.associations.push(reference);
    });
    let submission = assert_accepted(|objects| {
        objects.associations.push(documented(DOCUMENT, ELSEWHERE, AssociationType::Xfrm))
    });
    assert_eq!(submission.associations.last().unwrap().documentation, Some(code("SIGNED")));
}

#[test]
fn v23_the_submission_set_says_if_a_document_is_new() {
    assert_broken(Rule::V23, SET_HAS_DOCUMENT, "SubmissionSetStatus: required, and missing", |objects| {
        common(objects, SET_HAS_DOCUMENT).slots.clear();
    });
    assert_broken(Rule::V23, "Extra", "SubmissionSetStatus: required, and missing", |objects| {
        objects.associations.push(wire("Extra", AssociationType::HasMember, SET, ELSEWHERE));
    });
}

#[test]
fn v23_a_submission_set_status_is_original_or_reference() {
    assert_broken(
        Rule::V23,
        SET_HAS_DOCUMENT,
        "Association.SubmissionSetStatus: \"original\" is neither",
        |objects| {
            common(objects, SET_HAS_DOCUMENT).set_slot("SubmissionSetStatus", "original");
        },
    );
}

#[test]
fn v23_a_new_document_is_no_reference() {
    assert_broken(
        Rule::V23,
        SET_HAS_DOCUMENT,
        "SubmissionSetStatus: Reference, but the document is in this submission",
        |objects| {
            common(objects, SET_HAS_DOCUMENT).set_slot("SubmissionSetStatus", "Reference");
        },
    );
}

#[test]
fn v24_an_on_demand_document_is_not_registered_here() {
    assert_broken(
        Rule::V24,
        DOCUMENT,
        "DocumentEntry.objectType: an On-Demand document is registered by ITI-61",
        |objects| {
            common(objects, DOCUMENT).object_type = Some(DOCUMENT_ENTRY_ON_DEMAND.into());
        },
    );
}

#[test]
fn s2_something_is_submitted() {
    let bare = |objects: &mut SubmitObjects| {
        objects.extrinsic_objects.clear();
        objects.packages.retain(|package| package.common.id == SET);
        objects.associations.clear();
    };
    assert_broken(Rule::S2, None, "nothing is submitted", bare);
    assert_broken(Rule::S2, None, "nothing is submitted", |objects| {
        bare(objects);
        let mut reference = wire("Reference", AssociationType::HasMember, SET, ELSEWHERE);
        reference.common.set_slot("SubmissionSetStatus", "Reference");
        objects.associations.push(reference);
    });
}

#[test]
fn s2_a_registered_document_may_be_put_into_a_registered_folder() {
    let submission = assert_accepted(|objects| {
        objects.extrinsic_objects.clear();
        objects.packages.retain(|package| package.common.id == SET);
        let folder = "urn:uuid:00000000-0000-4000-8000-0000000000fe";
        objects.associations = vec![
            wire(FOLDER_HAS_DOCUMENT, AssociationType::HasMember, folder, ELSEWHERE),
            wire(SET_HAS_MEMBERSHIP, AssociationType::HasMember, SET, FOLDER_HAS_DOCUMENT),
        ];
    });
    assert_eq!(
        (submission.documents.len(), submission.folders.len(), submission.associations.len()),
        (0, 0, 2)
    );
}

#[test]
fn s3_the_submission_set_holds_each_object_exactly_once() {
    for (member, object, kind) in [
        (SET_HAS_DOCUMENT, DOCUMENT, "DocumentEntry"),
        (SET_HAS_FOLDER, FOLDER, "Folder"),
        (SET_HAS_MEMBERSHIP, FOLDER_HAS_DOCUMENT, "HasMember of a Folder"),
    ] {
        let sentence = |has| format!("{kind}: needs exactly one HasMember from the SubmissionSet, has {has}");
        assert_broken(Rule::S3, object, &sentence(0), |objects| {
            objects.associations.retain(|a| a.common.id != member)
        });
        assert_broken(Rule::S3, object, &sentence(2), |objects| {
            let mut again = association(objects, member).clone();
            again.common.id = "Again".into();
            objects.associations.push(again);
        });
    }
}

#[test]
fn v21_a_document_is_not_related_to_itself() {
    for kind in [AssociationType::Apnd, AssociationType::Xfrm, AssociationType::Signs] {
        let sentence = format!("{}: a document has no such relationship to itself", kind.name());
        assert_broken(Rule::V21, "Relation", &sentence, |objects| {
            objects.associations.push(wire("Relation", kind, DOCUMENT, DOCUMENT));
        });
    }
}

#[test]
fn v1_nothing_else_is_in_a_submission() {
    let text = format!(
        "<RegistryObjectList xmlns=\"{}\"><Service id=\"x\"/></RegistryObjectList>",
        crate::constants::ns::RIM
    );
    let document = xml::Document::parse(&text, &xml::Limits::default()).unwrap();
    let objects = SubmitObjects::read(document.root()).unwrap();
    assert_eq!(
        (objects.findings[0].rule, objects.findings[0].location.as_deref()),
        (Some(Rule::V1), Some("x"))
    );
}
