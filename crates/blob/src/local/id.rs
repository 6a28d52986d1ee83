//! The id of a store: a random one that it gets once. Who keeps the same id elsewhere knows the store again.
//!
//! It is the name of an empty folder beside those of the blobs, `store-<id>`. A copy of all files of one store into another
//! leaves both names, so that it shows.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{LocalStore, blocking, folders};
use crate::Error;

const PREFIX: &str = "store-";

impl LocalStore {
    /// The folder that says that the store has this id.
    pub fn id_folder(&self, id: &str) -> PathBuf {
        self.root.join(format!("{PREFIX}{id}"))
    }

    /// The ids that the store has: none before it was given one, and one after that.
    pub async fn ids(&self) -> Result<Vec<String>, Error> {
        let root = self.root.clone();
        blocking(move || Ok(ids(&root)?)).await
    }

    /// Gives the store this id, or none, in place of what it has; durably.
    pub async fn set_id(&self, id: Option<&str>) -> Result<(), Error> {
        let (store, id) = (self.clone(), id.map(str::to_owned));
        blocking(move || {
            for other in ids(&store.root)?.into_iter().filter(|other| id.as_ref() != Some(other)) {
                fs::remove_dir(store.id_folder(&other))?;
            }
            if let Some(id) = &id {
                DirBuilder::new().recursive(true).mode(0o700).create(store.id_folder(id))?;
            }
            Ok(folders::sync(&store.root)?)
        })
        .await
    }
}

fn ids(root: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        ids.extend(name.to_str().and_then(|name| name.strip_prefix(PREFIX)).map(str::to_owned));
    }
    ids.sort();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_has_the_id_that_it_was_given_last_and_shows_when_it_has_two() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = LocalStore::existing(&folder.path().join("nothing"));
        assert_eq!(nothing.ids().await.unwrap(), Vec::<String>::new());
        let store = LocalStore::open(&folder.path().join("documents")).await.unwrap();
        assert_eq!(store.ids().await.unwrap(), Vec::<String>::new());
        for id in ["one", "one", "two"] {
            store.set_id(Some(id)).await.unwrap();
            assert_eq!(store.ids().await.unwrap(), [id]);
        }
        fs::create_dir(store.id_folder("other")).unwrap();
        let again = LocalStore::open(&folder.path().join("documents")).await.unwrap();
        assert_eq!(again.ids().await.unwrap(), ["other", "two"]);
        store.set_id(None).await.unwrap();
        assert_eq!(store.ids().await.unwrap(), Vec::<String>::new());
    }
}
