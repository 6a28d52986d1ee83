//! V5, V6 and V8: what the Affinity Domain allows.

use std::sync::Arc;

use super::*;
use crate::affinity::{AffinityDomain, CodedAttribute};

fn rules(affinity: AffinityDomain) -> Rules {
    Rules { affinity: Arc::new(affinity), ..Rules::default() }
}

#[test]
fn v5_a_code_is_in_the_value_set_of_its_attribute() {
    for (attribute, location, name, sent) in [
        (CodedAttribute::ClassCode, DOCUMENT, "DocumentEntry.classCode", vec!["10"]),
        (CodedAttribute::TypeCode, DOCUMENT, "DocumentEntry.typeCode", vec!["11490-0"]),
        (
            CodedAttribute::FormatCode,
            DOCUMENT,
            "DocumentEntry.formatCode",
            vec!["urn:ihe:iti:xds-sd:pdf:2008"],
        ),
        (
            CodedAttribute::ConfidentialityCode,
            DOCUMENT,
            "DocumentEntry.confidentialityCode",
            vec!["N", "MASQUE_PS"],
        ),
        (
            CodedAttribute::HealthcareFacilityTypeCode,
            DOCUMENT,
            "DocumentEntry.healthcareFacilityTypeCode",
            vec!["SA07"],
        ),
        (
            CodedAttribute::PracticeSettingCode,
            DOCUMENT,
            "DocumentEntry.practiceSettingCode",
            vec!["ETABLISSEMENT"],
        ),
        (CodedAttribute::EventCodeList, DOCUMENT, "DocumentEntry.eventCodeList", vec!["event"]),
        (CodedAttribute::ContentTypeCode, SET, "RegistryPackage.contentTypeCode", vec!["03"]),
        (CodedAttribute::CodeList, FOLDER, "RegistryPackage.codeList", vec!["STAY"]),
    ] {
        let mut domain = AffinityDomain::default();
        for allowed in sent.iter().skip(1) {
            domain.allow(attribute, allowed, "1.2.250.1.213.1.1.4.1");
        }
        // The right code of another scheme is another code.
        domain.allow(attribute, sent[0], "1.2.3");
        let sentence =
            format!("{name}: the code \"{}\" of \"1.2.250.1.213.1.1.4.1\" is not in the value set", sent[0]);
        assert_broken_under(&rules(domain.clone()), Rule::V5, location, &sentence, |_| {});
        domain.allow(attribute, sent[0], "1.2.250.1.213.1.1.4.1");
        assert!(checked_by(sample(), &rules(domain)).is_ok(), "{name}");
    }
}

#[test]
fn v5_the_documentation_of_an_association_is_a_code_too() {
    let mut domain = AffinityDomain::default();
    domain.allow(CodedAttribute::AssociationDocumentation, "CORRECTED", "1.2.3");
    let sentence = "Association.associationDocumentation: the code \"SIGNED\" ";
    assert_broken_under(&rules(domain), Rule::V5, "Relation", sentence, |objects| {
        let documentation =
            Association { documentation: Some(code("SIGNED")), ..associations().swap_remove(0) };
        let mut relation = wire("Relation", AssociationType::Xfrm, DOCUMENT, ELSEWHERE);
        relation.common.classifications = documentation.to_ebxml().common.classifications;
        objects.associations.push(relation);
    });
}

#[test]
fn v6_a_media_type_is_one_of_the_affinity_domain() {
    let mut domain = AffinityDomain::default();
    domain.allow(CodedAttribute::MimeType, "application/pdf", "");
    let sentence = "DocumentEntry.mimeType: \"text/xml\" is not a media type of this Affinity Domain";
    assert_broken_under(&rules(domain.clone()), Rule::V6, DOCUMENT, sentence, |_| {});
    domain.allow(CodedAttribute::MimeType, "Text/XML", "");
    assert!(checked_by(sample(), &rules(domain)).is_ok());
}

#[test]
fn v8_patients_are_of_an_authority_of_the_affinity_domain() {
    let mut domain = AffinityDomain::default();
    domain.restrict_authorities(["1.2.3".to_owned()]);
    let sentence = format!("{PATIENT}: this Affinity Domain has no patients of that authority");
    assert_broken_under(&rules(domain.clone()), Rule::V8, None, &sentence, |_| {});
    domain.restrict_authorities(["1.2.250.1.213.1.4.10".to_owned()]);
    assert!(checked_by(sample(), &rules(domain)).is_ok());
}
