//! `carnet bench load` and `carnet bench events`: what a measurement finds in the database.

use std::path::{Path, PathBuf};

use access::Requester;
use anyhow::{Context, bail};
use atna::log::Sequencer;
use atna::{Act, Entry, Event, Object, Outcome};
use bench::load::{Loaded, OCTETS_OF_ENTRY};
use bench::people::Patient;
use bench::run::room;
use blob::LocalStore;
use indicatif::{ProgressBar, ProgressStyle};
use private_postgres::PrivatePostgres;
use tokio_postgres::NoTls;

use super::super::{note, say};
use crate::audit::{Files, signer};
use crate::config::Config;
use crate::installation::Installation;

/// Tables that a row of an entry is written into, as far as progress is concerned.
const TABLES: u64 = 9;
/// Loaded documents that get octets, to be read.
const READABLE: u64 = 2000;
/// Events that are written in one statement.
const BATCH: u64 = 2000;

#[derive(clap::Args)]
pub struct Arguments {
    /// So many entries, in whole records: of a thousand records one has 1,000 entries, ten have 100, the others 10.
    #[arg(long, value_name = "NUMBER")]
    entries: u64,
    /// What invented people and documents follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the database keeps its files, to see whether there is room; without it, the data folder.
    #[arg(long, value_name = "FOLDER")]
    database_folder: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Events {
    /// So many events.
    #[arg(long, value_name = "NUMBER")]
    events: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Fills the database of this installation.
pub async fn records(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = Loaded::new(arguments.seed, arguments.entries, &config.repository.unique_id)?;
    let installation = Installation::administer(config).await?;
    let folder = arguments.database_folder.clone().unwrap_or_else(|| installation.folder.clone());
    let filled = async {
        check_room(&folder, loaded.entries())?;
        let mut client = installation.database.get().await?;
        let bar = bar(loaded.entries() * TABLES, "entries")?;
        let filled = loaded
            .into_database(&mut client, |done, what| {
                bar.set_position(done);
                bar.set_message(what.to_owned());
            })
            .await;
        bar.finish_and_clear();
        filled
    };
    let filled = filled.await;
    installation.close().await?;
    filled?;
    say(format!("{} entries of {} patients were loaded.", loaded.entries(), loaded.patients()));
    note("their documents have no octets and their filing has left no traces");
    Ok(())
}

/// Fills the database that a private PostgreSQL of a running server keeps in `folder`.
pub async fn into(folder: &Path, loaded: &mut Loaded, progress: impl Fn(&str)) -> anyhow::Result<()> {
    check_room(folder, loaded.entries())?;
    let options = private_postgres::Options::new(folder.join("postgres"));
    let url = PrivatePostgres::running(&options).await.context("the server's PostgreSQL does not run")?;
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let all = loaded.entries() * TABLES;
    let told = |done: u64, what: &str| progress(&format!("loading: {} %, {what}", done * 100 / all.max(1)));
    loaded.into_database(&mut client, told).await?;
    progress("writing the octets of some documents");
    loaded.with_octets(&client, &LocalStore::existing(&folder.join("documents")), READABLE).await?;
    drop(client);
    driver.await??;
    Ok(())
}

fn check_room(folder: &Path, entries: u64) -> anyhow::Result<()> {
    let (needed, there) = (entries * OCTETS_OF_ENTRY, room(folder)?);
    if needed > there {
        bail!(
            "{entries} entries take about {} GB, and {} has room for {} GB: load fewer, or put the data on a larger disk",
            needed.div_ceil(1_000_000_000),
            folder.display(),
            there / 1_000_000_000
        );
    }
    Ok(())
}

/// Puts events into the log of this installation, positions, tree and checkpoints included.
pub async fn events(config: &Config, arguments: &Events) -> anyhow::Result<()> {
    let installation = Installation::administer(config).await?;
    let bar = bar(arguments.events, "events")?;
    let written = write(config, &installation, arguments, &bar).await;
    bar.finish_and_clear();
    installation.close().await?;
    written?;
    say(format!("{} events were put into the log.", arguments.events));
    Ok(())
}

async fn write(
    config: &Config,
    installation: &Installation,
    arguments: &Events,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let mut rng = fastrand::Rng::with_seed(arguments.seed);
    let files = Files::new(config, &installation.folder);
    let mut sequencer =
        Sequencer::new(installation.database.clone(), signer(&files)?, files.checkpoints.clone())?;
    let mut done = 0;
    while done < arguments.events {
        let count = BATCH.min(arguments.events - done);
        let events: Vec<Entry> = (0..count).map(|_| Entry::Own(read(&mut rng, installation))).collect();
        {
            let client = installation.database.get().await?;
            atna::log::record_entries(&client, &events).await?;
        }
        done += count;
        bar.set_position(done);
        if done % (4 * BATCH) == 0 {
            sequencer.round().await?;
        }
    }
    sequencer.round().await?;
    let client = installation.database.get().await?;
    client.batch_execute("set statement_timeout = 0").await?;
    // One at a time: several in one message are a transaction, which these cannot be in.
    client.batch_execute("vacuum analyze audit_event").await?;
    client.batch_execute("vacuum audit_inbox").await?;
    Ok(())
}

/// A document of an invented patient that was read.
fn read(rng: &mut fastrand::Rng, installation: &Installation) -> Event {
    let patient = Patient::new(rng);
    let address = std::net::Ipv4Addr::new(192, 0, 2, rng.u8(..));
    let requester = Requester::remote(Some(address.into()), "https://host.example/services/repository");
    Event::new(Act::Iti43Repository, Outcome::Success, &requester, &installation.source)
        .patient(Some(&patient.cx().text))
        .object(Object::Document {
            unique_id: bench::ids::unique_id(rng),
            repository_unique_id: "1.2.250.1.999.6.5".to_owned(),
            home_community_id: None,
            title: Some("Compte rendu d'examens biologiques".to_owned()),
        })
}

fn bar(length: u64, unit: &str) -> anyhow::Result<ProgressBar> {
    let template = format!("{{bar:30}} {{percent}} % of {unit}, {{eta}} left {{msg}}");
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(&template)?))
}
