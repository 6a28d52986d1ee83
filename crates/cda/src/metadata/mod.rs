//! From a CDA header to a DocumentEntry (CI-SIS *volet Structuration minimale* and the DMP's mapping).

mod people;
mod required;

use identity::is_ins_authority;
use uuid::Uuid;
use xds::metadata::{Code, DocumentEntry, DocumentType};
use xds::value::{Cx, Dtm};

use crate::facts::HeaderFacts;
use crate::header::{Body, Coded, Header, Id, Relation};
use crate::{tables, time};

pub use required::Missing;
use required::Required;

/// Format of documents that follow no national model.
const NO_MODEL: (&str, &str) = ("urn:asipSante:modelesHorsProfils:2011", "1.2.250.1.213.1.1.4.2.282");

/// What to say where a document says nothing: a document of another country, or of a model without these elements.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    pub healthcare_facility_type_code: Option<Code>,
    pub practice_setting_code: Option<Code>,
    pub language_code: Option<String>,
    /// For types that the national table does not know.
    pub class_code: Option<Code>,
    /// For documents whose code has no code system.
    pub type_code: Option<Code>,
    /// In place of the national code for documents that follow no model.
    pub format_code: Option<Code>,
    /// OID of the authority whose identifier is the patientId of a document without INS.
    pub patient_authority: Option<String>,
}

/// What a header amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Complete but for what only the octets or the registry can tell: hash, size, repositoryUniqueId, logicalId.
    pub entry: DocumentEntry,
    /// uniqueId of the document that this one replaces (`relatedDocument[@typeCode='RPLC']`).
    pub replaces: Option<String>,
    /// uniqueId of the document that this one is a transformation of (`XFRM`).
    pub transforms: Option<String>,
    /// uniqueId of the document that this one adds to (`APND`).
    pub appends: Option<String>,
    pub facts: HeaderFacts,
}

/// The DocumentEntry `entry_uuid` of the document with that header.
///
/// Every attribute that is missing is reported, not only the first. The single confidentialityCode is the document's
/// own; those that hide a document from somebody are not in a CDA and are for the caller to add.
pub fn document_entry(header: &Header, defaults: &Defaults, entry_uuid: Uuid) -> Result<Draft, Vec<Missing>> {
    let required = Required::of(header, defaults)?;
    let act_time = |bound: Option<&String>| -> Option<Dtm> { time::to_utc(bound?) };
    let principal = header.acts.first();
    let entry = DocumentEntry {
        entry_uuid,
        logical_id: None,
        document_type: DocumentType::Stable,
        authors: header.authors.iter().filter_map(people::author).collect(),
        availability: None,
        class_code: required.class_code,
        comments: None,
        confidentiality_codes: vec![required.confidentiality],
        creation_time: Some(required.creation_time),
        event_codes: header.acts.iter().filter_map(|act| code(act.code.as_ref()?)).collect(),
        format_code: format_code(header, defaults),
        hash: None,
        healthcare_facility_type_code: required.facility,
        home_community_id: None,
        language_code: required.language,
        legal_authenticator: header.legal_authenticator.as_ref().and_then(people::xcn),
        mime_type: if header.self_presenting { "application/xslt+xml" } else { "text/xml" }.to_owned(),
        source_patient_id: Some(source_patient_id(header, &required.patient_id)),
        source_patient_info: people::source_patient_info(&header.patient, &required.patient_id),
        patient_id: required.patient_id,
        practice_setting_code: required.practice_setting,
        reference_ids: reference_ids(header),
        repository_unique_id: None,
        service_start_time: act_time(principal.and_then(|act| act.start.as_ref())),
        service_stop_time: act_time(principal.and_then(|act| act.stop.as_ref())),
        size: None,
        // XDS allows no more.
        title: header.title.as_ref().map(|title| title.chars().take(128).collect()),
        type_code: required.type_code,
        unique_id: header.id.unique_id(),
        uri: None,
        extra: Vec::new(),
    };
    let parent = |relation| {
        header.parents.iter().find(|parent| parent.relation == relation).map(|parent| parent.id.unique_id())
    };
    Ok(Draft {
        entry,
        replaces: parent(Relation::Replaces),
        transforms: parent(Relation::Transforms),
        appends: parent(Relation::Appends),
        facts: HeaderFacts::from(header),
    })
}

/// A code of metadata has a system and a display name: without a system it is none, without a display name the code
/// stands for it.
fn code(coded: &Coded) -> Option<Code> {
    let system = coded.system.as_deref()?;
    Some(Code::new(&coded.code, system, coded.display.as_deref().unwrap_or(&coded.code)))
}

/// The INS, or the identifier under the authority that the defaults name.
fn patient_id(header: &Header, defaults: &Defaults) -> Option<Cx> {
    let ids = &header.patient.ids;
    let ins = ids.iter().find(|id| is_ins_authority(&id.root)).and_then(|id| people::cx(id, "NH"));
    ins.or_else(|| {
        let authority = defaults.patient_authority.as_deref()?;
        ids.iter().find(|id| id.root_oid() == authority).and_then(|id| people::cx(id, ""))
    })
}

/// The number that the source itself gave the patient, or else the patientId once more.
fn source_patient_id(header: &Header, patient_id: &Cx) -> Cx {
    let local = |id: &&Id| !is_ins_authority(&id.root) && id.root_oid() != patient_id.authority;
    let local = header.patient.ids.iter().filter(local).find_map(|id| people::cx(id, "PI"));
    local.unwrap_or_else(|| patient_id.clone())
}

/// By the media type of an unstructured body, else by the models that the document follows.
fn format_code(header: &Header, defaults: &Defaults) -> Code {
    let by_body = match &header.body {
        Some(Body::Unstructured { media_type }) => tables::format_of_media_type(media_type),
        Some(Body::Structured) | None => None,
    };
    by_body
        .or_else(|| tables::format_of_templates(header.templates.iter().map(|id| id.root.as_str())))
        .or_else(|| defaults.format_code.clone())
        .unwrap_or_else(|| Code::new(NO_MODEL.0, NO_MODEL.1, NO_MODEL.0))
}

/// Orders and accession numbers as CXi (IHE TF-3 Table 4.2.3.1.7-2). An identifier without extension is unique by
/// itself and needs no authority.
fn reference_ids(header: &Header) -> Vec<String> {
    let cxi = |id: &Id, kind: &str| match &id.extension {
        Some(extension) => format!("{}^^^&{}&ISO^{kind}", people::escape(extension), id.root_oid()),
        None => format!("{}^^^^{kind}", id.root_oid()),
    };
    let orders = header.orders.iter().map(|id| cxi(id, "urn:ihe:iti:xds:2013:order"));
    let accessions = header.accessions.iter().map(|id| cxi(id, "urn:ihe:iti:xds:2013:accession"));
    orders.chain(accessions).collect()
}

#[cfg(test)]
mod tests;
