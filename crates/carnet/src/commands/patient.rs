//! `carnet patient`: records are opened (ouverture du DMP) and merged on the installation's database.

use std::slice::from_ref;

use access::Requester;
use anyhow::{bail, ensure};
use clap::Subcommand;
use registry::patients::feed::{Change, Door, Error};
use registry::patients::{self, Opened};
use xds::value::Cx;

use super::{patient, say};
use crate::config::Config;
use crate::installation::Installation;

#[derive(Subcommand)]
pub enum Command {
    /// Open a record for a patient, so that documents can be filed (ouverture du DMP).
    Open {
        /// The INS (15 characters, its key is checked), or a CX: id^^^&OID&ISO
        patient: String,
    },
    /// Merge a record into another, for good: the surviving record shows the documents of both, and the other takes no more.
    Merge {
        /// The identifier that is given up: an INS or a CX
        subsumed: String,
        /// The identifier that lives on: an INS or a CX
        surviving: String,
    },
}

pub async fn run(config: &Config, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Open { patient: text } => open(config, &patient(config, text)?).await,
        Command::Merge { subsumed, surviving } => {
            merge(config, &patient(config, subsumed)?, &patient(config, surviving)?).await
        }
    }
}

async fn open(config: &Config, cx: &Cx) -> anyhow::Result<()> {
    let installation = Installation::administer(config).await?;
    let requester = Requester::local(&crate::account::name(), "carnet patient open");
    let opened = patients::open(&installation.database, &requester, &installation.source, cx).await;
    installation.close().await?;
    match opened? {
        Opened::Now => say(format!("The record of {} is open.", cx.text)),
        Opened::AlreadyOpen => say(format!("The record of {} was open already.", cx.text)),
        Opened::Refused(state) => bail!("the record of {} is {state} and stays so", cx.text),
    }
    Ok(())
}

async fn merge(config: &Config, subsumed: &Cx, surviving: &Cx) -> anyhow::Result<()> {
    ensure!(subsumed != surviving, "both identifiers are the same");
    let installation = Installation::administer(config).await?;
    let requester = Requester::local(&crate::account::name(), "carnet patient merge");
    let change = Change {
        requester: &requester,
        source: &installation.source,
        door: Door::CommandLine,
        message: None,
    };
    let merged = change.merge(&installation.database, from_ref(subsumed), from_ref(surviving)).await;
    installation.close().await?;
    match merged {
        Ok(()) => {
            say(format!("The record of {} is merged into that of {}.", subsumed.text, surviving.text));
            Ok(())
        }
        Err(Error::Refused(refusal)) => {
            bail!("{} was not merged into {}: {refusal}. Nothing was changed.", subsumed.text, surviving.text)
        }
        Err(Error::Failed(failure)) => Err(failure.into()),
    }
}
