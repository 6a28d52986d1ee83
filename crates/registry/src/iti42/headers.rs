//! F11: the patient of a CDA header is the patient of its metadata. The repository read the header and hands it on.

use cda::facts::HeaderFacts;
use identity::is_ins_authority;
use xds::affinity::Profile;
use xds::constants::{DOCUMENT_ENTRY_PATIENT_ID, DOCUMENT_ENTRY_UNIQUE_ID};
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::Finding;
use xds::rules::Rule;
use xds::value::Cx;

/// Refusals in the national profile, warnings in others.
pub fn check(sent: &SubmitObjects, profile: Profile) -> Vec<Finding> {
    sent.extrinsic_objects
        .iter()
        .filter(|object| contradicts(object))
        .map(|object| {
            let unique_id = object.common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID).unwrap_or_default();
            let context =
                format!("{unique_id}: the INS in the document's header is not DocumentEntry.patientId");
            let location = Some(object.common.id.as_str());
            match profile {
                Profile::CiSis => Rule::F11.broken(location, context),
                Profile::Ihe => Rule::F11.remarked(location, context),
            }
        })
        .collect()
}

/// Only an INS can be compared with an INS.
fn contradicts(object: &ExtrinsicObject) -> bool {
    let facts = HeaderFacts::from_slots(&object.common.slots);
    let patient =
        object.common.external_identifier(DOCUMENT_ENTRY_PATIENT_ID).and_then(|text| Cx::parse(text).ok());
    let (Some(ins), Some(authority), Some(patient)) = (facts.ins, facts.ins_authority, patient) else {
        return false;
    };
    is_ins_authority(&patient.authority) && (patient.id != ins || patient.authority != authority)
}

#[cfg(test)]
mod tests {
    use xds::error::Severity;

    use super::*;

    fn document(patient_id: &str) -> SubmitObjects {
        let mut object = ExtrinsicObject::default();
        object.common.id = "Document01".to_owned();
        for (scheme, value) in [(DOCUMENT_ENTRY_PATIENT_ID, patient_id), (DOCUMENT_ENTRY_UNIQUE_ID, "1.2.3")]
        {
            object.common.external_identifiers.push(xds::ebxml::ExternalIdentifier {
                identification_scheme: scheme.to_owned(),
                value: value.to_owned(),
                ..Default::default()
            });
        }
        let facts = HeaderFacts {
            ins: Some("279035121518989".to_owned()),
            ins_authority: Some("1.2.250.1.213.1.4.10".to_owned()),
            ..HeaderFacts::default()
        };
        object.common.slots = facts.to_slots();
        SubmitObjects { extrinsic_objects: vec![object], ..SubmitObjects::default() }
    }

    #[test]
    fn f11_another_ins_in_the_header_is_refused_by_the_profile_and_remarked_by_others() {
        for other in [
            "180015678901234^^^&1.2.250.1.213.1.4.10&ISO^NH",
            "279035121518989^^^&1.2.250.1.213.1.4.8&ISO^NH",
        ] {
            for (profile, severity) in [(Profile::CiSis, Severity::Error), (Profile::Ihe, Severity::Warning)]
            {
                let findings = check(&document(other), profile);
                let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
                assert_eq!((finding.rule, finding.severity), (Some(Rule::F11), severity));
                assert_eq!(finding.code.to_string(), "InvalidDocumentContent");
                assert!(finding.context.starts_with("1.2.3: ") && !finding.context.contains("2790"));
            }
        }
    }

    #[test]
    fn f11_the_same_ins_and_what_is_no_ins_are_not_compared() {
        for same in
            ["279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", "IPP1^^^&1.2.250.1.999&ISO^PI", "nobody"]
        {
            assert_eq!(check(&document(same), Profile::CiSis), []);
        }
    }
}
