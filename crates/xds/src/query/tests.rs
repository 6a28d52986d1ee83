use uuid::Uuid;

use super::*;
use crate::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE};
use crate::metadata::DocumentType;
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

fn find(more: &[(&str, &[&str])]) -> Result<FindDocuments, Vec<Finding>> {
    match find_request(more).parse()?.kind {
        QueryKind::FindDocuments(find) => Ok(*find),
        other => panic!("{other:?}"),
    }
}

fn get(parameters: &[(&str, &[&str])]) -> Result<DocumentIds, Vec<Finding>> {
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
    ])
    .unwrap();
    let window = |from: &str, to: &str| Window {
        from: Some(Dtm::parse(from).unwrap()),
        to: Some(Dtm::parse(to).unwrap()),
    };
    assert_eq!(
        find,
        FindDocuments {
            patient_id: Cx::new("1234", "1.2.250.1.213.1.4.10"),
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
    assert_eq!(find.creation_time.from, Some(Dtm::parse("2004").unwrap()));
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
    let with = find(&[
        ("$MetadataLevel", &["'2'"]),
        ("$Whatever", &["((("]),
        ("$XDSDocumentEntryUniqueId", &["'1'"]),
    ]);
    assert_eq!(with, find(&[]));
}

#[test]
fn unknown_statuses_are_ignored_and_one_known_must_remain() {
    let name = "$XDSDocumentEntryStatus";
    let status = |values: &[&str]| {
        let parameters: &[(&str, &[&str])] = &[("$XDSDocumentEntryPatientId", &[PATIENT]), (name, values)];
        match request(QUERY_FIND_DOCUMENTS, parameters).parse()?.kind {
            QueryKind::FindDocuments(find) => Ok(find.status),
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
fn get_documents_takes_one_of_its_two_parameters() {
    let (uuid, unique): (&[&str], &[&str]) =
        (&["('urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf')"], &["('1.2', '3.4')"]);
    let entry: Uuid = "08a15a6f-5b4a-42de-8f95-89474f83abdf".parse().unwrap();
    assert_eq!(get(&[("$XDSDocumentEntryEntryUUID", uuid)]), Ok(DocumentIds::EntryUuids(vec![entry])));
    let unique_ids = DocumentIds::UniqueIds(vec!["1.2".into(), "3.4".into()]);
    assert_eq!(get(&[("$XDSDocumentEntryUniqueId", unique)]), Ok(unique_ids));
    let names = "$XDSDocumentEntryEntryUUID, $XDSDocumentEntryUniqueId";
    let both = get(&[("$XDSDocumentEntryEntryUUID", uuid), ("$XDSDocumentEntryUniqueId", unique)]);
    assert_eq!(refused(both), one(ErrorCode::XDSStoredQueryParamNumber, names));
    assert_eq!(refused(get(&[])), one(ErrorCode::XDSStoredQueryMissingParam, names));
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
