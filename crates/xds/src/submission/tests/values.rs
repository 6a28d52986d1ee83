//! Values: V3, V4, V7, V27, V29, and limited metadata.

use super::*;
use crate::constants::*;
use crate::ebxml::{Classification, LocalizedString, Slot};

fn slot(name: &str, values: &[&str]) -> Slot {
    Slot { name: name.into(), slot_type: None, values: values.iter().map(|&value| value.into()).collect() }
}

fn set_identifier(common: &mut Common, scheme: &str, value: &str) {
    let identifier = common.external_identifiers.iter_mut().find(|e| e.identification_scheme == scheme);
    identifier.unwrap().value = value.into();
}

fn classification<'a>(common: &'a mut Common, scheme: &str) -> &'a mut Classification {
    common.classifications.iter_mut().find(|c| c.scheme.as_deref() == Some(scheme)).unwrap()
}

fn set_author(common: &mut Common, name: &str, value: &str) {
    let author = common
        .classifications
        .iter_mut()
        .find(|c| [DOCUMENT_ENTRY_AUTHOR, SUBMISSION_SET_AUTHOR].map(Some).contains(&c.scheme.as_deref()));
    let slots = &mut author.unwrap().slots;
    slots.retain(|slot| slot.name != name);
    slots.push(slot(name, &[value]));
}

fn set_home(common: &mut Common, _: &str, value: &str) {
    common.home = Some(value.into());
}

fn set_slot(common: &mut Common, name: &str, value: &str) {
    common.set_slot(name, value);
}

/// `test: object, attribute, how a malformed value gets there`.
macro_rules! malformed {
    ($($test:ident: $object:expr, $attribute:literal, $set:ident($name:expr, $value:literal);)*) => {$(
        #[test]
        fn $test() {
            let sentence = concat!($attribute, ": ");
            assert_broken(Rule::V3, $object, sentence, |objects| $set(common(objects, $object), $name, $value));
        }
    )*};
}

malformed! {
    v3_document_entry_author_institution:
        DOCUMENT, "DocumentEntry.authorInstitution", set_author("authorInstitution", "^^^^^&1.2.3&ISO^^^^45");
    v3_document_entry_author_person: DOCUMENT, "DocumentEntry.authorPerson", set_author("authorPerson", "^^");
    v3_document_entry_author_telecommunication:
        DOCUMENT, "DocumentEntry.authorTelecommunication", set_author("authorTelecommunication", "^^PH");
    v3_document_entry_creation_time: DOCUMENT, "DocumentEntry.creationTime", set_slot("creationTime", "2024-02-29");
    v3_document_entry_hash: DOCUMENT, "DocumentEntry.hash", set_slot("hash", "da39");
    v3_document_entry_home_community_id: DOCUMENT, "DocumentEntry.homeCommunityId", set_home("home", "1.2.3");
    v3_document_entry_document_availability:
        DOCUMENT, "DocumentEntry.documentAvailability", set_slot("documentAvailability", "Online");
    v3_document_entry_language_code: DOCUMENT, "DocumentEntry.languageCode", set_slot("languageCode", "fr_FR");
    v3_document_entry_legal_authenticator:
        DOCUMENT, "DocumentEntry.legalAuthenticator", set_slot("legalAuthenticator", "^^");
    v3_document_entry_patient_id:
        DOCUMENT, "DocumentEntry.patientId", set_identifier(DOCUMENT_ENTRY_PATIENT_ID, "279035121518989");
    v3_document_entry_reference_id_list:
        DOCUMENT, "DocumentEntry.referenceIdList", set_slot(REFERENCE_ID_LIST, "A1^^^&1.2.250.1.999&ISO");
    v3_document_entry_repository_unique_id:
        DOCUMENT, "DocumentEntry.repositoryUniqueId", set_slot("repositoryUniqueId", "1.02");
    v3_document_entry_service_start_time:
        DOCUMENT, "DocumentEntry.serviceStartTime", set_slot("serviceStartTime", "20240230");
    v3_document_entry_service_stop_time:
        DOCUMENT, "DocumentEntry.serviceStopTime", set_slot("serviceStopTime", "20240229120000+0100");
    v3_document_entry_size: DOCUMENT, "DocumentEntry.size", set_slot("size", "-1");
    v3_document_entry_source_patient_id:
        DOCUMENT, "DocumentEntry.sourcePatientId", set_slot("sourcePatientId", "IPP1");
    v3_document_entry_source_patient_info:
        DOCUMENT, "DocumentEntry.sourcePatientInfo", set_slot("sourcePatientInfo", "F");
    v3_submission_set_author_person: SET, "SubmissionSet.authorPerson", set_author("authorPerson", "^^");
    v3_submission_set_home_community_id: SET, "SubmissionSet.homeCommunityId", set_home("home", "urn:oid:x");
    v3_submission_set_intended_recipient:
        SET, "SubmissionSet.intendedRecipient", set_slot("intendedRecipient", "||");
    v3_submission_set_patient_id:
        SET, "SubmissionSet.patientId", set_identifier(SUBMISSION_SET_PATIENT_ID, "1^^^&1.2.3&DNS");
    v3_submission_set_source_id: SET, "SubmissionSet.sourceId", set_identifier(SUBMISSION_SET_SOURCE_ID, "LPS");
    v3_submission_set_submission_time:
        SET, "SubmissionSet.submissionTime", set_slot("submissionTime", "yesterday");
    v3_submission_set_unique_id: SET, "SubmissionSet.uniqueId", set_identifier(SUBMISSION_SET_UNIQUE_ID, "1..2");
    v3_folder_home_community_id: FOLDER, "Folder.homeCommunityId", set_home("home", "urn:oid:");
    v3_folder_patient_id: FOLDER, "Folder.patientId", set_identifier(FOLDER_PATIENT_ID, "^^^&1.2.3&ISO");
    v3_folder_unique_id: FOLDER, "Folder.uniqueId", set_identifier(FOLDER_UNIQUE_ID, "stay^1");
}

#[test]
fn v3_document_entry_mime_type() {
    assert_broken(Rule::V3, DOCUMENT, "DocumentEntry.mimeType: \"xml\" ", |objects| {
        objects.extrinsic_objects[0].mime_type = Some("xml".into());
    });
}

#[test]
fn v3_an_author_needs_more_than_a_role() {
    assert_broken(Rule::V3, DOCUMENT, "DocumentEntry.author: needs", |objects| {
        classification(common(objects, DOCUMENT), DOCUMENT_ENTRY_AUTHOR).slots =
            vec![slot("authorRole", &["Attending"])];
    });
}

#[test]
fn v3_an_author_is_one_person() {
    assert_broken(Rule::V3, SET, "SubmissionSet.authorPerson: only one value is allowed, 2", |objects| {
        let author = classification(common(objects, SET), SUBMISSION_SET_AUTHOR);
        author.slots = vec![slot("authorPerson", &["^MARTIN", "^BERNARD"])];
    });
}

#[test]
fn v3_what_may_be_there_once_is_refused_twice() {
    for name in
        ["creationTime", "languageCode", "hash", "size", "repositoryUniqueId", "sourcePatientId", "URI"]
    {
        let findings = findings_after(|objects| {
            let slots = &mut common(objects, DOCUMENT).slots;
            let values = &mut slots.iter_mut().find(|slot| slot.name == name).unwrap().values;
            values.push(values[0].clone());
        });
        let expected = format!("DocumentEntry.{name}: only one value is allowed, 2 were sent");
        assert_eq!(findings.iter().map(|f| f.context.clone()).collect::<Vec<_>>(), [expected]);
    }
    assert_broken(Rule::V3, DOCUMENT, "DocumentEntry.classCode: only one value is allowed, 2", |objects| {
        let entry = common(objects, DOCUMENT);
        let again = classification(entry, DOCUMENT_ENTRY_CLASS_CODE).clone();
        entry.classifications.push(again);
    });
    assert_broken(Rule::V3, SET, "SubmissionSet.patientId: only one value is allowed, 2", |objects| {
        let set = common(objects, SET);
        let again = set.external_identifiers[0].clone();
        set.external_identifiers.push(again);
    });
}

#[test]
fn v3_an_id_that_claims_to_be_a_uuid_is_one() {
    let findings = checked(renamed(sample(), DOCUMENT, "urn:uuid:1")).unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((finding.rule, finding.location.as_deref()), (Some(Rule::V3), Some("urn:uuid:1")));
    assert_eq!(finding.context, "the id \"urn:uuid:1\" is not a UUID");
}

#[test]
fn v4_a_slot_is_there_once() {
    for (id, sentence) in [
        (DOCUMENT, "DocumentEntry: the Slot \"urn:example:ward\" is there twice"),
        (SET, "RegistryPackage: the Slot \"urn:example:ward\" is there twice"),
        (SET_HAS_FOLDER, "Association: the Slot \"urn:example:ward\" is there twice"),
    ] {
        assert_broken(Rule::V4, id, sentence, |objects| {
            let slots = &mut common(objects, id).slots;
            slots.retain(|slot| slot.name != "urn:example:ward");
            slots.extend([slot("urn:example:ward", &["7B"]), slot("urn:example:ward", &["7C"])]);
        });
    }
}

#[test]
fn v4_a_slot_has_a_name() {
    assert_broken(Rule::V4, DOCUMENT, "DocumentEntry: a Slot without a name", |objects| {
        common(objects, DOCUMENT).slots.push(slot("", &["7B"]));
    });
}

#[test]
fn v4_a_classification_belongs_to_the_object_that_holds_it() {
    assert_broken(Rule::V4, DOCUMENT, "Classification.classifiedObject \"SubmissionSet01\" ", |objects| {
        classification(common(objects, DOCUMENT), DOCUMENT_ENTRY_TYPE_CODE).classified_object =
            Some(SET.into());
    });
}

#[test]
fn v4_an_identifier_belongs_to_the_object_that_holds_it() {
    assert_broken(Rule::V4, FOLDER, "ExternalIdentifier.registryObject \"Document01\" ", |objects| {
        common(objects, FOLDER).external_identifiers[0].registry_object = Some(DOCUMENT.into());
    });
}

#[test]
fn v4_a_code_has_one_scheme() {
    for schemes in [&[][..], &["1.2.3", "1.2.4"], &[""]] {
        assert_broken(
            Rule::V4,
            DOCUMENT,
            "DocumentEntry.formatCode: the code \"urn:ihe:iti:xds-sd:pdf:2008\" needs one codingScheme",
            |objects| {
                let format = classification(common(objects, DOCUMENT), DOCUMENT_ENTRY_FORMAT_CODE);
                format.slots = vec![slot("codingScheme", schemes)];
            },
        );
    }
}

#[test]
fn v4_a_code_has_a_display_name() {
    for name in [vec![], vec![LocalizedString { value: " ".into(), ..LocalizedString::default() }]] {
        assert_broken(
            Rule::V4,
            FOLDER,
            "Folder.codeList: the code \"STAY\" has no display name",
            |objects| {
                classification(common(objects, FOLDER), FOLDER_CODE).name = name;
            },
        );
    }
}

#[test]
fn v4_a_code_has_a_code() {
    for sent in [None, Some(String::new())] {
        assert_broken(
            Rule::V4,
            SET,
            "SubmissionSet.contentTypeCode: a code without nodeRepresentation",
            |objects| {
                classification(common(objects, SET), SUBMISSION_SET_CONTENT_TYPE_CODE).node_representation =
                    sent;
            },
        );
    }
}

#[test]
fn v7_a_service_does_not_stop_before_it_starts() {
    for (start, stop) in [("2025", "20241231"), ("20240229120000", "20240229115959"), ("202403", "20240229")]
    {
        assert_broken(
            Rule::V7,
            DOCUMENT,
            "DocumentEntry.serviceStartTime: later than serviceStopTime",
            |objects| {
                common(objects, DOCUMENT).set_slot("serviceStartTime", start);
                common(objects, DOCUMENT).set_slot("serviceStopTime", stop);
            },
        );
    }
}

#[test]
fn v7_times_are_compared_as_far_as_both_are_precise() {
    for (start, stop) in [("20240229", "2024"), ("20240229235959", "20240229"), ("2024", "2024")] {
        assert_accepted(|objects| {
            common(objects, DOCUMENT).set_slot("serviceStartTime", start);
            common(objects, DOCUMENT).set_slot("serviceStopTime", stop);
        });
    }
}

#[test]
fn v27_with_strict_names_an_extra_slot_has_a_urn_of_its_own() {
    let strict = Rules { strict_slot_names: true, ..Rules::default() };
    assert!(checked_by(sample(), &strict).is_ok());
    for name in ["ward", "urn:ihe:ward"] {
        let mut objects = sample();
        common(&mut objects, DOCUMENT).set_slot(name, "7B");
        assert!(checked(objects.clone()).is_ok(), "{name} is refused without strict names");
        let findings = checked_by(objects, &strict).unwrap_err();
        let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
        assert_eq!((finding.rule, finding.location.as_deref()), (Some(Rule::V27), Some(DOCUMENT)));
        let expected =
            format!("DocumentEntry: the name of the extra Slot \"{name}\" is not a URN outside urn:ihe:");
        assert_eq!(finding.context, expected);
    }
}

#[test]
fn v29_a_value_has_at_most_256_characters() {
    let (longest, longer) = ("é".repeat(256), "é".repeat(257));
    assert_accepted(|objects| common(objects, DOCUMENT).set_slot("urn:example:ward", longest));
    assert_broken(
        Rule::V29,
        DOCUMENT,
        "DocumentEntry, Slot \"urn:example:ward\": 257 characters",
        |objects| {
            common(objects, DOCUMENT).set_slot("urn:example:ward", longer.clone());
        },
    );
    assert_broken(Rule::V29, DOCUMENT, "DocumentEntry, name of a Slot: 257 characters", |objects| {
        common(objects, DOCUMENT).set_slot(&longer, "7B");
    });
    assert_broken(Rule::V29, SET, "RegistryPackage, Slot of a Classification: 257 characters", |objects| {
        set_author(common(objects, SET), "authorRole", &longer);
    });
    assert_broken(
        Rule::V29,
        FOLDER,
        "RegistryPackage, nodeRepresentation of a Classification: 257 characters",
        |objects| {
            classification(common(objects, FOLDER), FOLDER_CODE).node_representation = Some(longer.clone());
        },
    );
    assert_broken(
        Rule::V29,
        DOCUMENT,
        "DocumentEntry, value of an ExternalIdentifier: 257 characters",
        |objects| {
            set_identifier(common(objects, DOCUMENT), DOCUMENT_ENTRY_UNIQUE_ID, &longer);
        },
    );
    assert_broken(Rule::V29, DOCUMENT, "DocumentEntry.mimeType: 257 characters", |objects| {
        objects.extrinsic_objects[0].mime_type = Some(format!("a/{}", "b".repeat(255)));
    });
}

#[test]
fn s4_limited_metadata_are_refused() {
    for (id, node) in [
        (DOCUMENT, DOCUMENT_ENTRY_LIMITED_METADATA),
        (SET, SUBMISSION_SET_LIMITED_METADATA),
        (FOLDER, FOLDER_LIMITED_METADATA),
    ] {
        let sentence = if id == DOCUMENT { "DocumentEntry: limited" } else { "RegistryPackage: limited" };
        assert_broken(Rule::S4, id, sentence, |objects| {
            let mark = Classification { node: Some(node.into()), ..Classification::default() };
            common(objects, id).classifications.push(mark);
        });
    }
}

#[test]
fn every_defect_is_reported_at_once() {
    let findings = findings_after(|objects| {
        let entry = common(objects, DOCUMENT);
        entry.set_slot("hash", "da39");
        entry.slots.retain(|slot| slot.name != "languageCode");
        set_identifier(entry, DOCUMENT_ENTRY_PATIENT_ID, "nobody");
        set_identifier(common(objects, SET), SUBMISSION_SET_SOURCE_ID, "LPS");
        common(objects, FOLDER).name.clear();
        association(objects, SET_HAS_DOCUMENT).common.slots.clear();
        association(objects, FOLDER_HAS_DOCUMENT).target_object = "Document02".into();
    });
    let mut named: Vec<(&str, &str)> = findings
        .iter()
        .map(|f| (f.location.as_deref().unwrap(), f.context.split(':').next().unwrap()))
        .collect();
    named.sort_unstable();
    let mut expected = [
        (DOCUMENT, "DocumentEntry.hash"),
        (DOCUMENT, "DocumentEntry.languageCode"),
        (DOCUMENT, "DocumentEntry.patientId"),
        (SET, "SubmissionSet.sourceId"),
        (FOLDER, "Folder.title"),
        (SET_HAS_DOCUMENT, "SubmissionSetStatus"),
        (FOLDER_HAS_DOCUMENT, "Association.targetObject"),
    ];
    expected.sort_unstable();
    assert_eq!(named, expected);
}

#[test]
fn no_finding_quotes_what_is_known_about_the_patient() {
    let findings = findings_after(|objects| {
        let entry = common(objects, DOCUMENT);
        entry.set_slot("sourcePatientInfo", "DUPONT^Jeanne");
        entry.set_slot("sourcePatientId", "DUPONT^Jeanne");
        entry.set_slot("legalAuthenticator", "279035121518989^DUPONT^Jeanne^^^^^^&1.02&ISO");
        entry.set_slot("urn:example:note", format!("DUPONT {}", "Jeanne".repeat(50)));
        set_identifier(entry, DOCUMENT_ENTRY_PATIENT_ID, "279035121518989^DUPONT^Jeanne");
        set_author(entry, "authorPerson", "279035121518989^DUPONT^Jeanne^^^^^^&1.2&DNS");
        let set = common(objects, SET);
        set_author(set, "authorInstitution", "Home of DUPONT Jeanne^^^^^^^^^DUPONT");
        set.set_slot("intendedRecipient", "|^DUPONT^Jeanne|^^PH|279035121518989");
        set_identifier(set, SUBMISSION_SET_PATIENT_ID, "DUPONT");
        common(objects, FOLDER).slots.extend([slot("DUPONT", &["Jeanne"]), slot("", &["Jeanne"])]);
        set_identifier(common(objects, FOLDER), FOLDER_PATIENT_ID, "279035121518989^^^Jeanne");
    });
    assert!(findings.len() >= 10, "{findings:#?}");
    for secret in ["DUPONT", "Jeanne", "279035121518989"] {
        assert!(!findings.iter().any(|f| f.context.contains(secret)), "{secret}: {findings:#?}");
    }
}

#[test]
fn v3_a_title_has_a_length() {
    for (id, longest, sentence) in [
        (DOCUMENT, 128, "DocumentEntry.title: 129 characters"),
        (SET, 256, "SubmissionSet.title: 257 characters"),
    ] {
        assert_accepted(|objects| common(objects, id).name[0].value = "é".repeat(longest));
        assert_broken(Rule::V3, id, sentence, |objects| {
            common(objects, id).name[0].value = "é".repeat(longest + 1);
        });
    }
}

#[test]
fn v3_a_person_has_one_date_of_birth_and_one_sex() {
    for field in ["PID-7", "PID-8"] {
        let sentence = format!("DocumentEntry.sourcePatientInfo: only one {field} is allowed, 2 were sent");
        assert_broken(Rule::V3, DOCUMENT, &sentence, |objects| {
            let slots = &mut common(objects, DOCUMENT).slots;
            slots.retain(|slot| slot.name != "sourcePatientInfo");
            slots.push(slot("sourcePatientInfo", &[&format!("{field}|1"), &format!("{field}|2")]));
        });
    }
    assert_accepted(|objects| {
        let slots = &mut common(objects, DOCUMENT).slots;
        slots.retain(|slot| slot.name != "sourcePatientInfo");
        slots.push(slot("sourcePatientInfo", &["PID-5|A^B", "PID-5|C^B", "PID-7|19350327"]));
    });
}

#[test]
fn v3_the_time_of_a_folder_is_a_time_though_the_registry_sets_its_own() {
    assert_broken(Rule::V3, FOLDER, "Folder.lastUpdateTime: ", |objects| {
        common(objects, FOLDER).set_slot("lastUpdateTime", "today");
    });
    assert_accepted(|objects| common(objects, FOLDER).set_slot("lastUpdateTime", "2012"));
}

#[test]
fn v29_a_name_has_at_most_1024_characters_and_a_description_any_number() {
    let text = |length| vec![LocalizedString { value: "é".repeat(length), ..LocalizedString::default() }];
    assert_accepted(|objects| common(objects, FOLDER).name = text(1024));
    assert_broken(Rule::V29, FOLDER, "RegistryPackage, Name: 1025 characters", |objects| {
        common(objects, FOLDER).name = text(1025);
    });
    assert_accepted(|objects| common(objects, DOCUMENT).description = text(100_000));
}
