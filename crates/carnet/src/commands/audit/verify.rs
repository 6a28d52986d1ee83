//! `carnet audit verify`: whether the log is as it was signed.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use atna::Act;
use atna::log::{Checked, Report, Verification, check_export};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::list::moment;
use super::{events_bar, used};
use crate::audit::{Files, keys};
use crate::commands::{note, octets_bar, say, told};
use crate::config::Config;
use crate::installation::{Installation, data_folder};

#[derive(clap::Args)]
#[command(
    after_help = "Whoever can write the database can cut the end of the log off together with its checkpoints. A copy of the \
                  checkpoint file that was kept on another machine (--checkpoint) tells."
)]
pub struct Arguments {
    /// Only events since the last checkpoint before this day (2026-03-31) or moment (2026-03-31T08:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// A file of checkpoints that was kept elsewhere; without it, the file of this installation if it is there.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// A file with the log's public key; without it, the one of this installation.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Not the log in the database, but an export of it; - is standard input. Needs no database.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["since", "checkpoint"])]
    export: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.export {
        return exported(config, path, arguments);
    }
    let installation = Installation::administer(config).await?;
    let report = verify(config, &installation, arguments).await;
    installation.close().await?;
    let (report, checkpoints) = report?;
    match arguments.json {
        true => say(as_json(&report)),
        false => show(&report, checkpoints.as_ref()),
    }
    match report.is_good() {
        true => Ok(()),
        false => bail!("the audit log is not as it was signed"),
    }
}

/// An export is verified with the key alone.
fn exported(config: &Config, path: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let keys = keys(&Files::new(config, &data_folder(config)?.0), arguments.key.as_deref())?;
    let (from, size): (Box<dyn Read>, u64) = match path == Path::new("-") {
        true => (Box::new(std::io::stdin()), 0),
        false => {
            let broken = || format!("{} cannot be read", path.display());
            let file = File::open(path).with_context(broken)?;
            let size = file.metadata().with_context(broken)?.len();
            (Box::new(file), size)
        }
    };
    let bar = octets_bar(size);
    let checked =
        check_export(BufReader::with_capacity(1 << 20, from), &keys, |octets| bar.set_position(octets));
    bar.finish_and_clear();
    let checked = checked.with_context(|| format!("{} does not hold", path.display()))?;
    let Checked { checkpoint, events, blanked } = checked;
    match arguments.json {
        true => say(json!({
            "good": true,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "at": checkpoint.at,
            "events": events,
            "blanked": blanked,
        })),
        false => {
            say(format!(
                "The export holds: {events} events are in the log {}, as it was with {} events at {}.",
                checkpoint.origin, checkpoint.size, checkpoint.at
            ));
            if blanked > 0 {
                say(format!("Of these, {blanked} were blanked before."));
            }
        }
    }
    Ok(())
}

async fn verify(
    config: &Config,
    installation: &Installation,
    arguments: &Arguments,
) -> anyhow::Result<(Report, Option<PathBuf>)> {
    let files = Files::new(config, &installation.folder);
    let own = Some(files.checkpoints.path().to_owned()).filter(|path| path.exists());
    let checkpoints = arguments.checkpoint.clone().or(own);
    let verification = Verification {
        keys: keys(&files, arguments.key.as_deref())?,
        checkpoints: checkpoints.clone(),
        since: arguments.since,
    };
    {
        let client = installation.database.get().await?;
        atna::record(&client, &[used(installation, Act::AuditVerified, "carnet audit verify")]).await?;
    }
    let bar = events_bar();
    let report = verification.run(&installation.database, told(&bar)).await;
    bar.finish_and_clear();
    Ok((report?, checkpoints))
}

fn show(report: &Report, checkpoints: Option<&PathBuf>) {
    match &report.finding {
        None => say(format!("The log is as it was signed: {} events verified.", report.events)),
        Some(finding) => say(format!("NOT AS IT WAS SIGNED: {finding}.")),
    }
    if report.expired > 0 {
        say(format!("{} more were kept long enough and have gone; the log says so.", report.expired));
    }
    if report.blanked > 0 {
        say(format!("The content of {} of them was blanked; the log says so.", report.blanked));
    }
    if report.from > 0 {
        say(format!("The {} events before were taken to be what their checkpoint says.", report.from));
    }
    match (report.outside, checkpoints) {
        (Some(size), Some(path)) => {
            say(format!("Checkpoints outside of the database: up to {size} events ({}).", path.display()));
        }
        _ => note(
            "no checkpoints outside of the database: an end of the log that was cut off together with its checkpoints would \
             not be noticed (--checkpoint)",
        ),
    }
    for restored in &report.restorations {
        say(format!(
            "A backup was restored at {}: the log went on from {} events.",
            restored.at, restored.size
        ));
    }
    if let Some(since) = report.waiting_since {
        let waiting = report.waiting;
        say(format!(
            "{waiting} events since {since} wait to be signed; a running server signs every two seconds."
        ));
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    json!({
        "good": report.is_good(),
        "finding": report.finding,
        "sentence": report.finding.as_ref().map(ToString::to_string),
        "events": report.events,
        "blanked": report.blanked,
        "expired": report.expired,
        "from": report.from,
        "signed": report.size,
        "outside": report.outside,
        "waiting": report.waiting,
        "waiting_since": report.waiting_since,
        "restored": report.restorations.iter().map(|restored| json!({ "at": restored.at, "size": restored.size }))
            .collect::<Vec<_>>(),
    })
}
