//! `carnet serve`: wiring, start and stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::Requester;
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::rt::spawn;
use actix_web::rt::task::JoinHandle;
use actix_web::{App as Web, HttpServer};
use anyhow::Context;
use atna::log::{Expiry, Sequencer};
use atna::{Act, Event, Outcome, TraceWriter};
use blob::LocalStore;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use registry::Registry;
use repository::Repository;
use repository::pending::Settled;
use tokio::sync::watch;

use crate::audit::forward::Forwarders;
use crate::audit::receive::{self, Receivers};
use crate::audit::{self, Files, Signing, Standing, Tokens};
use crate::belonging::{self, Bond};
use crate::config::Config;
use crate::feed::{Feed, Listener};
use crate::http::{self, App, Doors};
use crate::in_process::InProcess;
use crate::installation::{Installation, data_folder};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::outgoing::Outgoing;
use crate::registry_link::RegistryLink;
use crate::remote_registry::RemoteRegistry;
use crate::shared::Shared;
use crate::signals::{Signals, tell_service_manager};
use crate::startup;
use crate::tls::{Refused, Tls};

const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// A submission whose outcome is unknown is looked for after this time: longer than an answer of the registry takes.
const SETTLE_PATIENCE: Duration = Duration::from_secs(300);
const SETTLE_INTERVAL: Duration = Duration::from_secs(60);
/// What monitors ask for is found out about once in this time, however many ask.
const KEPT: Duration = Duration::from_secs(1);
/// How long a client may take to send the head of a request.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running requests may take when the server is told to stop.
pub const SHUTDOWN_SECONDS: u64 = 20;

/// A server that answers.
pub struct Running {
    pub address: SocketAddr,
    /// MLLP, if it is configured.
    feed: Option<Listener>,
    server: Server,
    app: Arc<App>,
    installation: Installation,
    signing: Signing,
    carriers: JoinHandle<()>,
    forwarders: Option<Forwarders>,
    receivers: Option<Receivers>,
    background: Vec<JoinHandle<()>>,
}

/// Runs until SIGINT or SIGTERM. One that comes before the server is ready ends it like a crash would, which it survives.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut signals = Signals::watch().context("signals cannot be watched")?;
    let running = tokio::select! {
        running = start(&config) => running?,
        signal = signals.next() => {
            tracing::info!("Carnet was stopped by {signal} before it was ready");
            return Ok(());
        }
    };
    let handle = running.handle();
    let stopping = spawn(async move {
        let signal = signals.next().await;
        tracing::info!("Carnet stops: {signal}");
        tell_service_manager("STOPPING=1");
        handle.stop(true).await;
    });
    let ms = started.elapsed().as_millis() as u64;
    tracing::info!(address = %running.address, ms, "Carnet is ready: {}", running.app.public_url);
    if let Some(address) = running.feed_address() {
        tracing::info!(%address, "The patient identity feed is ready over MLLP");
    }
    let (over_tls, over_udp) = running.receiver_addresses();
    for address in over_tls.into_iter().chain(over_udp) {
        tracing::info!(%address, "Audit messages of other nodes are taken");
    }
    tell_service_manager("READY=1");
    running.until_stopped().await?;
    stopping.abort();
    tracing::info!("Carnet has stopped");
    Ok(())
}

/// Starts a server; it answers when this returns. With port 0 in server.listen the system chooses one.
pub async fn start(config: &Config) -> anyhow::Result<Running> {
    config.check()?;
    if atna::WITHOUT_TRACES {
        tracing::warn!(
            "This build writes NO TRACES of accesses: it is for measurements, with invented data only"
        );
    }
    allow_open_files();
    let tls = match &config.tls {
        Some(settings) => Some(Tls::load(settings, config.client.identity.check_host)?),
        None => None,
    };
    let (folder, notice) = data_folder(config)?;
    if let Some(notice) = notice {
        tracing::warn!("{notice}");
    }
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen)
        .with_context(|| {
            format!(
                "{listen} cannot be listened on. If another server runs there, stop it or choose another address, such \
                 as CARNET_SERVER__LISTEN=127.0.0.1:9000"
            )
        })?;
    let address = listener.local_addr()?;
    let mllp = config.feed.mllp.filter(|_| config.server.role.is_registry()).map(|mllp| {
        TcpListener::bind(mllp).with_context(|| format!("feed.mllp = {mllp} cannot be listened on"))
    });
    let mllp = mllp.transpose()?;
    let sockets = receive::Sockets::bind(&config.audit.receive)?;
    let installation = Installation::start(config, &folder).await?;
    let blobs =
        LocalStore::open(&folder.join("documents")).await.context("the document folder cannot be used")?;
    if config.server.role.is_repository() {
        belonging::begin(&installation.database, &blobs).await?;
    }
    let outgoing = Outgoing::new(config, tls.as_ref().map(|(tls, _)| tls))?;
    let files = Files::new(config, &folder);
    let app = Arc::new(build(config, address, &installation, &files, blobs, outgoing)?);
    // Before the first event: those who are to have the events are to have that one too.
    let forwarders = Forwarders::start(config, &installation.database, app.metrics.clone()).await;
    let forwarders = forwarders.context("the audit record repositories of audit.forward cannot be used")?;
    let signer = audit::signer(&files)?;
    let sequencer = Sequencer::new(installation.database.clone(), signer.clone(), files.checkpoints.clone())?;
    let expiry = Expiry {
        // It keeps two for as long as a month takes.
        database: installation.database.apart(2),
        signer,
        retention: config.audit.keep.clone(),
        archive: files.archive,
        requester: Requester::local(&crate::account::name(), &app.public_url),
        source: installation.source.clone(),
    };
    startup::announce(config, &installation, &app.public_url).await?;
    let shared = app.clone();
    let server = HttpServer::new(move || {
        Web::new().wrap(from_fn(http::pack_answer)).configure(http::routes(shared.clone()))
    })
    // What is left of an answer goes out at once, not when the other side has acknowledged what came before.
    .tcp_nodelay(true)
    .on_connect(http::note_connection(app.metrics.clone(), config.limits.endurance.idle))
    .workers(config.workers())
    .disable_signals()
    .client_request_timeout(REQUEST_HEAD_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_SECONDS);
    let signing = Signing::start(sequencer);
    let carriers = spawn(Outbox::carry(app.clone()));
    let mut background = vec![spawn(audit::keep(expiry))];
    if app.role.is_repository() {
        let age = config.repository.sweep_age;
        background.push(spawn(sweep_regularly(app.clone(), age, signing.standing())));
        background.push(spawn(settle_regularly(app.clone(), age)));
    }
    let feed =
        mllp.map(|mllp| Listener::start(mllp, app.feed.clone(), tls.as_ref().map(|(tls, _)| tls.clone())));
    let feed = feed.transpose().context("the MLLP listener did not start")?;
    let receivers = Receivers::start(
        sockets,
        &config.audit.receive,
        tls.as_ref().map(|(tls, _)| tls.clone()),
        receive::Log(installation.database.clone()),
        app.metrics.clone(),
    );
    let receivers = receivers.context("the receivers of audit messages did not start")?;
    let server = match tls {
        None => server.listen(listener),
        Some((tls, refused)) => {
            background.push(spawn(trace_refused(refused, app.clone())));
            let server = server.listen_openssl(listener, tls.acceptor()?);
            background.push(spawn(tls.watch(told(app.clone()))));
            server
        }
    };
    let server = server.context("the server did not start")?.run();
    Ok(Running {
        address,
        feed,
        server,
        app,
        installation,
        signing,
        carriers,
        forwarders,
        receivers,
        background,
    })
}

/// Each connection is an open file. Many systems allow a process few until it asks for all that it may have.
fn allow_open_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}

impl Running {
    /// Scheme, host and port as others see them.
    pub fn url(&self) -> &str {
        &self.app.public_url
    }

    /// Stops the server from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Where MLLP is listened on.
    pub fn feed_address(&self) -> Option<SocketAddr> {
        self.feed.as_ref().map(|feed| feed.address)
    }

    /// Where audit messages of other nodes are taken: over TLS, and over UDP.
    pub fn receiver_addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.receivers.as_ref().map_or((None, None), |receivers| (receivers.tls, receivers.udp))
    }

    /// Answers until its handle stops it; then running requests are finished and everything is closed.
    pub async fn until_stopped(self) -> anyhow::Result<()> {
        let Running {
            server,
            feed,
            app,
            installation,
            signing,
            mut carriers,
            forwarders,
            receivers,
            background,
            ..
        } = self;
        let outcome = server.await;
        if let Some(feed) = feed {
            feed.stop(Duration::from_secs(SHUTDOWN_SECONDS)).await;
        }
        if let Some(receivers) = receivers {
            receivers.stop().await;
        }
        // A letter that is cut off would wait for its lease to end.
        app.outbox.close();
        let _ = tokio::time::timeout(Duration::from_secs(SHUTDOWN_SECONDS), &mut carriers).await;
        carriers.abort();
        background.iter().for_each(JoinHandle::abort);
        let traced = startup::farewell(&installation, &app.public_url).await;
        signing.stop(Duration::from_secs(SHUTDOWN_SECONDS)).await;
        if let Some(forwarders) = forwarders {
            forwarders.stop().await;
        }
        drop(app);
        installation.close().await?;
        outcome.context("the server ended with an error")?;
        traced
    }
}

fn build(
    config: &Config,
    address: SocketAddr,
    installation: &Installation,
    files: &Files,
    blobs: LocalStore,
    outgoing: Outgoing,
) -> anyhow::Result<App> {
    let database = installation.database.clone();
    let source = &installation.source;
    let traces = TraceWriter::new(&database);
    let metrics = Arc::new(Metrics::of_this_server());
    let registry =
        Registry::new(database.clone(), config.registry_settings(), source.clone(), traces.clone());
    let public_url = config.public_url(address);
    let link = match &config.repository.registry {
        None => RegistryLink::Here(InProcess(registry.clone())),
        Some(url) => RegistryLink::There(RemoteRegistry {
            url: url.clone(),
            is_carnet: config.repository.registry_is_carnet,
            repository_unique_id: config.repository.unique_id.clone(),
            database: database.clone(),
            outgoing: outgoing.clone(),
            endpoint: public_url.clone(),
        }),
    };
    let repository = Repository::new(
        database.clone(),
        blobs.clone(),
        link,
        config.repository_settings(),
        source.clone(),
        traces.clone(),
    );
    let feed = Feed::new(database.clone(), source.clone(), metrics.clone(), config.feed.clone());
    let audit = match config.audit.http.enabled {
        true => Some(Arc::new(Doors {
            database: database.clone(),
            traces: traces.clone(),
            source: source.clone(),
            tokens: Tokens::open(&files.tokens)?,
            settings: config.audit.http.clone(),
            metrics: metrics.clone(),
            message: config.audit.receive.message,
            endurance: config.limits.endurance,
            public_url: public_url.clone(),
            hostname: audit::forward::hostname()?,
        })),
        false => None,
    };
    Ok(App {
        registry,
        feed: Arc::new(feed),
        repository,
        database,
        traces,
        source: source.clone(),
        blobs,
        limits: config.limits.clone(),
        metrics,
        ready: Shared::new(KEPT),
        inbox: Shared::new(KEPT),
        public_url,
        outbox: Outbox::new(installation.database.clone(), outgoing, config.asynchronous.clone()),
        role: config.server.role,
        sources: config.registry.sources.clone(),
        repository_unique_id: config.repository.unique_id.clone(),
        audit,
    })
}

/// A peer that could not show who it is (ITI TF-2 §3.19.6.1): a security alert each.
async fn trace_refused(mut refused: Refused, app: Arc<App>) {
    let requester = Requester::remote(None, &app.public_url);
    while let Some(reason) = refused.recv().await {
        let event = Event::new(Act::NodeRefused, Outcome::MinorFailure, &requester, &app.source);
        if let Err(error) = app.traces.record(&[event.described(reason)]).await {
            tracing::error!("the trace of a refused certificate cannot be written: {error}");
        }
    }
}

/// Writes the trace of TLS files that were read again.
fn told(app: Arc<App>) -> impl AsyncFnMut(Outcome, &'static str) {
    async move |outcome, what| {
        let requester = Requester::local(&crate::account::name(), &app.public_url);
        let event = Event::new(Act::ConfigurationLoaded, outcome, &requester, &app.source);
        if let Err(error) = app.traces.record(&[event.described(what)]).await {
            tracing::error!("the trace of a changed configuration cannot be written: {error}");
        }
    }
}

/// Finds out what became of submissions whose answer was lost. After `age` they are given up.
async fn settle_regularly(app: Arc<App>, age: Duration) {
    let mut timer = tokio::time::interval(SETTLE_INTERVAL);
    loop {
        timer.tick().await;
        match app.repository.settle(SETTLE_PATIENCE, age).await {
            Ok(Settled { registered: 0, given_up: 0, waiting: 0 }) => {}
            Ok(Settled { registered, given_up, waiting }) => {
                tracing::info!(
                    registered,
                    given_up,
                    waiting,
                    "asked the registry about unsettled submissions"
                );
            }
            Err(error) => {
                tracing::warn!("the registry could not be asked about unsettled submissions: {error}")
            }
        }
    }
}

/// What was removed goes at once. What the database does not know waits until it is certain that it should know it.
async fn sweep_regularly(app: Arc<App>, age: Duration, mut log: watch::Receiver<Standing>) {
    let mut timer = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        timer.tick().await;
        if !matches!(belonging::bond(&app.database, &app.blobs).await, Ok(Bond::Foreign(_))) {
            tell_swept("octets of removed documents", app.repository.purge_removed().await);
        }
        match belonging::hindrance(&app.database, &app.blobs, &mut log).await {
            Ok(None) => {
                tell_swept("octets that belong to no document", app.repository.sweep(age).await);
            }
            Ok(Some(reason)) => tracing::error!("octets that belong to no document are kept: {reason}"),
            Err(error) => tracing::warn!("the sweep of unused octets failed: {error}"),
        }
    }
}

fn tell_swept(what: &str, swept: Result<usize, repository::Failure>) {
    match swept {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed {what}"),
        Err(error) => tracing::warn!("the sweep of {what} failed: {error}"),
    }
}
