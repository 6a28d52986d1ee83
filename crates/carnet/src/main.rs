//! The `carnet` command.

use std::path::PathBuf;
use std::process::ExitCode;

use carnet::commands::{
    self, audit, backup, bench, codes, conformance, find, fsck, get, on_demand, outbox, patient, status,
    submit,
};
use carnet::config::{Config, Role};
use clap::{Parser, Subcommand};

const VERSION: &str = match atna::WITHOUT_TRACES {
    false => env!("CARGO_PKG_VERSION"),
    true => concat!(env!("CARGO_PKG_VERSION"), " WITHOUT TRACES, for measurements only"),
};

/// Carnet, a shared medical record on IHE XDS.b.
#[derive(Parser)]
#[command(
    version = VERSION,
    about,
    after_help = "Start a server with `carnet serve`; then, from another terminal:\n  \
    carnet patient open 279035121518989\n  carnet submit letter.xml\n  carnet find --patient 279035121518989"
)]
struct Arguments {
    /// The configuration file. Without it: carnet.toml in this folder, if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How log lines are written; overrides log.format of the configuration.
    #[arg(long, global = true, value_parser = ["text", "json"])]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve {
        /// Which actors it is; overrides server.role of the configuration.
        #[arg(long, value_enum)]
        role: Option<Role>,
    },
    /// Read the configuration and say what is wrong with it.
    CheckConfig,
    /// Ask a server whether it is ready.
    Status(status::Arguments),
    /// Administer the records of patients.
    #[command(subcommand)]
    Patient(patient::Command),
    /// Register documents that are made when they are retrieved.
    #[command(subcommand)]
    OnDemand(on_demand::Command),
    /// File a document (ITI-41).
    Submit(submit::Arguments),
    /// Find the documents of a patient (ITI-18).
    Find(find::Arguments),
    /// Read a document (ITI-43).
    Get(get::Arguments),
    /// Look into files of value sets.
    #[command(subcommand)]
    Codes(codes::Command),
    /// Show who did what, when.
    Audit(audit::Arguments),
    /// Check that everything that was filed is there and as it was filed.
    Fsck(fsck::Arguments),
    /// Bring a folder up to date with everything that is stored.
    Backup(backup::Make),
    /// Put a backup into an empty installation.
    Restore(backup::Restore),
    /// Show the answers that go to another address and are not delivered yet.
    Outbox(outbox::Arguments),
    /// Hold the conformance scenarios against any XDS.b server.
    Conformance(conformance::Arguments),
    /// Measure a server beside the limits of the machine.
    Bench(bench::Arguments),
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // A variable that is not UTF-8 is none of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut config = match (Config::load(arguments.config.as_deref(), environment), &arguments.command) {
        // Looks into files alone: a configuration that names a bad one must not be in the way.
        (Err(_), Command::Codes(command)) => return codes::run(command),
        (config, _) => config?,
    };
    match arguments.command {
        Command::Serve { role } => {
            config.server.role = role.unwrap_or(config.server.role);
            carnet::logging::start(&config, arguments.log.as_deref())?;
            carnet::serve::serve(config).await
        }
        Command::CheckConfig => commands::check_config(&config),
        Command::Status(arguments) => status::run(&config, &arguments).await,
        Command::Patient(command) => patient::run(&config, &command).await,
        Command::OnDemand(command) => on_demand::run(&config, &command).await,
        Command::Submit(arguments) => submit::run(&config, &arguments).await,
        Command::Find(arguments) => find::run(&config, &arguments).await,
        Command::Get(arguments) => get::run(&config, &arguments).await,
        Command::Codes(command) => codes::run(&command),
        Command::Audit(arguments) => audit::run(&config, &arguments).await,
        Command::Fsck(arguments) => fsck::run(&config, &arguments).await,
        Command::Backup(arguments) => backup::make(&config, &arguments).await,
        Command::Restore(arguments) => backup::restore(&config, &arguments).await,
        Command::Outbox(arguments) => outbox::run(&config, &arguments).await,
        Command::Conformance(arguments) => conformance::run(&arguments).await,
        Command::Bench(arguments) => bench::run(&config, &arguments).await,
    }
}
