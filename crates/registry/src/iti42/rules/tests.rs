//! A submission with one document, one folder and one association, against a registry that has something to do with it.

use xds::metadata::{Code, DocumentEntry, DocumentType, Folder, SubmissionSet};
use xds::submission::{Rules, Transaction, ValidSubmission};
use xds::value::{Cx, Dtm};

use super::*;
use crate::sql::{EqualId, Existing, ExistingDetail};

const PATIENT: &str = "1^^^&1.2.3&ISO";
/// The record of the patient, one that was merged into it, and another's.
const RECORD: i64 = 1;
const MERGED: i64 = 2;
const OTHER: i64 = 3;
const HASH: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const SET: Uuid = Uuid::from_u128(1);
const DOCUMENT: Uuid = Uuid::from_u128(2);
const FOLDER: Uuid = Uuid::from_u128(3);
const RELATION: Uuid = Uuid::from_u128(9);
const REGISTERED: Uuid = Uuid::from_u128(0xff);

fn code() -> Code {
    Code::new("code", "1.2.3", "display")
}

fn link(id: Uuid, kind: AssociationType, source: Uuid, target: Uuid) -> Association {
    Association {
        entry_uuid: id,
        association_type: kind,
        source,
        target,
        submission_set_status: None,
        documentation: None,
        extra: Vec::new(),
    }
}

fn from_set(id: Uuid, target: Uuid, status: SubmissionSetStatus) -> Association {
    Association { submission_set_status: Some(status), ..link(id, AssociationType::HasMember, SET, target) }
}

/// The claims of a good submission with these associations added.
fn claims(more: Vec<Association>) -> Claims {
    let patient_id = Cx::parse(PATIENT).unwrap();
    let set = SubmissionSet {
        entry_uuid: SET,
        authors: Vec::new(),
        comments: None,
        content_type_code: code(),
        home_community_id: None,
        intended_recipients: Vec::new(),
        patient_id: patient_id.clone(),
        source_id: "1.2.3".into(),
        submission_time: Dtm::parse("2024").unwrap(),
        title: None,
        unique_id: "1.2.3.1".into(),
        extra: Vec::new(),
    };
    let document = DocumentEntry {
        entry_uuid: DOCUMENT,
        logical_id: None,
        document_type: DocumentType::Stable,
        authors: Vec::new(),
        availability: None,
        class_code: code(),
        comments: None,
        confidentiality_codes: vec![code()],
        creation_time: Some(Dtm::parse("2024").unwrap()),
        event_codes: Vec::new(),
        format_code: code(),
        hash: Some(HASH.into()),
        healthcare_facility_type_code: code(),
        home_community_id: None,
        language_code: "fr-FR".into(),
        legal_authenticator: None,
        mime_type: "text/plain".into(),
        patient_id: patient_id.clone(),
        practice_setting_code: code(),
        reference_ids: Vec::new(),
        repository_unique_id: Some("1.2.3".into()),
        service_start_time: None,
        service_stop_time: None,
        size: Some(0),
        source_patient_id: Some(patient_id.clone()),
        source_patient_info: Vec::new(),
        title: None,
        type_code: code(),
        unique_id: "1.2.3.2".into(),
        uri: None,
        extra: Vec::new(),
    };
    let folder = Folder {
        entry_uuid: FOLDER,
        logical_id: None,
        codes: vec![code()],
        comments: None,
        home_community_id: None,
        patient_id,
        title: "Stay".into(),
        unique_id: "1.2.3.3".into(),
        extra: Vec::new(),
    };
    let mut associations = vec![
        from_set(Uuid::from_u128(4), DOCUMENT, SubmissionSetStatus::Original),
        link(Uuid::from_u128(5), AssociationType::HasMember, SET, FOLDER),
    ];
    for added in more {
        if added.association_type == AssociationType::HasMember && added.source != SET {
            let member = link(Uuid::from_u128(6), AssociationType::HasMember, SET, added.entry_uuid);
            associations.push(member);
        }
        associations.push(added);
    }
    let sent = xds::ebxml::SubmitObjects {
        extrinsic_objects: vec![document.to_ebxml()],
        packages: vec![set.to_ebxml(), folder.to_ebxml()],
        associations: associations.iter().map(Association::to_ebxml).collect(),
        findings: Vec::new(),
    };
    let submission = ValidSubmission::check(sent, Transaction::Iti42, &Rules::default(), &mut Uuid::new_v4);
    submission.unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).claims().clone()
}

fn registered(record: i64, detail: ExistingDetail) -> Existing {
    Existing { entry_uuid: REGISTERED, record, detail }
}

fn a_document(record: i64, approved: bool, on_demand: bool) -> Existing {
    registered(record, ExistingDetail::DocumentEntry { approved, on_demand })
}

fn a_folder(record: i64, approved: bool) -> Existing {
    registered(record, ExistingDetail::Folder { approved })
}

fn rules_broken(claims: &Claims, existing: &[Existing], equal: &[EqualId]) -> Vec<Rule> {
    let of = vec![(RECORD, RECORD), (MERGED, RECORD), (OTHER, OTHER)];
    let findings = check(claims, &Survivors { patient: Some(RECORD), of }, existing, equal);
    findings
        .into_iter()
        .map(|finding| {
            assert!(finding.is_error() && finding.location.is_some(), "{finding:?}");
            finding.rule.unwrap()
        })
        .collect()
}

/// What is wrong with that association when `existing` is registered.
fn with(association: Association, existing: Existing) -> Vec<Rule> {
    rules_broken(&claims(vec![association]), &[existing], &[])
}

fn equal(unique_id: &str, is_document: bool, hash: &str, size: i64) -> EqualId {
    EqualId {
        unique_id: unique_id.into(),
        is_document,
        on_demand: false,
        hash: Some(hash.into()),
        size: Some(size),
        logical_id: None,
    }
}

#[test]
fn a_new_submission_breaks_no_rule() {
    assert_eq!(rules_broken(&claims(Vec::new()), &[], &[]), []);
}

#[test]
fn v9_what_is_linked_is_of_the_same_patient() {
    for kind in [AssociationType::Rplc, AssociationType::Apnd, AssociationType::Signs] {
        let relation = link(RELATION, kind, DOCUMENT, REGISTERED);
        assert_eq!(with(relation.clone(), a_document(OTHER, true, false)), [Rule::V9]);
        assert_eq!(with(relation.clone(), a_document(RECORD, true, false)), []);
        assert_eq!(with(relation, a_document(MERGED, true, false)), []);
    }
    let into_folder = link(RELATION, AssociationType::HasMember, REGISTERED, DOCUMENT);
    assert_eq!(with(into_folder, a_folder(OTHER, true)), [Rule::V9]);
    let reference = from_set(RELATION, REGISTERED, SubmissionSetStatus::Reference);
    assert_eq!(with(reference, a_document(OTHER, true, false)), []);
}

#[test]
fn v10_a_unique_id_returns_only_with_the_same_octets() {
    let other = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let claims = claims(Vec::new());
    assert_eq!(rules_broken(&claims, &[], &[equal("1.2.3.2", true, other, 0)]), [Rule::V10Hash]);
    assert_eq!(rules_broken(&claims, &[], &[equal("1.2.3.2", true, HASH, 1)]), [Rule::V10Size]);
    assert_eq!(Rule::V10Hash.code().to_string(), "XDSNonIdenticalHash");
    assert_eq!(Rule::V10Size.code().to_string(), "XDSNonIdenticalSize");
}

#[test]
fn v11_documents_may_share_a_unique_id_but_not_with_other_objects() {
    let claims = claims(Vec::new());
    assert_eq!(rules_broken(&claims, &[], &[equal("1.2.3.2", true, &HASH.to_uppercase(), 0)]), []);
    assert_eq!(rules_broken(&claims, &[], &[equal("1.2.3.2", false, HASH, 0)]), [Rule::V11]);
}

#[test]
fn v26_a_stable_and_an_on_demand_document_do_not_share_a_unique_id() {
    let made = EqualId { on_demand: true, hash: None, size: None, ..equal("1.2.3.2", true, HASH, 0) };
    assert_eq!(rules_broken(&claims(Vec::new()), &[], std::slice::from_ref(&made)), [Rule::V26]);
    assert!(differs("1.2.3.2", true, None, None, &made).is_none(), "two On-Demand documents may");
    let (rule, _) = differs("1.2.3.2", true, None, None, &equal("1.2.3.2", true, HASH, 0)).unwrap();
    assert_eq!(rule, Rule::V26);
}

#[test]
fn v12_the_unique_id_of_a_submission_set_is_new_among_all() {
    for is_document in [true, false] {
        assert_eq!(
            rules_broken(&claims(Vec::new()), &[], &[equal("1.2.3.1", is_document, HASH, 0)]),
            [Rule::V12]
        );
    }
}

#[test]
fn v13_the_unique_id_of_a_folder_is_new_among_all() {
    for is_document in [true, false] {
        assert_eq!(
            rules_broken(&claims(Vec::new()), &[], &[equal("1.2.3.3", is_document, HASH, 0)]),
            [Rule::V13]
        );
    }
}

#[test]
fn v15_an_id_is_new() {
    for id in [SET, DOCUMENT, FOLDER] {
        let taken = Existing { entry_uuid: id, record: 1, detail: ExistingDetail::Association };
        assert_eq!(rules_broken(&claims(Vec::new()), &[taken], &[]), [Rule::V15]);
    }
}

#[test]
fn v17_an_end_that_is_nowhere_is_not_resolved() {
    let relation = link(RELATION, AssociationType::Rplc, DOCUMENT, REGISTERED);
    assert_eq!(rules_broken(&claims(vec![relation.clone()]), &[], &[]), [Rule::V17]);
    assert_eq!(with(relation.clone(), a_folder(RECORD, true)), [Rule::V17]);
    assert_eq!(with(relation, registered(RECORD, ExistingDetail::SubmissionSet)), [Rule::V17]);
}

#[test]
fn v18_nothing_relates_or_refers_to_a_deprecated_document() {
    for kind in
        [AssociationType::Rplc, AssociationType::XfrmRplc, AssociationType::Apnd, AssociationType::Xfrm]
    {
        let relation = link(RELATION, kind, DOCUMENT, REGISTERED);
        assert_eq!(with(relation, a_document(RECORD, false, false)), [Rule::V18]);
    }
    let reference = from_set(RELATION, REGISTERED, SubmissionSetStatus::Reference);
    assert_eq!(with(reference, a_document(RECORD, false, false)), [Rule::V18]);
}

#[test]
fn v19_neither_a_deprecated_document_nor_a_deprecated_folder_takes_part_in_a_membership() {
    let of_document = link(RELATION, AssociationType::HasMember, FOLDER, REGISTERED);
    assert_eq!(with(of_document.clone(), a_document(RECORD, false, false)), [Rule::V19Document]);
    assert_eq!(with(of_document, a_document(RECORD, true, false)), []);
    let into_folder = link(RELATION, AssociationType::HasMember, REGISTERED, DOCUMENT);
    assert_eq!(with(into_folder.clone(), a_folder(RECORD, false)), [Rule::V19Folder]);
    assert_eq!(with(into_folder, a_folder(RECORD, true)), []);
}

#[test]
fn v20_a_snapshot_is_of_an_on_demand_document() {
    let snapshot = link(RELATION, AssociationType::IsSnapshotOf, DOCUMENT, REGISTERED);
    assert_eq!(with(snapshot.clone(), a_document(RECORD, true, false)), [Rule::V20]);
    assert_eq!(with(snapshot, a_document(RECORD, true, true)), []);
}

#[test]
fn v21_nothing_is_tied_to_a_submission_set_that_is_registered() {
    let from_old_set = link(RELATION, AssociationType::HasMember, REGISTERED, DOCUMENT);
    assert_eq!(with(from_old_set, registered(RECORD, ExistingDetail::SubmissionSet)), [Rule::V21]);
    let old_folder = from_set(RELATION, REGISTERED, SubmissionSetStatus::Reference);
    assert_eq!(with(old_folder, a_folder(RECORD, true)), [Rule::V21]);
}

#[test]
fn v23_a_registered_document_is_not_original() {
    let original = from_set(RELATION, REGISTERED, SubmissionSetStatus::Original);
    assert_eq!(with(original, a_document(RECORD, true, false)), [Rule::V23]);
}

#[test]
fn every_rule_that_is_broken_is_reported() {
    let relation = link(RELATION, AssociationType::Rplc, DOCUMENT, REGISTERED);
    let broken = rules_broken(
        &claims(vec![relation]),
        &[
            a_document(RECORD, false, false),
            Existing { entry_uuid: FOLDER, record: 1, detail: ExistingDetail::SubmissionSet },
        ],
        &[
            equal("1.2.3.1", false, HASH, 0),
            equal("1.2.3.2", true, HASH, 7),
            equal("1.2.3.3", false, HASH, 0),
        ],
    );
    assert_eq!(broken, [Rule::V15, Rule::V12, Rule::V13, Rule::V10Size, Rule::V18]);
}
