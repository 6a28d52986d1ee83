//! `[feed]`: who tells of patients, and how.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use toml::Value;

use super::kind::{ADDRESS, BOOLEAN, Kind, OID, POSITIVE, SIZE, list, shown_list};
use super::source::Source;
use super::{MIB, Patients};

#[derive(Debug, Clone)]
pub struct Feed {
    /// Absent: no MLLP.
    pub mllp: Option<SocketAddr>,
    pub allow_plain_mllp: bool,
    pub iti44: bool,
    /// The OID of the Affinity Domain's patient identifiers.
    pub authority: String,
    /// (namespace id, OID)
    pub namespaces: Vec<(String, String)>,
    /// Empty: everybody may send.
    pub senders: Vec<Sender>,
    pub a28: bool,
    pub a31: bool,
    pub connections: usize,
    /// A connection on which nothing comes for that long is closed.
    pub idle: Duration,
    /// Octets of one message.
    pub message: u64,
}

/// One who may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// MSH-3 and MSH-4 of an HL7 v2 message.
    Application {
        application: String,
        facility: String,
    },
    /// `sender/device/id/@root` of an HL7 v3 message.
    Device(String),
    Address(IpAddr),
}

const NAMESPACES: Kind<Vec<(String, String)>> = Kind {
    is: "a list of texts such as \"HOSPITAL=1.2.250.1.999.5\"",
    text: |text| text.split(',').filter(|part| !part.trim().is_empty()).map(namespace).collect(),
    toml: |value| list(value, namespace),
    show: |all| shown_list(all.iter().map(|(name, oid)| format!("{name}={oid}"))),
};

const SENDERS: Kind<Vec<Sender>> = Kind {
    is: "a list of texts such as \"APPLICATION|FACILITY\", \"10.0.0.7\" and \"1.2.250.1.999.5\"",
    text: |text| text.split(',').filter(|part| !part.trim().is_empty()).map(sender).collect(),
    toml: |value: &Value| list(value, sender),
    show: |all| shown_list(all.iter().map(Sender::to_string)),
};

fn namespace(text: &str) -> Option<(String, String)> {
    let (name, oid) = text.trim().split_once('=')?;
    let oid = identity::Oid::parse(oid).ok()?.to_string();
    (!name.is_empty()).then(|| (name.to_owned(), oid))
}

fn sender(text: &str) -> Option<Sender> {
    let text = text.trim();
    if let Some((application, facility)) = text.split_once('|') {
        let [application, facility] = [application.to_owned(), facility.to_owned()];
        return (!application.is_empty()).then_some(Sender::Application { application, facility });
    }
    match text.parse() {
        Ok(address) => Some(Sender::Address(address)),
        Err(_) => identity::Oid::parse(text).ok().map(|oid| Sender::Device(oid.to_string())),
    }
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sender::Application { application, facility } => write!(f, "{application}|{facility}"),
            Sender::Device(oid) => f.write_str(oid),
            Sender::Address(address) => address.fmt(f),
        }
    }
}

impl Feed {
    pub(super) fn load(from: &mut Source, patients: &Patients) -> Feed {
        Feed {
            mllp: from.optional("feed.mllp", ADDRESS),
            allow_plain_mllp: from.get("feed.allow_plain_mllp", BOOLEAN, false),
            iti44: from.get("feed.iti44", BOOLEAN, true),
            authority: from.optional("feed.authority", OID).unwrap_or_else(|| patients.ins_authority.clone()),
            namespaces: from.get("feed.namespaces", NAMESPACES, []),
            senders: from.get("feed.senders", SENDERS, []),
            a28: from.get("feed.a28", BOOLEAN, false),
            a31: from.get("feed.a31", BOOLEAN, false),
            connections: from.get("feed.connections", POSITIVE, 64_usize),
            idle: Duration::from_secs(from.get("feed.idle_seconds", POSITIVE, 3600_usize) as u64),
            message: from.get("feed.message", SIZE, MIB),
        }
    }
}
