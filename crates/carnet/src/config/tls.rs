//! `[tls]`, and the TLS settings of the command line.

use std::path::PathBuf;

use super::kind::{BOOLEAN, FILE};
use super::source::Source;

/// Files are PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The chain that the server shows, its own certificate first.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Authorities, or the very certificates, that are believed.
    pub authorities: Option<PathBuf>,
    pub client_certificates: ClientCertificates,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    Off,
    /// Who shows one must show a good one.
    Optional,
    Required,
}

impl Tls {
    /// `None` without a certificate.
    pub(super) fn read(from: &mut Source) -> Option<Tls> {
        let certificate = from.optional("tls.certificate", FILE);
        let key = from.optional("tls.key", FILE);
        let authorities = from.optional("tls.authorities", FILE);
        let client_certificates = from.choice(
            "tls.client_certificates",
            [
                ("off", ClientCertificates::Off),
                ("optional", ClientCertificates::Optional),
                ("required", ClientCertificates::Required),
            ],
        );
        if client_certificates != ClientCertificates::Off && (authorities.is_none() || certificate.is_none())
        {
            from.problem(
                "tls.client_certificates",
                "needs tls.certificate and tls.authorities: without them no client certificate can be asked for or believed",
            );
        }
        let (certificate, key) = pair(from, "tls", certificate, key)?;
        Some(Tls { certificate, key, authorities, client_certificates })
    }

    /// The server as a client of others.
    pub fn identity(&self, check_host: bool) -> client::Identity {
        client::Identity {
            authorities: self.authorities.clone(),
            certificate: Some((self.certificate.clone(), self.key.clone())),
            check_host,
        }
    }
}

pub(super) fn client_identity(from: &mut Source) -> client::Identity {
    let authorities = from.optional("client.authorities", FILE);
    let certificate = from.optional("client.certificate", FILE);
    let key = from.optional("client.key", FILE);
    let check_host = from.get("client.check_host", BOOLEAN, true);
    client::Identity { authorities, certificate: pair(from, "client", certificate, key), check_host }
}

/// A certificate is of no use without its key, nor a key without its certificate.
pub(super) fn pair(
    from: &mut Source,
    section: &str,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Option<(PathBuf, PathBuf)> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            from.problem(section, "certificate and key are needed both, or neither");
            None
        }
    }
}
