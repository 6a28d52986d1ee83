//! `carnet get`: a Document Consumer reads a document (ITI-43). The registry says which repository holds it.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use client::Encoding;
use indicatif::{ProgressBar, ProgressStyle};
use xds::message::DocumentRequest;
use xds::query::{Request, ReturnType};

use super::{accepted, client, document_id, note};
use crate::config::Config;

#[derive(clap::Args)]
pub struct Arguments {
    /// The document's uniqueId; a UUID is also found under its OID form (2.25.…).
    id: String,
    /// Where to write the document; without it standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The repository's OID; without it the registry is asked.
    #[arg(long, value_name = "OID")]
    repository: Option<String>,
    /// The server; without it client.server of the configuration.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Ask for plain SOAP with the document inside, not an MTOM package.
    #[arg(long)]
    inline: bool,
}

pub async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.output.is_none() && std::io::stdout().is_terminal() {
        bail!("a document can hold anything, so it is not written to a terminal: give a file with -o FILE");
    }
    let client = client(config, arguments.server.as_deref());
    let (request, size) = match &arguments.repository {
        Some(repository) => (request(repository, &document_id(&arguments.id)), None),
        None => locate(&client, &arguments.id).await?,
    };
    let encoding = if arguments.inline { Encoding::Simple } else { Encoding::Mtom };
    let progress = progress(size);
    let bar = progress.clone();
    let mut file = match &arguments.output {
        Some(path) => Some(Partial::create(path).await?),
        None => None,
    };
    let target = match &mut file {
        Some(partial) => client::Target::File(partial.file.try_clone().await?),
        None => client::Target::Stdout,
    };
    let retrieved = client.retrieve_one(request, encoding, target, move |bytes| bar.set_position(bytes)).await?;
    progress.finish_and_clear();
    accepted(&retrieved.response, &format!("{} was not given:", arguments.id))?;
    if retrieved.document.is_none() {
        bail!("the repository answered without the document");
    }
    if let Some(partial) = file {
        partial.keep().await?;
    }
    Ok(())
}
