//! `carnet patient open`: a record is opened on the installation's database (ouverture du DMP).

use access::Requester;
use anyhow::bail;
use clap::Subcommand;
use registry::patients::{self, Opened};

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
}

pub async fn run(config: &Config, command: &Command) -> anyhow::Result<()> {
    let Command::Open { patient: text } = command;
    let cx = patient(config, text)?;
    let installation = Installation::administer(config).await?;
    let requester = Requester::local(&crate::account::name(), "carnet patient open");
    let opened = patients::open(&installation.database, &requester, &installation.source, &cx).await;
    installation.close().await?;
    match opened? {
        Opened::Now => say(format!("The record of {} is open.", cx.text)),
        Opened::AlreadyOpen => say(format!("The record of {} was open already.", cx.text)),
        Opened::Refused(state) => bail!("the record of {} is {state} and stays so", cx.text),
    }
    Ok(())
}
