//! What the Affinity Domain allows: codes, media types, the authorities of its patients (V5, V6, V8).
//!
//! Without a value set an attribute is not restricted. The check is on the wire form, so it is one for submissions and
//! metadata updates, and another defect of an object does not hide it.

use std::collections::{BTreeMap, BTreeSet};

use crate::constants::*;
use crate::ebxml::{Common, SubmitObjects};
use crate::error::Finding;
use crate::metadata::AvailabilityStatus;
use crate::rules::Rule;
use crate::submission::Ids;
use crate::value::Cx;

/// An attribute that value sets can restrict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodedAttribute {
    ClassCode,
    TypeCode,
    FormatCode,
    ConfidentialityCode,
    HealthcareFacilityTypeCode,
    PracticeSettingCode,
    EventCodeList,
    ContentTypeCode,
    CodeList,
    AssociationDocumentation,
    MimeType,
}

impl CodedAttribute {
    pub const ALL: [CodedAttribute; 11] = [
        CodedAttribute::ClassCode,
        CodedAttribute::TypeCode,
        CodedAttribute::FormatCode,
        CodedAttribute::ConfidentialityCode,
        CodedAttribute::HealthcareFacilityTypeCode,
        CodedAttribute::PracticeSettingCode,
        CodedAttribute::EventCodeList,
        CodedAttribute::ContentTypeCode,
        CodedAttribute::CodeList,
        CodedAttribute::AssociationDocumentation,
        CodedAttribute::MimeType,
    ];

    pub fn name(self) -> &'static str {
        match self {
            CodedAttribute::ClassCode => "classCode",
            CodedAttribute::TypeCode => "typeCode",
            CodedAttribute::FormatCode => "formatCode",
            CodedAttribute::ConfidentialityCode => "confidentialityCode",
            CodedAttribute::HealthcareFacilityTypeCode => "healthcareFacilityTypeCode",
            CodedAttribute::PracticeSettingCode => "practiceSettingCode",
            CodedAttribute::EventCodeList => "eventCodeList",
            CodedAttribute::ContentTypeCode => "contentTypeCode",
            CodedAttribute::CodeList => "codeList",
            CodedAttribute::AssociationDocumentation => "associationDocumentation",
            CodedAttribute::MimeType => "mimeType",
        }
    }

    /// By its name; folderCodeList is how some name codeList of a Folder.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "folderCodeList" => Some(CodedAttribute::CodeList),
            name => Self::ALL.into_iter().find(|attribute| attribute.name() == name),
        }
    }

    /// The attribute that Classifications of that scheme carry.
    fn of_scheme(scheme: &str) -> Option<Self> {
        Some(match scheme {
            DOCUMENT_ENTRY_CLASS_CODE => CodedAttribute::ClassCode,
            DOCUMENT_ENTRY_TYPE_CODE => CodedAttribute::TypeCode,
            DOCUMENT_ENTRY_FORMAT_CODE => CodedAttribute::FormatCode,
            DOCUMENT_ENTRY_CONFIDENTIALITY_CODE => CodedAttribute::ConfidentialityCode,
            DOCUMENT_ENTRY_HEALTHCARE_FACILITY_TYPE_CODE => CodedAttribute::HealthcareFacilityTypeCode,
            DOCUMENT_ENTRY_PRACTICE_SETTING_CODE => CodedAttribute::PracticeSettingCode,
            DOCUMENT_ENTRY_EVENT_CODE => CodedAttribute::EventCodeList,
            SUBMISSION_SET_CONTENT_TYPE_CODE => CodedAttribute::ContentTypeCode,
            FOLDER_CODE => CodedAttribute::CodeList,
            ASSOCIATION_DOCUMENTATION => CodedAttribute::AssociationDocumentation,
            _ => return None,
        })
    }
}

/// National rules beyond IHE's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    #[default]
    Ihe,
    /// The French shared record: CI-SIS, volet Partage de documents de santé.
    CiSis,
}

impl Profile {
    /// The statuses that a metadata update may speak of.
    pub fn knows(self, status: AvailabilityStatus) -> bool {
        self == Profile::CiSis || !status.is_national()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AffinityDomain {
    pub profile: Profile,
    /// (code, scheme); media types have no scheme.
    codes: BTreeMap<CodedAttribute, BTreeSet<(String, String)>>,
    /// OIDs; `None`: patients of any authority.
    authorities: Option<BTreeSet<String>>,
}

impl AffinityDomain {
    pub fn of(profile: Profile) -> AffinityDomain {
        AffinityDomain { profile, ..AffinityDomain::default() }
    }

    /// Adds a code to the attribute's value set; the first one restricts the attribute.
    pub fn allow(&mut self, attribute: CodedAttribute, code: &str, scheme: &str) {
        let code = match attribute {
            CodedAttribute::MimeType => essence(code),
            _ => code.to_owned(),
        };
        self.codes.entry(attribute).or_default().insert((code, scheme.to_owned()));
    }

    /// Restricts patients to those of these authorities.
    pub fn restrict_authorities(&mut self, oids: impl IntoIterator<Item = String>) {
        self.authorities.get_or_insert_default().extend(oids);
    }

    pub fn allows(&self, attribute: CodedAttribute, code: &str, scheme: &str) -> bool {
        self.codes.get(&attribute).is_none_or(|set| set.contains(&(code.to_owned(), scheme.to_owned())))
    }

    /// V5, V6 and what V8 says about authorities.
    pub(crate) fn check(&self, objects: &SubmitObjects, ids: &Ids) -> Vec<Finding> {
        let mut findings = Vec::new();
        for object in &objects.extrinsic_objects {
            findings.extend(self.codes_of("DocumentEntry", &object.common, ids));
            let sent = object.mime_type.as_deref().unwrap_or_default();
            if !sent.is_empty() && !self.allows(CodedAttribute::MimeType, &essence(sent), "") {
                let context =
                    format!("DocumentEntry.mimeType: \"{sent}\" is not a media type of this Affinity Domain");
                findings.push(Rule::V6.broken(Some(&ids.submitted(&object.common.id)), context));
            }
        }
        for package in &objects.packages {
            findings.extend(self.codes_of("RegistryPackage", &package.common, ids));
        }
        for association in &objects.associations {
            findings.extend(self.codes_of("Association", &association.common, ids));
        }
        if let Some(authorities) = &self.authorities {
            for patient in objects.patient_ids().into_iter().filter_map(|text| Cx::parse(text).ok()) {
                if !authorities.contains(&patient.authority) {
                    let context =
                        format!("{}: this Affinity Domain has no patients of that authority", patient.text);
                    findings.push(Rule::V8.broken(None, context));
                }
            }
        }
        findings
    }

    fn codes_of(&self, kind: &str, common: &Common, ids: &Ids) -> Vec<Finding> {
        let mut findings = Vec::new();
        for classification in &common.classifications {
            let attribute = classification.scheme.as_deref().and_then(CodedAttribute::of_scheme);
            let code = classification.node_representation.as_deref().unwrap_or_default();
            let mut schemes = classification.slots.iter().filter(|slot| slot.name == "codingScheme");
            // A code without a scheme is wrong by itself (V4).
            let scheme = schemes.next().and_then(|slot| slot.values.first()).map(String::as_str);
            let (Some(attribute), Some(scheme)) = (attribute, scheme) else { continue };
            if !code.is_empty() && !self.allows(attribute, code, scheme) {
                let context = format!(
                    "{kind}.{}: the code \"{code}\" of \"{scheme}\" is not in the value set of this Affinity Domain",
                    attribute.name()
                );
                findings.push(Rule::V5.broken(Some(&ids.submitted(&common.id)), context));
            }
        }
        findings
    }
}

/// A media type without its parameters, in lower case.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
