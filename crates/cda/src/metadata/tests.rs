use super::*;
use xml::Limits;

const LETTER: &str = include_str!("../../../../conformance-tests/documents/lettre-de-liaison-sortie.xml");
const LAB: &str = include_str!("../../../../conformance-tests/documents/biologie-structuree.xml");
const IMAGING: &str = include_str!("../../../../conformance-tests/documents/imagerie-version-2-pdf.xml");
const BY_PATIENT: &str =
    include_str!("../../../../conformance-tests/documents/document-du-patient-texte.xml");
const SELF_PRESENTING: &str =
    include_str!("../../../../conformance-tests/documents/synthese-auto-presentable.xml");

fn header(text: &str) -> Header {
    crate::read(text.as_bytes(), &Limits::default()).unwrap()
}

fn draft(header: &Header) -> Draft {
    document_entry(header, &Defaults::default(), Uuid::from_u128(7)).unwrap()
}

/// The entry of the discharge letter after a change of its header.
fn entry(change: impl FnOnce(&mut Header)) -> DocumentEntry {
    let mut header = header(LETTER);
    change(&mut header);
    draft(&header).entry
}

fn missing(change: impl FnOnce(&mut Header)) -> Vec<&'static str> {
    let mut header = header(LETTER);
    change(&mut header);
    let missing = document_entry(&header, &Defaults::default(), Uuid::nil()).unwrap_err();
    missing.iter().map(|m| m.attribute).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn id(root: &str, extension: Option<&str>) -> Id {
    Id { root: root.to_owned(), extension: extension.map(str::to_owned) }
}

#[test]
fn the_letter_has_the_codes_of_its_header() {
    let entry = entry(|_| ());
    assert_eq!(entry.entry_uuid, Uuid::from_u128(7));
    assert_eq!(entry.document_type, DocumentType::Stable);
    assert_eq!(entry.type_code.key(), "11490-0^^2.16.840.1.113883.6.1");
    assert_eq!(entry.class_code, Code::new("10", "1.2.250.1.213.1.1.4.1", "Compte rendu"));
    assert_eq!(entry.format_code.key(), "urn:asip:ci-sis:ldl-ses:2017^^1.2.250.1.213.1.1.4.2.282");
    assert_eq!(
        entry.practice_setting_code,
        Code::new("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de santé")
    );
    assert_eq!(
        entry.healthcare_facility_type_code,
        Code::new("SA01", "1.2.250.1.71.4.2.4", "Etablissement public de santé")
    );
    assert_eq!(entry.confidentiality_codes, [Code::new("N", "2.16.840.1.113883.5.25", "Normal")]);
    assert_eq!(entry.event_codes[0].key(), "IMP^^2.16.840.1.113883.5.4");
    assert_eq!(entry.language_code, "fr-FR");
    assert_eq!(entry.mime_type, "text/xml");
    assert_eq!(entry.title.as_deref(), Some("Lettre de liaison à la sortie - Médecine interne"));
}

#[test]
fn times_are_in_utc() {
    let entry = entry(|_| ());
    assert_eq!(entry.creation_time.unwrap().as_str(), "20250311141200");
    assert_eq!(entry.service_start_time.unwrap().as_str(), "20250303081500");
    assert_eq!(entry.service_stop_time.unwrap().as_str(), "20250311133000");
}

#[test]
fn what_only_the_octets_or_the_registry_know_is_left_open() {
    let entry = entry(|_| ());
    assert_eq!(
        (entry.hash, entry.size, entry.repository_unique_id, entry.logical_id),
        (None, None, None, None)
    );
}

#[test]
fn the_patient_is_the_ins_and_the_source_the_local_number() {
    let entry = entry(|header| {
        header.patient.ids =
            vec![id("1.2.250.1.213.1.4.10", Some("257041995001259")), id("1.9", Some("00045127"))]
    });
    assert_eq!(entry.patient_id.text, "257041995001259^^^&1.2.250.1.213.1.4.10&ISO^NH");
    assert_eq!(
        (entry.patient_id.id.as_str(), entry.patient_id.authority.as_str()),
        ("257041995001259", "1.2.250.1.213.1.4.10")
    );
    assert_eq!(entry.source_patient_id.unwrap().text, "00045127^^^&1.9&ISO^PI");
}

#[test]
fn without_a_local_number_the_source_is_the_ins() {
    let entry = entry(|header| header.patient.ids.truncate(1));
    assert_eq!(entry.source_patient_id.unwrap().text, entry.patient_id.text);
}

#[test]
fn without_ins_the_patient_is_the_number_of_the_configured_authority() {
    let mut header = header(LETTER);
    header.patient.ids = vec![id("1.8", Some("A")), id("1.9", Some("B"))];
    let defaults = Defaults { patient_authority: some("1.9"), ..Defaults::default() };
    let entry = document_entry(&header, &defaults, Uuid::nil()).unwrap().entry;
    assert_eq!(entry.patient_id.text, "B^^^&1.9&ISO");
    assert_eq!(entry.source_patient_id.unwrap().text, "A^^^&1.8&ISO^PI");
    assert_eq!(
        document_entry(&header, &Defaults::default(), Uuid::nil()).unwrap_err()[0].attribute,
        "patientId"
    );
}

#[test]
fn the_source_patient_info_is_identifier_names_date_of_birth_and_sex() {
    let info = entry(|_| ()).source_patient_info;
    assert_eq!(
        info,
        [
            "PID-3|257041995001259^^^&1.2.250.1.213.1.4.10&ISO^NH",
            "PID-5|LAURENGEOT^Camille^^^^^L",
            "PID-5|MOREAU-LAURENGEOT^Camille^^^^^D",
            "PID-7|19570423",
            "PID-8|F",
        ]
    );
}

#[test]
fn an_unknown_sex_is_written_as_hl7_v2_does() {
    let info = entry(|header| header.patient.gender = some("UN")).source_patient_info;
    assert!(info.contains(&"PID-8|U".to_owned()), "{}", info.len());
}

#[test]
fn the_unique_id_is_the_root_with_the_extension_and_a_uuid_becomes_an_oid() {
    assert_eq!(entry(|header| header.id = id("1.2.3", None)).unique_id, "1.2.3");
    assert_eq!(entry(|header| header.id = id("1.2.3", Some("4"))).unique_id, "1.2.3^4");
    assert_eq!(
        entry(|header| header.id = id("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", None)).unique_id,
        "2.25.329800735698586629295641978511506172918"
    );
}

#[test]
fn the_format_of_an_unstructured_document_is_that_of_its_media_type() {
    let format = |media_type: &str| {
        let body = Some(Body::Unstructured { media_type: media_type.to_owned() });
        entry(|header| (header.body, header.templates) = (body, Vec::new())).format_code.code
    };
    assert_eq!(format("application/pdf"), "urn:ihe:iti:xds-sd:pdf:2008");
    assert_eq!(format("image/jpeg"), "urn:ihe:iti-fr:xds-sd:jpeg:2010");
    assert_eq!(format("text/plain"), "urn:ihe:iti:xds-sd:text:2008");
    assert_eq!(format("video/mp4"), "urn:asipSante:modelesHorsProfils:2011");
}

#[test]
fn a_document_of_no_known_model_has_the_code_for_that_or_the_configured_one() {
    let mut header = header(LETTER);
    header.templates = vec![id("1.2.3", None)];
    assert_eq!(
        draft(&header).entry.format_code.key(),
        "urn:asipSante:modelesHorsProfils:2011^^1.2.250.1.213.1.1.4.2.282"
    );
    let own = Code::new("urn:example:format", "1.5", "Own");
    let defaults = Defaults { format_code: Some(own.clone()), ..Defaults::default() };
    assert_eq!(document_entry(&header, &defaults, Uuid::nil()).unwrap().entry.format_code, own);
}

#[test]
fn a_code_without_display_name_stands_for_it() {
    let entry = entry(|header| header.code.display = None);
    assert_eq!(entry.type_code.display, "11490-0");
}

#[test]
fn every_act_with_code_and_system_is_an_event() {
    let events = draft(&header(LAB)).entry.event_codes;
    assert_eq!(events.iter().map(|c| c.code.as_str()).collect::<Vec<_>>(), ["18723-7", "18719-5"]);
    let without_system = entry(|header| header.acts[0].code.as_mut().unwrap().system = None);
    assert_eq!(without_system.event_codes, []);
}

#[test]
fn authors_are_written_in_the_national_forms() {
    let authors = draft(&header(LAB)).entry.authors;
    assert_eq!(authors.len(), 2);
    assert_eq!(
        authors[0].person.as_deref(),
        Some("899700110048^Delcambre^Yvan^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS")
    );
    assert_eq!(
        authors[0].institutions,
        ["Laboratoire de biologie médicale Orvaline^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000025"]
    );
    assert_eq!(
        authors[0].specialties,
        ["G15_10/SM03^Médecin - Biologie médicale (SM)^1.2.250.1.213.1.1.4.5"]
    );
    assert_eq!(
        authors[1].person.as_deref(),
        Some("3990000025/7^Orvaline SIL^Analyseur BC-12^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI")
    );
    let letter = entry(|_| ());
    assert_eq!(letter.authors[0].roles, ["Référent - Responsable du patient dans la structure de soins"]);
}

#[test]
fn the_type_of_an_identifier_follows_from_who_has_it() {
    let xcn = |id: Id| {
        entry(|header| header.legal_authenticator.as_mut().unwrap().id = Some(id))
            .legal_authenticator
            .unwrap()
    };
    assert!(xcn(id("1.2.250.1.71.4.2.1", Some("3990000017/12"))).ends_with("&ISO^D^^^EI"));
    assert!(xcn(id("1.2.250.1.213.1.4.8", Some("279035121518989"))).ends_with("&ISO^D^^^NH"));
    assert!(xcn(id("1.2.3", Some("X1"))).ends_with("^^^^^^&1.2.3&ISO^D"));
}

#[test]
fn a_name_alone_is_enough_for_a_person() {
    let entry = entry(|header| header.legal_authenticator.as_mut().unwrap().id = None);
    assert_eq!(entry.legal_authenticator.as_deref(), Some("^Chastenier^Aurélien"));
}

#[test]
fn an_author_of_whom_nothing_is_known_is_left_out() {
    let entry = entry(|header| {
        header.authors[0].agent = crate::Agent { id: None, name: None };
        header.authors[0].organisation = None;
    });
    assert_eq!(entry.authors, []);
}

#[test]
fn an_organisation_without_name_is_named_by_its_number() {
    let institutions = |organisation| {
        entry(|h| h.authors[0].organisation = Some(organisation)).authors[0].institutions.clone()
    };
    let organisation =
        crate::Organisation { id: Some(id("1.2.250.1.71.4.2.2", Some("1990000017"))), name: None };
    assert_eq!(institutions(organisation), ["1990000017^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000017"]);
    let organisation = crate::Organisation { id: Some(id("1.2.250.1.213.4.1", None)), name: some("DMP") };
    assert_eq!(institutions(organisation), ["DMP^^^^^^^^^1.2.250.1.213.4.1"]);
}

#[test]
fn separators_of_hl7_in_a_text_are_escaped() {
    assert_eq!(people::escape("A|B^C&D~E\\F"), "A\\F\\B\\S\\C\\T\\D\\R\\E\\E\\F");
    let entry = entry(|header| header.authors[0].organisation.as_mut().unwrap().name = some("Dupont & Fils"));
    assert!(entry.authors[0].institutions[0].starts_with("Dupont \\T\\ Fils^"));
}

#[test]
fn a_document_of_the_patient_has_the_patient_as_author_and_no_institution() {
    let entry = draft(&header(BY_PATIENT)).entry;
    let person = "141012695000779^QUINTEFEUILLE^Marcel^^^^^^&1.2.250.1.213.1.4.10&ISO^D^^^NH";
    assert_eq!(entry.authors[0].person.as_deref(), Some(person));
    assert_eq!(entry.authors[0].institutions, [] as [String; 0]);
    assert_eq!(entry.legal_authenticator.as_deref(), Some(person));
}

#[test]
fn orders_and_accession_numbers_are_references() {
    let mut header = header(IMAGING);
    header.orders = vec![id("1.2.3", Some("P-1")), id("1.2.250.1.7", None)];
    header.accessions = vec![id("1.2.4", Some("A-1"))];
    assert_eq!(
        draft(&header).entry.reference_ids,
        [
            "P-1^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:order",
            "1.2.250.1.7^^^^urn:ihe:iti:xds:2013:order",
            "A-1^^^&1.2.4&ISO^urn:ihe:iti:xds:2013:accession",
        ]
    );
}

#[test]
fn what_the_document_replaces_or_transforms_is_named_by_its_unique_id() {
    let mut header = header(IMAGING);
    let first = draft(&header);
    assert_eq!(first.replaces, Some(header.parents[0].id.root.clone()));
    assert_eq!(first.transforms, None);
    header.parents[0] = crate::Parent { relation: Relation::Transforms, id: id("1.2", Some("x")) };
    let second = draft(&header);
    assert_eq!((second.replaces, second.transforms.as_deref()), (None, Some("1.2^x")));
    header.parents[0].relation = Relation::Appends;
    let third = draft(&header);
    assert_eq!((third.transforms, third.appends.as_deref()), (None, Some("1.2^x")));
}

#[test]
fn a_confidentiality_without_system_is_hl7s() {
    let entry = entry(|header| header.confidentiality.as_mut().unwrap().system = None);
    assert_eq!(entry.confidentiality_codes[0].key(), "N^^2.16.840.1.113883.5.25");
}

#[test]
fn a_self_presenting_document_is_a_stylesheet() {
    assert_eq!(draft(&header(SELF_PRESENTING)).entry.mime_type, "application/xslt+xml");
}

#[test]
fn the_facts_go_with_the_entry() {
    let facts = draft(&header(LETTER)).facts;
    assert_eq!(facts.version_number, Some(1));
    assert_eq!(facts.ins.as_deref(), Some("257041995001259"));
    assert_eq!(facts.ins_authority.as_deref(), Some("1.2.250.1.213.1.4.10"));
    assert_eq!(facts.birth_place.as_deref(), Some("19950"));
}

#[test]
fn everything_that_is_missing_is_reported_at_once() {
    let all = missing(|header| {
        header.patient.ids.clear();
        header.code.system = None;
        header.effective_time = some("hier");
        header.confidentiality = None;
        header.language = None;
        header.acts.clear();
        header.facility = None;
    });
    assert_eq!(
        all,
        [
            "patientId",
            "classCode",
            "typeCode",
            "creationTime",
            "confidentialityCode",
            "languageCode",
            "practiceSettingCode",
            "healthcareFacilityTypeCode",
        ]
    );
}

#[test]
fn what_is_missing_is_said_with_its_path() {
    let mut header = header(LETTER);
    header.facility = None;
    let missing = document_entry(&header, &Defaults::default(), Uuid::nil()).unwrap_err();
    assert_eq!(
        missing[0].to_string(),
        "healthcareFacilityTypeCode is missing or cannot be used: expected at \
         componentOf/encompassingEncounter/location/healthCareFacility/code"
    );
}

#[test]
fn a_type_that_the_table_does_not_know_has_no_class() {
    assert_eq!(missing(|header| header.code.code = "00000-0".to_owned()), ["classCode"]);
}

#[test]
fn defaults_fill_what_a_document_of_another_country_leaves_out() {
    let mut foreign = header(LETTER);
    foreign.code.system = None;
    foreign.acts.clear();
    foreign.facility = None;
    let code = |code| Some(Code::new(code, "1.5", code));
    let defaults = Defaults {
        healthcare_facility_type_code: code("facility"),
        practice_setting_code: code("practice"),
        class_code: code("class"),
        type_code: code("type"),
        language_code: some("de-CH"),
        ..Defaults::default()
    };
    foreign.language = None;
    let entry = document_entry(&foreign, &defaults, Uuid::nil()).unwrap().entry;
    assert_eq!(entry.healthcare_facility_type_code.code, "facility");
    assert_eq!(entry.practice_setting_code.code, "practice");
    assert_eq!((entry.class_code.code.as_str(), entry.type_code.code.as_str()), ("class", "type"));
    assert_eq!(entry.language_code, "de-CH");
    assert_eq!((entry.service_start_time, entry.service_stop_time), (None, None));
}

#[test]
fn defaults_do_not_replace_what_the_document_says() {
    let code = |code| Some(Code::new(code, "1.5", code));
    let defaults = Defaults {
        healthcare_facility_type_code: code("facility"),
        practice_setting_code: code("practice"),
        class_code: code("class"),
        type_code: code("type"),
        format_code: code("format"),
        patient_authority: some("1.9"),
        language_code: some("de-CH"),
    };
    let header = header(LETTER);
    let filled = document_entry(&header, &defaults, Uuid::from_u128(7)).unwrap();
    assert!(filled == draft(&header));
}
