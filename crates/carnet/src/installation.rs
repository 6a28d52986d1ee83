//! The data folder and the database of an installation, for the server and for the commands that administer it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use database::Database;
use private_postgres::PrivatePostgres;

use crate::backup::marker;
use crate::config::Config;
use crate::connections;

/// Where data go when the folder of the configuration cannot be entered by the account of the private PostgreSQL.
const SYSTEM_FOLDER: &str = "/var/lib/carnet";

/// Settings that may not change once there are data.
const REPOSITORY_UNIQUE_ID: &str = "repository.unique_id";

/// An installation with its database open.
pub struct Installation {
    pub folder: PathBuf,
    pub database: Database,
    /// The private PostgreSQL, if this process started it.
    pub postgres: Option<PrivatePostgres>,
    pub source: atna::Source,
}

/// The data folder, and a sentence for the operator when it is not the configured one.
pub fn data_folder(config: &Config) -> anyhow::Result<(PathBuf, Option<String>)> {
    let folder = std::path::absolute(&config.data.dir).context("data.dir is not a usable path")?;
    if config.database.url.is_some() || private_postgres::account_can_reach(&folder) {
        return Ok((folder, None));
    }
    if config.data.is_default {
        let notice = format!(
            "{} cannot be entered by the unprivileged account that PostgreSQL runs under: the data folder is {SYSTEM_FOLDER}",
            folder.display()
        );
        return Ok((PathBuf::from(SYSTEM_FOLDER), Some(notice)));
    }
    bail!(
        "data.dir = {} cannot be entered by the unprivileged account that PostgreSQL runs under. Choose a folder that \
         every account can enter, such as {SYSTEM_FOLDER}",
        folder.display()
    )
}

impl Installation {
    /// Opens the installation for the server: starts the private PostgreSQL if the configuration names no other
    /// database, and brings the tables up to date.
    pub async fn start(config: &Config, folder: &Path) -> anyhow::Result<Installation> {
        refuse_half_restored(folder)?;
        let Bare { database, postgres } = Bare::open(config, folder).await?;
        let database = connections::fit(config, database).await?;
        Self::bring_up_to_date(config, folder, database, postgres).await
    }

    /// Opens the installation for a command: uses the running server's PostgreSQL, or starts it for the moment.
    pub async fn administer(config: &Config) -> anyhow::Result<Installation> {
        let (folder, _) = data_folder(config)?;
        if config.database.url.is_none()
            && let Some(url) = PrivatePostgres::running(&postgres_options(config, &folder)).await
        {
            return Self::bring_up_to_date(config, &folder, connect(config, &url, false)?, None).await;
        }
        refuse_half_restored(&folder)?;
        let Bare { database, postgres } = Bare::open(config, &folder).await?;
        Self::bring_up_to_date(config, &folder, database, postgres).await
    }

    /// Opens the installation for a command that changes nothing: neither tables nor settings are written, and the database
    /// itself refuses to be changed. A private PostgreSQL that is stopped is started for the moment, and never made.
    pub async fn inspect(config: &Config) -> anyhow::Result<Installation> {
        let (folder, _) = data_folder(config)?;
        refuse_half_restored(&folder)?;
        let (url, postgres) = existing_database(config, &folder).await?;
        let database = connect(config, &url, true)?;
        database.check_version().await?;
        if config.server.role.is_repository() {
            database.check_pinned(REPOSITORY_UNIQUE_ID, &config.repository.unique_id).await?;
        }
        let source = config.audit_source();
        Ok(Installation { folder, database, postgres, source })
    }

    async fn bring_up_to_date(
        config: &Config,
        folder: &Path,
        database: Database,
        postgres: Option<PrivatePostgres>,
    ) -> anyhow::Result<Installation> {
        database.migrate().await.context("the tables cannot be brought up to date")?;
        if config.server.role.is_repository() {
            database.pin(REPOSITORY_UNIQUE_ID, &config.repository.unique_id).await?;
        }
        let source = config.audit_source();
        Ok(Installation { folder: folder.to_owned(), database, postgres, source })
    }

    /// Closes the connections and stops the private PostgreSQL, if this process started it.
    pub async fn close(self) -> anyhow::Result<()> {
        Bare { database: self.database, postgres: self.postgres }.close().await
    }
}

fn refuse_half_restored(folder: &Path) -> anyhow::Result<()> {
    if marker(folder).exists() {
        bail!("a restore of a backup was not finished here: run carnet restore once more");
    }
    Ok(())
}

/// The address of the database, and the private PostgreSQL if it had to be started.
async fn existing_database(
    config: &Config,
    folder: &Path,
) -> anyhow::Result<(String, Option<PrivatePostgres>)> {
    if let Some(url) = &config.database.url {
        return Ok((url.clone(), None));
    }
    let options = postgres_options(config, folder);
    if let Some(url) = PrivatePostgres::running(&options).await {
        return Ok((url, None));
    }
    if !PrivatePostgres::has_data(&options) {
        bail!(
            "there is no database in {}: if that is the right folder (data.dir), start the server once, which makes it",
            folder.display()
        );
    }
    let postgres = start_postgres(&options).await?;
    Ok((postgres.connection(), Some(postgres)))
}

async fn start_postgres(options: &private_postgres::Options) -> anyhow::Result<PrivatePostgres> {
    PrivatePostgres::start(options).await.context("the private PostgreSQL did not start")
}

/// The database of an installation as it is, and the private PostgreSQL that this process started for it.
pub struct Bare {
    pub database: Database,
    postgres: Option<PrivatePostgres>,
}

impl Bare {
    /// Makes the data folder if it is not there.
    pub async fn open(config: &Config, folder: &Path) -> anyhow::Result<Bare> {
        tokio::fs::create_dir_all(folder)
            .await
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        if let Some(url) = &config.database.url {
            return Ok(Bare { database: connect(config, url, false)?, postgres: None });
        }
        let postgres = start_postgres(&postgres_options(config, folder)).await?;
        Ok(Bare { database: connect(config, &postgres.connection(), false)?, postgres: Some(postgres) })
    }

    pub async fn close(self) -> anyhow::Result<()> {
        self.database.close();
        if let Some(postgres) = self.postgres {
            postgres.stop().await.context("the private PostgreSQL did not stop cleanly")?;
        }
        Ok(())
    }
}

fn connect(config: &Config, url: &str, read_only: bool) -> anyhow::Result<Database> {
    let pool = connections::of_thread(config);
    let options = database::Options { pool, read_only, ..database::Options::default() };
    Database::connect(url, &options).context("the database cannot be used")
}

pub fn postgres_options(config: &Config, folder: &Path) -> private_postgres::Options {
    let connections = connections::of_private_postgres(config).to_string();
    private_postgres::Options {
        settings: vec![("max_connections".to_owned(), connections)],
        ..private_postgres::Options::new(folder.join("postgres"))
    }
}
