//! `carnet audit blank`: when the time of a record is over, its traces say nothing any more.

use anyhow::Context;
use atna::log::{self, Extent};
use atna::{Act, Outcome};
use registry::patients;
use xds::value::Cx;

use super::used;
use crate::audit::{Files, signer};
use crate::commands::{filed_patient, say};
use crate::config::Config;
use crate::installation::Installation;

#[derive(clap::Args)]
#[command(
    after_help = "The content of every event about the patient goes, under each identifier of the record; that there was an \
                  event, and when, stays, and the log can be verified as before. It cannot be taken back. Copies elsewhere are \
                  not reached: audit record repositories, exports and archives, backups."
)]
pub struct Arguments {
    /// The patient: an INS or a CX.
    #[arg(long)]
    patient: String,
    /// Do it. Without this it is only told what would go.
    #[arg(long)]
    confirm: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let cx = filed_patient(config, &arguments.patient)?;
    let installation = Installation::administer(config).await?;
    let said = match arguments.confirm {
        true => blank(config, &installation, &cx).await,
        false => look(&installation, &cx).await,
    };
    installation.close().await?;
    said?.iter().for_each(say);
    Ok(())
}

/// What would go.
async fn look(installation: &Installation, cx: &Cx) -> anyhow::Result<Vec<String>> {
    let identifiers = patients::identifiers(&installation.database, cx).await?;
    let extent = log::extent(&installation.database, &identifiers).await?;
    let client = installation.database.get().await?;
    let event = used(installation, Act::AuditRead, "carnet audit blank").patient(Some(&cx.text));
    atna::record(&client, &[event]).await.context("the trace cannot be written")?;
    let mut said = vec![format!("{} would lose their content, for good.", told(&extent))];
    if extent.waiting > 0 {
        said.push(format!("{} more wait to be signed, and cannot be blanked before.", extent.waiting));
    }
    said.push("Nothing was done: --confirm does it.".to_owned());
    Ok(said)
}

async fn blank(config: &Config, installation: &Installation, cx: &Cx) -> anyhow::Result<Vec<String>> {
    let signer = signer(&Files::new(config, &installation.folder))?;
    let identifiers = patients::identifiers(&installation.database, cx).await?;
    let event = used(installation, Act::AuditBlanked, "carnet audit blank");
    let blanked = log::blank(&installation.database, &signer, &identifiers, &cx.text, event).await;
    if let Err(error) = &blanked {
        let mut event =
            used(installation, Act::AuditBlanked, "carnet audit blank").described(error.to_string());
        event.outcome = Outcome::MinorFailure;
        let client = installation.database.get().await?;
        atna::record(&client, &[event]).await.context("the trace of the refusal cannot be written")?;
    }
    let blanked = blanked?;
    Ok(vec![
        format!("{} have lost their content.", told(&blanked.extent)),
        format!("Secret: {}", blanked.secret),
        "With it and the identifier it can be shown whom the event of this blanking is about. It is kept nowhere else."
            .to_owned(),
    ])
}

fn told(extent: &Extent) -> String {
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S").to_string();
    match (extent.from, extent.until) {
        (Some(from), Some(until)) => {
            format!("{} events from {} to {} (UTC)", extent.events, time(from), time(until))
        }
        _ => "0 events".to_owned(),
    }
}
