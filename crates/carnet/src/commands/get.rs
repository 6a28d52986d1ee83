//! `carnet get`: a Document Consumer reads a document (ITI-43). The registry says which repository holds it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, anyhow, bail};
use client::{Client, Encoding};
use indicatif::ProgressBar;
use xds::constants::DOCUMENT_ENTRY_UNIQUE_ID;
use xds::message::DocumentRequest;
use xds::query::{Request, ReturnType};

use super::{accepted, client, document_id};
use crate::config::Config;

/// Smaller documents are there before a bar could be seen.
const BAR_FROM: u64 = 4 << 20;

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
    let client = client(config, arguments.server.as_deref())?;
    let (request, size) = match &arguments.repository {
        Some(repository) => (request(repository, document_id(&arguments.id)), None),
        None => locate(config, &client, &arguments.id).await?,
    };
    let bar = bar(size);
    let client = client.with_progress(Rc::new({
        let bar = bar.clone();
        move |octets| bar.set_position(octets)
    }));
    let encoding = if arguments.inline { Encoding::Simple } else { Encoding::Mtom };
    // Beside its final place, so that moving it there is one step, and a broken transfer leaves nothing.
    let beside =
        arguments.output.as_deref().and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty());
    let folder = tempfile::tempdir_in(beside.unwrap_or(Path::new(".")))
        .or_else(|_| tempfile::tempdir())
        .context("the document cannot be written")?;
    let retrieved = client.retrieve(&[request], encoding, folder.path()).await?;
    bar.finish_and_clear();
    accepted(config, &retrieved.response, &format!("{} was not given:", arguments.id))?;
    let document =
        retrieved.documents.first().ok_or_else(|| anyhow!("the repository answered without the document"))?;
    deliver(&document.path, arguments.output.as_deref())
}

fn deliver(received: &Path, output: Option<&Path>) -> anyhow::Result<()> {
    match output {
        Some(output) => {
            if std::fs::rename(received, output).is_err() {
                std::fs::copy(received, output)
                    .with_context(|| format!("{} cannot be written", output.display()))?;
            }
        }
        None => {
            let mut file = std::fs::File::open(received)?;
            std::io::copy(&mut file, &mut std::io::stdout().lock())?;
        }
    }
    Ok(())
}

/// Where the registry says that the document is, and its size.
async fn locate(
    config: &Config,
    client: &Client,
    id: &str,
) -> anyhow::Result<(DocumentRequest, Option<u64>)> {
    let mut ids = vec![document_id(id)];
    let as_typed = id.trim().to_owned();
    if !ids.contains(&as_typed) {
        ids.push(as_typed);
    }
    let answer = client.query(&Request::get_documents_by_unique_id(&ids, ReturnType::LeafClass)).await?;
    accepted(config, &answer.response, "the registry was asked where the document is:")?;
    let entry = answer.documents.last().ok_or_else(|| {
        anyhow!("no document {id} is in the registry; `carnet find --patient …` shows what is there")
    })?;
    let repository = entry.common.slot_value("repositoryUniqueId").ok_or_else(|| {
        anyhow!("the registry does not say in which repository {id} is: give it with --repository")
    })?;
    let unique_id = entry.common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID).unwrap_or(id);
    let size = entry.common.slot_value("size").and_then(|size| size.parse().ok());
    Ok((request(repository, unique_id.to_owned()), size))
}

fn request(repository: &str, document_unique_id: String) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: repository.to_owned(),
        document_unique_id,
    }
}

/// A progress bar for large documents, if somebody sees it.
fn bar(size: Option<u64>) -> ProgressBar {
    match size {
        Some(size) if size >= BAR_FROM => super::octets_bar(size),
        _ => ProgressBar::hidden(),
    }
}
