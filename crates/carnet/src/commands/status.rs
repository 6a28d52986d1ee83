//! `carnet status`: is the server ready?

use anyhow::bail;

use super::{client, say};
use crate::config::Config;

#[derive(clap::Args)]
pub struct Arguments {
    /// The server; without it client.server of the configuration.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Say nothing; the exit status tells.
    #[arg(long)]
    quiet: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let server = arguments.server.as_deref().unwrap_or(&config.client.server).trim_end_matches('/');
    let answer = client(config, Some(server))?.page(&format!("{server}/ready")).await?;
    if answer.status != 200 {
        bail!("{server} is not ready: {}", String::from_utf8_lossy(&answer.body).trim());
    }
    if !arguments.quiet {
        say(format!("{server} is ready."));
    }
    Ok(())
}
