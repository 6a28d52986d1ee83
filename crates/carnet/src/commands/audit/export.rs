//! `carnet audit export`: events for whoever verifies them without the database.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use atna::log::{self, Exported, Selection};
use atna::{Act, Error, Kind};
use chrono::NaiveDate;
use tokio::io::BufWriter;

use super::{events_bar, used};
use crate::audit::{Files, keys};
use crate::commands::{note, told};
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
#[command(
    after_help = "One JSON object a line. The first has the signed checkpoint; then each event with its position, the salt and \
                  the content that its leaf is made of, and the hashes of its proof; the last has the number of events. \
                  `carnet audit verify --export FILE` verifies it."
)]
pub struct Arguments {
    /// Only events that were signed in this month (2026-10).
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: Option<NaiveDate>,
    /// Only events of this kind.
    #[arg(long, value_enum)]
    kind: Option<Which>,
    /// The file to write; - is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    to: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// Access to patients' records.
    Access,
    /// Operation of the server, and use of the audit.
    Operation,
    /// What other nodes told.
    Received,
}

fn month(text: &str) -> Result<NaiveDate, String> {
    format!("{text}-01").parse().map_err(|_| format!("{text} is not a month such as 2026-10"))
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let installation = Installation::administer(config).await?;
    let exported = export(config, &installation, arguments).await;
    installation.close().await?;
    match exported {
        Ok(exported) => note(&format!("{} events were exported.", exported.events)),
        // `| head`
        Err(error) if is_broken_pipe(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = match error.downcast_ref() {
        Some(Error::Output(error)) => Some(error.kind()),
        _ => None,
    };
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

async fn export(
    config: &Config,
    installation: &Installation,
    arguments: &Arguments,
) -> anyhow::Result<Exported> {
    let keys = keys(&Files::new(config, &installation.folder), None)?;
    let (mut client, beside) = (installation.database.get().await?, installation.database.get().await?);
    // Before the first event leaves.
    let event = used(installation, Act::AuditExported, "carnet audit export");
    atna::record(&client, &[event]).await.context("the trace of the export cannot be written")?;
    let transaction = client.transaction().await?;
    log::steady(&*transaction).await?;
    let selection = Selection {
        month: arguments.month,
        kind: arguments.kind.map(|which| match which {
            Which::Access => Kind::Access,
            Which::Operation => Kind::Operation,
            Which::Received => Kind::Received,
        }),
    };
    let bar = events_bar();
    let exported = match arguments.to == Path::new("-") {
        true => {
            let file = std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
            let mut out = BufWriter::new(tokio::fs::File::from_std(file));
            log::export(&*transaction, &**beside, &keys, &selection, &mut out, told(&bar)).await
        }
        false => log::export_to(&arguments.to, &*transaction, &**beside, &keys, &selection, told(&bar)).await,
    };
    bar.finish_and_clear();
    Ok(exported?)
}
