//! `carnet audit verify`: whether the log is as it was signed.

use std::path::PathBuf;

use anyhow::bail;
use atna::Act;
use atna::log::{Report, Verification};
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::list::moment;
use super::used;
use crate::audit::{Files, keys};
use crate::commands::{note, say};
use crate::config::Config;
use crate::installation::Installation;

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
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
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
        atna::record(&**client, &[used(installation, Act::AuditVerified, "carnet audit verify")]).await?;
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} events, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    let report = verification
        .run(&installation.database, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await;
    bar.finish_and_clear();
    Ok((report?, checkpoints))
}

fn show(report: &Report, checkpoints: Option<&PathBuf>) {
    match &report.finding {
        None => say(format!("The log is as it was signed: {} events verified.", report.events)),
        Some(finding) => say(format!("NOT AS IT WAS SIGNED: {finding}.")),
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
        "from": report.from,
        "signed": report.size,
        "outside": report.outside,
        "waiting": report.waiting,
        "waiting_since": report.waiting_since,
        "restored": report.restorations.iter().map(|restored| json!({ "at": restored.at, "size": restored.size }))
            .collect::<Vec<_>>(),
    })
}
