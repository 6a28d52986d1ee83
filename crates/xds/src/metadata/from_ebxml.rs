//! The typed view of each object (Tables 4.3.1-3 and 4.3.2.1-3; the column of ITI-42).

use uuid::Uuid;

use super::read::{Reader, Times, anything};
use super::{
    Association, AssociationType, DocumentEntry, DocumentType, Folder, SubmissionSet, SubmissionSetStatus,
};
use crate::constants::*;
use crate::ebxml;
use crate::error::Finding;
use crate::rules::Rule;
use crate::submission::Purpose;
use crate::value::{self, Cx, parse_uuid_urn};

/// Slots of associations that say how an update is meant.
pub(crate) const ANNOTATIONS: [&str; 4] =
    ["PreviousVersion", "AssociationPropagation", "OriginalStatus", "NewStatus"];

const NOT_A_UUID: &str = "not urn:uuid: and a UUID together";

impl DocumentEntry {
    /// The typed view; the error holds everything that is wrong.
    pub fn from_ebxml(object: &ebxml::ExtrinsicObject) -> Result<DocumentEntry, Vec<Finding>> {
        Self::read(object, &object.common.id)
    }

    pub(crate) fn read(
        object: &ebxml::ExtrinsicObject,
        location: &str,
    ) -> Result<DocumentEntry, Vec<Finding>> {
        let common = &object.common;
        let mut r = Reader::new("DocumentEntry", location, common);
        let document_type = match common.object_type.as_deref() {
            Some(DOCUMENT_ENTRY_STABLE) => Some(DocumentType::Stable),
            Some(DOCUMENT_ENTRY_ON_DEMAND) => Some(DocumentType::OnDemand),
            other => {
                let sent = other.unwrap_or("nothing");
                let rule = if other.is_none() { Rule::V2 } else { Rule::V3 };
                r.wrong(
                    rule,
                    "objectType",
                    format!("must be that of a Stable or On-Demand document; {sent} was sent"),
                );
                None
            }
        };
        // What is only known once there is a document.
        let of_a_document = match document_type {
            Some(DocumentType::OnDemand) => Times::Optional,
            _ => Times::Once,
        };
        let entry_uuid = entry_uuid(&mut r, &common.id);
        let logical_id = common.lid.as_deref().and_then(parse_uuid_urn);
        let authors = r.authors(DOCUMENT_ENTRY_AUTHOR);
        let class_code = r.code("classCode", DOCUMENT_ENTRY_CLASS_CODE);
        let confidentiality_codes =
            r.codes("confidentialityCode", DOCUMENT_ENTRY_CONFIDENTIALITY_CODE, Times::AtLeastOnce);
        let creation_time = r.time("creationTime", of_a_document);
        let event_codes = r.codes("eventCodeList", DOCUMENT_ENTRY_EVENT_CODE, Times::Any);
        let format_code = r.code("formatCode", DOCUMENT_ENTRY_FORMAT_CODE);
        let hash = r.slot("hash", of_a_document, value::check_sha1);
        let healthcare_facility_type_code =
            r.code("healthcareFacilityTypeCode", DOCUMENT_ENTRY_HEALTHCARE_FACILITY_TYPE_CODE);
        let home_community_id = r.home();
        let language_code = r.slot("languageCode", Times::Once, value::check_language);
        let legal_authenticator = r.slot("legalAuthenticator", Times::Optional, value::check_xcn);
        let mime_type = r.xml("mimeType", &object.mime_type, value::check_mime_type);
        let patient_id = r.patient(DOCUMENT_ENTRY_PATIENT_ID);
        let practice_setting_code = r.code("practiceSettingCode", DOCUMENT_ENTRY_PRACTICE_SETTING_CODE);
        let reference_ids = r.slots(REFERENCE_ID_LIST, Times::Any, value::check_cxi);
        let repository_unique_id = r.slot("repositoryUniqueId", Times::Once, value::check_oid);
        let service_start_time = r.time("serviceStartTime", Times::Optional);
        let service_stop_time = r.time("serviceStopTime", Times::Optional);
        let size = r.slot("size", of_a_document, value::check_size);
        let source_patient_id = r.slot("sourcePatientId", Times::Once, value::check_cx);
        let source_patient_info = r.source_patient_info();
        let type_code = r.code("typeCode", DOCUMENT_ENTRY_TYPE_CODE);
        let unique_id = r.identifier("uniqueId", DOCUMENT_ENTRY_UNIQUE_ID, anything);
        let uri = r.slot("URI", Times::Optional, anything);
        let availability = r.availability();
        if let (Some(start), Some(stop)) = (&service_start_time, &service_stop_time)
            && is_later(start.as_str(), stop.as_str())
        {
            r.wrong(Rule::V7, "serviceStartTime", "later than serviceStopTime");
        }
        let (title, comments, extra) = (r.title(128), r.text(&common.description), r.extra());
        let findings = r.findings;
        if let (
            true,
            Some(entry_uuid),
            Some(document_type),
            Some(class_code),
            Some(format_code),
            Some(healthcare_facility_type_code),
            Some(language_code),
            Some(mime_type),
            Some(patient_id),
            Some(practice_setting_code),
            Some(type_code),
            Some(unique_id),
        ) = (
            findings.is_empty(),
            entry_uuid,
            document_type,
            class_code,
            format_code,
            healthcare_facility_type_code,
            language_code,
            mime_type,
            patient_id,
            practice_setting_code,
            type_code,
            unique_id,
        ) {
            return Ok(DocumentEntry {
                entry_uuid,
                logical_id,
                document_type,
                authors,
                availability,
                class_code,
                comments,
                confidentiality_codes,
                creation_time,
                event_codes,
                format_code,
                hash: hash.map(|hash| hash.to_ascii_lowercase()),
                healthcare_facility_type_code,
                home_community_id,
                language_code,
                legal_authenticator,
                mime_type,
                patient_id,
                practice_setting_code,
                reference_ids,
                repository_unique_id,
                service_start_time,
                service_stop_time,
                size: size.and_then(|size| size.parse().ok()),
                source_patient_id: source_patient_id.and_then(|text| Cx::parse(&text).ok()),
                source_patient_info,
                title,
                type_code,
                unique_id,
                uri,
                extra,
            });
        }
        Err(findings)
    }
}

impl SubmissionSet {
    pub(crate) fn read(
        package: &ebxml::RegistryPackage,
        location: &str,
    ) -> Result<SubmissionSet, Vec<Finding>> {
        let common = &package.common;
        let mut r = Reader::new("SubmissionSet", location, common);
        let entry_uuid = entry_uuid(&mut r, &common.id);
        let authors = r.authors(SUBMISSION_SET_AUTHOR);
        let content_type_code = r.code("contentTypeCode", SUBMISSION_SET_CONTENT_TYPE_CODE);
        let home_community_id = r.home();
        let intended_recipients = r.slots("intendedRecipient", Times::Any, value::check_recipient);
        let patient_id = r.patient(SUBMISSION_SET_PATIENT_ID);
        let source_id = r.identifier("sourceId", SUBMISSION_SET_SOURCE_ID, value::check_oid);
        let submission_time = r.time("submissionTime", Times::Once);
        let unique_id = r.identifier("uniqueId", SUBMISSION_SET_UNIQUE_ID, value::check_oid);
        let (title, comments, extra) = (r.title(256), r.text(&common.description), r.extra());
        let findings = r.findings;
        if let (
            true,
            Some(entry_uuid),
            Some(content_type_code),
            Some(patient_id),
            Some(source_id),
            Some(submission_time),
            Some(unique_id),
        ) = (
            findings.is_empty(),
            entry_uuid,
            content_type_code,
            patient_id,
            source_id,
            submission_time,
            unique_id,
        ) {
            return Ok(SubmissionSet {
                entry_uuid,
                authors,
                comments,
                content_type_code,
                home_community_id,
                intended_recipients,
                patient_id,
                source_id,
                submission_time,
                title,
                unique_id,
                extra,
            });
        }
        Err(findings)
    }
}

impl Folder {
    pub(crate) fn read(package: &ebxml::RegistryPackage, location: &str) -> Result<Folder, Vec<Finding>> {
        let common = &package.common;
        let mut r = Reader::new("Folder", location, common);
        let entry_uuid = entry_uuid(&mut r, &common.id);
        let logical_id = common.lid.as_deref().and_then(parse_uuid_urn);
        let codes = r.codes("codeList", FOLDER_CODE, Times::AtLeastOnce);
        let home_community_id = r.home();
        // Whatever time is sent, the registry sets its own.
        r.time("lastUpdateTime", Times::Optional);
        let patient_id = r.patient(FOLDER_PATIENT_ID);
        let unique_id = r.identifier("uniqueId", FOLDER_UNIQUE_ID, value::check_oid);
        let title = r.text(&common.name);
        if title.is_none() {
            r.wrong(Rule::V2, "title", "required, and missing");
        }
        let (comments, extra) = (r.text(&common.description), r.extra());
        let findings = r.findings;
        if let (true, Some(entry_uuid), Some(patient_id), Some(title), Some(unique_id)) =
            (findings.is_empty(), entry_uuid, patient_id, title, unique_id)
        {
            return Ok(Folder {
                entry_uuid,
                logical_id,
                codes,
                comments,
                home_community_id,
                patient_id,
                title,
                unique_id,
                extra,
            });
        }
        Err(findings)
    }
}

impl Association {
    /// Both ends must be UUIDs already. What is about updates is read elsewhere, and refused in a submission.
    pub(crate) fn read(
        object: &ebxml::Association,
        location: &str,
        purpose: Purpose,
    ) -> Result<Association, Vec<Finding>> {
        let common = &object.common;
        let mut r = Reader::new("Association", location, common);
        let entry_uuid = entry_uuid(&mut r, &common.id);
        let association_type = AssociationType::from_urn(&object.association_type)
            .filter(|kind| purpose == Purpose::Update || !kind.is_of_update());
        if association_type.is_none() {
            let sent = &object.association_type;
            r.wrong(
                Rule::V21,
                "associationType",
                format!("\"{sent}\" is not a type that may be submitted here"),
            );
        }
        let status = r.slot("SubmissionSetStatus", Times::Optional, anything);
        let submission_set_status = match status.as_deref() {
            None => None,
            Some("Original") => Some(SubmissionSetStatus::Original),
            Some("Reference") => Some(SubmissionSetStatus::Reference),
            Some(other) => {
                r.wrong(
                    Rule::V23,
                    "SubmissionSetStatus",
                    format!("\"{other}\" is neither Original nor Reference"),
                );
                None
            }
        };
        for annotation in ANNOTATIONS {
            if r.slot(annotation, Times::Any, anything).is_some() && purpose == Purpose::Submission {
                r.wrong(Rule::V21, annotation, "belongs to a metadata update (ITI-57), not to a submission");
            }
        }
        let documentation = r
            .codes("associationDocumentation", ASSOCIATION_DOCUMENTATION, Times::Optional)
            .into_iter()
            .next();
        let (source, target) = (parse_uuid_urn(&object.source_object), parse_uuid_urn(&object.target_object));
        let (extra, findings) = (r.extra(), r.findings);
        if let (true, Some(entry_uuid), Some(association_type), Some(source), Some(target)) =
            (findings.is_empty(), entry_uuid, association_type, source, target)
        {
            return Ok(Association {
                entry_uuid,
                association_type,
                source,
                target,
                submission_set_status,
                documentation,
                extra,
            });
        }
        Err(findings)
    }
}

fn entry_uuid(r: &mut Reader<'_>, id: &str) -> Option<Uuid> {
    let uuid = parse_uuid_urn(id);
    if uuid.is_none() {
        r.wrong(Rule::V3, "entryUUID", NOT_A_UUID);
    }
    uuid
}

/// V7: compared as far as both are precise.
fn is_later(start: &str, stop: &str) -> bool {
    let common = start.len().min(stop.len());
    start.get(..common) > stop.get(..common)
}
