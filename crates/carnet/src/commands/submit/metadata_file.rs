//! `--metadata FILE.toml`: the metadata of one document, as `config/metadata.toml` shows them.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use identity::Oid;
use serde::Deserialize;
use uuid::Uuid;
use xds::metadata::{AssociationType, Author, Code, DocumentEntry, DocumentType};
use xds::value::{Cx, Dtm};

use super::super::{document_id, patient, read_file};
use super::{Prepared, SetAttributes};
use crate::config::Config;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    patient_id: String,
    source_patient_id: Option<String>,
    #[serde(default)]
    source_patient_info: Vec<String>,
    unique_id: Option<String>,
    replaces: Option<String>,
    title: Option<String>,
    comments: Option<String>,
    mime_type: String,
    language_code: String,
    creation_time: String,
    service_start_time: Option<String>,
    service_stop_time: Option<String>,
    class_code: TomlCode,
    type_code: TomlCode,
    format_code: TomlCode,
    confidentiality_codes: Vec<TomlCode>,
    healthcare_facility_type_code: TomlCode,
    practice_setting_code: TomlCode,
    #[serde(default)]
    event_codes: Vec<TomlCode>,
    #[serde(default)]
    reference_ids: Vec<String>,
    legal_authenticator: Option<String>,
    #[serde(default)]
    author: Vec<TomlAuthor>,
    #[serde(default)]
    submission_set: TomlSet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlCode {
    code: String,
    scheme: String,
    display: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlAuthor {
    person: Option<String>,
    #[serde(default)]
    institutions: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    specialties: Vec<String>,
    #[serde(default)]
    telecommunications: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct TomlSet {
    unique_id: Option<String>,
    source_id: Option<String>,
    content_type_code: Option<TomlCode>,
    title: Option<String>,
    comments: Option<String>,
    #[serde(default)]
    intended_recipients: Vec<String>,
}

impl From<TomlCode> for Code {
    fn from(code: TomlCode) -> Code {
        Code::new(&code.code, &code.scheme, &code.display)
    }
}

/// Reads the metadata of `document` from `path`.
pub fn prepare(config: &Config, path: &Path, document: &Path) -> anyhow::Result<Prepared> {
    let text =
        String::from_utf8(read_file(path)?).with_context(|| format!("{} is not UTF-8", path.display()))?;
    let file: File = toml::from_str(&text)
        .map_err(|error| anyhow!("{}: {}", path.display(), error.to_string().trim_end()))?;
    if !document.is_file() {
        bail!("{} is not a file", document.display());
    }
    let time = |name: &str, text: &str| {
        Dtm::parse(text).map_err(|error| anyhow!("{}: {name}: {error}", path.display()))
    };
    let optional_time =
        |name: &str, text: &Option<String>| text.as_deref().map(|text| time(name, text)).transpose();
    let patient_id = patient(config, &file.patient_id)?;
    let source_patient_id = match &file.source_patient_id {
        Some(text) => {
            Cx::parse(text).map_err(|error| anyhow!("{}: source_patient_id: {error}", path.display()))?
        }
        None => patient_id.clone(),
    };
    let entry = DocumentEntry {
        entry_uuid: Uuid::new_v4(),
        logical_id: None,
        document_type: DocumentType::Stable,
        authors: file.author.into_iter().map(Author::from).collect(),
        availability: None,
        class_code: file.class_code.into(),
        comments: file.comments,
        confidentiality_codes: file.confidentiality_codes.into_iter().map(Code::from).collect(),
        creation_time: Some(time("creation_time", &file.creation_time)?),
        event_codes: file.event_codes.into_iter().map(Code::from).collect(),
        format_code: file.format_code.into(),
        hash: None,
        healthcare_facility_type_code: file.healthcare_facility_type_code.into(),
        home_community_id: None,
        language_code: file.language_code,
        legal_authenticator: file.legal_authenticator,
        mime_type: file.mime_type,
        patient_id,
        practice_setting_code: file.practice_setting_code.into(),
        reference_ids: file.reference_ids,
        repository_unique_id: None,
        service_start_time: optional_time("service_start_time", &file.service_start_time)?,
        service_stop_time: optional_time("service_stop_time", &file.service_stop_time)?,
        size: None,
        source_patient_id: Some(source_patient_id),
        source_patient_info: file.source_patient_info,
        title: file.title,
        type_code: file.type_code.into(),
        unique_id: match file.unique_id {
            Some(id) => document_id(&id),
            None => Oid::from_uuid(Uuid::new_v4()).to_string(),
        },
        uri: None,
        extra: Vec::new(),
    };
    let set = file.submission_set;
    Ok(Prepared {
        entry,
        related: file.replaces.iter().map(|id| (AssociationType::Rplc, document_id(id))).collect(),
        set: SetAttributes {
            unique_id: set.unique_id,
            source_id: set.source_id,
            content_type_code: set.content_type_code.map(Code::from),
            title: set.title,
            comments: set.comments,
            intended_recipients: set.intended_recipients,
        },
    })
}

impl From<TomlAuthor> for Author {
    fn from(author: TomlAuthor) -> Author {
        Author {
            person: author.person,
            institutions: author.institutions,
            roles: author.roles,
            specialties: author.specialties,
            telecommunications: author.telecommunications,
        }
    }
}
