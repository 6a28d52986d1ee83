//! Log lines: one for each transaction, with its ids and its duration. Never patient data, tokens or octets.

use std::io::IsTerminal;

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts logging to standard error. `format` from the command line wins over the configuration.
pub fn start(config: &Config, format: Option<&str>) -> anyhow::Result<()> {
    // The HTTP library tells of its start in several lines; ours says it in one.
    let filter = EnvFilter::try_new(format!("actix_server=warn,{}", config.log.level))?;
    let json = match format {
        Some(format) => format == "json",
        None => config.log.format == LogFormat::Json,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match json {
        true => builder.json().flatten_event(true).try_init(),
        false => builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|error| anyhow!("logging cannot be started: {error}"))
}
