//! `carnet submit`: a Document Source (ITI-41). Metadata come from the CDA header, or from a TOML file.

mod metadata_file;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{anyhow, bail};
use cda::metadata::Draft;
use chrono::Utc;
use client::{Encoding, Outgoing};
use identity::Oid;
use indicatif::ProgressBar;
use uuid::Uuid;
use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::ebxml::SubmitObjects;
use xds::metadata::{
    Association, AssociationType, Author, Code, DocumentEntry, SubmissionSet, SubmissionSetStatus,
};
use xds::query::{Request, ReturnType};
use xds::value::{Dtm, parse_uuid_urn};

use super::{accepted, client, note, octets_bar, read_file, say};
use crate::config::Config;

/// Smaller documents are there before a bar could be seen.
const BAR_FROM: u64 = 4 << 20;

#[derive(clap::Args)]
pub struct Arguments {
    /// The document: CDA, or any file with --metadata.
    file: PathBuf,
    /// The document's metadata; needed for a file that is not CDA. See config/metadata.toml for an example.
    #[arg(long, value_name = "FILE.toml")]
    metadata: Option<PathBuf>,
    /// The server; without it client.server of the configuration.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Send plain SOAP with the document inside, not an MTOM package.
    #[arg(long)]
    inline: bool,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// A document with its metadata, ready to be put into a submission.
pub struct Prepared {
    pub entry: DocumentEntry,
    /// What this document replaces, transforms or appends, by uniqueId.
    pub related: Vec<(AssociationType, String)>,
    pub set: SetAttributes,
}

/// What the SubmissionSet says beside what it takes from its document and from the configuration.
#[derive(Default)]
pub struct SetAttributes {
    pub unique_id: Option<String>,
    pub source_id: Option<String>,
    pub content_type_code: Option<Code>,
    pub title: Option<String>,
    pub comments: Option<String>,
    pub intended_recipients: Vec<String>,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let prepared = match &arguments.metadata {
        Some(metadata) => metadata_file::prepare(config, metadata, &arguments.file)?,
        None => from_header(config, &arguments.file)?,
    };
    let size = std::fs::metadata(&arguments.file).map_or(0, |metadata| metadata.len());
    let bar = if size >= BAR_FROM { octets_bar(size) } else { ProgressBar::hidden() };
    let client = client(config, arguments.server.as_deref())?.with_progress(Rc::new({
        let bar = bar.clone();
        move |octets| bar.set_position(octets)
    }));
    let Prepared { entry, related, set } = prepared;
    let mut links = Vec::new();
    for (kind, unique_id) in related {
        let (verb, name) = words(kind);
        match current_entry(config, &client, &unique_id, verb).await? {
            Some(target) => links.push((kind, target)),
            None => note(&format!(
                "{unique_id}, which this document {verb}, is not in the registry: filed without {name}."
            )),
        }
    }
    let replaced = links.iter().find(|(kind, _)| *kind == AssociationType::Rplc).map(|(_, target)| *target);
    let (unique_id, mime_type) = (entry.unique_id.clone(), entry.mime_type.clone());
    let id = xds::value::uuid_urn(entry.entry_uuid);
    let (objects, set_id) = submission(config, entry, set, &links);
    let outgoing = Outgoing::file(&id, &mime_type, &arguments.file);
    let encoding = if arguments.inline { Encoding::Simple } else { Encoding::Mtom };
    let response = client.provide_and_register(objects, vec![outgoing], encoding).await?;
    bar.finish_and_clear();
    accepted(config, &response, &format!("{} was not filed:", arguments.file.display()))?;
    for warning in response.errors.iter().filter(|error| error.is_warning) {
        note(&format!("{}: {}", warning.code, warning.context));
    }
    match arguments.json {
        true => say(serde_json::json!({
            "uniqueId": unique_id,
            "submissionSetUniqueId": set_id,
            "replaced": replaced.map(xds::value::uuid_urn),
        })),
        false => say(format!("Filed as {unique_id}")),
    }
    Ok(())
}

/// Metadata from a CDA header; the configuration fills what a header cannot say.
fn from_header(config: &Config, file: &Path) -> anyhow::Result<Prepared> {
    let octets = read_file(file)?;
    let header = cda::read(&octets, &config.cda_limits()).map_err(|error| {
        let limit = match &error {
            cda::Error::NotXml(xml::Error::TooLarge { .. }) => " Raise limits.cda_header if it is CDA.",
            cda::Error::NotXml(xml::Error::TooDeep { .. }) => " Raise limits.xml_depth if it is CDA.",
            _ => "",
        };
        anyhow!(
            "{} cannot be read as CDA ({error}).{limit} For another kind of document give its metadata: \
             carnet submit {} --metadata FILE.toml (config/metadata.toml is an example)",
            file.display(),
            file.display()
        )
    })?;
    let draft = cda::metadata::document_entry(&header, &config.cda_defaults(), Uuid::new_v4());
    let Draft { entry, replaces, transforms, appends, .. } = draft.map_err(|missing| {
        let lines: Vec<String> = missing.iter().map(|m| format!("\n  {m}{}", setting(m.attribute))).collect();
        anyhow!(
            "{}: the header does not say everything that XDS needs:{}\n  Or give all metadata with --metadata \
             FILE.toml (config/metadata.toml is an example)",
            file.display(),
            lines.concat()
        )
    })?;
    let related = [
        (AssociationType::Rplc, replaces),
        (AssociationType::Xfrm, transforms),
        (AssociationType::Apnd, appends),
    ];
    let related = related.into_iter().filter_map(|(kind, id)| Some((kind, id?))).collect();
    Ok(Prepared { entry, related, set: SetAttributes::default() })
}

/// The setting that fills a gap of the header, for the attributes that have one.
fn setting(attribute: &str) -> &'static str {
    match attribute {
        "patientId" => "; or set client.patient_authority",
        "classCode" => "; or set client.class_code",
        "practiceSettingCode" => "; or set client.practice_setting_code",
        "healthcareFacilityTypeCode" => "; or set client.facility_code",
        _ => "",
    }
}

/// How a relation reads in a sentence, and its name in the standard.
fn words(kind: AssociationType) -> (&'static str, &'static str) {
    match kind {
        AssociationType::Xfrm => ("transforms", "XFRM"),
        AssociationType::Apnd => ("appends", "APND"),
        _ => ("replaces", "RPLC"),
    }
}

/// The approved entry with that uniqueId.
async fn current_entry(
    config: &Config,
    client: &client::Client,
    unique_id: &str,
    verb: &str,
) -> anyhow::Result<Option<Uuid>> {
    let request = Request::get_documents_by_unique_id([unique_id], ReturnType::LeafClass);
    let answer = client.query(&request).await?;
    accepted(config, &answer.response, "the registry was asked for the document that this one refers to:")?;
    let approved = answer.documents.iter().find(|d| d.common.status.as_deref() == Some(STATUS_APPROVED));
    match approved {
        Some(entry) => Ok(parse_uuid_urn(&entry.common.id)),
        None if answer.documents.iter().any(|d| d.common.status.as_deref() == Some(STATUS_DEPRECATED)) => {
            bail!("{unique_id}, which this document {verb}, has been replaced before")
        }
        None => Ok(None),
    }
}

/// A submission of one document, and the uniqueId of its SubmissionSet.
pub(super) fn submission(
    config: &Config,
    entry: DocumentEntry,
    set: SetAttributes,
    links: &[(AssociationType, Uuid)],
) -> (SubmitObjects, String) {
    let unique_id = set.unique_id.unwrap_or_else(|| Oid::from_uuid(Uuid::new_v4()).to_string());
    let authors: Vec<Author> = entry.authors.first().cloned().into_iter().collect();
    let set = SubmissionSet {
        entry_uuid: Uuid::new_v4(),
        authors,
        comments: set.comments,
        content_type_code: set.content_type_code.unwrap_or_else(|| config.client.content_type_code.clone()),
        home_community_id: None,
        intended_recipients: set.intended_recipients,
        patient_id: entry.patient_id.clone(),
        source_id: set.source_id.unwrap_or_else(|| config.client.source_id.clone()),
        submission_time: Dtm::from_utc(Utc::now()),
        title: set.title,
        unique_id: unique_id.clone(),
        extra: Vec::new(),
    };
    let link = |association_type, source, target, status| Association {
        entry_uuid: Uuid::new_v4(),
        association_type,
        source,
        target,
        submission_set_status: status,
        documentation: None,
        extra: Vec::new(),
    };
    let mut associations = vec![link(
        AssociationType::HasMember,
        set.entry_uuid,
        entry.entry_uuid,
        Some(SubmissionSetStatus::Original),
    )];
    associations.extend(links.iter().map(|(kind, target)| link(*kind, entry.entry_uuid, *target, None)));
    let objects = SubmitObjects {
        extrinsic_objects: vec![entry.to_ebxml()],
        packages: vec![set.to_ebxml()],
        associations: associations.iter().map(Association::to_ebxml).collect(),
        findings: Vec::new(),
    };
    (objects, unique_id)
}
