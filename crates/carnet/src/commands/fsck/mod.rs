//! `carnet fsck`: whether everything that was acknowledged is there, and nothing else. Reads only, beside running servers.

pub mod state;
pub mod walk;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;
use repository::check::Depth;
use serde::Serialize;
use serde_json::json;

use self::state::State;
use self::walk::Walk;
use super::{say, table};
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
#[command(
    after_help = "Exits with 1 when something is wrong; every finding names its object and never a patient. Servers may run meanwhile.\n\n\
    Nothing is changed: tables of an older version are refused until the server was started once. A private PostgreSQL that \
    is stopped is started for the moment; where there is none, none is made."
)]
pub struct Arguments {
    /// Do not read the octets of documents: see only that they are there and as long as they should be.
    #[arg(long)]
    quick: bool,
    /// Keep in this file how far the check is, and go on from there when the file is there. The log of traces, which comes
    /// last, is checked in one piece: cut off there, it begins anew.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// A JSON object a line: each finding, then the summary.
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let state = State::load(arguments.resume.as_deref())?;
    let installation = Installation::inspect(config).await?;
    let result = check(config, &installation, arguments, state).await;
    installation.close().await?;
    let state = result?;
    state.finish(arguments.resume.as_deref())?;
    match arguments.json {
        true => say(json!({ "good": state.is_good(), "counts": state.counts, "findings": state.findings })),
        false => show(&state),
    }
    match state.found() {
        0 => Ok(()),
        found => bail!("{found} findings: what was filed is not as it should be"),
    }
}

/// Walks through everything and says each finding as it comes.
async fn check(
    config: &Config,
    installation: &Installation,
    arguments: &Arguments,
    mut state: State,
) -> anyhow::Result<State> {
    let bar = bar();
    let depth = if arguments.quick { Depth::Length } else { Depth::Octets };
    let walk = Walk::new(config, &installation.database, &installation.folder, depth, &bar);
    while let Some(findings) = walk.step(&mut state).await? {
        for finding in findings {
            state.add(finding.name());
            bar.suspend(|| match arguments.json {
                true => say(finding.as_json()),
                false => say(&finding.sentence),
            });
        }
        state.save(arguments.resume.as_deref())?;
    }
    bar.finish_and_clear();
    Ok(state)
}

/// A finding of any of the checks.
pub struct Finding {
    /// Its fields, its name among them.
    fields: serde_json::Value,
    pub sentence: String,
}

impl Finding {
    fn new(finding: impl Serialize + std::fmt::Display) -> anyhow::Result<Finding> {
        Ok(Finding { fields: serde_json::to_value(&finding)?, sentence: finding.to_string() })
    }

    pub fn name(&self) -> &str {
        self.fields.get("finding").and_then(|name| name.as_str()).unwrap_or_default()
    }

    pub fn as_json(&self) -> serde_json::Value {
        let mut fields = self.fields.clone();
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("sentence".to_owned(), self.sentence.clone().into());
        }
        fields
    }
}

fn show(state: &State) {
    let rows: Vec<Vec<String>> = state
        .counts
        .rows()
        .into_iter()
        .map(|(what, count)| vec![what.to_owned(), count.to_string()])
        .chain(state.findings.iter().map(|(name, count)| vec![format!("FINDING {name}"), count.to_string()]))
        .collect();
    for line in table::lines(&["CHECKED", "COUNT"], &rows) {
        say(line);
    }
    if state.is_good() {
        say("Everything is as it should be.");
    }
}

fn bar() -> ProgressBar {
    let bar = super::bar(0, "{msg:22} {bar:30} {percent} %, {elapsed}");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
