#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

//! A fresh database for each test, and [`certificates`].
//!
//! One private PostgreSQL for each test process, started by the first test that asks, in a folder that goes away with
//! the process; one template database with all tables; a copy of it for each test. The server runs with `fsync=off`:
//! its data need not survive a power cut, only the tests.

pub mod certificates;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use database::{Database, Options};
use private_postgres::PrivatePostgres;
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::NoTls;
use uuid::Uuid;

struct Server {
    postgres: PrivatePostgres,
    /// Its input ends with this process.
    _cleaner: Child,
    /// `create database` from a template allows one at a time.
    creating: Mutex<()>,
}

/// Never dropped, as all that is static: the kernel stops the server, and the cleaner removes its folder.
static SERVER: OnceCell<Server> = OnceCell::const_new();

/// Waits for the end of its input, then for the server to be gone (five seconds at most), and removes the folder.
const CLEANER: &str = r#"
    read -r _
    for tenth in $(seq 50); do
        test -e "$1/postgres/cluster/postmaster.pid" || break
        sleep 0.1
    done
    rm -rf -- "$1"
"#;

/// A database of one test, with all tables. It goes away with the server.
pub struct TestDatabase {
    pub url: String,
}

/// A folder that the account of PostgreSQL can enter, removed when it is dropped.
pub fn folder() -> TempDir {
    let everybody = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new().prefix("carnet-test-").permissions(everybody).tempdir().unwrap()
}

impl TestDatabase {
    pub async fn create() -> TestDatabase {
        Self::of("carnet_template").await
    }

    /// Without any table.
    pub async fn empty() -> TestDatabase {
        Self::of("template0").await
    }

    async fn of(template: &str) -> TestDatabase {
        let server = SERVER.get_or_init(start).await;
        let name = format!("test_{}", Uuid::new_v4().simple());
        let _one_at_a_time = server.creating.lock().await;
        execute(&server.postgres.connection(), &format!("create database {name} template {template}")).await;
        TestDatabase { url: named(&server.postgres.connection(), &name) }
    }

    /// The database as the server uses it.
    pub fn open(&self) -> Database {
        Database::connect(&self.url, &Options { pool: 8, ..Options::default() }).unwrap()
    }
}

async fn start() -> Server {
    let folder = folder().keep();
    let cleaner = cleaner(&folder);
    let mut options = private_postgres::Options::new(folder.join("postgres"));
    options.settings = [("fsync", "off"), ("synchronous_commit", "off"), ("max_connections", "300")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let postgres = PrivatePostgres::start(&options).await.unwrap();
    execute(&postgres.connection(), "create database carnet_template").await;
    let template =
        Database::connect(&named(&postgres.connection(), "carnet_template"), &Options::default()).unwrap();
    template.migrate().await.unwrap();
    template.close();
    Server { postgres, _cleaner: cleaner, creating: Mutex::new(()) }
}

/// In a process group of its own: an interrupted test run is to be cleaned up as well.
fn cleaner(folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", CLEANER, "cleaner"]).arg(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn named(url: &str, database: &str) -> String {
    url.replace("dbname=postgres", &format!("dbname={database}"))
}

async fn execute(url: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
    drop(client);
    driver.abort();
}
