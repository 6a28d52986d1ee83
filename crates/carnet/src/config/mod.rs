//! The configuration: one TOML file, every key overridable by an environment variable, all problems reported at once.
//!
//! [`Config::load`] has one row for each key: its name, its kind and its default. `config/carnet.toml` documents them, and a
//! test holds it against the rows.

mod affinity;
mod asynchronous;
mod audit_http;
mod consistent;
mod feed;
mod kind;
mod peers;
mod source;
mod syslog;
mod tls;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use atna::log::Retention;
use registry::{UnknownInQuery, UnknownPatients};
use repository::InsKey;
use xds::affinity::AffinityDomain;
use xds::metadata::Code;

use kind::{
    ADDRESS, BOOLEAN, COUNT, DATABASE, DEPTH, FILE, FOLDER, HOURS, LEVEL, MINUTES, OID, POSITIVE, SIZE, TEXT,
    URL, YEARS,
};
use peers::PEERS;
use source::{Shown, Source};

pub use affinity::read as read_codes;
pub use asynchronous::Asynchronous;
pub use audit_http::AuditHttp;
pub use feed::{Feed, Sender};
pub use peers::Peers;
pub use source::{Problem, Problems};
pub use syslog::{Forward, Receive, Target, Transport};
pub use tls::{ClientCertificates, Tls};

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const DATA_DIR: &str = "./var";
const MIB: u64 = 1 << 20;
/// As many as PostgreSQL has connections for when nobody has set its max_connections.
const MOST_WORKERS: usize = 24;
/// Enough for a document of 3 MiB that is nothing but table cells of two characters.
const CDA_DENSE: usize = 32 << 20;

#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    /// Absent: plain HTTP.
    pub tls: Option<Tls>,
    pub data: Data,
    pub database: Database,
    pub registry: Registry,
    pub repository: Repository,
    pub on_demand: OnDemand,
    pub patients: Patients,
    pub feed: Feed,
    pub asynchronous: Asynchronous,
    pub limits: Limits,
    pub audit: Audit,
    pub metadata: Metadata,
    pub affinity_domain: Arc<AffinityDomain>,
    /// SHA-256 of the files of affinity_domain.codes, in hexadecimal; empty when there are none.
    pub codes_digest: String,
    pub log: Log,
    pub client: Client,
    shown: Vec<Shown>,
}

#[derive(Debug, Clone)]
pub struct Server {
    pub listen: SocketAddr,
    pub allow_plain_http: bool,
    /// Without a trailing slash.
    pub public_url: Option<String>,
    pub workers: usize,
    pub role: Role,
}

/// Which actors this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    Both,
    Registry,
    Repository,
}

#[derive(Debug, Clone)]
pub struct Registry {
    /// Who may register metadata (ITI-42).
    pub sources: Peers,
}

#[derive(Debug, Clone)]
pub struct Data {
    pub dir: PathBuf,
    /// Nobody chose another folder.
    pub is_default: bool,
}

#[derive(Clone)]
pub struct Database {
    /// Absent: a private PostgreSQL in the data folder.
    pub url: Option<String>,
    pub pool: usize,
}

/// What the bodies of requests may ask of a server.
#[derive(Debug, Clone, Copy)]
pub struct Endurance {
    /// One of which nothing comes for so long is given up.
    pub idle: Duration,
    /// So is one of which less comes in a second, on an average over `idle`. 0: no limit.
    pub least_octets: u64,
    /// One that takes longer is given up, however much comes.
    pub longest: Duration,
    /// How many times larger than it came a packed one may be. 0: no limit.
    pub gzip_ratio: u64,
}

#[derive(Debug, Clone)]
pub struct Repository {
    /// An OID.
    pub unique_id: String,
    /// The registry of another process; absent: the one of this process.
    pub registry: Option<String>,
    /// That registry is a Carnet too.
    pub registry_is_carnet: bool,
    /// Octets without a document are removed after this time, and submissions given up whose outcome stays unknown.
    pub sweep_age: Duration,
}

#[derive(Debug, Clone)]
pub struct OnDemand {
    pub persist: bool,
}

#[derive(Debug, Clone)]
pub struct Patients {
    pub unknown: UnknownPatients,
    pub query_unknown: UnknownInQuery,
    /// An OID.
    pub ins_authority: String,
    pub ins_key: InsKey,
}

/// Sizes in octets.
#[derive(Debug, Clone)]
pub struct Limits {
    pub inline_document: u64,
    pub request: u64,
    pub envelope: u64,
    pub xml_depth: u32,
    pub documents: usize,
    pub cda_header: u64,
    /// 0: no limit.
    pub query_results: usize,
    pub patients: usize,
    /// In the middle of a request.
    pub endurance: Endurance,
}

#[derive(Debug, Clone)]
pub struct Audit {
    pub source_id: String,
    pub enterprise_site: Option<String>,
    /// The private key that signs the log; absent: in the data folder.
    pub key: Option<PathBuf>,
    /// The file of checkpoints; absent: in the data folder.
    pub checkpoints: Option<PathBuf>,
    /// How long events are kept.
    pub keep: Retention,
    /// Where months go that were kept long enough; absent: in the data folder.
    pub archive: Option<PathBuf>,
    pub forward: Forward,
    pub receive: Receive,
    pub http: AuditHttp,
}

#[derive(Debug, Clone)]
pub struct Metadata {
    pub strict_slot_names: bool,
}

#[derive(Debug, Clone)]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What a source says that a CDA header does not.
#[derive(Debug, Clone)]
pub struct Client {
    pub server: String,
    pub source_id: String,
    pub identity: client::Identity,
    pub content_type_code: Code,
    pub language_code: String,
    pub patient_authority: Option<String>,
    pub class: Option<Code>,
    pub facility: Option<Code>,
    pub practice_setting: Option<Code>,
}

impl Config {
    /// Reads `file`, or `carnet.toml` in the current folder if that is there; the environment wins over the file.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, Problems> {
        let mut from = Source::read(file, environment);
        let server = Server {
            listen: from.get("server.listen", ADDRESS, LISTEN),
            allow_plain_http: from.get("server.allow_plain_http", BOOLEAN, false),
            public_url: from.optional("server.public_url", URL),
            workers: from.get("server.workers", COUNT, 0_usize),
            role: from.choice(
                "server.role",
                [("both", Role::Both), ("registry", Role::Registry), ("repository", Role::Repository)],
            ),
        };
        let tls = Tls::read(&mut from);
        let dir = from.get("data.dir", FOLDER, DATA_DIR);
        let data = Data { is_default: dir == Path::new(DATA_DIR), dir };
        let database = Database {
            url: from.secret("database.url", DATABASE),
            pool: from.get("database.pool", POSITIVE, 16_usize),
        };
        let registry = Registry { sources: from.get("registry.sources", PEERS, Peers::loopback()) };
        let repository = Repository {
            unique_id: from.get("repository.unique_id", OID, "2.25.187301219829430276148936201540268459203"),
            registry: from.optional("repository.registry", URL),
            registry_is_carnet: from.get("repository.registry_is_carnet", BOOLEAN, false),
            sweep_age: Duration::from_secs(
                3600 * u64::from(from.get("repository.sweep_hours", HOURS, 24_u32)),
            ),
        };
        let on_demand = OnDemand { persist: from.get("on_demand.persist", BOOLEAN, false) };
        let patients = Patients {
            unknown: from.choice(
                "patients.unknown",
                [("refuse", UnknownPatients::Refuse), ("open", UnknownPatients::Open)],
            ),
            query_unknown: from.choice(
                "patients.query_unknown",
                [("empty", UnknownInQuery::Empty), ("error", UnknownInQuery::Error)],
            ),
            ins_authority: from.get("patients.ins_authority", OID, "1.2.250.1.213.1.4.8"),
            ins_key: from.choice("patients.ins_key", [("warn", InsKey::Warn), ("refuse", InsKey::Refuse)]),
        };
        let feed = Feed::load(&mut from, &patients);
        let asynchronous = Asynchronous::read(&mut from);
        let limits = Limits {
            inline_document: from.get("limits.inline_document", SIZE, 32 * MIB),
            request: from.get("limits.request", SIZE, 2048 * MIB),
            envelope: from.get("limits.envelope", SIZE, 16 * MIB),
            xml_depth: from.get("limits.xml_depth", DEPTH, 100_u32),
            documents: from.get("limits.documents", POSITIVE, 500_usize),
            cda_header: from.get("limits.cda_header", SIZE, 32 * MIB),
            query_results: from.get("limits.query_results", COUNT, 10_000_usize),
            patients: from.get("limits.patients", POSITIVE, 100_usize),
            endurance: Endurance {
                idle: Duration::from_secs(from.get("limits.idle_seconds", POSITIVE, 60_usize) as u64),
                least_octets: from.get("limits.octets_per_second", COUNT, 100_usize) as u64,
                longest: Duration::from_secs(
                    60 * u64::from(from.get("limits.request_minutes", MINUTES, 360_u32)),
                ),
                gzip_ratio: from.get("limits.gzip_ratio", COUNT, 200_usize) as u64,
            },
        };
        let audit = Audit {
            source_id: from.get("audit.source_id", TEXT, "carnet"),
            enterprise_site: from.optional("audit.enterprise_site", TEXT),
            key: from.optional("audit.key", FILE),
            checkpoints: from.optional("audit.checkpoints", FILE),
            keep: Retention {
                access: from.get("audit.keep_access_years", YEARS, 10_u32),
                operation: from.get("audit.keep_operation_years", YEARS, 10_u32),
                received: from.get("audit.keep_received_years", YEARS, 10_u32),
            },
            archive: from.optional("audit.archive", FOLDER),
            forward: Forward::read(&mut from),
            receive: Receive::read(&mut from, tls.as_ref()),
            http: AuditHttp::read(&mut from),
        };
        let metadata = Metadata { strict_slot_names: from.get("metadata.strict_slot_names", BOOLEAN, false) };
        let (affinity_domain, codes_digest) = affinity::load(&mut from);
        let affinity_domain = Arc::new(affinity_domain);
        let log = Log {
            format: from.choice("log.format", [("text", LogFormat::Text), ("json", LogFormat::Json)]),
            level: from.get("log.level", LEVEL, "info"),
        };
        let client = Client {
            server: from.get("client.server", URL, local_server(server.listen, tls.is_some())),
            source_id: from.get("client.source_id", OID, "2.25.91472305518762093841526072519384620517"),
            identity: tls::client_identity(&mut from),
            content_type_code: Code {
                code: from.get("client.content_type_code", TEXT, "03"),
                scheme: from.get("client.content_type_scheme", TEXT, "1.2.250.1.213.2.2"),
                display: from.get("client.content_type_display", TEXT, "Hospitalisation"),
            },
            language_code: from.get("client.language_code", TEXT, "fr-FR"),
            patient_authority: from.optional("client.patient_authority", OID),
            class: optional_code(
                from.optional("client.class_code", TEXT),
                from.get("client.class_scheme", TEXT, "1.2.250.1.213.1.1.4.1"),
                from.optional("client.class_display", TEXT),
            ),
            facility: optional_code(
                from.optional("client.facility_code", TEXT),
                from.get("client.facility_scheme", TEXT, "1.2.250.1.71.4.2.4"),
                from.optional("client.facility_display", TEXT),
            ),
            practice_setting: optional_code(
                from.optional("client.practice_setting_code", TEXT),
                from.get("client.practice_setting_scheme", TEXT, "1.2.250.1.213.1.1.4.9"),
                from.optional("client.practice_setting_display", TEXT),
            ),
        };
        let shown = from.finish()?;
        Ok(Config {
            server,
            tls,
            data,
            database,
            registry,
            repository,
            on_demand,
            patients,
            feed,
            asynchronous,
            limits,
            audit,
            metadata,
            affinity_domain,
            codes_digest,
            log,
            client,
            shown,
        })
    }

    /// Threads that answer requests.
    pub fn workers(&self) -> usize {
        match self.server.workers {
            0 => std::thread::available_parallelism().map_or(2, usize::from).min(MOST_WORKERS),
            workers => workers,
        }
    }

    /// Who the events of this installation say that they come from.
    pub fn audit_source(&self) -> atna::Source {
        atna::Source::here(self.audit.source_id.clone(), self.audit.enterprise_site.clone())
    }

    /// Scheme, host and port as others see them. `address` is where the server really listens.
    pub fn public_url(&self, address: SocketAddr) -> String {
        match &self.server.public_url {
            Some(url) => url.clone(),
            None if self.tls.is_some() => format!("https://{address}"),
            None => format!("http://{address}"),
        }
    }

    /// What this server shows of itself where it is a client: its own certificate, or else that of the command line.
    pub fn outgoing_identity(&self) -> client::Identity {
        match &self.tls {
            Some(tls) => tls.identity(self.client.identity.check_host),
            None => self.client.identity.clone(),
        }
    }

    pub fn registry_settings(&self) -> registry::Settings {
        registry::Settings {
            unknown_patients: self.patients.unknown,
            unknown_in_query: self.patients.query_unknown,
            query_results: self.limits.query_results,
            patients: self.limits.patients,
            rules: xds::submission::Rules {
                strict_slot_names: self.metadata.strict_slot_names,
                affinity: self.affinity_domain.clone(),
            },
        }
    }

    pub fn repository_settings(&self) -> repository::Settings {
        repository::Settings {
            unique_id: self.repository.unique_id.clone(),
            ins_key: self.patients.ins_key,
            cda_header: self.cda_limits(),
            documents: self.limits.documents,
            persist_on_demand: self.on_demand.persist,
        }
    }

    /// What reading a CDA header may cost.
    pub fn cda_limits(&self) -> xml::Limits {
        xml::Limits {
            bytes: usize::try_from(self.limits.cda_header).unwrap_or(usize::MAX),
            depth: self.limits.xml_depth,
            dense: CDA_DENSE,
        }
    }

    /// What fills the gaps of a CDA header.
    pub fn cda_defaults(&self) -> cda::metadata::Defaults {
        cda::metadata::Defaults {
            healthcare_facility_type_code: self.client.facility.clone(),
            practice_setting_code: self.client.practice_setting.clone(),
            class_code: self.client.class.clone(),
            language_code: Some(self.client.language_code.clone()),
            patient_authority: self.client.patient_authority.clone(),
            ..cda::metadata::Defaults::default()
        }
    }
}

/// The server of this configuration, as a client on the same machine reaches it.
fn local_server(listen: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

impl Role {
    pub fn is_registry(self) -> bool {
        self != Role::Repository
    }

    pub fn is_repository(self) -> bool {
        self != Role::Registry
    }
}

/// Without a display name the code is shown as it is.
fn optional_code(code: Option<String>, scheme: String, display: Option<String>) -> Option<Code> {
    code.map(|code| Code { display: display.unwrap_or_else(|| code.clone()), code, scheme })
}

/// As TOML, one line for each key with where its value comes from.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.shown.iter().map(|Shown { key, value, origin }| match value {
            Some(value) => format!("{key} = {value}  # {origin}"),
            None => format!("# {key} has no value"),
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// The URL may hold a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Database {{ url: {}, pool: {} }}",
            if self.url.is_some() { "…" } else { "none" },
            self.pool
        )
    }
}

#[cfg(test)]
mod tests;
