//! FindDocuments, and how its parameters are written.

use super::*;

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
