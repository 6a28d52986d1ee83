//! `carnet audit`: the traces, read on the installation's database. Reading them leaves a trace too.

mod blank;
mod export;
mod list;
mod prove;
mod show;
mod verify;

use access::Requester;
use atna::{Act, Event, Outcome};
use indicatif::ProgressBar;

use crate::commands::bar;
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
#[group(id = "audit")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Arguments,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Recompute the log and name the first event that is not as it was signed.
    Verify(verify::Arguments),
    /// Write the proof that an event is in the log.
    Prove(prove::Arguments),
    /// Write events into a file, each with the proof that it is in the log.
    Export(export::Arguments),
    /// Take all that the events say of a patient whose record is over.
    Blank(blank::Arguments),
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        None => list::run(config, &arguments.list).await,
        Some(Command::Verify(arguments)) => verify::run(config, arguments).await,
        Some(Command::Prove(arguments)) => prove::run(config, arguments).await,
        Some(Command::Export(arguments)) => export::run(config, arguments).await,
        Some(Command::Blank(arguments)) => blank::run(config, arguments).await,
    }
}

/// The event of somebody who uses the audit at this command line.
fn used(installation: &Installation, act: Act, command: &str) -> Event {
    let requester = Requester::local(&crate::account::name(), command);
    Event::new(act, Outcome::Success, &requester, &installation.source)
}

fn events_bar() -> ProgressBar {
    bar(0, "{bar:30} {human_pos} of {human_len} events, {per_sec}, {eta} left")
}
