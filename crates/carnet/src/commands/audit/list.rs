//! `carnet audit`: who did what, when.

use anyhow::Context;
use atna::{Act, Entry, Filter, Outcome};
use chrono::{DateTime, NaiveDate, Utc};
use registry::patients;

use super::used;
use crate::commands::{filed_patient, say, table};
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only what concerns this patient: an INS or a CX.
    #[arg(long)]
    patient: Option<String>,
    /// Only since this day (2026-03-31) or moment (2026-03-31T08:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// At most this many of the latest events.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: i64,
    /// One JSON object a line, with the DICOM audit message.
    #[arg(long)]
    json: bool,
}

pub fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    text.parse()
        .map_err(|_| format!("{text} is neither a day (2026-03-31) nor a moment (2026-03-31T08:00:00Z)"))
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let cx = arguments.patient.as_deref().map(|text| filed_patient(config, text)).transpose()?;
    let installation = Installation::administer(config).await?;
    let rows = read(&installation, arguments, cx.as_ref()).await;
    installation.close().await?;
    let entries: Vec<Entry> = rows?.into_iter().map(|row| row.entry).collect();
    match arguments.json {
        true => {
            for entry in &entries {
                let mut json = serde_json::to_value(entry)?;
                if let (Some(object), Entry::Own(event)) = (json.as_object_mut(), entry) {
                    object.insert("message".to_owned(), atna::dicom::render(event).into());
                }
                say(json);
            }
        }
        false => show(&entries),
    }
    Ok(())
}

/// The oldest first.
async fn read(
    installation: &Installation,
    arguments: &Arguments,
    cx: Option<&xds::value::Cx>,
) -> anyhow::Result<Vec<atna::Row>> {
    let patients = match cx {
        Some(cx) => patients::identifiers(&installation.database, cx).await?,
        None => Vec::new(),
    };
    let filter =
        Filter { patients, from: arguments.since, limit: Some(arguments.limit), ..Filter::default() };
    let event = used(installation, Act::AuditRead, "carnet audit").patient(cx.map(|cx| cx.text.as_str()));
    let mut client = installation.database.get().await?;
    let transaction = client.transaction().await?;
    let mut rows = atna::search(&*transaction, &filter).await?;
    rows.reverse();
    atna::record(&*transaction, &[event]).await?;
    transaction
        .commit()
        .await
        .context("the trace of reading the audit cannot be written, so it is not shown")?;
    Ok(rows)
}

fn show(entries: &[Entry]) {
    if entries.is_empty() {
        say("No events.");
        return;
    }
    let lines: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let at = entry.at().format("%Y-%m-%d %H:%M:%S").to_string();
            match entry {
                Entry::Own(event) => {
                    let outcome = match event.outcome {
                        Outcome::Success => "ok",
                        Outcome::MinorFailure => "refused",
                        Outcome::SeriousFailure => "failed",
                    };
                    vec![at, outcome.to_owned(), event.requester.label(), event.summary()]
                }
                Entry::Received(received) => {
                    vec![at, "told".to_owned(), received.peer.clone(), "told of an event".to_owned()]
                }
            }
        })
        .collect();
    for line in table::lines(&["WHEN (UTC)", "OUTCOME", "WHO", "WHAT"], &lines) {
        say(line);
    }
}
