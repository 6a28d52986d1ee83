//! `carnet conformance`: holds the conformance scenarios against any server.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use conformance_tests::{Options, UnknownPatients, Watch, run_watched};
use indicatif::{ProgressBar, ProgressStyle};

use super::say;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Write the report as JUnit XML too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as an HTML page too: every scenario with its requests and answers.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the report as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// A skipped check counts as a failure.
    #[arg(long)]
    strict: bool,
}

/// Shows which scenario runs, when somebody is watching.
struct Bar(ProgressBar);

impl Watch for Bar {
    fn begins(&self, scenario: &str, index: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(index as u64);
        self.0.set_message(scenario.to_owned());
    }
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let options = &arguments.options;
    if options.unknown_patients == UnknownPatients::Refuse && options.patient.is_none() {
        bail!("--unknown-patients refuse needs --patient with a record that is open");
    }
    let bar =
        Bar(ProgressBar::new(0).with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?));
    let report = run_watched(options, &bar).await;
    bar.0.finish_and_clear();
    let report = report?;
    match arguments.json {
        true => say(report.json()),
        false => say(&report),
    }
    if let Some(file) = &arguments.junit {
        write(file, &report.junit())?;
    }
    if let Some(file) = &arguments.html {
        write(file, &report.html(&format!("{} and {}", options.registry, options.repository)))?;
    }
    let skipped = if arguments.strict { report.skipped() } else { 0 };
    match report.failed() + skipped {
        0 => Ok(()),
        1 => bail!("one check failed"),
        failed => bail!("{failed} checks failed"),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}
