//! `carnet audit prove`: that an event is in the log, for whoever has the log's public key.

use anyhow::bail;
use atna::{Act, log};
use uuid::Uuid;

use super::used;
use crate::commands::say;
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
#[command(
    after_help = "The proof is text in the form of C2SP tlog-proof. Its line `extra` is the record of the leaf in base64: 16 \
                  octets of salt, then the event as JSON."
)]
pub struct Arguments {
    /// The event's id, as `carnet audit --json` shows it.
    event: Uuid,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let installation = Installation::administer(config).await?;
    let proven = prove(&installation, arguments.event).await;
    installation.close().await?;
    match proven? {
        Some(proven) => say(proven.proof.to_string().trim_end()),
        None => bail!(
            "there is no event {} in the log, or it came a moment ago and is not signed yet",
            arguments.event
        ),
    }
    Ok(())
}

/// The proof holds the event, so giving it out is reading the audit.
async fn prove(installation: &Installation, event: Uuid) -> anyhow::Result<Option<log::Proven>> {
    let mut client = installation.database.get().await?;
    let transaction = client.transaction().await?;
    let proven = log::prove(&*transaction, event).await?;
    atna::record(&transaction, &[used(installation, Act::AuditRead, "carnet audit prove")]).await?;
    transaction.commit().await?;
    Ok(proven)
}
