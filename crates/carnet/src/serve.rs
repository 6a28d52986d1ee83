//! `carnet serve`: wiring, start and stop.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::Requester;
use actix_web::{App as Web, HttpServer};
use anyhow::{Context, bail};
use atna::{Act, Event, Outcome};
use blob::LocalStore;
use registry::Registry;
use repository::Repository;

use crate::config::Config;
use crate::http::{self, App};
use crate::in_process::InProcess;
use crate::installation::{Installation, data_folder};

/// Octets without a document are removed after this time: longer than any submission takes.
const SWEEP_AGE: Duration = Duration::from_secs(24 * 3600);
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// How long running requests may take when the server is told to stop.
const SHUTDOWN_SECONDS: u64 = 20;

/// Runs until SIGINT or SIGTERM.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let started = Instant::now();
    config.check_transport()?;
    let (folder, notice) = data_folder(&config)?;
    if let Some(notice) = notice {
        tracing::warn!("{notice}");
    }
    let installation = Installation::start(&config, &folder).await?;
    let blobs = open_blobs(&folder).await?;
    let app = Arc::new(build(&config, &installation, blobs));
    let listener = std::net::TcpListener::bind(config.server.listen)
        .with_context(|| format!("{} cannot be listened on (is another server running?)", config.server.listen))?;
    let address = listener.local_addr()?;

    let events = Lifecycle { installation: &installation, endpoint: app.public_url.clone() };
    events.record(Act::ServerStarted).await?;
    let shared = app.clone();
    let server = HttpServer::new(move || Web::new().configure(http::routes(shared.clone())))
        .workers(config.workers())
        .client_request_timeout(Duration::from_secs(30))
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .listen(listener)
        .context("the server did not start")?
        .run();
    tracing::info!(%address, ms = started.elapsed().as_millis() as u64, "Carnet is ready: {}", app.public_url);
    let sweeper = actix_web::rt::spawn(sweep_regularly(app.clone()));
    let outcome = server.await;
    sweeper.abort();
    events.record(Act::ServerStopped).await?;
    drop(app);
    installation.close().await?;
    tracing::info!("Carnet has stopped");
    outcome.context("the server ended with an error")
}

async fn open_blobs(folder: &Path) -> anyhow::Result<LocalStore> {
    LocalStore::open(folder.join("documents")).await.context("the document folder cannot be used")
}

fn build(config: &Config, installation: &Installation, blobs: LocalStore) -> App {
    let database = installation.database.clone();
    let registry = Registry::new(database.clone(), config.registry_settings(), installation.source.clone());
    let repository = Repository::new(
        database.clone(),
        blobs.clone(),
        InProcess(registry.clone()),
        config.repository_settings(),
        installation.source.clone(),
    );
    App {
        registry,
        repository,
        database,
        blobs,
        limits: config.limits.clone(),
        public_url: config.public_url(),
        repository_unique_id: config.repository.unique_id.clone(),
    }
}

/// Start and stop are events too.
struct Lifecycle<'a> {
    installation: &'a Installation,
    endpoint: String,
}

impl Lifecycle<'_> {
    async fn record(&self, act: Act) -> anyhow::Result<()> {
        let requester = Requester::local(&crate::account::name(), &self.endpoint);
        let event = Event::new(act, Outcome::Success, &requester, &self.installation.source);
        let client = self.installation.database.get().await?;
        match atna::record(&**client, &[event]).await {
            Ok(()) => Ok(()),
            Err(error) => bail!("the trace of start or stop cannot be written: {error}"),
        }
    }
}

async fn sweep_regularly(app: Arc<App>) {
    let mut timer = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        timer.tick().await;
        match app.repository.sweep(SWEEP_AGE).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed octets that belong to no document"),
            Err(error) => tracing::warn!("the sweep of unused octets failed: {error}"),
        }
    }
}
