//! `carnet backup`.

use std::fs;
use std::path::Path;

use access::Requester;
use anyhow::{Context, bail};
use atna::{Act, Event, Outcome};
use blob::{BlobStore, Error, LocalStore};
use chrono::Utc;
use database::Database;
use futures_util::{StreamExt, TryStreamExt};
use repository::backup::Listed;
use uuid::Uuid;

use super::folder::Folder;
use super::list::{Kept, Reader, Writer};
use super::manifest::{Manifest, Named};
use super::{Progress, programs};
use crate::audit::Files;
use crate::config::Config;
use crate::installation::Installation;

/// Documents that are copied at the same time.
const AT_ONCE: usize = 8;

/// What a backup did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Made {
    pub documents: u64,
    pub octets: u64,
    /// Of these documents, those that the folder did not have before.
    pub copied: u64,
    /// Documents whose octets are missing or damaged in the document store.
    pub lost: Vec<String>,
    /// Octets that went from the folder because their documents were removed.
    pub removed: u64,
}

/// Brings a folder up to date with an installation, beside its running servers.
pub async fn make(
    config: &Config,
    installation: &Installation,
    path: &Path,
    with_key: bool,
    progress: &Progress<'_>,
) -> anyhow::Result<Made> {
    let folder = Folder::open(path)?;
    let before = Manifest::read(path)?;
    let files = Files::new(config, &installation.folder);
    let stamp = Utc::now().format("%Y%m%dT%H%M%S%.6f").to_string();
    let named = |what: &str, end: &str| format!("{what}-{stamp}{end}");
    let key = folder.take(&files.verifier, &named("key", ".pub"))?;
    if let Some(before) = &before {
        same_installation(config, before, key.as_ref())?;
    }
    let event = trace(installation).await?;
    let (dump, listing) = (named("database", ".dump"), path.join(named("documents", ".new")));
    let signed = {
        let mut client = installation.database.get().await?;
        let moment = client.transaction().await?;
        let snapshot = database::export(&moment).await?;
        let signed = atna::log::signed(&*moment).await?;
        if let Some(before) = before.as_ref().filter(|before| before.signed > signed) {
            bail!(
                "the backup in {} is newer than this installation: its log of traces has {} signed events, this one {signed}. \
                 Restore it, or choose another folder",
                path.display(),
                before.signed
            );
        }
        let program = programs::find(config, &installation.folder, "pg_dump")?;
        programs::dump(&program, &installation.database, &snapshot, &path.join(&dump), progress).await?;
        write_list(&moment, &listing).await?;
        signed
    };
    let list = named("documents", ".list");
    let store = LocalStore::existing(&installation.folder.join("documents"));
    let target = LocalStore::open(&folder.documents()).await?;
    // The folder is locked, so whoever wrote there before has ended.
    target.tidy().await?;
    let mut made =
        copy_documents(&installation.database, (&store, &target), (&listing, &path.join(&list)), progress)
            .await?;
    let private_key = match with_key {
        true => folder.take(&files.key, &named("key", ".pem"))?,
        false => None,
    };
    let manifest = Manifest {
        format: Manifest::FORMAT,
        made_at: Utc::now(),
        tables: installation.database.version().await?,
        repository_unique_id: config.repository.unique_id.clone(),
        signed,
        trace: Some(event),
        database: Named::of(path, &dump)?,
        documents: Named::of(path, &list)?,
        document_count: made.documents,
        document_octets: made.octets,
        checkpoints: folder.take(files.checkpoints.path(), &named("checkpoints", ""))?,
        key,
        private_key,
        archive: archive(&folder, &files.archive, before.as_ref())?,
    };
    manifest.publish(path)?;
    folder.tidy(&manifest)?;
    made.removed = forget_removed(&installation.database, &target, &path.join(&list), progress).await?;
    Ok(made)
}

/// Octets leave only when it is told that they do. The id of the event that does.
async fn trace(installation: &Installation) -> anyhow::Result<Uuid> {
    let requester = Requester::local(&crate::account::name(), "carnet backup");
    let event = Event::new(Act::BackupMade, Outcome::Success, &requester, &installation.source);
    let id = event.id;
    let client = installation.database.get().await?;
    atna::record(&client, &[event]).await.context("the trace of the backup cannot be written")?;
    Ok(id)
}

/// A folder is the backup of one installation: another's would throw out its documents.
fn same_installation(config: &Config, before: &Manifest, key: Option<&Named>) -> anyhow::Result<()> {
    let digest = |key: &Named| key.sha256.clone();
    let same_key = before.key.as_ref().map(digest) == key.map(digest) || before.key.is_none();
    match same_key && before.repository_unique_id == config.repository.unique_id {
        true => Ok(()),
        false => bail!("the folder has the backup of another installation: choose another folder"),
    }
}

async fn write_list(moment: &deadpool_postgres::Transaction<'_>, path: &Path) -> anyhow::Result<()> {
    let mut writer = Writer::create(path)?;
    let mut documents = std::pin::pin!(repository::backup::list(moment).await?);
    while let Some(document) = documents.try_next().await? {
        writer.add(&document, Kept::Octets)?;
    }
    writer.finish()
}

/// Copies what is missing; the second list says what became of each document of the first.
async fn copy_documents(
    database: &Database,
    stores: (&LocalStore, &LocalStore),
    (listing, list): (&Path, &Path),
    progress: &Progress<'_>,
) -> anyhow::Result<Made> {
    let whole = Reader::open(listing)?.count() as u64;
    let mut writer = Writer::create(list)?;
    let mut made = Made::default();
    let copies = futures_util::stream::iter(Reader::open(listing)?).map(|listed| async move {
        let (document, _) = listed?;
        let (kept, is_new) = copy(database, stores, &document).await?;
        anyhow::Ok((document, kept, is_new))
    });
    let mut copies = std::pin::pin!(copies.buffered(AT_ONCE));
    let mut done = 0;
    while let Some((document, kept, is_new)) = copies.try_next().await? {
        writer.add(&document, kept)?;
        match kept {
            Kept::Octets => {
                made.documents += 1;
                made.octets += document.size;
                made.copied += u64::from(is_new);
            }
            Kept::Lost => made.lost.push(document.blob),
            Kept::Removed => {}
        }
        done += 1;
        progress("documents", done, whole);
    }
    writer.finish()?;
    fs::remove_file(listing)?;
    Ok(made)
}

/// What the folder has of the document now, and whether it had that before.
async fn copy(
    database: &Database,
    (store, target): (&LocalStore, &LocalStore),
    document: &Listed,
) -> anyhow::Result<(Kept, bool)> {
    let Listed { blob, size, sha256 } = document;
    let error = match store.copy_to(target, blob, *size, sha256).await {
        Ok(copied) => return Ok((Kept::Octets, copied == blob::Copied::Now)),
        Err(error @ (Error::Missing | Error::Corrupt { .. })) => error,
        // Of the disk that is read, or of the one that is written?
        Err(error) => match readable(store, blob, *size).await {
            true => return Err(error).context("the folder of the backup cannot be written"),
            false => error,
        },
    };
    match repository::backup::is_kept(database, blob).await? {
        false => Ok((Kept::Removed, false)),
        true => {
            tracing::error!(blob, "a document cannot be backed up: {error}");
            Ok((Kept::Lost, false))
        }
    }
}

async fn readable(store: &LocalStore, blob: &str, size: u64) -> bool {
    let Ok(mut reader) = store.open(blob, size).await else { return false };
    loop {
        match reader.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// The archived months; those of which the folder has the same already are not copied again. What the backup before has
/// under the same name stays as it is, for as long as that is the backup.
fn archive(folder: &Folder, from: &Path, before: Option<&Manifest>) -> anyhow::Result<Vec<Named>> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(Vec::new()) };
    let before = before.map_or(&[][..], |before| &before.archive);
    let mut taken = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        // A month that is being written.
        if file.ends_with(".partial") {
            continue;
        }
        let now = Named::of(from, &file)?;
        let is_same = |known: &&Named| known.file_name() == file && known.sha256 == now.sha256;
        if let Some(known) = before.iter().find(is_same) {
            taken.push(known.clone());
            continue;
        }
        let mut name = format!("archive/{file}");
        if before.iter().any(|known| known.name == name) {
            name = format!("archive/{}/{file}", now.sha256);
        }
        if let Some(parent) = folder.path.join(&name).parent() {
            fs::create_dir_all(parent)?;
        }
        taken.extend(folder.take(&entry.path(), &name)?);
    }
    taken.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(taken)
}

/// Octets of documents that were removed go from the backup too. Others that the list does not have stay: whether
/// nobody wants them is not said anywhere.
async fn forget_removed(
    database: &Database,
    target: &LocalStore,
    list: &Path,
    progress: &Progress<'_>,
) -> anyhow::Result<u64> {
    let mut listed = Reader::open(list)?.peekable();
    let mut removed = 0;
    for part in 0..=u8::MAX {
        progress("removed documents", part.into(), u8::MAX.into());
        let prefix = format!("{part:02x}");
        let mut found: Vec<String> = target.part(part).await?.into_iter().map(|(key, _)| key).collect();
        while let Some(next) =
            listed.next_if(|line| !matches!(line, Ok((d, _)) if !d.blob.starts_with(&prefix)))
        {
            let (document, kept) = next?;
            if kept != Kept::Removed {
                found.retain(|key| *key != document.blob);
            }
        }
        for keys in found.chunks(1000) {
            for key in repository::backup::removed(database, keys).await? {
                target.delete(&key).await?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
