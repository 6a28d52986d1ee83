//! What holds for a query whatever it asks for.

use super::*;

#[test]
fn an_unknown_parameter_is_ignored() {
    let with = find(&[("$Whatever", &["((("]), ("$XDSDocumentEntryUniqueId", &["'1'"])]);
    assert_eq!(with, find(&[]));
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
