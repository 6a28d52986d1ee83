use super::*;
use crate::header::{AgentName, Relation};
use identity::InsError;

const DISCHARGE_LETTER: &str =
    include_str!("../../../../conformance-tests/documents/lettre-de-liaison-sortie.xml");
const LAB_REPORT: &str = include_str!("../../../../conformance-tests/documents/biologie-structuree.xml");
const IMAGING: &str = include_str!("../../../../conformance-tests/documents/imagerie-version-2-pdf.xml");
const SELF_PRESENTING: &str =
    include_str!("../../../../conformance-tests/documents/synthese-auto-presentable.xml");
const BY_PATIENT: &str =
    include_str!("../../../../conformance-tests/documents/document-du-patient-texte.xml");

fn header(text: &str) -> Header {
    read(text.as_bytes(), &Limits::default()).unwrap()
}

/// The discharge letter with one piece of text exchanged.
fn changed(from: &str, to: &str) -> Result<Header, Error> {
    assert!(DISCHARGE_LETTER.contains(from), "{from}");
    read(DISCHARGE_LETTER.replacen(from, to, 1).as_bytes(), &Limits::default())
}

/// A document with nothing in it but what makes it one.
fn bare(inside: &str) -> Header {
    let text = format!(
        "<ClinicalDocument xmlns='urn:hl7-org:v3'><id root='1.2.3'/><code code='X'/>{inside}</ClinicalDocument>"
    );
    header(&text)
}

fn coded(code: &str, system: &str, display: &str) -> Coded {
    Coded { code: code.to_owned(), system: Some(system.to_owned()), display: Some(display.to_owned()) }
}

#[test]
fn the_document_says_what_it_is() {
    let header = header(DISCHARGE_LETTER);
    assert_eq!(header.code.code, "11490-0");
    assert_eq!(header.code.system.as_deref(), Some("2.16.840.1.113883.6.1"));
    assert_eq!(header.title.as_deref(), Some("Lettre de liaison à la sortie - Médecine interne"));
    assert_eq!(header.effective_time.as_deref(), Some("20250311151200+0100"));
    assert_eq!(header.confidentiality, Some(coded("N", "2.16.840.1.113883.5.25", "Normal")));
    assert_eq!(header.language.as_deref(), Some("fr-FR"));
    assert_eq!(header.version_number, Some(1));
    assert!(header.set_id.is_some() && header.id.extension.is_none());
    assert!(header.templates.iter().any(|t| t.root == "1.2.250.1.213.1.1.1.29"));
    assert_eq!(header.body, Some(Body::Structured));
    assert!(!header.self_presenting);
}

#[test]
fn the_patient_is_read_with_the_traits_of_the_ins() {
    let patient = header(DISCHARGE_LETTER).patient;
    assert_eq!(patient.birth_name.as_deref(), Some("LAURENGEOT"));
    assert_eq!(patient.birth_given.as_deref(), Some("Camille"));
    assert_eq!(patient.birth_givens.as_deref(), Some("Camille Marie Joséphine"));
    assert_eq!(patient.used_name.as_deref(), Some("MOREAU-LAURENGEOT"));
    assert_eq!(patient.used_given.as_deref(), Some("Camille"));
    assert_eq!(patient.gender.as_deref(), Some("F"));
    assert_eq!(patient.birth_date.as_deref(), Some("19570423"));
    assert_eq!(patient.birth_place.as_deref(), Some("19950"));
}

#[test]
fn the_ins_comes_first_wherever_it_stands() {
    let header = bare(
        "<recordTarget><patientRole><id root='1.9' extension='A'/><id root='1.8' extension='B'/>\
         <id root='1.2.250.1.213.1.4.8' extension='279035121518989'/></patientRole></recordTarget>",
    );
    let roots: Vec<&str> = header.patient.ids.iter().map(|id| id.root.as_str()).collect();
    assert_eq!(roots, ["1.2.250.1.213.1.4.8", "1.9", "1.8"]);
    assert_eq!(header.ins(), Some(("279035121518989", "1.2.250.1.213.1.4.8")));
}

#[test]
fn a_patient_without_ins_has_none() {
    let header =
        bare("<recordTarget><patientRole><id root='1.9' extension='A'/></patientRole></recordTarget>");
    assert_eq!(header.ins(), None);
    assert_eq!(header.ins_findings(), []);
}

#[test]
fn names_without_qualifier_are_names_at_birth_and_sp_is_a_name_in_use() {
    let name = "<recordTarget><patientRole><patient><name><family>MARTIN</family><family qualifier='SP'>DUPUY\
                </family><given>Eve</given></name></patient></patientRole></recordTarget>";
    let patient = bare(name).patient;
    assert_eq!(patient.birth_name.as_deref(), Some("MARTIN"));
    assert_eq!(patient.birth_given.as_deref(), Some("Eve"));
    assert_eq!(patient.used_name.as_deref(), Some("DUPUY"));
}

#[test]
fn a_wrong_key_of_the_ins_is_a_finding_and_no_error() {
    assert_eq!(header(DISCHARGE_LETTER).ins_findings(), []);
    let header = changed("257041995001259", "257041995001260").unwrap();
    assert_eq!(header.ins_findings(), [InsError::Key { given: 60, expected: 59 }]);
    assert!(header.ins().is_some());
}

#[test]
fn people_devices_and_their_organisations_are_authors() {
    let authors = header(LAB_REPORT).authors;
    let [person, device] = authors.as_slice() else { panic!("{authors:?}") };
    assert_eq!(
        person.agent.name,
        Some(AgentName::Person { family: Some("Delcambre".to_owned()), given: Some("Yvan".to_owned()) })
    );
    assert_eq!(person.specialty.as_ref().unwrap().code, "G15_10/SM03");
    assert_eq!(person.role, None);
    assert_eq!(
        person.organisation.as_ref().unwrap().id.as_ref().unwrap().extension.as_deref(),
        Some("1990000025")
    );
    assert_eq!(
        device.agent.name,
        Some(AgentName::Device {
            software: Some("Orvaline SIL".to_owned()),
            model: Some("Analyseur BC-12".to_owned())
        })
    );
}

#[test]
fn a_national_identifier_counts_and_what_is_null_is_passed_over() {
    let header = bare(
        "<author><assignedAuthor><id nullFlavor='NI'/><id root='1.9' extension='local'/>\
         <id root='1.2.250.1.71.4.2.1' extension='801234567890'/><assignedPerson><name nullFlavor='UNK'/>\
         <name>Docteur Anne RIVIÈRE</name></assignedPerson><representedOrganization><id nullFlavor='UNK'/>\
         <id root='1.2.250.1.71.4.2.2' extension='1750100125'/></representedOrganization></assignedAuthor></author>\
         <relatedDocument typeCode='RPLC'><parentDocument><id nullFlavor='UNK'/><id root='1.7'/></parentDocument>\
         </relatedDocument>",
    );
    let author = &header.authors[0];
    assert_eq!(author.agent.id.as_ref().unwrap().extension.as_deref(), Some("801234567890"));
    let name = AgentName::Person { family: Some("Docteur Anne RIVIÈRE".to_owned()), given: None };
    assert_eq!(author.agent.name, Some(name));
    let organisation = author.organisation.as_ref().unwrap();
    assert_eq!(organisation.id.as_ref().unwrap().extension.as_deref(), Some("1750100125"));
    assert_eq!(header.parents[0].id.root, "1.7");
}

#[test]
fn any_performer_may_tell_the_practice_setting() {
    let header = bare(
        "<documentationOf><serviceEvent><performer><assignedEntity><id root='1.9' extension='1'/></assignedEntity>\
         </performer><performer><assignedEntity><representedOrganization><standardIndustryClassCode \
         code='AMBULATOIRE' codeSystem='1.2.250.1.213.1.1.4.9'/></representedOrganization></assignedEntity>\
         </performer></serviceEvent></documentationOf>",
    );
    let act = &header.acts[0];
    assert_eq!(act.practice_setting.as_ref().unwrap().code, "AMBULATOIRE");
    assert_eq!(act.performer.as_ref().unwrap().id.as_ref().unwrap().root, "1.9");
}

#[test]
fn the_role_of_the_author_is_its_function() {
    let authors = header(DISCHARGE_LETTER).authors;
    assert_eq!(authors[0].role.as_ref().unwrap().code, "ATTPHYS");
}

#[test]
fn the_custodian_may_be_the_record_itself() {
    let custodian = header(BY_PATIENT).custodian.unwrap();
    assert_eq!(custodian.name.as_deref(), Some("DMP"));
    assert_eq!(custodian.id.unwrap().unique_id(), "1.2.250.1.213.4.1");
}

#[test]
fn the_legal_authenticator_may_be_the_patient() {
    let agent = header(BY_PATIENT).legal_authenticator.unwrap();
    assert_eq!(agent.id.unwrap().root, "1.2.250.1.213.1.4.10");
}

#[test]
fn every_act_is_read_the_principal_one_first() {
    let acts = header(LAB_REPORT).acts;
    let [principal, second] = acts.as_slice() else { panic!("{acts:?}") };
    assert_eq!(principal.code.as_ref().unwrap().code, "18723-7");
    assert_eq!(principal.start.as_deref(), Some("20250121081000+0100"));
    assert_eq!(principal.stop.as_deref(), Some("20250121163800+0100"));
    assert_eq!(
        principal.practice_setting,
        Some(coded("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"))
    );
    assert_eq!(principal.performer.as_ref().unwrap().id.as_ref().unwrap().root, "1.2.250.1.71.4.2.1");
    assert_eq!((second.code.as_ref().unwrap().code.as_str(), &second.start), ("18719-5", &None));
}

#[test]
fn an_act_may_have_a_single_date() {
    let act =
        "<documentationOf><serviceEvent><effectiveTime value='20250101'/></serviceEvent></documentationOf>";
    let header = bare(act);
    assert_eq!(header.acts[0].start.as_deref(), Some("20250101"));
    assert_eq!(header.acts[0].stop, None);
}

#[test]
fn orders_accession_numbers_and_parents_are_read() {
    let header = header(IMAGING);
    assert_eq!(header.orders[0].extension.as_deref(), Some("P-2025-30771"));
    assert_eq!(header.accessions[0].extension.as_deref(), Some("A250506-118"));
    let [parent] = header.parents.as_slice() else { panic!("{:?}", header.parents) };
    assert_eq!(parent.relation, Relation::Replaces);
    assert_eq!(header.body, Some(Body::Unstructured { media_type: "application/pdf".to_owned() }));
    assert_eq!(header.facility.unwrap().code, "SA08");
}

#[test]
fn a_parent_of_an_unknown_relation_is_left_out() {
    let related = |kind| {
        let parent = "<parentDocument><id root='1.7'/></parentDocument>";
        bare(&format!("<relatedDocument typeCode='{kind}'>{parent}</relatedDocument>")).parents
    };
    assert_eq!(related("XFRM")[0].relation, Relation::Transforms);
    assert_eq!(related("APND")[0].relation, Relation::Appends);
    assert_eq!(related("OTHER"), []);
}

#[test]
fn the_media_type_of_an_unstructured_body_is_text_when_it_is_not_said() {
    let body = bare("<component><nonXMLBody><text>bonjour</text></nonXMLBody></component>").body;
    assert_eq!(body, Some(Body::Unstructured { media_type: "text/plain".to_owned() }));
}

#[test]
fn a_null_flavor_is_nothing() {
    let header =
        changed("<effectiveTime value=\"20250311151200+0100\"/>", "<effectiveTime nullFlavor=\"UNK\"/>");
    assert_eq!(header.unwrap().effective_time, None);
    let header =
        changed("<title>Lettre de liaison à la sortie - Médecine interne</title>", "<title> \n </title>");
    assert_eq!(header.unwrap().title, None);
}

#[test]
fn a_version_that_is_no_number_is_nothing() {
    let header = changed("<versionNumber value=\"1\"/>", "<versionNumber value=\"un\"/>").unwrap();
    assert_eq!(header.version_number, None);
}

#[test]
fn a_self_presenting_document_is_read_inside_its_stylesheet() {
    let header = header(SELF_PRESENTING);
    assert!(header.self_presenting);
    assert_eq!(header.code.code, "SYNTH");
}

#[test]
fn a_stylesheet_that_only_speaks_of_a_document_holds_none() {
    let text = "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='/'>\
                <ClinicalDocument xmlns='urn:hl7-org:v3'><id root='1.2'/><code code='X'/></ClinicalDocument>\
                </xsl:template></xsl:stylesheet>";
    assert!(matches!(read(text.as_bytes(), &Limits::default()), Err(Error::NotCda)));
}

#[test]
fn what_is_no_cda_is_told_from_what_is_no_xml() {
    let limits = Limits::default();
    assert!(matches!(read(b"%PDF-1.4", &limits), Err(Error::NotXml(_))));
    assert!(matches!(read(b"<a/>", &limits), Err(Error::NotCda)));
    assert!(matches!(read(b"<ClinicalDocument/>", &limits), Err(Error::NotCda)), "the namespace counts");
    let dtd = format!("<!DOCTYPE ClinicalDocument>{}", "<ClinicalDocument xmlns='urn:hl7-org:v3'/>");
    assert!(matches!(read(dtd.as_bytes(), &limits), Err(Error::NotXml(xml::Error::Dtd))));
}

#[test]
fn a_document_without_identity_names_all_that_it_lacks() {
    let error = read(b"<ClinicalDocument xmlns='urn:hl7-org:v3'/>", &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the CDA header lacks ClinicalDocument/id, ClinicalDocument/code");
    let error = changed("<code code=\"11490-0\"", "<code").unwrap_err();
    assert_eq!(error.to_string(), "the CDA header lacks ClinicalDocument/code");
}

#[test]
fn the_size_is_bounded_before_anything_is_decoded() {
    let limits = Limits { bytes: 100, ..Limits::default() };
    let error = read(DISCHARGE_LETTER.as_bytes(), &limits).unwrap_err();
    assert!(matches!(error, Error::NotXml(xml::Error::TooLarge { limit: 100, .. })), "{error}");
}
