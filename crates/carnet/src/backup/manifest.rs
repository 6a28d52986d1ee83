//! What a backup is made of.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::hexadecimal;

/// Of this form of a backup.
const FORMAT: u32 = 1;
const NAME: &str = "manifest.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub made_at: DateTime<Utc>,
    /// The version of the tables.
    pub tables: i32,
    pub repository_unique_id: String,
    /// Events of the log of traces that the last checkpoint in the dump speaks of.
    pub signed: i64,
    /// The event that tells of this backup: it is in the dump. Backups of earlier versions do not name it.
    #[serde(default)]
    pub trace: Option<Uuid>,
    pub database: Named,
    /// The list of the documents whose octets are in the folder.
    pub documents: Named,
    pub document_count: u64,
    pub document_octets: u64,
    pub checkpoints: Option<Named>,
    /// The public key of the log of traces.
    pub key: Option<Named>,
    pub private_key: Option<Named>,
    /// Months of traces that went from the database.
    pub archive: Vec<Named>,
}

/// A file of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub size: u64,
    pub sha256: String,
}

impl Manifest {
    pub const FORMAT: u32 = FORMAT;

    /// The manifest of a folder; none: there is no backup in it.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Manifest>> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        let manifest: Manifest = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not the manifest of a backup", path.display()))?;
        if manifest.format != FORMAT {
            bail!(
                "{}: a backup of form {}, and this version knows {FORMAT}",
                path.display(),
                manifest.format
            );
        }
        Ok(Some(manifest))
    }

    /// From now on the folder is this backup.
    pub fn publish(&self, folder: &Path) -> anyhow::Result<()> {
        let write = || {
            let new = folder.join("manifest.new");
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&new, folder.join(NAME))?;
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("the manifest of {} cannot be written", folder.display()))
    }

    /// Every file but the manifest and the documents.
    pub fn files(&self) -> impl Iterator<Item = &Named> {
        [&self.database, &self.documents]
            .into_iter()
            .chain(&self.checkpoints)
            .chain(&self.key)
            .chain(&self.private_key)
            .chain(&self.archive)
    }
}

impl Named {
    /// Describes a file that is in the folder.
    pub fn of(folder: &Path, name: &str) -> anyhow::Result<Named> {
        let digest = || {
            let (mut file, mut sha, mut size) = (File::open(folder.join(name))?, Sha256::new(), 0);
            let mut piece = vec![0; 1 << 20];
            loop {
                let read = match file.read(&mut piece) {
                    Ok(0) => {
                        return Ok(Named { name: name.to_owned(), size, sha256: hexadecimal(&sha.finish()) });
                    }
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                };
                sha.update(piece.get(..read).unwrap_or_default());
                size += read as u64;
            }
        };
        digest().with_context(|| format!("{} cannot be read", folder.join(name).display()))
    }

    /// Without the folders in which it is.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Refuses a file that is not as it was when the backup was made.
    pub fn verify(&self, folder: &Path) -> anyhow::Result<()> {
        match Named::of(folder, &self.name)? == *self {
            true => Ok(()),
            false => bail!("{} is not as it was when the backup was made", folder.join(&self.name).display()),
        }
    }
}
