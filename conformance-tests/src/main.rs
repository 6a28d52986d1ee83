//! `conformance-tests --registry URL --repository URL`: asks a server and prints what came out.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use conformance_tests::{Options, UnknownPatients, run};

/// Conformance tests for XDS.b registries and repositories (ITI-18, ITI-41, ITI-42, ITI-43).
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Write the report as JUnit XML too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// A skipped check counts as a failure.
    #[arg(long)]
    strict: bool,
}

#[actix_web::main]
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { options, junit, strict } = Arguments::parse();
    if options.unknown_patients == UnknownPatients::Refuse && options.patient.is_none() {
        anyhow::bail!("--unknown-patients refuse needs --patient with a record that is open");
    }
    let report = run(&options).await?;
    println!("{report}");
    if let Some(file) = junit {
        std::fs::write(&file, report.junit())
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let failed = report.failed() + if strict { report.skipped() } else { 0 };
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
