//! Audit trails over syslog, in `[audit]`: where they are sent (ITI-20), and where those of other nodes are taken.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::MIB;
use super::kind::{ADDRESS, BOOLEAN, FILE, Kind, POSITIVE, SIZE, list, shown_list};
use super::source::Source;
use super::tls::pair;

/// Audit Record Repositories of others.
#[derive(Debug, Clone)]
pub struct Forward {
    pub targets: Vec<Target>,
    /// What was sent so long before a connection broke is not sent again.
    pub replay: Duration,
    /// For a connection to be made, and for anything to be taken by the other side.
    pub timeout: Duration,
    /// The longest wait between two attempts.
    pub retry: Duration,
    /// What other nodes told is sent on as it came.
    pub received: bool,
    pub authorities: Option<PathBuf>,
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// One repository, as it is written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub transport: Transport,
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// RFC 5425.
    Tls,
    /// RFC 5426.
    Udp,
}

impl Transport {
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tls => "tls",
            Transport::Udp => "udp",
        }
    }
}

/// What other nodes may send here.
#[derive(Debug, Clone)]
pub struct Receive {
    pub tls: Option<SocketAddr>,
    pub udp: Option<SocketAddr>,
    /// Octets of one message.
    pub message: u64,
    pub connections: usize,
    /// A connection on which nothing comes for that long is closed.
    pub idle: Duration,
}

const TARGETS: Kind<Vec<Target>> = Kind {
    is: "a list of addresses such as \"tls://arr.example:6514\" and \"udp://10.0.0.7:514\", each once",
    text: |text| {
        let targets = text.split(',').filter(|part| !part.trim().is_empty()).map(Target::parse).collect();
        each_once(targets)
    },
    toml: |value| each_once(list(value, Target::parse)),
    show: |targets| shown_list(targets.iter().map(Target::to_string)),
};

fn each_once(targets: Option<Vec<Target>>) -> Option<Vec<Target>> {
    let targets = targets?;
    let mut sorted: Vec<&Target> = targets.iter().collect();
    sorted.sort();
    sorted.windows(2).all(|two| two[0] != two[1]).then_some(targets)
}

impl Target {
    fn parse(text: &str) -> Option<Target> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let transport = [Transport::Tls, Transport::Udp].into_iter().find(|t| t.name() == scheme)?;
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once("]:").filter(|(host, _)| host.contains(':'))?,
            None => rest.rsplit_once(':').filter(|(host, _)| !host.contains(':'))?,
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        let good = !host.is_empty() && host.chars().all(is_host);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        good.then(|| Target { transport, host: host.to_ascii_lowercase(), port })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Target { transport, host, port } = self;
        match host.contains(':') {
            true => write!(f, "{}://[{host}]:{port}", transport.name()),
            false => write!(f, "{}://{host}:{port}", transport.name()),
        }
    }
}

fn seconds(from: &mut Source, key: &'static str, default: usize) -> Duration {
    Duration::from_secs(from.get(key, POSITIVE, default) as u64)
}

impl Forward {
    pub(super) fn read(from: &mut Source) -> Forward {
        let targets = from.get("audit.forward", TARGETS, []);
        let replay = seconds(from, "audit.forward_replay_seconds", 60);
        let timeout = seconds(from, "audit.forward_timeout_seconds", 10);
        let retry = seconds(from, "audit.forward_retry_seconds", 60);
        let received = from.get("audit.forward_received", BOOLEAN, false);
        let authorities = from.optional("audit.forward_authorities", FILE);
        let certificate = from.optional("audit.forward_certificate", FILE);
        let key = from.optional("audit.forward_key", FILE);
        let certificate = pair(from, "audit.forward_certificate", certificate, key);
        Forward { targets, replay, timeout, retry, received, authorities, certificate }
    }

    /// What is shown to the repositories and who is believed: what is said here, and else as everywhere.
    pub fn identity(&self, usual: client::Identity) -> client::Identity {
        client::Identity {
            authorities: self.authorities.clone().or(usual.authorities),
            certificate: self.certificate.clone().or(usual.certificate),
            check_host: usual.check_host,
        }
    }
}

impl Receive {
    pub(super) fn read(from: &mut Source, tls: Option<&super::Tls>) -> Receive {
        let receive = Receive {
            tls: from.optional("audit.receive_tls", ADDRESS),
            udp: from.optional("audit.receive_udp", ADDRESS),
            message: from.get("audit.receive_message", SIZE, MIB),
            connections: from.get("audit.receive_connections", POSITIVE, 64_usize),
            idle: seconds(from, "audit.receive_idle_seconds", 3600),
        };
        if receive.tls.is_some() && tls.is_none() {
            from.problem("audit.receive_tls", "needs tls.certificate and tls.key");
        }
        receive
    }
}
