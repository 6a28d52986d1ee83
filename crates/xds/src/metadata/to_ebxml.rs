//! From typed values to the wire form: how a source makes a submission.

use super::{
    Association, Author, Availability, Code, DocumentEntry, DocumentType, ExtraSlot, Folder, SubmissionSet,
};
use crate::constants::*;
use crate::ebxml::{self, Classification, Common, ExternalIdentifier, LocalizedString, Slot};
use crate::value::{Dtm, uuid_urn};

impl DocumentEntry {
    pub fn to_ebxml(&self) -> ebxml::ExtrinsicObject {
        let mut b = Builder::new(uuid_urn(self.entry_uuid));
        b.slot("creationTime", self.creation_time.as_ref().map(Dtm::as_str));
        b.slot("languageCode", [self.language_code.as_str()]);
        b.slot("serviceStartTime", self.service_start_time.as_ref().map(Dtm::as_str));
        b.slot("serviceStopTime", self.service_stop_time.as_ref().map(Dtm::as_str));
        b.slot("sourcePatientId", self.source_patient_id.as_ref().map(|cx| cx.text.as_str()));
        b.slot("sourcePatientInfo", self.source_patient_info.iter().map(String::as_str));
        b.slot("legalAuthenticator", self.legal_authenticator.as_deref());
        b.slot("hash", self.hash.as_deref());
        b.slot("size", self.size.map(|size| size.to_string()).as_deref());
        b.slot("repositoryUniqueId", self.repository_unique_id.as_deref());
        b.slot("URI", self.uri.as_deref());
        b.slot("documentAvailability", self.availability.map(Availability::urn));
        b.slot(REFERENCE_ID_LIST, self.reference_ids.iter().map(String::as_str));
        b.extra(&self.extra);
        b.texts(self.title.as_deref(), self.comments.as_deref());
        b.authors(DOCUMENT_ENTRY_AUTHOR, &self.authors);
        b.codes(DOCUMENT_ENTRY_CLASS_CODE, [&self.class_code]);
        b.codes(DOCUMENT_ENTRY_CONFIDENTIALITY_CODE, &self.confidentiality_codes);
        b.codes(DOCUMENT_ENTRY_EVENT_CODE, &self.event_codes);
        b.codes(DOCUMENT_ENTRY_FORMAT_CODE, [&self.format_code]);
        b.codes(DOCUMENT_ENTRY_HEALTHCARE_FACILITY_TYPE_CODE, [&self.healthcare_facility_type_code]);
        b.codes(DOCUMENT_ENTRY_PRACTICE_SETTING_CODE, [&self.practice_setting_code]);
        b.codes(DOCUMENT_ENTRY_TYPE_CODE, [&self.type_code]);
        b.identifier(DOCUMENT_ENTRY_PATIENT_ID, "XDSDocumentEntry.patientId", &self.patient_id.text);
        b.identifier(DOCUMENT_ENTRY_UNIQUE_ID, "XDSDocumentEntry.uniqueId", &self.unique_id);
        let object_type = match self.document_type {
            DocumentType::Stable => DOCUMENT_ENTRY_STABLE,
            DocumentType::OnDemand => DOCUMENT_ENTRY_ON_DEMAND,
        };
        let mut common = b.common;
        common.object_type = Some(object_type.to_owned());
        common.home = self.home_community_id.clone();
        common.lid = self.logical_id.map(uuid_urn);
        ebxml::ExtrinsicObject { common, mime_type: Some(self.mime_type.clone()), is_opaque: None }
    }
}

impl SubmissionSet {
    pub fn to_ebxml(&self) -> ebxml::RegistryPackage {
        let mut b = Builder::new(uuid_urn(self.entry_uuid));
        b.slot("submissionTime", [self.submission_time.as_str()]);
        b.slot("intendedRecipient", self.intended_recipients.iter().map(String::as_str));
        b.extra(&self.extra);
        b.texts(self.title.as_deref(), self.comments.as_deref());
        b.mark(SUBMISSION_SET_NODE);
        b.authors(SUBMISSION_SET_AUTHOR, &self.authors);
        b.codes(SUBMISSION_SET_CONTENT_TYPE_CODE, [&self.content_type_code]);
        b.identifier(SUBMISSION_SET_PATIENT_ID, "XDSSubmissionSet.patientId", &self.patient_id.text);
        b.identifier(SUBMISSION_SET_SOURCE_ID, "XDSSubmissionSet.sourceId", &self.source_id);
        b.identifier(SUBMISSION_SET_UNIQUE_ID, "XDSSubmissionSet.uniqueId", &self.unique_id);
        package(b.common, &self.home_community_id)
    }
}

impl Folder {
    pub fn to_ebxml(&self) -> ebxml::RegistryPackage {
        let mut b = Builder::new(uuid_urn(self.entry_uuid));
        b.extra(&self.extra);
        b.texts(Some(&self.title), self.comments.as_deref());
        b.mark(FOLDER_NODE);
        b.codes(FOLDER_CODE, &self.codes);
        b.identifier(FOLDER_PATIENT_ID, "XDSFolder.patientId", &self.patient_id.text);
        b.identifier(FOLDER_UNIQUE_ID, "XDSFolder.uniqueId", &self.unique_id);
        package(b.common, &self.home_community_id)
    }
}

impl Association {
    pub fn to_ebxml(&self) -> ebxml::Association {
        let mut b = Builder::new(uuid_urn(self.entry_uuid));
        b.slot(
            "SubmissionSetStatus",
            self.submission_set_status.map(|status| format!("{status:?}")).as_deref(),
        );
        b.extra(&self.extra);
        b.codes(ASSOCIATION_DOCUMENTATION, &self.documentation);
        let mut common = b.common;
        common.object_type = Some(format!("{OBJECT_TYPE_PREFIX}Association"));
        ebxml::Association {
            common,
            association_type: self.association_type.urn().to_owned(),
            source_object: uuid_urn(self.source),
            target_object: uuid_urn(self.target),
        }
    }
}

fn package(mut common: Common, home: &Option<String>) -> ebxml::RegistryPackage {
    common.object_type = Some(format!("{OBJECT_TYPE_PREFIX}RegistryPackage"));
    common.home = home.clone();
    ebxml::RegistryPackage { common }
}

/// Puts an object together. Inner objects get symbolic ids, which the registry replaces.
struct Builder {
    common: Common,
    inner: usize,
}

impl Builder {
    fn new(id: String) -> Self {
        Builder { common: Common { id, ..Common::default() }, inner: 0 }
    }

    fn inner_id(&mut self) -> Option<String> {
        self.inner += 1;
        Some(format!("i{}-{}", self.common.id.trim_start_matches("urn:uuid:"), self.inner))
    }

    fn slot<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        if !values.is_empty() {
            self.common.slots.push(Slot { name: name.to_owned(), slot_type: None, values });
        }
    }

    fn extra(&mut self, slots: &[ExtraSlot]) {
        for slot in slots {
            self.slot(&slot.name, slot.values.iter().map(String::as_str));
        }
    }

    fn texts(&mut self, title: Option<&str>, comments: Option<&str>) {
        self.common.name = title.into_iter().map(localized).collect();
        self.common.description = comments.into_iter().map(localized).collect();
    }

    fn mark(&mut self, node: &str) {
        let id = self.inner_id();
        self.common.classifications.push(Classification {
            id,
            node: Some(node.to_owned()),
            ..Classification::default()
        });
    }

    fn codes<'a>(&mut self, scheme: &str, codes: impl IntoIterator<Item = &'a Code>) {
        for code in codes {
            let classification = Classification {
                id: self.inner_id(),
                scheme: Some(scheme.to_owned()),
                node_representation: Some(code.code.clone()),
                slots: vec![slot("codingScheme", [code.scheme.clone()])],
                name: vec![localized(&code.display)],
                ..Classification::default()
            };
            self.common.classifications.push(classification);
        }
    }

    fn authors(&mut self, scheme: &str, authors: &[Author]) {
        for author in authors {
            let slots = [
                slot("authorPerson", author.person.clone()),
                slot("authorInstitution", author.institutions.clone()),
                slot("authorRole", author.roles.clone()),
                slot("authorSpecialty", author.specialties.clone()),
                slot("authorTelecommunication", author.telecommunications.clone()),
            ];
            let classification = Classification {
                id: self.inner_id(),
                scheme: Some(scheme.to_owned()),
                node_representation: Some(String::new()),
                slots: slots.into_iter().filter(|slot| !slot.values.is_empty()).collect(),
                ..Classification::default()
            };
            self.common.classifications.push(classification);
        }
    }

    fn identifier(&mut self, scheme: &str, name: &str, value: &str) {
        let identifier = ExternalIdentifier {
            id: self.inner_id(),
            identification_scheme: scheme.to_owned(),
            value: value.to_owned(),
            name: vec![localized(name)],
            ..ExternalIdentifier::default()
        };
        self.common.external_identifiers.push(identifier);
    }
}

fn slot(name: &str, values: impl IntoIterator<Item = String>) -> Slot {
    Slot { name: name.to_owned(), slot_type: None, values: values.into_iter().collect() }
}

fn localized(value: &str) -> LocalizedString {
    LocalizedString { value: value.to_owned(), lang: None, charset: None }
}
