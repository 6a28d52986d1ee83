//! `carnet find`: a Document Consumer asks for a patient's documents (ITI-18 FindDocuments).

use clap::ValueEnum;
use serde_json::{Value, json};
use xds::constants::*;
use xds::ebxml::ExtrinsicObject;
use xds::metadata::{Author, Code, DocumentEntry};
use xds::query::{Request, ReturnType, Status, find_documents};
use xds::value::Dtm;

use super::{accepted, client, filed_patient, readable_time, say, table};
use crate::config::Config;

#[derive(clap::Args)]
pub struct Arguments {
    /// The patient: an INS or a CX.
    #[arg(long)]
    patient: String,
    /// Which documents.
    #[arg(long, value_enum, default_value_t = Which::Current)]
    status: Which,
    /// Only of these types, as code^^scheme.
    #[arg(long = "type", value_name = "CODE")]
    types: Vec<String>,
    /// Only created at or after this time (UTC, YYYY[MM[DD[hh[mm[ss]]]]]).
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only created before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The server; without it client.server of the configuration.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Print a JSON array.
    #[arg(long, conflicts_with = "ids")]
    json: bool,
    /// Print only the uniqueIds, one a line.
    #[arg(long)]
    ids: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// Up to date (Approved).
    Current,
    /// Replaced (Deprecated).
    Replaced,
    All,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let patient_id = filed_patient(config, &arguments.patient)?;
    let status: &[Status] = match arguments.status {
        Which::Current => &[Status::Approved],
        Which::Replaced => &[Status::Deprecated],
        Which::All => &[Status::Approved, Status::Deprecated],
    };
    let mut request = Request::find_documents(&patient_id, status, ReturnType::LeafClass);
    if !arguments.types.is_empty() {
        request = request.with_list(find_documents::TYPE_CODE, &arguments.types);
    }
    for (name, time) in [
        (find_documents::CREATION_TIME_FROM, &arguments.from),
        (find_documents::CREATION_TIME_TO, &arguments.to),
    ] {
        if let Some(time) = time {
            request = request.with_time(name, &Dtm::parse(time)?);
        }
    }
    let answer = client(config, arguments.server.as_deref())?.query(&request).await?;
    accepted(config, &answer.response, "the registry refused the query:")?;
    let entries: Vec<Entry> = answer.documents.iter().map(Entry::of).collect();
    if arguments.json {
        say(serde_json::to_string_pretty(&Value::Array(entries.iter().map(Entry::json).collect()))?);
    } else if arguments.ids {
        entries.iter().for_each(|entry| say(&entry.unique_id));
    } else {
        show(&entries);
    }
    Ok(())
}

/// What a person or a program is shown of an entry. An entry of another server may break rules: then what can be read
/// is shown all the same.
struct Entry {
    unique_id: String,
    current: bool,
    object: ExtrinsicObject,
    typed: Option<DocumentEntry>,
}

impl Entry {
    fn of(object: &ExtrinsicObject) -> Entry {
        Entry {
            unique_id: object
                .common
                .external_identifier(DOCUMENT_ENTRY_UNIQUE_ID)
                .unwrap_or_default()
                .to_owned(),
            current: object.common.status.as_deref() == Some(STATUS_APPROVED),
            typed: DocumentEntry::from_ebxml(object).ok(),
            object: object.clone(),
        }
    }

    fn created(&self) -> &str {
        self.object.common.slot_value("creationTime").unwrap_or_default()
    }

    fn row(&self) -> Vec<String> {
        let typed = self.typed.as_ref();
        vec![
            readable_time(self.created()),
            table::clip(typed.map_or("", |t| &t.type_code.display), 40),
            table::clip(typed.and_then(|t| t.title.as_deref()).unwrap_or_default(), 48),
            table::clip(&typed.and_then(|t| t.authors.first()).map(author).unwrap_or_default(), 28),
            if self.current { "current".to_owned() } else { "replaced".to_owned() },
            self.unique_id.clone(),
        ]
    }

    fn json(&self) -> Value {
        let code = |code: &Code| json!({ "code": code.code, "scheme": code.scheme, "display": code.display });
        let codes = |all: &[Code]| all.iter().map(code).collect::<Vec<_>>();
        let mut value = json!({
            "uniqueId": self.unique_id,
            "entryUUID": self.object.common.id,
            "availabilityStatus": self.object.common.status,
            "repositoryUniqueId": self.object.common.slot_value("repositoryUniqueId"),
            "mimeType": self.object.mime_type,
            "creationTime": self.created(),
            "hash": self.object.common.slot_value("hash"),
            "size": self.object.common.slot_value("size").and_then(|size| size.parse::<u64>().ok()),
        });
        if let (Some(typed), Some(fields)) = (&self.typed, value.as_object_mut()) {
            let more = [
                ("title", json!(typed.title)),
                ("comments", json!(typed.comments)),
                ("languageCode", json!(typed.language_code)),
                ("patientId", json!(typed.patient_id.text)),
                ("typeCode", code(&typed.type_code)),
                ("classCode", code(&typed.class_code)),
                ("formatCode", code(&typed.format_code)),
                ("practiceSettingCode", code(&typed.practice_setting_code)),
                ("healthcareFacilityTypeCode", code(&typed.healthcare_facility_type_code)),
                ("confidentialityCode", json!(codes(&typed.confidentiality_codes))),
                ("eventCodeList", json!(codes(&typed.event_codes))),
                ("serviceStartTime", json!(typed.service_start_time.as_ref().map(Dtm::as_str))),
                ("serviceStopTime", json!(typed.service_stop_time.as_ref().map(Dtm::as_str))),
                ("sourcePatientId", json!(typed.source_patient_id.as_ref().map(|cx| &cx.text))),
                ("sourcePatientInfo", json!(typed.source_patient_info)),
                ("legalAuthenticator", json!(typed.legal_authenticator)),
                ("referenceIdList", json!(typed.reference_ids)),
                ("author", json!(typed.authors.iter().map(author_json).collect::<Vec<_>>())),
            ];
            fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        value
    }
}

/// Given and family name of an XCN, or the institution when there is no person.
fn author(author: &Author) -> String {
    if let Some(person) = &author.person {
        let mut components = person.split('^').skip(1);
        let (family, given) = (components.next().unwrap_or_default(), components.next().unwrap_or_default());
        let name = format!("{given} {family}").trim().to_owned();
        if !name.is_empty() {
            return name;
        }
    }
    author.institutions.first().and_then(|xon| xon.split('^').next()).unwrap_or_default().to_owned()
}

fn author_json(author: &Author) -> Value {
    json!({
        "authorPerson": author.person,
        "authorInstitution": author.institutions,
        "authorRole": author.roles,
        "authorSpecialty": author.specialties,
    })
}

fn show(entries: &[Entry]) {
    if entries.is_empty() {
        say("No documents.");
        return;
    }
    let rows: Vec<Vec<String>> = entries.iter().map(Entry::row).collect();
    let heading = ["CREATED (UTC)", "TYPE", "TITLE", "AUTHOR", "STATE", "UNIQUE ID"];
    table::lines(&heading, &rows).iter().for_each(say);
}
