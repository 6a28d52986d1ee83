use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use xml::{Document, Limits, Writer};

use super::*;
use crate::constants::{SUBMISSION_SET_NODE, ns};
use crate::error::ErrorCode;
use crate::message::MessageError;
use crate::submission::tests::{DOCUMENT, SET, checked, common, sample, with_uuids};

fn written(objects: &SubmitObjects) -> String {
    let mut w = Writer::new();
    objects.write(&mut w);
    w.finish()
}

fn read(text: &str) -> Result<SubmitObjects, MessageError> {
    let document =
        Document::parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    SubmitObjects::read(document.root())
}

/// A bare list with that content.
fn list(content: &str) -> String {
    format!("<RegistryObjectList xmlns='{}'>{content}</RegistryObjectList>", ns::RIM)
}

/// Any text that XML can hold, with a liking for what markup is made of.
fn text() -> impl Strategy<Value = String> {
    let markup = prop::sample::select("<>&\"'\n\r\t ]]>;\u{85}\u{2028}é".chars().collect::<Vec<_>>());
    let any = any::<char>().prop_filter("XML has no such character", |c| {
        (*c >= ' ' || "\n\r\t".contains(*c)) && !matches!(c, '\u{fffe}' | '\u{ffff}')
    });
    prop::collection::vec(prop_oneof![markup, any], 0..8).prop_map(String::from_iter)
}

fn maybe() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn some() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("x{text}"))
}

fn some_slots() -> impl Strategy<Value = Vec<Slot>> {
    let slot = (text(), maybe(), prop::collection::vec(text(), 0..3));
    prop::collection::vec(slot.prop_map(|(name, slot_type, values)| Slot { name, slot_type, values }), 0..3)
}

fn some_strings() -> impl Strategy<Value = Vec<LocalizedString>> {
    let string = (text(), maybe(), maybe());
    prop::collection::vec(
        string.prop_map(|(value, lang, charset)| LocalizedString { value, lang, charset }),
        0..3,
    )
}

prop_compose! {
    /// An owner is always written, so it is always there when it is read.
    fn a_classification()(
        id in maybe(), scheme in maybe(), node in maybe(), owner in text(), node_representation in maybe(),
        slots in some_slots(), name in some_strings(), description in some_strings(),
    ) -> Classification {
        let classified_object = Some(owner);
        Classification { id, scheme, node, classified_object, node_representation, slots, name, description }
    }
}

prop_compose! {
    fn an_identifier()(
        id in maybe(), owner in text(), identification_scheme in text(), value in text(),
        slots in some_slots(), name in some_strings(), description in some_strings(),
    ) -> ExternalIdentifier {
        let registry_object = Some(owner);
        ExternalIdentifier { id, registry_object, identification_scheme, value, slots, name, description }
    }
}

prop_compose! {
    fn a_common()(
        (id, home, lid, object_type, status) in (some(), maybe(), maybe(), maybe(), maybe()),
        slots in some_slots(), name in some_strings(), description in some_strings(), version_name in maybe(),
        classifications in prop::collection::vec(a_classification(), 0..3),
        external_identifiers in prop::collection::vec(an_identifier(), 0..3),
    ) -> Common {
        Common {
            id, home, lid, object_type, status, slots, name, description, version_name, classifications,
            external_identifiers,
        }
    }
}

prop_compose! {
    fn an_association()(
        common in a_common(), has_id in any::<bool>(),
        association_type in some(), source_object in some(), target_object in some(),
    ) -> Association {
        let id = if has_id { common.id.clone() } else { String::new() };
        Association { common: Common { id, ..common }, association_type, source_object, target_object }
    }
}

prop_compose! {
    fn a_submission()(
        documents in prop::collection::vec((a_common(), maybe(), maybe()), 0..3),
        packages in prop::collection::vec(a_common(), 0..3),
        associations in prop::collection::vec(an_association(), 0..3),
    ) -> SubmitObjects {
        let document = |(common, mime_type, is_opaque)| ExtrinsicObject { common, mime_type, is_opaque };
        SubmitObjects {
            extrinsic_objects: documents.into_iter().map(document).collect(),
            packages: packages.into_iter().map(|common| RegistryPackage { common }).collect(),
            associations,
            findings: Vec::new(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_back_unchanged(objects in a_submission()) {
        prop_assert_eq!(read(&written(&objects)).unwrap(), objects);
    }
}

#[test]
fn an_inner_object_that_names_no_owner_is_written_with_the_one_that_holds_it() {
    let read = read(&written(&sample())).unwrap();
    let document = &read.extrinsic_objects[0].common;
    assert!(document.classifications.iter().all(|c| c.classified_object.as_deref() == Some(DOCUMENT)));
    assert!(document.external_identifiers.iter().all(|e| e.registry_object.as_deref() == Some(DOCUMENT)));
}

#[test]
fn a_classification_beside_its_object_is_moved_into_it() {
    let objects = read(&list(&format!(
        "<Classification classifiedObject='s' classificationNode='{SUBMISSION_SET_NODE}'/><RegistryPackage id='s'/>"
    )))
    .unwrap();
    assert_eq!(objects.findings, []);
    assert!(objects.packages[0].common.is_classified_as(SUBMISSION_SET_NODE));
    assert_eq!(objects.submission_set(), Some(&objects.packages[0]));
}

#[test]
fn a_classification_of_nothing_is_found() {
    let objects = read(&list("<Classification id='c' classifiedObject='s'/>")).unwrap();
    let [finding] = objects.findings.as_slice() else { panic!("{:?}", objects.findings) };
    assert_eq!((finding.code, finding.location.as_deref()), (ErrorCode::XDSRegistryMetadataError, Some("c")));
    assert_eq!(finding.context, "Classification.classifiedObject \"s\" is not in this submission");
}

#[test]
fn an_element_that_does_not_belong_here_is_found_and_an_object_ref_is_passed_over() {
    let objects = read(&list("<ObjectRef id='r'/>\n<Service id='x'/>")).unwrap();
    let [finding] = objects.findings.as_slice() else { panic!("{:?}", objects.findings) };
    assert_eq!((finding.code, finding.location.as_deref()), (ErrorCode::XDSRegistryMetadataError, Some("x")));
    assert_eq!(finding.context, "Service (line 2) does not belong into a submission");
    assert!(checked(objects).unwrap_err().iter().any(|f| f.context.starts_with("Service ")));
}

#[test]
fn a_request_without_its_list_is_refused() {
    let lcm = ns::LCM;
    for text in [format!("<SubmitObjectsRequest xmlns='{lcm}'/>"), "<RegistryObjectList/>".to_owned()] {
        assert_eq!(
            read(&text),
            Err(MessageError("SubmitObjectsRequest has no rim:RegistryObjectList".into()))
        );
    }
}

#[test]
fn an_object_without_what_identifies_it_is_refused_by_name_and_line() {
    for (object, missing) in [
        ("<ExtrinsicObject/>", "ExtrinsicObject (line 2) has no attribute id"),
        ("<RegistryPackage id=''/>", "RegistryPackage (line 2) has no attribute id"),
        (
            "<Association sourceObject='a' targetObject='b'/>",
            "Association (line 2) has no attribute associationType",
        ),
        (
            "<Association associationType='t' targetObject='b'/>",
            "Association (line 2) has no attribute sourceObject",
        ),
        (
            "<Association associationType='t' sourceObject='b'/>",
            "Association (line 2) has no attribute targetObject",
        ),
    ] {
        assert_eq!(read(&list(&format!("\n{object}"))), Err(MessageError(missing.into())));
    }
}

#[test]
fn the_trace_of_a_refused_submission_finds_its_set_and_its_patients() {
    let mut objects = sample();
    assert_eq!(objects.submission_set_unique_id(), Some("1.2.250.1.999.4.2"));
    assert_eq!(objects.patient_ids(), [crate::submission::tests::PATIENT]);
    for (id, patient) in [(SET, "first"), (DOCUMENT, "second")] {
        let identifiers = &mut common(&mut objects, id).external_identifiers;
        identifiers
            .iter_mut()
            .filter(|e| e.value == crate::submission::tests::PATIENT)
            .for_each(|e| e.value = patient.into());
    }
    assert_eq!(objects.patient_ids(), ["first", "second", crate::submission::tests::PATIENT]);
}

/// Asks xmllint whether what is written is valid by the ebRS schemas that XDS.b uses.
fn assert_valid(objects: &SubmitObjects) {
    let Some(corpus) = std::env::var_os("CARNET_CORPUS") else {
        eprintln!("skipped: CARNET_CORPUS is not set");
        return;
    };
    let schemas = Path::new(&corpus).join("schemas");
    let xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schemas.join("ihe-iti-info/schema/ebRS/lcm.xsd"))
        .arg("-")
        .env("XML_CATALOG_FILES", schemas.join("catalog.xml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut xmllint) = xmllint else {
        eprintln!("skipped: xmllint is not installed");
        return;
    };
    let text = written(objects);
    xmllint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let verdict = xmllint.wait_with_output().unwrap();
    assert!(verdict.status.success(), "{}\n{text}", String::from_utf8_lossy(&verdict.stderr));
}

#[test]
fn corpus_written_submissions_are_valid_by_the_schema() {
    assert_valid(&sample());
    assert_valid(&with_uuids());
    assert_valid(checked(sample()).unwrap().objects());
}
