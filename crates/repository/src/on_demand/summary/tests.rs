use chrono::{DateTime, Utc};
use uuid::Uuid;
use xds::metadata::{Author, Code, DocumentType};
use xds::value::{Cx, Dtm};

use super::super::Identity;
use super::*;

fn entry(document_type: DocumentType, title: Option<&str>) -> DocumentEntry {
    let code = |code: &str, display: &str| Code::new(code, "1.2.250.1.213.1.1.4.12", display);
    DocumentEntry {
        entry_uuid: Uuid::nil(),
        logical_id: None,
        document_type,
        authors: vec![Author { person: Some("801234567897^MARTIN^Claire".into()), ..Author::default() }],
        availability: None,
        class_code: code("11", "Synthèse"),
        comments: None,
        confidentiality_codes: vec![code("N", "Normal")],
        creation_time: Some(Dtm::parse("20251231120000").unwrap()),
        event_codes: vec![],
        format_code: code("text", "Texte"),
        hash: None,
        healthcare_facility_type_code: code("SA07", "Cabinet"),
        home_community_id: None,
        language_code: "fr-FR".into(),
        legal_authenticator: None,
        mime_type: "text/xml".into(),
        patient_id: Cx::new("279035121518989", "1.2.250.1.213.1.4.10"),
        practice_setting_code: code("AMBULATOIRE", "Ambulatoire"),
        reference_ids: vec![],
        repository_unique_id: Some("1.2.3".into()),
        service_start_time: None,
        service_stop_time: None,
        size: None,
        source_patient_id: None,
        source_patient_info: vec![
            "PID-5|DUPONT^Jeanne^^^^^L".into(),
            "PID-7|19350327".into(),
            "PID-8|F".into(),
        ],
        title: title.map(str::to_owned),
        type_code: code("SYNTH", "Synthèse médicale"),
        unique_id: "1.2.3.4".into(),
        uri: None,
        extra: vec![],
    }
}

fn made(entry: &DocumentEntry, documents: &[DocumentEntry]) -> String {
    let made_at = DateTime::<Utc>::from_timestamp(1_767_225_600, 0).unwrap();
    let identity = Identity { unique_id: "1.2.3.5".into(), made_at };
    let order = Order { entry, documents, repository_unique_id: "1.2.3", identity };
    assert_eq!(Summary.make(&order), Summary.make(&Order { identity: order.identity.clone(), ..order }));
    String::from_utf8(Summary.make(&order)).unwrap()
}

#[test]
fn the_header_says_whose_summary_it_is_and_what_made_it() {
    let text = made(&entry(DocumentType::OnDemand, None), &[]);
    let header = cda::read(text.as_bytes(), &xml::Limits::default()).unwrap();
    assert_eq!(header.id.root, "1.2.3.5", "{text}");
    for part in [
        r#"<id extension="279035121518989" root="1.2.250.1.213.1.4.10"/>"#,
        "<name><family>DUPONT</family><given>Jeanne</given></name>",
        r#"<administrativeGenderCode code="F""#,
        r#"<birthTime value="19350327"/>"#,
        r#"<effectiveTime value="20260101000000+0000"/>"#,
        r#"<code code="SYNTH" codeSystem="1.2.250.1.213.1.1.4.12""#,
        "<softwareName>Carnet</softwareName>",
        "Aucun document.",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn the_body_lists_each_document_by_date_title_type_and_author() {
    let documents = [
        entry(DocumentType::Stable, Some("Sortie & suites <fin>")),
        DocumentEntry {
            creation_time: Some(Dtm::parse("2024").unwrap()),
            authors: vec![],
            ..entry(DocumentType::Stable, None)
        },
    ];
    let text = made(&entry(DocumentType::OnDemand, None), &documents);
    let document = xml::Document::parse(&text, &xml::Limits::default()).unwrap();
    let body = document.root().path(NAMESPACE, &["component", "nonXMLBody", "text"]).unwrap();
    let expected = "2 documents\n\n\
        31/12/2025  Sortie & suites <fin> (Synthèse médicale), Claire MARTIN\n\
        2024  Synthèse médicale\n";
    assert_eq!(body.text(), expected);
}

#[test]
fn a_type_whose_system_is_no_oid_is_told_by_its_name() {
    let mut on_demand = entry(DocumentType::OnDemand, Some("Mon dossier"));
    on_demand.type_code.scheme = "urn:example:types".into();
    let text = made(&on_demand, &[]);
    assert!(
        text.contains(r#"<code nullFlavor="OTH"><originalText>Synthèse médicale</originalText></code>"#),
        "{text}"
    );
    assert!(text.contains("<title>Mon dossier</title>"), "{text}");
}
