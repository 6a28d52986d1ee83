//! The configuration: one TOML file, every key overridable by an environment variable, all problems reported at once.
//!
//! [`keys::KEYS`] says which keys there are, of what kind and with which default; reading, checking and
//! `config/carnet.toml` (by a test) follow it.

mod keys;
mod load;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::bail;
use registry::{UnknownInQuery, UnknownPatients};
use repository::InsKey;
use xds::metadata::Code;

pub use load::{Problem, Problems};

#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub data: Data,
    pub database: Database,
    pub repository: Repository,
    pub patients: Patients,
    pub limits: Limits,
    pub audit: Audit,
    pub metadata: Metadata,
    pub log: Log,
    pub client: Client,
    /// (key, value as text, where it comes from), for showing.
    shown: Vec<(String, String, String)>,
}

#[derive(Debug, Clone)]
pub struct Server {
    pub listen: SocketAddr,
    pub allow_plain_http: bool,
    pub public_url: Option<String>,
    pub workers: usize,
}

#[derive(Debug, Clone)]
pub struct Data {
    pub dir: PathBuf,
    /// Nobody chose the folder.
    pub is_default: bool,
}

#[derive(Debug, Clone)]
pub struct Database {
    /// Absent: a private PostgreSQL in the data folder.
    pub url: Option<String>,
    pub pool: usize,
}

#[derive(Debug, Clone)]
pub struct Repository {
    pub unique_id: String,
}

#[derive(Debug, Clone)]
pub struct Patients {
    pub unknown: UnknownPatients,
    pub query_unknown: UnknownInQuery,
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
    pub query_results: usize,
}

#[derive(Debug, Clone)]
pub struct Audit {
    pub source_id: String,
    pub enterprise_site: Option<String>,
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
    pub content_type_code: Code,
    pub facility: Option<Code>,
    pub practice_setting: Option<Code>,
}

impl Config {
    /// Plain HTTP carries health data in the clear: it leaves this machine only if somebody said so.
    pub fn check_transport(&self) -> anyhow::Result<()> {
        if self.server.listen.ip().is_loopback() || self.server.allow_plain_http {
            return Ok(());
        }
        bail!(
            "server.listen = {} is not a loopback address, and without TLS health data would travel in the clear. Listen \
             on 127.0.0.1 behind a TLS proxy, or set server.allow_plain_http = true if the network is protected otherwise",
            self.server.listen
        )
    }

    /// Threads that answer requests.
    pub fn workers(&self) -> usize {
        match self.server.workers {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            workers => workers,
        }
    }

    /// Scheme, host and port as others see them. `address` is where the server really listens.
    pub fn public_url(&self, address: SocketAddr) -> String {
        match &self.server.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{address}"),
        }
    }

    pub fn registry_settings(&self) -> registry::Settings {
        registry::Settings {
            unknown_patients: self.patients.unknown,
            unknown_in_query: self.patients.query_unknown,
            query_results: self.limits.query_results,
            rules: xds::submission::Rules { strict_slot_names: self.metadata.strict_slot_names },
        }
    }

    pub fn repository_settings(&self) -> repository::Settings {
        repository::Settings {
            unique_id: self.repository.unique_id.clone(),
            ins_key: self.patients.ins_key,
            cda_header: self.cda_limits(),
            documents: self.limits.documents,
        }
    }

    /// What reading a CDA header may cost.
    pub fn cda_limits(&self) -> xml::Limits {
        xml::Limits {
            bytes: usize::try_from(self.limits.cda_header).unwrap_or(usize::MAX),
            depth: self.limits.xml_depth,
        }
    }

    /// What fills the gaps of a CDA header.
    pub fn cda_defaults(&self) -> cda::metadata::Defaults {
        cda::metadata::Defaults {
            healthcare_facility_type_code: self.client.facility.clone(),
            practice_setting_code: self.client.practice_setting.clone(),
            ..cda::metadata::Defaults::default()
        }
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.shown.iter().map(|(key, _, _)| key.len()).max().unwrap_or(0);
        for (number, (key, value, origin)) in self.shown.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{key:<width$} = {value}   ({origin})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
