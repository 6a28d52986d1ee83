//! `carnet restore`.

use std::fs;
use std::path::Path;

use access::Requester;
use anyhow::{Context, bail};
use atna::{Act, Event, Outcome};
use blob::{BlobStore, Error, LocalStore};
use chrono::{DateTime, Utc};
use database::Database;
use futures_util::{StreamExt, TryStreamExt};
use transparency::{Restoration, Signer};

use super::folder::{Folder, copy};
use super::list::{Kept, Reader};
use super::manifest::Manifest;
use super::{Progress, marker, programs};
use crate::audit::{Files, signer};
use crate::belonging;
use crate::config::Config;
use crate::installation::{Bare, data_folder};

/// Documents that are copied at the same time.
const AT_ONCE: usize = 8;

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    pub made_at: DateTime<Utc>,
    pub documents: u64,
    /// Keys of documents that the backup does not have, or not as they were.
    pub lost: Vec<String>,
    /// The record in the file of checkpoints.
    pub record: Restoration,
}

/// Puts a backup into an installation where nothing is yet. What was cut off is finished by the same command.
pub async fn restore(config: &Config, path: &Path, progress: &Progress<'_>) -> anyhow::Result<Restored> {
    let folder = Folder::open(path)?;
    let Some(manifest) = Manifest::read(path)? else { bail!("there is no backup in {}", path.display()) };
    check(config, &manifest)?;
    let count = manifest.files().count() as u64;
    for (done, file) in manifest.files().enumerate() {
        progress("files", done as u64, count);
        file.verify(path)?;
    }
    let (data, _) = data_folder(config)?;
    let files = Files::new(config, &data);
    let is_continued = is_continued(&data, &files, &manifest)?;
    let bare = Bare::open(config, &data).await?;
    let result =
        fill(config, (&folder, &manifest), (&data, &files), &bare.database, is_continued, progress).await;
    bare.close().await?;
    let restored = result?;
    fs::remove_file(marker(&data)).context("the mark of the restore cannot be removed")?;
    Ok(restored)
}

/// Fills an installation that is empty, or one that an earlier restore of this backup has marked.
async fn fill(
    config: &Config,
    (folder, manifest): (&Folder, &Manifest),
    (data, files): (&Path, &Files),
    database: &Database,
    is_continued: bool,
    progress: &Progress<'_>,
) -> anyhow::Result<Restored> {
    let is_empty = database.is_empty().await?;
    let documents = LocalStore::existing(&data.join("documents"));
    let is_ready = is_continued || (is_empty && has_nothing(&documents).await?);
    if !is_ready {
        bail!("there are data already: a backup is restored into an empty installation only");
    }
    if !is_empty && !is_restored(database, manifest).await? {
        bail!("the database is not empty, and it is not what the backup holds: empty it, then restore again");
    }
    let signer = key(folder, files, manifest)?;
    if !is_continued {
        mark(data, manifest).with_context(|| format!("{} cannot be written", marker(data).display()))?;
    }
    let (documents, lost) =
        put(config, (folder, manifest), (data, files), (database, is_empty), progress).await?;
    let record = settle(config, files, &signer, database, manifest).await?;
    Ok(Restored { made_at: manifest.made_at, documents, lost, record })
}

/// What the configuration says must be what the backup is of.
fn check(config: &Config, manifest: &Manifest) -> anyhow::Result<()> {
    let (ours, theirs) = (&config.repository.unique_id, &manifest.repository_unique_id);
    if ours != theirs {
        bail!("the backup is of the repository {theirs}, and repository.unique_id is {ours}: set it to that");
    }
    let known = database::known_version();
    if manifest.tables > known {
        bail!(
            "the backup was made by a newer version of Carnet (table version {}, this one knows {known})",
            manifest.tables
        );
    }
    Ok(())
}

/// Whether an earlier restore of this backup is to be finished: its mark is there.
fn is_continued(data: &Path, files: &Files, manifest: &Manifest) -> anyhow::Result<bool> {
    match fs::read_to_string(marker(data)) {
        Ok(found) if found == manifest.database.sha256 => return Ok(true),
        Ok(_) => bail!(
            "the restore of another backup was not finished here: run carnet restore with that one, or empty {} and the database",
            data.display()
        ),
        Err(_) => {}
    }
    if files.checkpoints.path().exists() {
        bail!(
            "{} is there: a backup is restored into an empty installation only",
            files.checkpoints.path().display()
        );
    }
    Ok(false)
}

/// Marks the data folder, durably: from here on what is in the installation comes from the backup. Whoever finds the mark
/// relies on that, so it is written when everything has been looked at, and not before.
fn mark(data: &Path, manifest: &Manifest) -> std::io::Result<()> {
    let path = marker(data);
    let new = path.with_added_extension("new");
    fs::write(&new, &manifest.database.sha256)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, &path)?;
    fs::File::open(data)?.sync_all()
}

/// Whether the database is the one of the backup, and nobody has gone on with it since. Tables alone, as any command makes
/// them in an empty database, are not.
async fn is_restored(database: &Database, manifest: &Manifest) -> anyhow::Result<bool> {
    match database.version().await {
        Ok(_) => {}
        Err(error) if error.is_unavailable() => return Err(error.into()),
        // Tables of others.
        Err(_) => return Ok(false),
    }
    let signed = atna::log::signed(&**database.get().await?).await?;
    let is_of_backup = match manifest.trace {
        Some(event) => atna::log::committed(database, event).await?,
        None => signed > 0,
    };
    Ok(is_of_backup && signed == manifest.signed)
}

/// The key that signed the log: it must go on with it, and say that it was put back.
fn key(folder: &Folder, files: &Files, manifest: &Manifest) -> anyhow::Result<Signer> {
    if let Some(private) = manifest.private_key.as_ref().filter(|_| !files.key.exists()) {
        if let Some(parent) = files.key.parent() {
            fs::create_dir_all(parent)?;
        }
        copy(&folder.path.join(&private.name), &files.key)?;
    }
    let Some(public) = &manifest.key else { return signer(files) };
    if !files.key.exists() {
        bail!(
            "the backup has no private key: put the audit key of the installation in {} (chmod 600), then restore again",
            files.key.display()
        );
    }
    let signer = signer(files)?;
    let believed = fs::read_to_string(folder.path.join(&public.name))?;
    match signer.verifier()?.to_string() == believed.trim() {
        true => Ok(signer),
        false => bail!("{} is not the key with which the log of the backup was signed", files.key.display()),
    }
}

/// Puts everything in its place: (documents, keys of documents that the backup has not).
async fn put(
    config: &Config,
    (folder, manifest): (&Folder, &Manifest),
    (data, files): (&Path, &Files),
    (database, is_empty): (&Database, bool),
    progress: &Progress<'_>,
) -> anyhow::Result<(u64, Vec<String>)> {
    let store = LocalStore::open(&data.join("documents")).await?;
    let counts = documents(folder, manifest, &store, progress).await?;
    if let Some(checkpoints) = &manifest.checkpoints {
        // In place before the database is: a server would notice that the two do not fit.
        copy(&folder.path.join(&checkpoints.name), files.checkpoints.path())?;
    }
    for month in &manifest.archive {
        fs::create_dir_all(&files.archive)?;
        copy(&folder.path.join(&month.name), &files.archive.join(month.file_name()))?;
    }
    if is_empty {
        progress("the database", 0, 0);
        let program = programs::find(config, data, "pg_restore")?;
        programs::restore(&program, database, &folder.path.join(&manifest.database.name)).await?;
    }
    database.migrate().await?;
    database.analyze().await?;
    belonging::follow(database, &store).await?;
    forget_removed(folder, manifest, database).await?;
    Ok(counts)
}

async fn has_nothing(store: &LocalStore) -> anyhow::Result<bool> {
    for part in 0..=u8::MAX {
        if !store.part(part).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn documents(
    folder: &Folder,
    manifest: &Manifest,
    store: &LocalStore,
    progress: &Progress<'_>,
) -> anyhow::Result<(u64, Vec<String>)> {
    let source = LocalStore::existing(&folder.documents());
    let source = &source;
    let copies = futures_util::stream::iter(list(folder, manifest)?).map(|listed| async move {
        let (document, kept) = listed?;
        if kept == Kept::Octets {
            let copied = source.copy_to(store, &document.blob, document.size, &document.sha256).await;
            return match copied {
                Ok(_) => anyhow::Ok(Some(Ok(()))),
                Err(Error::Missing | Error::Corrupt { .. }) => Ok(Some(Err(document.blob))),
                Err(error) => Err(error).context("documents cannot be restored"),
            };
        }
        Ok((kept == Kept::Lost).then_some(Err(document.blob)))
    });
    let mut copies = std::pin::pin!(copies.buffered(AT_ONCE));
    let (mut restored, mut lost) = (0, Vec::new());
    while let Some(document) = copies.try_next().await? {
        match document {
            Some(Ok(())) => restored += 1,
            Some(Err(key)) => lost.push(key),
            None => {}
        }
        progress("documents", restored, manifest.document_count);
    }
    Ok((restored, lost))
}

/// Removals that happened while the backup was taken.
async fn forget_removed(folder: &Folder, manifest: &Manifest, database: &Database) -> anyhow::Result<()> {
    for listed in list(folder, manifest)? {
        if let (document, Kept::Removed) = listed? {
            repository::backup::remove(database, &[document.blob]).await?;
        }
    }
    Ok(())
}

fn list(folder: &Folder, manifest: &Manifest) -> anyhow::Result<Reader> {
    Reader::open(&folder.path.join(&manifest.documents.name))
}

/// Says in the log, and beside it, that this is a restore.
async fn settle(
    config: &Config,
    files: &Files,
    signer: &Signer,
    database: &Database,
    manifest: &Manifest,
) -> anyhow::Result<Restoration> {
    let record = atna::log::restored(database, signer, &files.checkpoints).await?;
    let source = config.audit_source();
    let requester = Requester::local(&crate::account::name(), "carnet restore");
    let event = Event::new(Act::BackupRestored, Outcome::Success, &requester, &source)
        .described(format!("a backup of {}", manifest.made_at.format("%Y-%m-%d %H:%M:%S UTC")));
    let client = database.get().await?;
    atna::record(&client, &[event]).await?;
    Ok(record)
}
