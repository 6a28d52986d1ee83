//! `scripts/torture`: a real server under load is killed, again and again, and what it acknowledged is held against what it
//! shows afterwards.

mod answer;
mod backup;
mod checks;
mod damage;
mod database;
mod disk;
mod hostile;
mod kill;
mod ledger;
mod load;
mod message;
mod pair;
mod readback;
mod relay;
mod report;
mod server;
mod source;
mod term;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};
use nix::sys::signal::Signal;

use database::Slowness;
use disk::Disk;
use kill::Victim;
use report::Row;
use server::Server;
use tokio::task::LocalSet;

/// Crashes a Carnet on purpose, and looks whether it lost anything.
#[derive(Parser)]
#[command(name = "scripts/torture")]
struct Arguments {
    /// How often the server is killed.
    #[arg(default_value_t = 200)]
    rounds: usize,
    /// How often its PostgreSQL is; without it, a quarter as often.
    #[arg(long)]
    database_rounds: Option<usize>,
    /// Repeats the choices of an earlier run; moments still differ, as the machine does.
    #[arg(long)]
    seed: Option<u64>,
    /// The server's binary.
    #[arg(long, default_value = "target/release/carnet")]
    carnet: PathBuf,
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// Only these, or none of the others.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Write the rows into the table of this page.
    #[arg(long, value_name = "PAGE", num_args = 0..=1, default_missing_value = "docs/reliability.md")]
    write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// kill -9 of the server and of its PostgreSQL.
    Kills,
    /// Slow, idle and malicious clients.
    Hostile,
    /// SIGTERM under load.
    Term,
    /// No room for documents, or in the database.
    Disk,
    /// A database that cuts connections, stands still, is slow, or fails over.
    Database,
    /// Of those, the one that cuts connections.
    Cuts,
    /// Damaged octets of documents.
    Damage,
    /// A backup under load, and its restore.
    Backup,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    tell(&format!("seed {seed}"));
    match LocalSet::new().run_until(run(&arguments, seed)).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell(&format!("torture: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A remark beside the result.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

async fn run(arguments: &Arguments, seed: u64) -> anyhow::Result<bool> {
    let mut rng = Rng::with_seed(seed);
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let (binary, clients) = (&arguments.carnet, arguments.clients);
    let mut rows = Rows { all: Vec::new(), at_once: !arguments.json };
    if wanted(Part::Kills) {
        kills(arguments, &mut rows, &mut rng).await?;
    }
    if wanted(Part::Hostile) {
        hostile(arguments, &mut rows, &mut rng).await?;
    }
    if wanted(Part::Term) {
        let mut server = Server::new(binary)?;
        server.start().await?;
        rows.push(term::hold(&mut server, clients, &mut rng).await?);
        server.end(Signal::SIGTERM).await?;
    }
    if wanted(Part::Disk) {
        for disk in [Disk::Documents, Disk::Database] {
            rows.push(disk::hold(binary, disk, clients, &mut rng).await?);
        }
    }
    if wanted(Part::Database) || wanted(Part::Cuts) {
        rows.push(database::cut(binary, clients, &mut rng).await?);
    }
    if wanted(Part::Database) {
        rows.push(database::stand_still(binary, clients, &mut rng).await?);
        for slowness in [Slowness::Bearable, Slowness::Unbearable] {
            rows.push(database::slow(slowness, binary, clients, &mut rng).await?);
        }
        rows.push(database::fail_over(binary, clients, &mut rng).await?);
    }
    if wanted(Part::Damage) {
        rows.push(damage::hold(binary, clients, &mut rng).await?);
    }
    if wanted(Part::Backup) {
        rows.push(backup::hold(binary, clients, &mut rng).await?);
    }
    if arguments.json {
        writeln!(std::io::stdout(), "{}", report::as_json(&rows.all, seed))?;
    }
    if let Some(page) = &arguments.write {
        report::write(page, &rows.all, seed)?;
    }
    Ok(rows.all.iter().all(|row| row.faults.is_empty()))
}

/// What came out so far. Of a run that is cut off, what it has done is known.
struct Rows {
    all: Vec<Row>,
    /// Show each as it comes.
    at_once: bool,
}

impl Rows {
    fn push(&mut self, row: Row) {
        if self.at_once {
            let _ = writeln!(std::io::stdout(), "{}", row.text());
        }
        self.all.push(row);
    }
}

async fn hostile(arguments: &Arguments, rows: &mut Rows, rng: &mut Rng) -> anyhow::Result<()> {
    let bar = ProgressBar::new((hostile::ALL.len() * hostile::PAIRS) as u64);
    let mut server = Server::new(&arguments.carnet)?;
    server.start().await?;
    let document = hostile::large_document(&server, rng).await?;
    for nuisance in &hostile::ALL {
        bar.set_message(nuisance.scenario);
        rows.push(nuisance.hold(&server, &document, arguments.clients, (rng, &bar)).await?);
    }
    bar.finish_and_clear();
    server.end(Signal::SIGTERM).await?;
    Ok(())
}

async fn kills(arguments: &Arguments, rows: &mut Rows, rng: &mut Rng) -> anyhow::Result<()> {
    let database_rounds = arguments.database_rounds.unwrap_or(arguments.rounds.div_ceil(4));
    let bar = ProgressBar::new((arguments.rounds + database_rounds) as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos} of {len} rounds, {eta} left")?);
    let mut server = Server::new(&arguments.carnet)?;
    server.start().await?;
    let mut kept = Vec::new();
    for (victim, count) in [(Victim::Server, arguments.rounds), (Victim::Database, database_rounds)] {
        if count > 0 {
            let keep = (&mut kept, &bar);
            rows.push(kill::rounds(&mut server, victim, count, arguments.clients, rng, keep).await?);
        }
    }
    bar.finish_and_clear();
    server.end(Signal::SIGTERM).await?;
    if rows.all.iter().any(|row| !row.faults.is_empty()) {
        tell(&format!("The data stay in {}.", server.keep().display()));
    }
    Ok(())
}
