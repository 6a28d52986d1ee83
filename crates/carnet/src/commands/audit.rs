//! `carnet audit`: the traces, read on the installation's database. Reading them leaves a trace too.

use access::Requester;
use anyhow::Context;
use atna::{Act, Event, Filter, Outcome};
use chrono::{DateTime, NaiveDate, Utc};
use registry::patients;

use super::{filed_patient, say, table};
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

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
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
    let rows = rows?;
    match arguments.json {
        true => {
            for row in &rows {
                let mut event = serde_json::to_value(&row.event)?;
                if let Some(object) = event.as_object_mut() {
                    object.insert("message".to_owned(), row.message.clone().into());
                }
                say(event);
            }
        }
        false => show(&rows),
    }
    Ok(())
}

async fn read(
    installation: &Installation,
    arguments: &Arguments,
    cx: Option<&xds::value::Cx>,
) -> anyhow::Result<Vec<atna::Row>> {
    let patients = match cx {
        Some(cx) => patients::identifiers(&installation.database, cx).await?,
        None => Vec::new(),
    };
    let filter = Filter { patients, since: arguments.since, limit: Some(arguments.limit) };
    let requester = Requester::local(&crate::account::name(), "carnet audit");
    let event = Event::new(Act::AuditRead, Outcome::Success, &requester, &installation.source)
        .patient(cx.map(|cx| cx.text.as_str()));
    let mut client = installation.database.get().await?;
    let transaction = client.transaction().await?;
    let rows = atna::search(&*transaction, &filter).await?;
    atna::record(&*transaction, &[event]).await?;
    transaction
        .commit()
        .await
        .context("the trace of reading the audit cannot be written, so it is not shown")?;
    Ok(rows)
}

fn show(rows: &[atna::Row]) {
    if rows.is_empty() {
        say("No events.");
        return;
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let event = &row.event;
            vec![
                event.at.format("%Y-%m-%d %H:%M:%S").to_string(),
                match event.outcome {
                    Outcome::Success => "ok".to_owned(),
                    Outcome::MinorFailure => "refused".to_owned(),
                    Outcome::SeriousFailure => "failed".to_owned(),
                },
                event.requester.label(),
                event.summary(),
            ]
        })
        .collect();
    for line in table::lines(&["WHEN (UTC)", "OUTCOME", "WHO", "WHAT"], &lines) {
        say(line);
    }
}
