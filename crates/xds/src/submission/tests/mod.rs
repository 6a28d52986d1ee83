//! One submission that is good, and what `check` says when its wire form is changed.

mod accepted;
mod affinity;
mod ci_sis;
mod corpus;
mod on_demand;
mod required;
mod shape;
mod values;

use uuid::Uuid;

use super::*;
use crate::ebxml::Common;
use crate::metadata::{AssociationType, Author, Code, DocumentType, ExtraSlot, SubmissionSetStatus};
use crate::rules::Rule;
use crate::value::{Cx, Dtm, uuid_urn};

/// Ids as a sender gives them who numbers its objects.
pub const SET: &str = "SubmissionSet01";
pub const DOCUMENT: &str = "Document01";
pub const FOLDER: &str = "Folder01";
pub const SET_HAS_DOCUMENT: &str = "SetHasDocument";
pub const SET_HAS_FOLDER: &str = "SetHasFolder";
pub const FOLDER_HAS_DOCUMENT: &str = "FolderHasDocument";
pub const SET_HAS_MEMBERSHIP: &str = "SetHasMembership";

const NAMES: [&str; 7] =
    [SET, DOCUMENT, FOLDER, SET_HAS_DOCUMENT, SET_HAS_FOLDER, FOLDER_HAS_DOCUMENT, SET_HAS_MEMBERSHIP];

/// A document that is registered already.
pub const ELSEWHERE: &str = "urn:uuid:00000000-0000-4000-8000-0000000000ff";

pub const PATIENT: &str = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH";

/// The UUID that stands for a symbolic id until [`symbolic`] has put the latter in its place.
fn uuid_of(name: &str) -> Uuid {
    let number = NAMES.iter().position(|known| *known == name).unwrap();
    Uuid::from_u128(0x4000_8000_0000_0000_0100 + number as u128)
}

fn code(code: &str) -> Code {
    Code::new(code, "1.2.250.1.213.1.1.4.1", &format!("display of {code}"))
}

fn author() -> Author {
    Author {
        person: Some("801234567897^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS".into()),
        institutions: vec!["Hospital^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750000000".into()],
        roles: vec!["Attending".into()],
        specialties: vec!["G15_10/SM26^Doctor^1.2.250.1.213.1.1.4.5".into()],
        telecommunications: vec!["^^Internet^claire.martin@example.org".into()],
    }
}

pub fn document() -> DocumentEntry {
    DocumentEntry {
        entry_uuid: uuid_of(DOCUMENT),
        logical_id: None,
        document_type: DocumentType::Stable,
        authors: vec![author()],
        availability: None,
        class_code: code("10"),
        comments: Some("After three days".into()),
        confidentiality_codes: vec![code("N"), code("MASQUE_PS")],
        creation_time: Some(Dtm::parse("20240229120000").unwrap()),
        event_codes: vec![code("event")],
        format_code: code("urn:ihe:iti:xds-sd:pdf:2008"),
        hash: Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".into()),
        healthcare_facility_type_code: code("SA07"),
        home_community_id: Some("urn:oid:1.2.250.1.999".into()),
        language_code: "fr-FR".into(),
        legal_authenticator: Some("801234567897^MARTIN^Claire^^^^^^&1.2.250.1.71.4.2.1&ISO".into()),
        mime_type: "text/xml".into(),
        patient_id: Cx::parse(PATIENT).unwrap(),
        practice_setting_code: code("ETABLISSEMENT"),
        reference_ids: vec!["A1^^^&1.2.250.1.999&ISO^urn:ihe:iti:xds:2013:accession".into()],
        repository_unique_id: Some("1.2.250.1.999.2".into()),
        service_start_time: Some(Dtm::parse("20240226").unwrap()),
        service_stop_time: Some(Dtm::parse("20240229").unwrap()),
        size: Some(0),
        source_patient_id: Some(Cx::parse("IPP1^^^&1.2.250.1.999.3&ISO^PI").unwrap()),
        source_patient_info: vec!["PID-5|DUPONT^Jeanne^^^^^L".into(), "PID-7|19350327".into()],
        title: Some("Discharge letter".into()),
        type_code: code("11490-0"),
        unique_id: "1.2.250.1.999.4.1".into(),
        uri: Some("DOC0001.XML".into()),
        extra: vec![ExtraSlot { name: "urn:example:ward".into(), values: vec!["7B".into()] }],
    }
}

fn submission_set() -> SubmissionSet {
    SubmissionSet {
        entry_uuid: uuid_of(SET),
        authors: vec![author()],
        comments: Some("End of stay".into()),
        content_type_code: code("03"),
        home_community_id: None,
        intended_recipients: vec!["Practice|801234567897^BERNARD|^^Internet^b@example.org".into()],
        patient_id: Cx::parse(PATIENT).unwrap(),
        source_id: "1.2.250.1.999.5".into(),
        submission_time: Dtm::parse("20240229130000").unwrap(),
        title: Some("Stay of February".into()),
        unique_id: "1.2.250.1.999.4.2".into(),
        extra: Vec::new(),
    }
}

fn folder() -> Folder {
    Folder {
        entry_uuid: uuid_of(FOLDER),
        logical_id: None,
        codes: vec![code("STAY")],
        comments: None,
        home_community_id: None,
        patient_id: Cx::parse(PATIENT).unwrap(),
        title: "Cardiology".into(),
        unique_id: "1.2.250.1.999.4.3".into(),
        extra: Vec::new(),
    }
}

fn has_member(name: &str, source: &str, target: &str, status: Option<SubmissionSetStatus>) -> Association {
    Association {
        entry_uuid: uuid_of(name),
        association_type: AssociationType::HasMember,
        source: uuid_of(source),
        target: uuid_of(target),
        submission_set_status: status,
        documentation: None,
        extra: Vec::new(),
    }
}

fn associations() -> Vec<Association> {
    vec![
        has_member(SET_HAS_DOCUMENT, SET, DOCUMENT, Some(SubmissionSetStatus::Original)),
        has_member(SET_HAS_FOLDER, SET, FOLDER, None),
        has_member(FOLDER_HAS_DOCUMENT, FOLDER, DOCUMENT, None),
        has_member(SET_HAS_MEMBERSHIP, SET, FOLDER_HAS_DOCUMENT, None),
    ]
}

/// One document in one new folder, by UUIDs.
pub fn with_uuids() -> SubmitObjects {
    SubmitObjects {
        extrinsic_objects: vec![document().to_ebxml()],
        packages: vec![submission_set().to_ebxml(), folder().to_ebxml()],
        associations: associations().iter().map(Association::to_ebxml).collect(),
        findings: Vec::new(),
    }
}

/// The same with symbolic ids.
pub fn sample() -> SubmitObjects {
    NAMES.into_iter().fold(with_uuids(), |objects, name| renamed(objects, &uuid_urn(uuid_of(name)), name))
}

/// Gives an object another id, also where associations use it.
pub fn renamed(mut objects: SubmitObjects, from: &str, to: &str) -> SubmitObjects {
    let documents = objects.extrinsic_objects.iter_mut().map(|o| &mut o.common.id);
    let packages = objects.packages.iter_mut().map(|o| &mut o.common.id);
    let associations = objects
        .associations
        .iter_mut()
        .flat_map(|a| [&mut a.common.id, &mut a.source_object, &mut a.target_object]);
    documents.chain(packages).chain(associations).filter(|id| *id == from).for_each(|id| *id = to.to_owned());
    objects
}

/// The object with that id.
pub fn common<'a>(objects: &'a mut SubmitObjects, id: &str) -> &'a mut Common {
    let documents = objects.extrinsic_objects.iter_mut().map(|o| &mut o.common);
    let packages = objects.packages.iter_mut().map(|o| &mut o.common);
    let associations = objects.associations.iter_mut().map(|o| &mut o.common);
    documents.chain(packages).chain(associations).find(|common| common.id == id).unwrap()
}

fn association<'a>(objects: &'a mut SubmitObjects, id: &str) -> &'a mut crate::ebxml::Association {
    objects.associations.iter_mut().find(|association| association.common.id == id).unwrap()
}

/// An association by the ids that the sender uses.
fn wire(
    id: &str,
    association_type: AssociationType,
    source: &str,
    target: &str,
) -> crate::ebxml::Association {
    crate::ebxml::Association {
        common: Common { id: id.to_owned(), ..Common::default() },
        association_type: association_type.urn().to_owned(),
        source_object: source.to_owned(),
        target_object: target.to_owned(),
    }
}

/// A second document with its HasMember.
fn add_document(objects: &mut SubmitObjects, id: &str, unique_id: &str) {
    let mut entry = document();
    entry.unique_id = unique_id.to_owned();
    let mut object = entry.to_ebxml();
    object.common.id = id.to_owned();
    objects.extrinsic_objects.push(object);
    let mut member = wire(&format!("SetHas{id}"), AssociationType::HasMember, SET, id);
    member.common.set_slot("SubmissionSetStatus", "Original");
    objects.associations.push(member);
}

/// Gives each new id by counting.
pub fn checked_by(objects: SubmitObjects, rules: &Rules) -> Result<ValidSubmission, Vec<Finding>> {
    checked_in(Transaction::Iti42, objects, rules)
}

pub fn checked_in(
    transaction: Transaction,
    objects: SubmitObjects,
    rules: &Rules,
) -> Result<ValidSubmission, Vec<Finding>> {
    let mut last = 0xf000_0000_0000_4000_8000_0000_0000_0000;
    let fresh = &mut || {
        last += 1;
        Uuid::from_u128(last)
    };
    ValidSubmission::check(objects, transaction, rules, fresh).map_err(|refused| refused.findings)
}

pub fn checked(objects: SubmitObjects) -> Result<ValidSubmission, Vec<Finding>> {
    checked_by(objects, &Rules::default())
}

fn findings_after(change: impl FnOnce(&mut SubmitObjects)) -> Vec<Finding> {
    let mut objects = sample();
    change(&mut objects);
    checked(objects).map(|_| "accepted").unwrap_err()
}

/// The change leads to one finding and no other: of that rule, about that object, in a sentence that begins so.
#[track_caller]
fn assert_broken(
    rule: Rule,
    location: impl Into<Option<&'static str>>,
    sentence: &str,
    change: impl FnOnce(&mut SubmitObjects),
) {
    assert_broken_under(&Rules::default(), rule, location, sentence, change);
}

#[track_caller]
fn assert_broken_under(
    rules: &Rules,
    rule: Rule,
    location: impl Into<Option<&'static str>>,
    sentence: &str,
    change: impl FnOnce(&mut SubmitObjects),
) {
    let mut objects = sample();
    change(&mut objects);
    let findings = checked_by(objects, rules).map(|_| "accepted").unwrap_err();
    let [finding] = findings.as_slice() else { panic!("not one finding: {findings:#?}") };
    assert_eq!(
        (finding.rule, finding.location.as_deref()),
        (Some(rule), location.into()),
        "{}",
        finding.context
    );
    assert_eq!(finding.code, rule.code());
    assert!(finding.context.starts_with(sentence), "{}", finding.context);
    assert!(finding.is_error());
}

#[track_caller]
fn assert_accepted(change: impl FnOnce(&mut SubmitObjects)) -> ValidSubmission {
    let mut objects = sample();
    change(&mut objects);
    checked(objects).unwrap_or_else(|findings| panic!("{findings:#?}"))
}
