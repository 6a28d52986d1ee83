//! What a server tells the audit when it starts and when it stops.

use access::Requester;
use anyhow::Context;
use atna::{Act, Event, Outcome};
use openssl::sha::sha256;

use crate::clock::Clock;
use crate::config::Config;
use crate::digest::hexadecimal;
use crate::installation::Installation;

/// Under which the digest of the code sets is remembered.
const CODES: &str = "affinity_domain.codes";
const NOT_WRITTEN: &str = "the trace of start or stop cannot be written";

/// That it starts, with which configuration, whether the code sets are others than at the last start, and whether the clock
/// can be relied on.
pub async fn announce(config: &Config, installation: &Installation, url: &str) -> anyhow::Result<()> {
    let event = |act, outcome| event(installation, url, act, outcome);
    let digest = hexadecimal(&sha256(config.to_string().as_bytes()));
    let mut events = vec![
        event(Act::ServerStarted, Outcome::Success),
        event(Act::ConfigurationLoaded, Outcome::Success)
            .described(format!("as shown by check-config, SHA-256 {digest}")),
    ];
    if let Some(warning) = Clock::read().warning() {
        tracing::warn!("{warning}");
        events.push(event(Act::ClockUnsynchronised, Outcome::MinorFailure).described(warning));
    }
    let mut client = installation.database.get().await?;
    let transaction = client.transaction().await?;
    let codes = &config.codes_digest;
    let before = database::remember(&transaction, CODES, codes).await?;
    if before.as_deref().unwrap_or_default() != codes {
        let what = match codes.as_str() {
            "" => "no code sets: nothing is restricted".to_owned(),
            codes => format!("the files of {CODES}, SHA-256 {codes}"),
        };
        events.push(event(Act::CodesChanged, Outcome::Success).described(what));
    }
    atna::record(&transaction, &events).await.context(NOT_WRITTEN)?;
    transaction.commit().await.context(NOT_WRITTEN)
}

/// That it stops.
pub async fn farewell(installation: &Installation, url: &str) -> anyhow::Result<()> {
    let client = installation.database.get().await?;
    let event = event(installation, url, Act::ServerStopped, Outcome::Success);
    atna::record(&client, &[event]).await.context(NOT_WRITTEN)
}

fn event(installation: &Installation, url: &str, act: Act, outcome: Outcome) -> Event {
    Event::new(act, outcome, &Requester::local(&crate::account::name(), url), &installation.source)
}
