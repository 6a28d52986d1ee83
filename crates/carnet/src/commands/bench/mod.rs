//! `carnet bench`: measures a server beside the limits of the machine; fills databases for that.

mod load;
mod page;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bench::cells::{Cell, cells};
use bench::goals;
use bench::limits::Limits;
use bench::load::Loaded;
use bench::process::Processes;
use bench::report::{Report, Row, Table};
use bench::run::{Settings, Target, compare, measure, reads};
use bench::server::Server;
use bench::stage::Scale;
use client::Endpoints;
use indicatif::{ProgressBar, ProgressStyle};

use super::{note, say, table};
use crate::config::Config;

#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without --registry and --repository a server is started in a folder of its own, with a private PostgreSQL, \
                  and everything goes when it is over. scripts/bench does a whole run and writes docs/performance.md."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Fill the database of this installation with invented records.
    Load(load::Arguments),
    /// Put invented events into the audit log of this installation.
    Events(load::Events),
    /// Write the page of results from reports.
    Page(page::Arguments),
}

#[derive(clap::Args)]
struct Run {
    /// The registry of the server that is to be measured (ITI-18, ITI-44).
    #[arg(long, value_name = "URL", requires = "repository")]
    registry: Option<String>,
    /// Its repository (ITI-41, ITI-43).
    #[arg(long, value_name = "URL", requires = "registry")]
    repository: Option<String>,
    /// A process of that server, if it is on this machine: its processor time and memory are measured, with all that it
    /// started. May be repeated, such as for its database; memory is that of the first.
    #[arg(long, value_name = "PID", requires = "registry")]
    pid: Vec<u32>,
    /// That server opens records by itself: patients are not told to it first (ITI-44).
    #[arg(long, requires = "registry")]
    no_feed: bool,
    /// Only workloads whose names begin like this: submit-1, submit-20, find-10-leaf, find-10-refs, find-100-leaf, …,
    /// get-30k, get-3m, get-100m, mix. May be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Numbers of clients.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    clients: Vec<usize>,
    /// For each workload and number of clients.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// What invented people and documents follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Put so many entries into the server's database first, and look for those records.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, conflicts_with = "registry")]
    entries: u64,
    /// The folder in which the server is started; it goes afterwards. Without it, one for temporary files.
    #[arg(long, value_name = "FOLDER", conflicts_with = "registry")]
    folder: Option<PathBuf>,
    /// A binary without traces (cargo build --features without-traces): reads are measured on it too.
    #[arg(long, value_name = "BINARY", conflicts_with = "registry")]
    without_traces: Option<PathBuf>,
    /// Put so many events into the log when everything else is done, and measure carnet audit verify.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, conflicts_with = "registry")]
    verify: u64,
    /// Few documents are filed first: for a look at whether everything works.
    #[arg(long)]
    smoke: bool,
    /// Do not measure the limits of the machine.
    #[arg(long)]
    no_limits: bool,
    /// A remark for the report, such as what else runs on the machine. May be repeated.
    #[arg(long, value_name = "TEXT")]
    remark: Vec<String>,
    /// Print the report as JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Write the report as JSON into a file too, for `carnet bench page`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the page of results too.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Some(Command::Load(arguments)) => load::records(config, arguments).await,
        Some(Command::Events(arguments)) => load::events(config, arguments).await,
        Some(Command::Page(arguments)) => page::run(arguments),
        None => one_run(config, &arguments.run).await,
    }
}

async fn one_run(config: &Config, run: &Run) -> anyhow::Result<()> {
    let cells = cells(&run.only, &run.clients);
    if cells.is_empty() {
        bail!("no workload has a name that begins with {}", run.only.join(" or "));
    }
    let bar = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let report = measured(config, run, &cells, &bar).await;
    bar.finish_and_clear();
    let report = report?;
    match run.json {
        true => say(serde_json::to_string_pretty(&report)?),
        false => show(&report),
    }
    if let Some(path) = &run.report {
        let text = serde_json::to_vec_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if let Some(path) = &run.write {
        page::write(path, std::slice::from_ref(&report))?;
    }
    let failed: Vec<&Row> = report.rows.iter().filter(|row| row.outcome.failures > 0).collect();
    for row in &failed {
        let reason = row.outcome.first_failure.as_deref().unwrap_or_default();
        note(&format!(
            "{} with {} clients: {} failures, the first: {reason}",
            row.workload, row.clients, row.outcome.failures
        ));
    }
    match report.failures() {
        0 => Ok(()),
        failures => bail!("{failures} requests failed"),
    }
}

async fn measured(config: &Config, run: &Run, cells: &[Cell], bar: &ProgressBar) -> anyhow::Result<Report> {
    let progress = |text: &str| bar.set_message(text.to_owned());
    let time = Duration::from_secs(run.seconds.max(1));
    let place = place(run.folder.as_deref())?;
    let without_traces = run
        .without_traces
        .as_deref()
        .map(|program| program.canonicalize().with_context(|| format!("{} is not there", program.display())));
    let without_traces = without_traces.transpose()?;
    let limits = match run.no_limits {
        true => Limits::default(),
        false => {
            let all: Vec<Cell> = cells.iter().copied().chain(extra(run)).collect();
            Limits::measure(place.path(), &all, time, progress).await?
        }
    };
    let scale = if run.smoke { Scale::SMOKE } else { Scale::FULL };
    let settings = |cells: &[Cell], seed: u64| Settings { cells: cells.to_vec(), time, seed, scale };
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: bench::process::machine(),
        at: chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string(),
        seed: run.seed,
        seconds: run.seconds,
        entries: 0,
        readable: 0,
        load_seconds: None,
        start_ms: None,
        remarks: run.remark.clone(),
        limits,
        rows: Vec::new(),
        reads: Vec::new(),
        verified: Vec::new(),
    };
    if let (Some(registry), Some(repository)) = (&run.registry, &run.repository) {
        let endpoints = Endpoints { registry: registry.clone(), repository: repository.clone() };
        let target =
            Target { endpoints, processes: Processes(run.pid.clone()), feed: !run.no_feed, loaded: None };
        report.rows = measure(&target, &settings(cells, run.seed), &report.limits, progress).await?;
        return Ok(report);
    }
    let own = Own { program: std::env::current_exe()?, folder: place.path().join("carnet") };
    std::fs::create_dir(&own.folder)?;
    progress("starting the server");
    let mut server = Server::start(&own.program, &own.folder)?;
    let first = server.ready_after;
    let loaded = match run.entries {
        0 => None,
        entries => {
            let mut loaded = Loaded::new(run.seed, entries, &config.repository.unique_id)?;
            let began = Instant::now();
            load::into(&own.folder, &mut loaded, progress).await?;
            report.load_seconds = Some(began.elapsed().as_secs_f64());
            report.entries = loaded.entries();
            report.readable = loaded.readable.len();
            Some(Arc::new(loaded))
        }
    };
    server.stop()?;
    server = Server::start(&own.program, &own.folder)?;
    report.start_ms = Some([first, server.ready_after].map(|time| time.as_secs_f64() * 1000.0));
    report.rows =
        measure(&server.target(loaded), &settings(cells, run.seed), &report.limits, progress).await?;
    if let Some(program) = &without_traces {
        // The same documents are not filed twice.
        let reads = settings(&reads(), run.seed.wrapping_add(1));
        let folder = place.path().join("without-traces");
        std::fs::create_dir(&folder)?;
        progress("starting the server without traces");
        let other = Server::start(program, &folder)?;
        let (with, without) = (server.target(None), other.target(None));
        report.reads = compare(&with, &without, &reads, &report.limits, progress).await?;
        other.stop()?;
    }
    server.stop()?;
    if run.verify > 0 {
        report.verified.push(verify::measure(&own, run.verify, run.seed, progress).await?);
    }
    Ok(report)
}

/// A binary, and the data folder of its installation.
struct Own {
    program: PathBuf,
    folder: PathBuf,
}

trait AsTarget {
    fn target(&self, loaded: Option<Arc<Loaded>>) -> Target;
}

impl AsTarget for Server {
    fn target(&self, loaded: Option<Arc<Loaded>>) -> Target {
        let endpoints = Endpoints::of_server(&self.url);
        Target { endpoints, processes: Processes(vec![self.pid()]), feed: true, loaded }
    }
}

/// The limits of these cells are needed beside those that were asked for.
fn extra(run: &Run) -> Vec<Cell> {
    if run.without_traces.is_some() { reads() } else { Vec::new() }
}

/// A folder that the unprivileged account of PostgreSQL can enter, and that goes afterwards.
fn place(within: Option<&Path>) -> anyhow::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let within = within.map_or_else(std::env::temp_dir, Path::to_owned);
    let everybody = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().prefix("carnet-bench-").permissions(everybody).tempdir_in(&within);
    folder.with_context(|| format!("no folder can be made in {}", within.display()))
}

fn show(report: &Report) {
    say(format!("Carnet {} on {}, {}", report.version, report.machine, report.at));
    report.remarks.iter().for_each(say);
    if let Some([empty, again]) = report.start_ms {
        say(format!("Ready after {empty:.0} ms in an empty folder, after {again:.0} ms when started again."));
    }
    for part in [
        report.limits(),
        report.results(),
        report.reads(),
        report.verified(),
        goals::table(std::slice::from_ref(report)),
    ] {
        show_table(&part);
    }
}

fn show_table(part: &Table) {
    if !part.rows.is_empty() {
        say("");
        table::lines(&part.heading, &part.rows).iter().for_each(say);
    }
}
