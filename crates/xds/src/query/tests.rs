use uuid::Uuid;

use super::*;
use crate::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE};
use crate::metadata::{Availability, DocumentType};
use crate::value::Cx;

const PATIENT: &str = "'1234^^^&1.2.250.1.213.1.4.10&ISO'";
const APPROVED: &str = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')";

fn request(id: &str, parameters: &[(&str, &[&str])]) -> Request {
    let parameters = parameters
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()));
    Request {
        id: id.to_owned(),
        return_type: "LeafClass".to_owned(),
        home: None,
        parameters: parameters.collect(),
    }
}

/// FindDocuments with its required parameters and `more`.
fn find_request(more: &[(&str, &[&str])]) -> Request {
    let required: [(&str, &[&str]); 2] =
        [("$XDSDocumentEntryPatientId", &[PATIENT]), ("$XDSDocumentEntryStatus", &[APPROVED])];
    request(QUERY_FIND_DOCUMENTS, &[&required, more].concat())
}

fn find(more: &[(&str, &[&str])]) -> Result<DocumentFilter, Vec<Finding>> {
    match find_request(more).parse()?.kind {
        QueryKind::FindDocuments(find) => Ok(find.filter),
        other => panic!("{other:?}"),
    }
}

fn get(parameters: &[(&str, &[&str])]) -> Result<ObjectIds, Vec<Finding>> {
    match request(QUERY_GET_DOCUMENTS, parameters).parse()?.kind {
        QueryKind::GetDocuments(ids) => Ok(ids),
        other => panic!("{other:?}"),
    }
}

/// (code, parameter) of each finding.
fn refused<T: std::fmt::Debug>(result: Result<T, Vec<Finding>>) -> Vec<(ErrorCode, String)> {
    let name = |finding: &Finding| finding.context.split_once(':').unwrap().0.to_owned();
    result.unwrap_err().iter().map(|finding| (finding.code, name(finding))).collect()
}

fn one(code: ErrorCode, name: &str) -> Vec<(ErrorCode, String)> {
    vec![(code, name.to_owned())]
}

#[test]
fn find_documents_reads_every_parameter() {
    let find = find(&[
        ("$XDSDocumentEntryType", &["('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')"]),
        ("$XDSDocumentEntryClassCode", &["('11^^1.2.250.1.213.1.1.4.1')"]),
        ("$XDSDocumentEntryTypeCode", &["('34133-9^^2.16.840.1.113883.6.1')"]),
        ("$XDSDocumentEntryPracticeSettingCode", &["('AMBULATOIRE^^1.2.250.1.213.1.1.4.9')"]),
        ("$XDSDocumentEntryHealthcareFacilityTypeCode", &["('SA07^^1.2.250.1.71.4.2.4')"]),
        ("$XDSDocumentEntryFormatCode", &["('urn:ihe:iti:xds-sd:pdf:2008^^1.3.6.1.4.1.19376.1.2.3')"]),
        ("$XDSDocumentEntryEventCodeList", &["('a^^s')"]),
        ("$XDSDocumentEntryConfidentialityCode", &["('N^^2.16.840.1.113883.5.25')"]),
        ("$XDSDocumentEntryAuthorPerson", &["('%D''ARC%')"]),
        ("$XDSDocumentEntryCreationTimeFrom", &["2004"]),
        ("$XDSDocumentEntryCreationTimeTo", &["2005"]),
        ("$XDSDocumentEntryServiceStartTimeFrom", &["2006"]),
        ("$XDSDocumentEntryServiceStartTimeTo", &["2007"]),
        ("$XDSDocumentEntryServiceStopTimeFrom", &["2008"]),
        ("$XDSDocumentEntryServiceStopTimeTo", &["2009"]),
        ("$XDSDocumentEntryDocumentAvailability", &["('urn:ihe:iti:2010:DocumentAvailability:Offline')"]),
    ])
    .unwrap();
    let window = |from: &str, to: &str| Window {
        from: Some(Dtm::parse(from).unwrap()),
        to: Some(Dtm::parse(to).unwrap()),
    };
    assert_eq!(
        find,
        DocumentFilter {
            status: vec![Status::Approved],
            document_types: vec![DocumentType::OnDemand],
            class_code: vec!["11^^1.2.250.1.213.1.1.4.1".into()],
            type_code: vec!["34133-9^^2.16.840.1.113883.6.1".into()],
            practice_setting_code: vec!["AMBULATOIRE^^1.2.250.1.213.1.1.4.9".into()],
            healthcare_facility_type_code: vec!["SA07^^1.2.250.1.71.4.2.4".into()],
            format_code: vec!["urn:ihe:iti:xds-sd:pdf:2008^^1.3.6.1.4.1.19376.1.2.3".into()],
            event_codes: vec![vec!["a^^s".into()]],
            confidentiality_codes: vec![vec!["N^^2.16.840.1.113883.5.25".into()]],
            author_person: vec!["%D'ARC%".into()],
            creation_time: window("2004", "2005"),
            service_start_time: window("2006", "2007"),
            service_stop_time: window("2008", "2009"),
            availability: vec![Availability::Offline],
            reference_ids: vec![],
        }
    );
}

#[test]
fn an_absent_parameter_puts_no_condition() {
    let find = find(&[("$XDSDocumentEntryClassCode", &[])]).unwrap();
    assert!(find.class_code.is_empty() && find.event_codes.is_empty() && find.author_person.is_empty());
    assert_eq!(find.creation_time, Window::default());
}

#[test]
fn a_list_may_be_split_over_several_values() {
    let split = find(&[("$XDSDocumentEntryClassCode", &["('a^^s', 'b^^s')", "('c^^s')", "'d^^s'"])]).unwrap();
    assert_eq!(split.class_code, ["a^^s", "b^^s", "c^^s", "d^^s"]);
}

#[test]
fn a_single_value_may_stand_in_parentheses() {
    let parameters: &[(&str, &[&str])] = &[
        ("$XDSDocumentEntryPatientId", &["('1234^^^&1.2.250.1.213.1.4.10&ISO')"]),
        ("$XDSDocumentEntryStatus", &[APPROVED]),
        ("$XDSDocumentEntryCreationTimeFrom", &["('2004')"]),
    ];
    let query = request(QUERY_FIND_DOCUMENTS, parameters).parse().unwrap();
    let QueryKind::FindDocuments(find) = query.kind else { panic!("{query:?}") };
    assert_eq!(find.patient_id, Cx::new("1234", "1.2.250.1.213.1.4.10"));
    assert_eq!(find.filter.creation_time.from, Some(Dtm::parse("2004").unwrap()));
}

#[test]
fn a_time_may_be_quoted_or_plain_and_must_be_a_time() {
    let name = "$XDSDocumentEntryCreationTimeFrom";
    let time = |value: &str| find(&[(name, &[value])]).map(|find| find.creation_time.from);
    let expected = Some(Dtm::parse("20221015151515").unwrap());
    assert_eq!(time("20221015151515"), Ok(expected.clone()));
    assert_eq!(time("'20221015151515'"), Ok(expected));
    assert_eq!(refused(time("2022-10-15")), one(ErrorCode::XDSRegistryError, name));
}

#[test]
fn repeated_slots_are_and_for_multi_valued_attributes() {
    let find = find(&[
        ("$XDSDocumentEntryEventCodeList", &["('a^^s','b^^s')"]),
        ("$XDSDocumentEntryEventCodeList", &["('c^^s')"]),
        ("$XDSDocumentEntryConfidentialityCode", &["('N^^s')"]),
        ("$XDSDocumentEntryConfidentialityCode", &["('X^^s')"]),
    ])
    .unwrap();
    assert_eq!(find.event_codes, [vec!["a^^s", "b^^s"], vec!["c^^s"]]);
    assert_eq!(find.confidentiality_codes, [["N^^s"], ["X^^s"]]);
}

#[test]
fn repeated_slots_of_any_other_attribute_are_refused() {
    for (name, value) in [
        ("$XDSDocumentEntryClassCode", "('a^^s')"),
        ("$XDSDocumentEntryAuthorPerson", "('%A%')"),
        ("$XDSDocumentEntryStatus", APPROVED),
        ("$XDSDocumentEntryPatientId", PATIENT),
    ] {
        let more: &[(&str, &[&str])] = &[(name, &[value]), (name, &[value])];
        assert_eq!(refused(find(more)), one(ErrorCode::XDSStoredQueryParamNumber, name));
    }
}

#[test]
fn several_values_of_a_single_valued_parameter_are_refused() {
    let name = "$XDSDocumentEntryServiceStopTimeTo";
    for values in [&["2004", "2005"] as &[&str], &["(2004,2005)"]] {
        assert_eq!(refused(find(&[(name, values)])), one(ErrorCode::XDSStoredQueryParamNumber, name));
    }
}

#[test]
fn a_code_needs_its_scheme() {
    let name = "$XDSDocumentEntryEventCodeList";
    for code in ["a", "a^^", "^^s", "a^s", "a^b^s", "a^^s^t", "a^^^s", ""] {
        assert_eq!(
            refused(find(&[(name, &[&format!("('{code}')")])])),
            one(ErrorCode::XDSRegistryError, name),
            "{code}"
        );
    }
    let findings = find(&[("$XDSDocumentEntryClassCode", &["('a^^s')", "('b')"])]).unwrap_err();
    assert!(findings[0].context.contains("value 2"), "{}", findings[0].context);
}

#[test]
fn a_value_that_is_badly_written_is_refused_by_the_name_of_its_parameter() {
    let name = "$XDSDocumentEntryClassCode";
    for value in ["('a^^s'", "'a^^s','b^^s'", "('a^^s)", "('a^^s',)", "()", "", "(a^^s)", "(‘a^^s’)"] {
        assert_eq!(refused(find(&[(name, &[value])])), one(ErrorCode::XDSRegistryError, name), "{value}");
    }
}

#[test]
fn an_unknown_parameter_is_ignored() {
    let with = find(&[("$Whatever", &["((("]), ("$XDSDocumentEntryUniqueId", &["'1'"])]);
    assert_eq!(with, find(&[]));
}

#[test]
fn unknown_statuses_are_ignored_and_one_known_must_remain() {
    let name = "$XDSDocumentEntryStatus";
    let status = |values: &[&str]| {
        let parameters: &[(&str, &[&str])] = &[("$XDSDocumentEntryPatientId", &[PATIENT]), (name, values)];
        match request(QUERY_FIND_DOCUMENTS, parameters).parse()?.kind {
            QueryKind::FindDocuments(find) => Ok(find.filter.status),
            other => panic!("{other:?}"),
        }
    };
    let both = ["('urn:x')", "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')", APPROVED];
    assert_eq!(status(&both), Ok(vec![Status::Deprecated, Status::Approved]));
    let wrong = ["('urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Approved')"];
    assert_eq!(refused(status(&wrong)), one(ErrorCode::XDSStoredQueryMissingParam, name));
    assert_eq!(refused(status(&[])), one(ErrorCode::XDSStoredQueryMissingParam, name));
}

#[test]
fn every_required_parameter_that_is_missing_is_reported() {
    let missing = refused(request(QUERY_FIND_DOCUMENTS, &[]).parse());
    let expected = ["$XDSDocumentEntryPatientId", "$XDSDocumentEntryStatus"];
    assert_eq!(missing, expected.map(|name| (ErrorCode::XDSStoredQueryMissingParam, name.to_owned())));
}

#[test]
fn the_document_type_is_stable_unless_it_is_given() {
    let name = "$XDSDocumentEntryType";
    let types = |values: &[&str]| find(&[(name, values)]).map(|find| find.document_types);
    assert_eq!(types(&[]), Ok(vec![DocumentType::Stable]));
    let both = format!("('{DOCUMENT_ENTRY_ON_DEMAND}','{DOCUMENT_ENTRY_STABLE}')");
    assert_eq!(types(&[&both]), Ok(vec![DocumentType::OnDemand, DocumentType::Stable]));
    assert_eq!(refused(types(&["('urn:uuid:x')"])), one(ErrorCode::XDSRegistryError, name));
}

#[test]
fn a_patient_id_must_be_quoted_and_have_its_authority() {
    let name = "$XDSDocumentEntryPatientId";
    for value in ["1234^^^&1.2.3&ISO", "'1234'", "''"] {
        let parameters: &[(&str, &[&str])] = &[(name, &[value]), ("$XDSDocumentEntryStatus", &[APPROVED])];
        let refused = refused(request(QUERY_FIND_DOCUMENTS, parameters).parse());
        assert_eq!(refused, one(ErrorCode::XDSRegistryError, name), "{value}");
    }
}

#[test]
fn get_documents_takes_one_of_its_three_parameters() {
    let (uuid, unique): (&[&str], &[&str]) =
        (&["('urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf')"], &["('1.2', '3.4')"]);
    let entry: Uuid = "08a15a6f-5b4a-42de-8f95-89474f83abdf".parse().unwrap();
    assert_eq!(get(&[("$XDSDocumentEntryEntryUUID", uuid)]), Ok(ObjectIds::EntryUuids(vec![entry])));
    let unique_ids = ObjectIds::UniqueIds(vec!["1.2".into(), "3.4".into()]);
    assert_eq!(get(&[("$XDSDocumentEntryUniqueId", unique)]), Ok(unique_ids));
    let logical: &[&str] = &["('urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf')"];
    assert_eq!(get(&[("$XDSDocumentEntryLogicalID", logical)]), Ok(ObjectIds::LogicalIds(vec![entry])));
    let names = "$XDSDocumentEntryEntryUUID, $XDSDocumentEntryUniqueId";
    let both = get(&[("$XDSDocumentEntryEntryUUID", uuid), ("$XDSDocumentEntryUniqueId", unique)]);
    assert_eq!(refused(both), one(ErrorCode::XDSStoredQueryParamNumber, names));
    let all = "$XDSDocumentEntryEntryUUID, $XDSDocumentEntryUniqueId, $XDSDocumentEntryLogicalID";
    assert_eq!(refused(get(&[])), one(ErrorCode::XDSStoredQueryMissingParam, all));
}

#[test]
fn an_entry_uuid_is_a_urn() {
    let name = "$XDSDocumentEntryEntryUUID";
    for value in ["'08a15a6f-5b4a-42de-8f95-89474f83abdf'", "'urn:uuid:1'", "''"] {
        assert_eq!(refused(get(&[(name, &[value])])), one(ErrorCode::XDSRegistryError, name), "{value}");
    }
}

#[test]
fn an_unknown_query_is_refused_and_still_tells_its_patient() {
    let folders = "urn:uuid:958f3006-baad-4929-a4de-ff1114824432";
    let unknown = request(folders, &[("$XDSFolderPatientId", &[PATIENT])]);
    assert_eq!(refused(unknown.parse()), one(ErrorCode::XDSUnknownStoredQuery, "AdhocQuery/@id"));
    assert_eq!(unknown.patient_ids(), ["1234^^^&1.2.250.1.213.1.4.10&ISO"]);
}

#[test]
fn only_object_ref_and_leaf_class_are_return_types() {
    let with = |return_type: &str| Request { return_type: return_type.into(), ..find_request(&[]) }.parse();
    assert_eq!(with("ObjectRef").unwrap().return_type, ReturnType::ObjectRef);
    assert_eq!(with("LeafClass").unwrap().return_type, ReturnType::LeafClass);
    for other in ["RegistryObject", "LeafClassWithRepositoryItem", ""] {
        assert_eq!(refused(with(other)), one(ErrorCode::XDSRegistryError, "ResponseOption/@returnType"));
    }
}

#[test]
fn all_findings_are_reported_at_once() {
    let parameters: &[(&str, &[&str])] = &[
        ("$XDSDocumentEntryClassCode", &["('a')"]),
        ("$XDSDocumentEntryCreationTimeTo", &["'soon'"]),
        ("$XDSDocumentEntryAuthorPerson", &["('%A%'"]),
    ];
    let request = Request { return_type: "X".into(), ..request(QUERY_FIND_DOCUMENTS, parameters) };
    assert_eq!(refused(request.parse()).len(), 6);
}

#[test]
fn no_finding_quotes_a_value() {
    let secret = "SECRET";
    let values = ["SECRET", "'SECRET", "('SECRET'", "('SECRET','SECRET')", "'SECRET'"];
    let names =
        find_request(&[("$XDSDocumentEntryClassCode", &[]), ("$XDSDocumentEntryCreationTimeFrom", &[])]);
    for (name, value) in names.parameters.iter().flat_map(|(name, _)| values.map(|value| (name, value))) {
        let findings = request(QUERY_FIND_DOCUMENTS, &[(name, &[value])]).parse().unwrap_err();
        assert!(findings.iter().all(|finding| !finding.context.contains(secret)), "{findings:?}");
    }
}

#[test]
fn the_patients_of_a_query_are_told_even_when_it_is_wrong() {
    assert_eq!(find_request(&[]).patient_ids(), ["1234^^^&1.2.250.1.213.1.4.10&ISO"]);
    let wrong: &[(&str, &[&str])] = &[(
        "$XDSDocumentEntryPatientId",
        &["('1^^^&1.2&ISO','2^^^&1.2&ISO')", "'3^^^&1.2&ISO", "4^^^&1.2&ISO"],
    )];
    let expected = ["1^^^&1.2&ISO", "2^^^&1.2&ISO", "3^^^&1.2&ISO", "4^^^&1.2&ISO"];
    assert_eq!(request(QUERY_FIND_DOCUMENTS, wrong).patient_ids(), expected);
}

#[test]
fn a_parameter_without_effect_does_not_decide_whose_record_is_traced() {
    let get = request(
        QUERY_GET_DOCUMENTS,
        &[("$XDSDocumentEntryPatientId", &[PATIENT]), ("$patientId", &[PATIENT])],
    );
    assert!(get.patient_ids().is_empty());
}

const UUID_URN: &str = "('urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf')";
const MISSING: ErrorCode = ErrorCode::XDSStoredQueryMissingParam;
const NUMBER: ErrorCode = ErrorCode::XDSStoredQueryParamNumber;

fn several(id: &str, parameters: &[(&str, &[&str])]) -> Result<QueryKind, Vec<Finding>> {
    request(id, parameters).parse_for(Transaction::Iti51).map(|query| query.kind)
}

fn entry() -> Uuid {
    "08a15a6f-5b4a-42de-8f95-89474f83abdf".parse().unwrap()
}

#[test]
fn what_each_query_requires_is_reported_when_it_is_missing() {
    let document = "$XDSDocumentEntryEntryUUID, $XDSDocumentEntryUniqueId";
    let set = "$XDSSubmissionSetEntryUUID, $XDSSubmissionSetUniqueId";
    let folder = "$XDSFolderEntryUUID, $XDSFolderUniqueId";
    let folders = "$XDSFolderEntryUUID, $XDSFolderUniqueId, $XDSFolderLogicalID";
    let status = ["$XDSDocumentEntryStatus", "$XDSSubmissionSetStatus", "$XDSFolderStatus"];
    for (id, names) in [
        (QUERY_FIND_SUBMISSION_SETS, vec!["$XDSSubmissionSetPatientId", status[1]]),
        (QUERY_FIND_FOLDERS, vec!["$XDSFolderPatientId", status[2]]),
        (QUERY_GET_ALL, vec!["$patientId", status[0], status[1], status[2]]),
        (QUERY_GET_FOLDERS, vec![folders]),
        (QUERY_GET_ASSOCIATIONS, vec!["$uuid"]),
        (QUERY_GET_DOCUMENTS_AND_ASSOCIATIONS, vec![document]),
        (QUERY_GET_SUBMISSION_SETS, vec!["$uuid"]),
        (QUERY_GET_SUBMISSION_SET_AND_CONTENTS, vec![set]),
        (QUERY_GET_FOLDER_AND_CONTENTS, vec![folder]),
        (QUERY_GET_FOLDERS_FOR_DOCUMENT, vec![document]),
        (QUERY_GET_RELATED_DOCUMENTS, vec![document, "$AssociationTypes"]),
        (
            QUERY_FIND_DOCUMENTS_BY_REFERENCE_ID,
            vec!["$XDSDocumentEntryPatientId", status[0], "$XDSDocumentEntryReferenceIdList"],
        ),
    ] {
        let expected: Vec<_> = names.into_iter().map(|name| (MISSING, name.to_owned())).collect();
        assert_eq!(refused(request(id, &[]).parse()), expected, "{id}");
    }
}

#[test]
fn a_query_about_one_object_takes_one_id_of_one_kind() {
    for (id, uuid, unique) in [
        (QUERY_GET_SUBMISSION_SET_AND_CONTENTS, "$XDSSubmissionSetEntryUUID", "$XDSSubmissionSetUniqueId"),
        (QUERY_GET_FOLDER_AND_CONTENTS, "$XDSFolderEntryUUID", "$XDSFolderUniqueId"),
        (QUERY_GET_FOLDERS_FOR_DOCUMENT, "$XDSDocumentEntryEntryUUID", "$XDSDocumentEntryUniqueId"),
        (QUERY_GET_RELATED_DOCUMENTS, "$XDSDocumentEntryEntryUUID", "$XDSDocumentEntryUniqueId"),
    ] {
        let with = |more: &[(&str, &[&str])]| {
            let types: [(&str, &[&str]); 1] = [("$AssociationTypes", &["('urn:x')"])];
            request(id, &[&types, more].concat()).parse()
        };
        assert!(with(&[(uuid, &[UUID_URN])]).is_ok(), "{id}");
        assert!(with(&[(unique, &["'1.2'"])]).is_ok(), "{id}");
        assert_eq!(refused(with(&[(unique, &["('1.2','3.4')"])])), one(NUMBER, unique));
        let both = with(&[(uuid, &[UUID_URN]), (unique, &["'1.2'"])]);
        assert_eq!(refused(both), one(NUMBER, &format!("{uuid}, {unique}")));
    }
}

#[test]
fn find_submission_sets_reads_every_parameter() {
    let query = request(
        QUERY_FIND_SUBMISSION_SETS,
        &[
            ("$XDSSubmissionSetPatientId", &[PATIENT]),
            ("$XDSSubmissionSetStatus", &[APPROVED]),
            ("$XDSSubmissionSetSourceId", &["('1.2','3.4')"]),
            ("$XDSSubmissionSetSubmissionTimeFrom", &["2024"]),
            ("$XDSSubmissionSetSubmissionTimeTo", &["2025"]),
            ("$XDSSubmissionSetAuthorPerson", &["'%D''ARC%'"]),
            ("$XDSSubmissionSetContentType", &["('a^^s')"]),
        ],
    );
    let expected = FindSubmissionSets {
        patient_id: Cx::new("1234", "1.2.250.1.213.1.4.10"),
        filter: SubmissionSetFilter {
            source_id: vec!["1.2".into(), "3.4".into()],
            submission_time: Window {
                from: Some(Dtm::parse("2024").unwrap()),
                to: Some(Dtm::parse("2025").unwrap()),
            },
            author_person: Some("%D'ARC%".into()),
            content_type: vec!["a^^s".into()],
            status: vec![Status::Approved],
        },
    };
    assert_eq!(query.parse().unwrap().kind, QueryKind::FindSubmissionSets(expected));
    let two = request(
        QUERY_FIND_SUBMISSION_SETS,
        &[
            ("$XDSSubmissionSetPatientId", &[PATIENT]),
            ("$XDSSubmissionSetStatus", &[APPROVED]),
            ("$XDSSubmissionSetAuthorPerson", &["('%A%','%B%')"]),
        ],
    );
    assert_eq!(refused(two.parse()), one(NUMBER, "$XDSSubmissionSetAuthorPerson"));
}

#[test]
fn find_folders_joins_codes_by_and() {
    let query = request(
        QUERY_FIND_FOLDERS,
        &[
            ("$XDSFolderPatientId", &[PATIENT]),
            ("$XDSFolderStatus", &[APPROVED]),
            ("$XDSFolderCodeList", &["('a^^s','b^^s')"]),
            ("$XDSFolderCodeList", &["('c^^s')"]),
            ("$XDSFolderLastUpdateTimeFrom", &["2024"]),
            ("$XDSFolderLastUpdateTimeTo", &["2025"]),
        ],
    );
    let QueryKind::FindFolders(find) = query.parse().unwrap().kind else { panic!("{query:?}") };
    assert_eq!(find.filter.codes, [vec!["a^^s", "b^^s"], vec!["c^^s"]]);
    assert_eq!(find.filter.last_update_time.from, Some(Dtm::parse("2024").unwrap()));
    assert_eq!(find.filter.last_update_time.to, Some(Dtm::parse("2025").unwrap()));
}

#[test]
fn get_all_reads_three_statuses_and_what_documents_must_be() {
    let deprecated = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')";
    let query = request(
        QUERY_GET_ALL,
        &[
            ("$patientId", &[PATIENT]),
            ("$XDSDocumentEntryStatus", &[APPROVED]),
            ("$XDSSubmissionSetStatus", &[deprecated]),
            ("$XDSFolderStatus", &[APPROVED, deprecated]),
            ("$XDSDocumentEntryFormatCode", &["('f^^s')"]),
            ("$XDSDocumentEntryConfidentialityCode", &["('N^^s')"]),
            ("$XDSDocumentEntryConfidentialityCode", &["('R^^s')"]),
            ("$XDSAssociationStatus", &[deprecated]),
        ],
    );
    assert_eq!(query.patient_ids(), ["1234^^^&1.2.250.1.213.1.4.10&ISO"]);
    let expected = GetAll {
        patient_id: Cx::new("1234", "1.2.250.1.213.1.4.10"),
        document_status: vec![Status::Approved],
        submission_set_status: vec![Status::Deprecated],
        folder_status: vec![Status::Approved, Status::Deprecated],
        documents: ContentFilter {
            document_types: vec![DocumentType::Stable],
            format_code: vec!["f^^s".into()],
            confidentiality_codes: vec![vec!["N^^s".into()], vec!["R^^s".into()]],
        },
        association_status: Some(vec![Status::Deprecated]),
    };
    assert_eq!(query.parse().unwrap().kind, QueryKind::GetAll(expected));
}

#[test]
fn reference_ids_are_joined_by_and() {
    let name = "$XDSDocumentEntryReferenceIdList";
    let more: &[(&str, &[&str])] = &[(name, &["('a','b')"]), (name, &["'c'"])];
    let query = Request { id: QUERY_FIND_DOCUMENTS_BY_REFERENCE_ID.into(), ..find_request(more) };
    let QueryKind::FindDocuments(find) = query.parse().unwrap().kind else { panic!("{query:?}") };
    assert_eq!(find.filter.reference_ids, [vec!["a", "b"], vec!["c"]]);
}

#[test]
fn the_level_is_1_or_2_and_1_by_itself() {
    let level =
        |values: &[&str]| find_request(&[("$MetadataLevel", values)]).parse().map(|query| query.level);
    assert_eq!(level(&[]), Ok(Level::Current));
    assert_eq!(level(&["1"]), Ok(Level::Current));
    for two in ["2", "'2'", "('2')"] {
        assert_eq!(level(&[two]), Ok(Level::Complete), "{two}");
    }
    assert_eq!(refused(level(&["3"])), one(ErrorCode::XDSRegistryError, "$MetadataLevel"));
    assert_eq!(refused(level(&["1", "2"])), one(NUMBER, "$MetadataLevel"));
    // A query that has no levels ignores it like anything it does not know.
    let sets = request(
        QUERY_FIND_SUBMISSION_SETS,
        &[
            ("$XDSSubmissionSetPatientId", &[PATIENT]),
            ("$XDSSubmissionSetStatus", &[APPROVED]),
            ("$MetadataLevel", &["3"]),
        ],
    );
    assert_eq!(sets.parse().unwrap().level, Level::Current);
}

#[test]
fn an_association_status_of_which_none_is_known_is_refused() {
    let get = |values: &[&str]| {
        let parameters: &[(&str, &[&str])] = &[("$uuid", &[UUID_URN]), ("$XDSAssociationStatus", values)];
        request(QUERY_GET_ASSOCIATIONS, parameters).parse().map(|query| query.kind)
    };
    let kind = |association_status| {
        Ok(QueryKind::GetAssociations(GetAssociations { objects: vec![entry()], association_status }))
    };
    assert_eq!(get(&[]), kind(None));
    assert_eq!(get(&[APPROVED]), kind(Some(vec![Status::Approved])));
    assert_eq!(refused(get(&["('urn:x')"])), one(MISSING, "$XDSAssociationStatus"));
}

#[test]
fn availability_is_online_or_offline() {
    let name = "$XDSDocumentEntryDocumentAvailability";
    assert_eq!(refused(find(&[(name, &["('Online')"])])), one(ErrorCode::XDSRegistryError, name));
}

#[test]
fn a_query_about_several_patients_names_them_or_a_code() {
    let status: (&str, &[&str]) = ("$XDSDocumentEntryStatus", &[APPROVED]);
    let id = QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS;
    let patients = "('1^^^&1.2&ISO','2^^^&1.2&ISO')";
    let names = several(id, &[status, ("$XDSDocumentEntryPatientId", &[patients])]).unwrap();
    let QueryKind::FindDocumentsForMultiplePatients(find) = names else { panic!("{names:?}") };
    assert_eq!(find.patient_ids, [Cx::new("1", "1.2"), Cx::new("2", "1.2")]);
    for name in [
        "$XDSDocumentEntryClassCode",
        "$XDSDocumentEntryEventCodeList",
        "$XDSDocumentEntryHealthcareFacilityTypeCode",
    ] {
        assert!(several(id, &[status, (name, &["('a^^s')"])]).is_ok(), "{name}");
    }
    let all = "$XDSDocumentEntryPatientId, $XDSDocumentEntryClassCode, $XDSDocumentEntryEventCodeList, \
               $XDSDocumentEntryHealthcareFacilityTypeCode";
    let type_alone = several(id, &[status, ("$XDSDocumentEntryTypeCode", &["('a^^s')"])]);
    assert_eq!(refused(type_alone), one(MISSING, all));
    let id = QUERY_FIND_FOLDERS_FOR_MULTIPLE_PATIENTS;
    let status: (&str, &[&str]) = ("$XDSFolderStatus", &[APPROVED]);
    assert!(several(id, &[status, ("$XDSFolderCodeList", &["('a^^s')"])]).is_ok());
    assert_eq!(refused(several(id, &[status])), one(MISSING, "$XDSFolderPatientId, $XDSFolderCodeList"));
    let unreadable = several(id, &[status, ("$XDSFolderPatientId", &["('1')"])]);
    assert_eq!(refused(unreadable), one(ErrorCode::XDSRegistryError, "$XDSFolderPatientId"));
}

#[test]
fn a_query_of_the_other_transaction_is_not_known() {
    let unknown = ErrorCode::XDSUnknownStoredQuery;
    let parameters: &[(&str, &[&str])] = &[("$XDSFolderPatientId", &[PATIENT])];
    for (id, transaction) in [
        (QUERY_FIND_FOLDERS_FOR_MULTIPLE_PATIENTS, Transaction::Iti18),
        (QUERY_FIND_FOLDERS, Transaction::Iti51),
    ] {
        let refused = refused(request(id, parameters).parse_for(transaction));
        assert_eq!(refused, one(unknown, "AdhocQuery/@id"));
    }
}
