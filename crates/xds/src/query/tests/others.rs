//! The other queries.

use super::*;

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
