//! `carnet audit`: who did what, when.

use anyhow::Context;
use atna::sentence::{Language, sentence};
use atna::{Act, Entry, Filter};
use chrono::{DateTime, Local, NaiveDate, Utc};
use clap::ValueEnum;
use registry::patients;

use super::{show, used};
use crate::commands::filed_patient;
use crate::config::Config;
use crate::installation::Installation;

/// Events that are read at a time where not all are shown.
const CHUNK: i64 = 1000;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only what concerns this patient: an INS or a CX.
    #[arg(long)]
    patient: Option<String>,
    /// Only since this day (2026-03-31) or moment (2026-03-31T08:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// Only before this day or moment.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<DateTime<Utc>>,
    /// Only of those in whose name, organisation, identifier, certificate or address this is.
    #[arg(long, value_name = "TEXT")]
    who: Option<String>,
    /// Only acts in whose sentence or transaction (ITI-43) this is.
    #[arg(long, value_name = "TEXT")]
    what: Option<String>,
    /// Only what this reader may see.
    #[arg(long = "for", value_name = "READER")]
    reader: Option<Reader>,
    /// At most this many of the latest events.
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// The language of the sentences; without it, that of LC_ALL, LC_MESSAGES or LANG, or else English.
    #[arg(long)]
    lang: Option<Lang>,
    /// One line for each event: a consultation of several documents is not drawn together.
    #[arg(long)]
    flat: bool,
    /// The events below each line that draws some together.
    #[arg(long, conflicts_with = "flat")]
    details: bool,
    /// One JSON object a line: each event with its sentence and, if it is our own, the DICOM audit message.
    #[arg(long, conflicts_with_all = ["flat", "details"])]
    json: bool,
    /// A table of the events for a spreadsheet.
    #[arg(long, conflicts_with_all = ["flat", "details", "json"])]
    csv: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// Without what was done in a secret session.
    LegalRepresentative,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    Fr,
    En,
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
    let language = arguments.language();
    let installation = Installation::administer(config).await?;
    let entries = read(&installation, arguments, language, cx.as_ref()).await;
    installation.close().await?;
    let entries = entries?;
    match (arguments.json, arguments.csv) {
        (true, _) => show::json(&entries, language),
        (_, true) => show::csv(&entries, language),
        _ if arguments.flat => {
            entries.chunks(1).for_each(|one| show::lines(one, language, false));
            Ok(())
        }
        _ => {
            show::lines(&entries, language, arguments.details);
            Ok(())
        }
    }
}

/// The oldest first.
async fn read(
    installation: &Installation,
    arguments: &Arguments,
    language: Language,
    cx: Option<&xds::value::Cx>,
) -> anyhow::Result<Vec<Entry>> {
    let patients = match cx {
        Some(cx) => patients::identifiers(&installation.database, cx).await?,
        None => Vec::new(),
    };
    let limit = arguments.limit as usize;
    let all = arguments.who.is_none() && arguments.what.is_none() && arguments.reader.is_none();
    let chunk = if all { i64::from(arguments.limit) } else { CHUNK };
    let mut filter =
        Filter { patients, from: arguments.since, until: arguments.until, before: None, limit: Some(chunk) };
    let event = used(installation, Act::AuditRead, "carnet audit").patient(cx.map(|cx| cx.text.as_str()));
    let mut client = installation.database.get().await?;
    let transaction = client.transaction().await?;
    let mut found = Vec::new();
    loop {
        let rows = atna::search(&transaction, &filter).await?;
        filter.before = rows.last().map(|row| (row.entry.at(), row.entry.id()));
        let is_last = (rows.len() as i64) < chunk;
        let wanted = rows.into_iter().map(|row| row.entry).filter(|entry| arguments.want(entry, language));
        found.extend(wanted.take(limit - found.len()));
        if is_last || found.len() == limit {
            break;
        }
    }
    found.reverse();
    atna::record(&transaction, &[event]).await?;
    transaction
        .commit()
        .await
        .context("the trace of reading the audit cannot be written, so it is not shown")?;
    Ok(found)
}

impl Arguments {
    fn language(&self) -> Language {
        match self.lang {
            Some(Lang::Fr) => Language::Fr,
            Some(Lang::En) => Language::En,
            None => of_environment(|name| std::env::var(name).ok()),
        }
    }

    fn want(&self, entry: &Entry, language: Language) -> bool {
        let is_in = |asked: &Option<String>, texts: &dyn Fn() -> Vec<String>| match asked {
            None => true,
            Some(asked) => {
                let asked = asked.to_lowercase();
                texts().iter().any(|text| text.to_lowercase().contains(&asked))
            }
        };
        let may_see = self.reader.is_none() || !entry.hidden_from_legal_representatives();
        may_see && is_in(&self.who, &|| who(entry)) && is_in(&self.what, &|| what(entry, language))
    }
}

/// The first of the variables that says something decides, as everywhere.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Language {
    let said =
        ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    match said {
        Some(value) if value == "fr" || value.starts_with("fr_") || value.starts_with("fr.") => Language::Fr,
        _ => Language::En,
    }
}

/// By what the one who acted may be known.
fn who(entry: &Entry) -> Vec<String> {
    let texts = |resource: &serde_json::Value| -> Vec<String> {
        let paths = ["/name", "/who/identifier/value", "/who/reference", "/who/display", "/network/address"];
        let agents = resource["agent"].as_array().map_or(&[][..], Vec::as_slice);
        agents
            .iter()
            .flat_map(|agent| paths.iter().filter_map(|path| agent.pointer(path)?.as_str()))
            .map(str::to_owned)
            .collect()
    };
    match entry {
        Entry::Own(event) => {
            let requester = &event.requester;
            let address = requester.network_address.map(|address| address.to_string());
            [
                &requester.who,
                &requester.name,
                &requester.organisation,
                &requester.application,
                &requester.certificate_subject,
                &address,
            ]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
        }
        Entry::Received(received) => {
            let told = atna::fhir::audit_event(entry).map(|resource| texts(&resource)).unwrap_or_default();
            told.into_iter().chain([received.peer.clone()]).collect()
        }
    }
}

fn what(entry: &Entry, language: Language) -> Vec<String> {
    let transaction = match entry {
        Entry::Own(event) => Some(event.act.row().transaction.to_owned()),
        Entry::Received(_) => atna::fhir::audit_event(entry)
            .ok()
            .and_then(|resource| Some(resource["subtype"].as_array()?.last()?["code"].as_str()?.to_owned())),
    };
    transaction.into_iter().chain([sentence(entry, language, &Local)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_of_the_first_variable_that_says_something() {
        let of = |variables: &[(&str, &str)]| {
            of_environment(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("LANG", "fr_FR.UTF-8")]), Language::Fr);
        assert_eq!(of(&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C.UTF-8")]), Language::En);
        assert_eq!(of(&[("LC_MESSAGES", "fr"), ("LC_ALL", ""), ("LANG", "de_DE")]), Language::Fr);
        assert_eq!(of(&[("LANG", "fro")]), Language::En);
        assert_eq!(of(&[]), Language::En);
    }
}
