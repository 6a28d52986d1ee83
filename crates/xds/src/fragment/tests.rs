use proptest::prelude::*;
use xml::{Document, Element, Limits};

use super::*;
use crate::constants::ns::RIM;
use crate::ebxml::{Classification, LocalizedString, Slot, SubmitObjects};
use crate::submission::tests::{DOCUMENT, FOLDER, FOLDER_HAS_DOCUMENT, SET, checked, common, sample};

const FILL: Fill<'_> = Fill {
    status: "urn:example:status",
    patient_id: "180015678901234^^^&1.2.250.1.213.1.4.10&ISO^NH",
    last_update_time: "20240301101112",
};

/// Hands the filled fragment, read again, to `check`.
fn filled<T>(fragment: &Fragment, check: impl FnOnce(Element<'_>) -> T) -> T {
    let mut text = format!("<answer xmlns:rim=\"{RIM}\">");
    fragment.fill(&FILL, &mut text);
    text.push_str("</answer>");
    let document =
        Document::parse(&text, &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut children = document.root().children();
    let object = children.next().unwrap();
    assert!(children.next().is_none());
    check(object)
}

fn filled_document(objects: SubmitObjects) -> ebxml::ExtrinsicObject {
    let submission = checked(objects).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let fragment = submission.fragment(submission.documents[0].entry_uuid).unwrap();
    filled(&fragment, |object| ebxml::ExtrinsicObject::read(object).unwrap())
}

fn filled_folder(objects: SubmitObjects) -> ebxml::RegistryPackage {
    let submission = checked(objects).unwrap();
    let fragment = submission.fragment(submission.folders[0].entry_uuid).unwrap();
    filled(&fragment, |object| ebxml::RegistryPackage::read(object).unwrap())
}

/// What was sent by the way it took: as XML.
fn received(objects: &SubmitObjects) -> SubmitObjects {
    let mut w = Writer::new();
    objects.write(&mut w);
    let text = w.finish();
    SubmitObjects::read(Document::parse(&text, &Limits::default()).unwrap().root()).unwrap()
}

/// What a Classification says, without the ids that the registry gives.
fn said(classification: &Classification) -> Classification {
    Classification { id: None, classified_object: None, ..classification.clone() }
}

/// Any text that XML can hold, with a liking for what markup is made of.
fn text() -> impl Strategy<Value = String> {
    let markup = prop::sample::select(
        "<>&\"'\n\r\t ]]>;#x0103\u{7f}\u{85}\u{a0}\u{2028}é\u{10ffff}".chars().collect::<Vec<_>>(),
    );
    let any = any::<char>().prop_filter("XML has no such character", |c| {
        (*c >= ' ' || "\n\r\t".contains(*c)) && !matches!(c, '\u{fffe}' | '\u{ffff}')
    });
    prop::collection::vec(prop_oneof![markup, any], 0..24).prop_map(String::from_iter)
}

fn strings() -> impl Strategy<Value = Vec<LocalizedString>> {
    let lang = prop::option::of(prop::sample::select(vec!["fr", "FR", "en-us"]).prop_map(str::to_owned));
    let charset = prop::option::of(Just("UTF8".to_owned()));
    let string =
        (text(), lang, charset).prop_map(|(value, lang, charset)| LocalizedString { value, lang, charset });
    prop::collection::vec(string, 0..3)
}

fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let name = (prop::sample::select(vec!["urn:example:", "", INTERNAL_SLOTS]), text());
    let slot = (name, prop::option::of(text()), prop::collection::vec(text(), 0..4)).prop_map(
        |((prefix, rest), slot_type, values)| Slot { name: format!("{prefix}x{rest}"), slot_type, values },
    );
    prop::collection::vec(slot, 0..6).prop_map(|mut slots| {
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        slots.dedup_by(|a, b| a.name == b.name);
        slots
    })
}

proptest! {
    #[test]
    fn a_document_entry_comes_back_as_it_was_submitted(
        name in strings(), description in strings(), extra in slots(), display in text(), unique_id in text(),
    ) {
        let mut objects = sample();
        let entry = common(&mut objects, DOCUMENT);
        (entry.name, entry.description) = (name, description);
        entry.slots.extend(extra);
        entry.classifications[1].name[0].value = format!("display {display}");
        entry.external_identifiers.last_mut().unwrap().value = format!("1.2^{unique_id}");
        let sent = entry.clone();
        let submission = checked(received(&objects)).unwrap();
        let fragment = submission.fragment(submission.documents[0].entry_uuid).unwrap();
        let back = filled(&fragment, |object| ebxml::ExtrinsicObject::read(object).unwrap()).common;

        let kept = sent.slots.iter().filter(|slot| !slot.name.starts_with(INTERNAL_SLOTS));
        prop_assert_eq!(back.slots.iter().collect::<Vec<_>>(), kept.collect::<Vec<_>>());
        prop_assert_eq!(&back.name, &sent.name);
        prop_assert_eq!(&back.description, &sent.description);
        let saying = |common: &Common| common.classifications.iter().map(said).collect::<Vec<_>>();
        prop_assert_eq!(saying(&back), saying(&sent));
        for (back, sent) in back.external_identifiers.iter().zip(&sent.external_identifiers) {
            prop_assert_eq!(&back.identification_scheme, &sent.identification_scheme);
            prop_assert_eq!(&back.name, &sent.name);
            let is_patient = sent.identification_scheme == DOCUMENT_ENTRY_PATIENT_ID;
            prop_assert_eq!(&back.value, if is_patient { FILL.patient_id } else { &sent.value });
        }
        prop_assert_eq!(back.external_identifiers.len(), sent.external_identifiers.len());
        prop_assert_eq!(fragment.title(), Ok(sent.title().map(str::to_owned)));
        prop_assert_eq!((back.home, back.object_type), (sent.home, sent.object_type));
    }

    #[test]
    fn what_goes_into_a_hole_cannot_leave_it(value in text()) {
        let submission = checked(sample()).unwrap();
        let fragment = submission.fragment(submission.folders[0].entry_uuid).unwrap();
        let fill = Fill { status: &value, patient_id: &value, last_update_time: &value };
        let mut xml = format!("<answer xmlns:rim=\"{RIM}\">");
        fragment.fill(&fill, &mut xml);
        xml.push_str("</answer>");
        let document = Document::parse(&xml, &Limits::default()).unwrap();
        let back = ebxml::RegistryPackage::read(document.root().children().next().unwrap()).unwrap().common;
        prop_assert_eq!(back.status.as_deref(), Some(value.as_str()));
        prop_assert_eq!(back.external_identifier(FOLDER_PATIENT_ID), Some(value.as_str()));
        prop_assert_eq!(back.slot_value(LAST_UPDATE_TIME_SLOT), Some(value.as_str()));
    }
}

#[test]
fn no_content_can_be_mistaken_for_a_hole() {
    for hole in [STATUS, PATIENT_ID, LAST_UPDATE_TIME] {
        let number = u32::from(hole);
        for content in [hole.to_string(), format!("&#{number};"), format!("&#x{number:x};")] {
            for xml in [
                format!("<a>{content}</a>"),
                format!("<a b=\"{content}\"/>"),
                format!("<a><![CDATA[{hole}]]></a>"),
            ] {
                assert!(Document::parse(&xml, &Limits::default()).is_err(), "{xml:?} is read");
            }
        }
    }
}

#[test]
fn a_document_has_the_registrys_status_and_patient_and_is_its_first_version() {
    let mut objects = sample();
    let entry = common(&mut objects, DOCUMENT);
    entry.status = Some(STATUS_DEPRECATED.into());
    entry.version_name = Some("7".into());
    entry.set_slot("urn:carnet:title", "between ourselves");
    let back = filled_document(objects);
    let common = back.common;
    assert_eq!(common.status.as_deref(), Some(FILL.status));
    assert_eq!(common.external_identifier(DOCUMENT_ENTRY_PATIENT_ID), Some(FILL.patient_id));
    assert!(common.slot("urn:carnet:title").is_empty());
    assert_eq!((common.lid.as_ref(), common.version_name.as_deref()), (Some(&common.id), Some("1")));
    assert_eq!(back.mime_type.as_deref(), Some("text/xml"));
    assert_eq!(common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID), Some("1.2.250.1.999.4.1"));
}

#[test]
fn a_documents_inner_objects_have_uuids_and_name_their_owner() {
    let back = filled_document(sample()).common;
    assert!(back.id.starts_with("urn:uuid:"));
    for classification in &back.classifications {
        assert!(
            classification.id.as_ref().is_some_and(|id| id.starts_with("urn:uuid:")),
            "{classification:?}"
        );
        assert_eq!(classification.classified_object.as_ref(), Some(&back.id));
    }
    for identifier in &back.external_identifiers {
        assert!(identifier.id.as_ref().is_some_and(|id| id.starts_with("urn:uuid:")), "{identifier:?}");
        assert_eq!(identifier.registry_object.as_ref(), Some(&back.id));
    }
}

#[test]
fn a_folder_has_the_time_of_the_registry_and_not_the_one_that_was_sent() {
    for sent in [None, Some("19990101")] {
        let mut objects = sample();
        sent.into_iter().for_each(|time| common(&mut objects, FOLDER).set_slot(LAST_UPDATE_TIME_SLOT, time));
        let common = filled_folder(objects).common;
        assert_eq!(common.slots.iter().filter(|slot| slot.name == LAST_UPDATE_TIME_SLOT).count(), 1);
        assert_eq!(common.slot(LAST_UPDATE_TIME_SLOT), [FILL.last_update_time]);
        assert_eq!(common.external_identifier(FOLDER_PATIENT_ID), Some(FILL.patient_id));
        assert_eq!(common.name[0].value, "Cardiology");
        assert!(common.is_classified_as(FOLDER_NODE));
        assert_eq!((common.lid.as_ref(), common.version_name.as_deref()), (Some(&common.id), Some("1")));
    }
}

#[test]
fn a_submission_set_shows_patient_and_status_and_no_time_of_update() {
    let submission = checked(sample()).unwrap();
    let fragment = submission.fragment(submission.submission_set.entry_uuid).unwrap();
    let back = filled(&fragment, |object| ebxml::RegistryPackage::read(object).unwrap()).common;
    let sent = common(&mut sample(), SET).clone();
    assert_eq!(back.external_identifier(SUBMISSION_SET_PATIENT_ID), Some(FILL.patient_id));
    assert_eq!(back.status.as_deref(), Some(FILL.status));
    assert_eq!(back.slots, sent.slots);
    assert!(back.is_classified_as(SUBMISSION_SET_NODE));
    assert_eq!(back.external_identifier(SUBMISSION_SET_SOURCE_ID), Some("1.2.250.1.999.5"));
}

#[test]
fn an_association_has_a_status_and_the_uuids_of_its_ends() {
    let submission = checked(sample()).unwrap();
    let membership = &submission.associations[2];
    assert_eq!(submission.submitted_id(membership.entry_uuid), FOLDER_HAS_DOCUMENT);
    let fragment = submission.fragment(membership.entry_uuid).unwrap();
    let back = filled(&fragment, |object| ebxml::Association::read(object).unwrap());
    assert_eq!(back.common.status.as_deref(), Some(FILL.status));
    assert_eq!(back.association_type, AssociationType::HasMember.urn());
    assert_eq!(back.source_object, uuid_urn(submission.folders[0].entry_uuid));
    assert_eq!(back.target_object, uuid_urn(submission.documents[0].entry_uuid));
}

#[test]
fn the_registrys_own_membership_is_an_association_like_any_other() {
    let [id, source, target] = [1, 2, 3].map(Uuid::from_u128);
    let back =
        filled(&Fragment::has_member(id, source, target), |object| ebxml::Association::read(object).unwrap());
    assert_eq!(back.common.id, uuid_urn(id));
    assert_eq!((back.source_object, back.target_object), (uuid_urn(source), uuid_urn(target)));
    assert_eq!(back.association_type, AssociationType::HasMember.urn());
    assert_eq!(back.common.status.as_deref(), Some(FILL.status));
}

#[test]
fn a_stored_fragment_is_the_same_fragment_and_short() {
    let submission = checked(sample()).unwrap();
    let fragment = submission.fragment(submission.documents[0].entry_uuid).unwrap();
    let stored = fragment.to_stored();
    assert!(stored.len() * 3 < fragment.as_str().len(), "{} of {}", stored.len(), fragment.as_str().len());
    assert_eq!(Fragment::from_stored(&stored), Ok(fragment));
}

#[test]
fn there_is_no_fragment_of_what_was_not_submitted() {
    assert_eq!(checked(sample()).unwrap().fragment(Uuid::max()), None);
}
