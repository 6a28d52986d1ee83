//! Whether the document folder and the database belong together. A database of another installation, or of an earlier time,
//! does not know what the folder holds: nothing may be removed because it is not known.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use blob::LocalStore;
use database::Database;
use repository::sweep::are_related;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

use crate::audit::Standing;

/// Under which the database holds the id of its document store.
const STORE_ID: &str = "documents.store_id";

/// How long a sweep waits until it is known which log the database has. The next waits again.
const PATIENCE: Duration = Duration::from_secs(600);

const OTHER_LOG: &str =
    "the database is not the one that the file of checkpoints tells of, or it was set back";
const STRANGE: &str = "the database knows nothing of what the document folder holds: one of them is of another installation. Set \
                       data.dir and database.url right; if they do belong together, nothing in the folder is of a document";
const UNKNOWN_LOG: &str =
    "it is not known yet whether the database is the one that the file of checkpoints tells of";

/// What the two say of each other.
#[derive(Debug)]
pub enum Bond {
    /// Neither has an id yet.
    New,
    Own,
    Foreign(Foreign),
}

/// One of the two is another's.
#[derive(Debug, Serialize)]
#[serde(tag = "finding", rename = "other-store")]
pub struct Foreign {
    /// The ids of the folder.
    folder: Vec<String>,
    /// The id that the database holds.
    database: Option<String>,
    /// What to make so that they fit, if they do belong together.
    #[serde(skip)]
    should: Option<PathBuf>,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = match self.folder.as_slice() {
            [] => "no id".to_owned(),
            ids => format!("the id {}", ids.join(" and ")),
        };
        let database = self.database.as_deref().map_or("no id".to_owned(), |id| format!("the id {id}"));
        write!(
            f,
            "the document folder has {folder}, and the database holds {database}: one of them is of another installation. Set \
             data.dir and database.url right; if they do belong together, the only folder of documents whose name begins with \
             store- must be "
        )?;
        match &self.should {
            Some(folder) => write!(f, "{} (empty)", folder.display()),
            None => f.write_str("removed"),
        }
    }
}

/// Looks, and changes nothing.
pub async fn bond(database: &Database, store: &LocalStore) -> anyhow::Result<Bond> {
    look(database, store, false).await
}

/// Why octets that the database does not know may not be removed now; none: they may. First it must be certain that the log of
/// traces goes on from what was written down beside the database, which tells a database of an earlier time.
pub async fn hindrance(
    database: &Database,
    store: &LocalStore,
    log: &mut watch::Receiver<Standing>,
) -> anyhow::Result<Option<String>> {
    let known = log.wait_for(|standing| *standing != Standing::Unknown);
    match timeout(PATIENCE, known).await.map(|known| known.map(|known| *known)) {
        Ok(Ok(Standing::Agrees)) => {}
        Ok(Ok(Standing::Differs)) => return Ok(Some(OTHER_LOG.to_owned())),
        Ok(Ok(Standing::Unknown) | Err(_)) | Err(_) => return Ok(Some(UNKNOWN_LOG.to_owned())),
    }
    Ok(match look(database, store, true).await? {
        Bond::Own => None,
        Bond::New => Some(STRANGE.to_owned()),
        Bond::Foreign(foreign) => Some(foreign.to_string()),
    })
}

/// A new store gets its id before anything is stored, and one of an earlier version when the database knows it.
pub async fn begin(database: &Database, store: &LocalStore) -> anyhow::Result<()> {
    look(database, store, true).await.map(drop)
}

/// After a restore: the store is the one of the database that was put back.
pub async fn follow(database: &Database, store: &LocalStore) -> anyhow::Result<()> {
    let mut client = database.get().await?;
    let transaction = client.transaction().await?;
    let held = database::recall(&transaction, STORE_ID).await?;
    Ok(store.set_id(held.as_deref()).await?)
}

/// Who looks while another gives the id waits, so that nobody sees one side only.
async fn look(database: &Database, store: &LocalStore, adopts: bool) -> anyhow::Result<Bond> {
    let mut client = database.get().await?;
    let transaction = client.transaction().await?;
    let held = database::recall(&transaction, STORE_ID).await?;
    let ids = store.ids().await?;
    Ok(match (held, ids.as_slice()) {
        (Some(held), [id]) if held == *id => Bond::Own,
        (held, []) if adopts && are_related(database, store).await? => {
            let id = held.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
            database::remember(&transaction, STORE_ID, &id).await?;
            // The database first: a store that lacks its id can be given it again.
            transaction.commit().await?;
            store.set_id(Some(&id)).await?;
            Bond::Own
        }
        (None, []) => Bond::New,
        (held, _) => {
            let should = held.as_deref().map(|id| store.id_folder(id));
            Bond::Foreign(Foreign { folder: ids, database: held, should })
        }
    })
}
