//! The attributes that XDS requires of every DocumentEntry, and what to say when they are not there.

use std::fmt;

use xds::metadata::Code;
use xds::value::{Cx, Dtm};

use super::{Defaults, code, patient_id};
use crate::header::{Coded, Header};
use crate::{tables, time};

const HL7_CONFIDENTIALITY: &str = "2.16.840.1.113883.5.25";

/// A metadata attribute that XDS requires, and that neither the document nor the defaults give in a form that can be
/// used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Name of the attribute in XDS.
    pub attribute: &'static str,
    /// Where it should be, from ClinicalDocument.
    pub path: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing or cannot be used: expected at {}", self.attribute, self.path)
    }
}

pub(super) struct Required {
    pub patient_id: Cx,
    pub class_code: Code,
    pub type_code: Code,
    pub creation_time: Dtm,
    pub confidentiality: Code,
    pub language: String,
    pub practice_setting: Code,
    pub facility: Code,
}

impl Required {
    /// All of them, or all that are missing.
    pub(super) fn of(header: &Header, defaults: &Defaults) -> Result<Required, Vec<Missing>> {
        let mut missing = Vec::new();
        let mut note = |absent: bool, attribute, path| {
            if absent {
                missing.push(Missing { attribute, path });
            }
        };

        let patient_id = patient_id(header, defaults);
        note(patient_id.is_none(), "patientId", "recordTarget/patientRole/id");

        let type_code = code(&header.code).or_else(|| defaults.type_code.clone());
        let class_code = type_code
            .as_ref()
            .and_then(|code| tables::class_of_type(&code.code, &code.scheme))
            .or_else(|| defaults.class_code.clone());
        note(class_code.is_none(), "classCode", "code");
        note(type_code.is_none(), "typeCode", "code");

        let creation_time = header.effective_time.as_deref().and_then(time::to_utc);
        note(creation_time.is_none(), "creationTime", "effectiveTime");

        let confidentiality = header.confidentiality.as_ref().and_then(confidentiality);
        note(confidentiality.is_none(), "confidentialityCode", "confidentialityCode");

        let language = header.language.clone().or_else(|| defaults.language_code.clone());
        note(language.is_none(), "languageCode", "languageCode");

        // The principal act comes first; the ones after it seldom repeat the setting.
        let practice_setting = header.acts.iter().find_map(|act| code(act.practice_setting.as_ref()?));
        let practice_setting = practice_setting.or_else(|| defaults.practice_setting_code.clone());
        note(
            practice_setting.is_none(),
            "practiceSettingCode",
            "documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode",
        );

        let facility = header.facility.as_ref().and_then(code);
        let facility = facility.or_else(|| defaults.healthcare_facility_type_code.clone());
        note(
            facility.is_none(),
            "healthcareFacilityTypeCode",
            "componentOf/encompassingEncounter/location/healthCareFacility/code",
        );

        let all = || {
            Some(Required {
                patient_id: patient_id?,
                class_code: class_code?,
                type_code: type_code?,
                creation_time: creation_time?,
                confidentiality: confidentiality?,
                language: language?,
                practice_setting: practice_setting?,
                facility: facility?,
            })
        };
        all().ok_or(missing)
    }
}

/// The code, whose system is HL7's where none is named.
fn confidentiality(coded: &Coded) -> Option<Code> {
    let system = coded.system.clone().or_else(|| Some(HL7_CONFIDENTIALITY.to_owned()));
    code(&Coded { system, ..coded.clone() })
}
