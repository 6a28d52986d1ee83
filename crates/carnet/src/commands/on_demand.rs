//! `carnet on-demand register`: an entry for a summary of a patient's record (ITI-61). The repository makes the summary
//! each time somebody retrieves it.

use anyhow::Context;
use clap::Subcommand;
use identity::Oid;
use uuid::Uuid;
use xds::metadata::{Author, Code, DocumentEntry, DocumentType};

use super::submit::{SetAttributes, submission};
use super::{accepted, client, patient, say};
use crate::config::Config;

#[derive(Subcommand)]
pub enum Command {
    /// Register an entry for a summary of a patient's record, which is made when it is retrieved.
    Register {
        /// The INS (15 characters, its key is checked), or a CX: id^^^&OID&ISO
        #[arg(long)]
        patient: String,
        /// The server; without it client.server of the configuration.
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
}

pub async fn run(config: &Config, command: &Command) -> anyhow::Result<()> {
    let Command::Register { patient, server } = command;
    let entry = summary(config, patient)?;
    let unique_id = entry.unique_id.clone();
    let (objects, _) = submission(config, entry, SetAttributes::default(), &[]);
    let response = client(config, server.as_deref())?.register_on_demand(&objects).await?;
    accepted(config, &response, "the summary was not registered:")?;
    say(format!("Registered as {unique_id}"));
    Ok(())
}

/// A summary in the codes of the DMP.
fn summary(config: &Config, text: &str) -> anyhow::Result<DocumentEntry> {
    const MISSING: &str = "client.facility_code and client.practice_setting_code of the configuration say where the summary is made";
    let patient_id = patient(config, text)?;
    let author = Author { institutions: vec!["Carnet".to_owned()], ..Author::default() };
    Ok(DocumentEntry {
        entry_uuid: Uuid::new_v4(),
        logical_id: None,
        document_type: DocumentType::OnDemand,
        authors: vec![author],
        availability: None,
        class_code: Code::new("11", "1.2.250.1.213.1.1.4.1", "Synthèse"),
        comments: None,
        confidentiality_codes: vec![Code::new("N", "2.16.840.1.113883.5.25", "Normal")],
        creation_time: None,
        event_codes: Vec::new(),
        format_code: Code::new("urn:ihe:iti:xds-sd:text:2008", "1.3.6.1.4.1.19376.1.2.3", "Texte"),
        hash: None,
        healthcare_facility_type_code: config.client.facility.clone().context(MISSING)?,
        home_community_id: None,
        language_code: "fr-FR".to_owned(),
        legal_authenticator: None,
        mime_type: "text/xml".to_owned(),
        source_patient_id: Some(patient_id.clone()),
        patient_id,
        practice_setting_code: config.client.practice_setting.clone().context(MISSING)?,
        reference_ids: Vec::new(),
        repository_unique_id: Some(config.repository.unique_id.clone()),
        service_start_time: None,
        service_stop_time: None,
        size: None,
        source_patient_info: Vec::new(),
        title: Some("Synthèse du dossier".to_owned()),
        type_code: Code::new("SYNTH", "1.2.250.1.213.1.1.4.12", "Synthèse"),
        unique_id: Oid::from_uuid(Uuid::new_v4()).to_string(),
        uri: None,
        extra: Vec::new(),
    })
}
