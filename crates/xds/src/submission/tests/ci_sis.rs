//! The rules of the French shared record (F1 to F10), and what it alone allows.

use std::sync::Arc;

use super::*;
use crate::affinity::{AffinityDomain, Profile};
use crate::constants::*;

const LEGAL: &str = "801234567897^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS";

pub fn national() -> Rules {
    Rules { affinity: Arc::new(AffinityDomain::of(Profile::CiSis)), ..Rules::default() }
}

/// The change to a submission that obeys every rule breaks this one, under the profile only.
#[track_caller]
fn assert_refused(rule: Rule, location: &'static str, sentence: &str, change: impl Fn(&mut SubmitObjects)) {
    assert_broken_under(&national(), rule, location, sentence, |objects| {
        common(objects, DOCUMENT).set_slot("legalAuthenticator", LEGAL);
        change(objects);
    });
    assert_accepted(change);
}

fn identify(objects: &mut SubmitObjects, id: &str, value: &str, schemes: &[&str]) {
    let identifiers = common(objects, id).external_identifiers.iter_mut();
    identifiers
        .filter(|e| schemes.contains(&e.identification_scheme.as_str()))
        .for_each(|e| e.value = value.to_owned());
}

fn authors<'a>(
    objects: &'a mut SubmitObjects,
    id: &str,
) -> impl Iterator<Item = &'a mut crate::ebxml::Classification> {
    common(objects, id)
        .classifications
        .iter_mut()
        .filter(|c| [Some(DOCUMENT_ENTRY_AUTHOR), Some(SUBMISSION_SET_AUTHOR)].contains(&c.scheme.as_deref()))
}

#[test]
fn a_submission_of_the_shared_record_is_accepted() {
    let mut objects = sample();
    common(&mut objects, DOCUMENT).set_slot("legalAuthenticator", LEGAL);
    checked_by(objects, &national()).unwrap_or_else(|findings| panic!("{findings:#?}"));
}

#[test]
fn f1_document_and_submission_set_name_a_person_as_author() {
    let no_person = |objects: &mut SubmitObjects, id| {
        authors(objects, id).for_each(|author| author.slots.retain(|slot| slot.name != "authorPerson"));
    };
    assert_refused(Rule::F1, DOCUMENT, "DocumentEntry.author: ", |objects| no_person(objects, DOCUMENT));
    assert_refused(Rule::F1, SET, "SubmissionSet.author: needs authorPerson", |objects| {
        no_person(objects, SET)
    });
    assert_refused(Rule::F1, SET, "SubmissionSet.author: exactly one, 0", |objects| {
        common(objects, SET).classifications.retain(|c| c.scheme.as_deref() != Some(SUBMISSION_SET_AUTHOR));
    });
}

#[test]
fn f2_authenticator_title_and_start_are_required() {
    assert_refused(Rule::F2, DOCUMENT, "DocumentEntry.legalAuthenticator: required", |objects| {
        common(objects, DOCUMENT).slots.retain(|slot| slot.name != "legalAuthenticator");
    });
    assert_refused(Rule::F2, DOCUMENT, "DocumentEntry.title: required", |objects| {
        common(objects, DOCUMENT).name.clear();
    });
    assert_refused(Rule::F2, DOCUMENT, "DocumentEntry.serviceStartTime: required", |objects| {
        common(objects, DOCUMENT).slots.retain(|slot| slot.name != "serviceStartTime");
    });
}

#[test]
fn f3_a_patient_is_known_by_the_ins() {
    for other in [
        "279035121518989^^^&1.2.250.1.213.1.4.10&ISO",
        "279035121518989^^^&1.2.250.1.999&ISO^NH",
        "27903512151^^^&1.2.250.1.213.1.4.10&ISO^NH",
    ] {
        let mut objects = sample();
        common(&mut objects, DOCUMENT).set_slot("legalAuthenticator", LEGAL);
        for id in [DOCUMENT, SET, FOLDER] {
            let schemes = [DOCUMENT_ENTRY_PATIENT_ID, SUBMISSION_SET_PATIENT_ID, FOLDER_PATIENT_ID];
            identify(&mut objects, id, other, &schemes);
        }
        assert!(checked(objects.clone()).is_ok());
        let findings = checked_by(objects, &national()).unwrap_err();
        let rules: Vec<Option<Rule>> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [Some(Rule::F3); 3], "{other}");
        assert!(findings.iter().all(|finding| !finding.context.contains("27903")));
    }
}

#[test]
fn f4_the_time_of_creation_is_precise() {
    assert_refused(Rule::F4, DOCUMENT, "DocumentEntry.creationTime: ", |objects| {
        common(objects, DOCUMENT).set_slot("creationTime", "20240229");
    });
}

#[test]
fn f5_a_unique_id_is_an_oid() {
    for other in ["1.2.3^45", "urn:uuid:abcdefab-0000-4000-8000-000000000001"] {
        assert_refused(Rule::F5, DOCUMENT, "DocumentEntry.uniqueId: must be an OID", |objects| {
            identify(objects, DOCUMENT, other, &[DOCUMENT_ENTRY_UNIQUE_ID]);
        });
    }
}

#[test]
fn f6_the_language_is_french_and_that_of_a_signature_is_art() {
    assert_refused(Rule::F6, DOCUMENT, "DocumentEntry.languageCode: must be fr-FR", |objects| {
        common(objects, DOCUMENT).set_slot("languageCode", "en-US");
    });
    assert_refused(Rule::F6, DOCUMENT, "DocumentEntry.languageCode: must be art", |objects| {
        for classification in &mut common(objects, DOCUMENT).classifications {
            if classification.scheme.as_deref() == Some(DOCUMENT_ENTRY_FORMAT_CODE) {
                classification.node_representation = Some("http://www.w3.org/2000/09/xmldsig#".to_owned());
            }
        }
    });
}

#[test]
fn f7_a_document_has_at_most_four_confidentiality_codes() {
    assert_refused(Rule::F7, DOCUMENT, "DocumentEntry.confidentialityCode: at most 4 values, 5", |objects| {
        let classifications = &mut common(objects, DOCUMENT).classifications;
        let scheme = Some(DOCUMENT_ENTRY_CONFIDENTIALITY_CODE);
        let one = classifications.iter().find(|c| c.scheme.as_deref() == scheme).unwrap().clone();
        classifications.extend(std::iter::repeat_n(one, 3));
    });
}

#[test]
fn f8_a_document_is_cda_a_signature_or_an_imaging_manifest() {
    assert_refused(Rule::F8, DOCUMENT, "DocumentEntry.mimeType: must be one of text/xml", |objects| {
        objects.extrinsic_objects[0].mime_type = Some("application/pdf".into());
    });
}

#[test]
fn f9_an_addendum_is_refused() {
    assert_refused(Rule::F9, "Relation", "APND: ", |objects| {
        objects.associations.push(wire("Relation", AssociationType::Apnd, DOCUMENT, ELSEWHERE));
    });
}

#[test]
fn f10_people_are_written_in_the_national_form() {
    let short = "801234567897^MARTIN^Claire";
    assert_refused(Rule::F10, DOCUMENT, "DocumentEntry.legalAuthenticator: must have id", |objects| {
        common(objects, DOCUMENT).set_slot("legalAuthenticator", short);
    });
    for (id, sentence) in [(DOCUMENT, "DocumentEntry.authorPerson: "), (SET, "SubmissionSet.authorPerson: ")]
    {
        assert_refused(Rule::F10, id, sentence, |objects| {
            for author in authors(objects, id) {
                let persons = author.slots.iter_mut().filter(|slot| slot.name == "authorPerson");
                persons.for_each(|slot| slot.values = vec![short.to_owned()]);
            }
        });
    }
}

#[test]
fn v17_only_the_shared_record_lets_a_signature_sign_the_submission_set() {
    let sign = |objects: &mut SubmitObjects| {
        common(objects, DOCUMENT).set_slot("legalAuthenticator", LEGAL);
        objects.associations.push(wire("Relation", AssociationType::Signs, DOCUMENT, SET));
    };
    let mut objects = sample();
    sign(&mut objects);
    assert!(checked_by(objects, &national()).is_ok());
    assert_broken(Rule::V17, "Relation", "signs: targetObject must be a document", sign);
}
