//! `carnet outbox`: answers that go to another address and are not delivered yet, read on the installation's database. No
//! content is shown.

use serde_json::{Value, json};

use super::{note, say, table};
use crate::config::Config;
use crate::installation::Installation;
use crate::outbox::sql::{self, Listed};

#[derive(clap::Args)]
pub struct Arguments {
    /// Have those that were given up tried again.
    #[arg(long)]
    retry: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let installation = Installation::administer(config).await?;
    let result = act(&installation, arguments).await;
    installation.close().await?;
    result
}

async fn act(installation: &Installation, arguments: &Arguments) -> anyhow::Result<()> {
    let client = installation.database.get().await?;
    if arguments.retry {
        note(&format!("{} answers are tried again.", sql::again(&client).await?));
    }
    let letters = sql::list(&client).await?;
    if arguments.json {
        say(serde_json::to_string_pretty(&letters.iter().map(as_json).collect::<Vec<_>>())?);
        return Ok(());
    }
    if letters.is_empty() {
        say("No answers wait.");
        return Ok(());
    }
    let lines: Vec<Vec<String>> = letters.into_iter().map(line).collect();
    for line in table::lines(&["NUMBER", "SINCE (UTC)", "STATE", "ATTEMPTS", "TO", "LAST ERROR"], &lines) {
        say(line);
    }
    Ok(())
}

fn as_json(letter: &Listed) -> Value {
    json!({
        "number": letter.number,
        "since": letter.accepted_at,
        "state": state(letter),
        "attempts": letter.attempts,
        "to": letter.recipient,
        "lastError": letter.last_error,
    })
}

fn state(letter: &Listed) -> &'static str {
    if letter.given_up { "given up" } else { "waits" }
}

fn line(letter: Listed) -> Vec<String> {
    vec![
        letter.number.to_string(),
        letter.accepted_at.clone(),
        state(&letter).to_owned(),
        letter.attempts.to_string(),
        letter.recipient,
        letter.last_error.unwrap_or_default(),
    ]
}
