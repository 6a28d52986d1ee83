//! HTTPS: whom this side believes, and what it shows for itself.

use std::path::PathBuf;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContextRef};

use crate::Error;

/// X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
const OTHER_NAME: [i32; 2] = [62, 64];

/// The TLS settings of a client; files are PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Authorities, or the very certificates of servers, that are believed; without it those of the system.
    pub authorities: Option<PathBuf>,
    /// The chain that this side shows, and its private key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Whether a server's certificate must name the host that was called.
    pub check_host: bool,
}

impl Default for Identity {
    fn default() -> Self {
        Identity { authorities: None, certificate: None, check_host: true }
    }
}

impl Identity {
    /// Reads the files.
    pub fn connector(&self) -> Result<SslConnector, Error> {
        let build = |error: ErrorStack| Error::Tls(error.to_string());
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(build)?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(build)?;
        if let Some(path) = &self.authorities {
            let pem = std::fs::read(path).map_err(Error::file(path))?;
            let unreadable = |error: ErrorStack| Error::Tls(format!("{}: {error}", path.display()));
            let mut store = X509StoreBuilder::new().map_err(build)?;
            // A server's own certificate may be trusted as well as its authority.
            store.set_flags(X509VerifyFlags::PARTIAL_CHAIN).map_err(build)?;
            let certificates = X509::stack_from_pem(&pem).map_err(unreadable)?;
            if certificates.is_empty() {
                return Err(Error::Tls(format!("{}: holds no certificate", path.display())));
            }
            for certificate in certificates {
                store.add_cert(certificate).map_err(unreadable)?;
            }
            builder.set_cert_store(store.build());
        }
        if let Some((chain, key)) = &self.certificate {
            let unreadable = |path: &PathBuf| {
                let path = path.display().to_string();
                move |error: ErrorStack| Error::Tls(format!("{path}: {error}"))
            };
            builder.set_certificate_chain_file(chain).map_err(unreadable(chain))?;
            builder.set_private_key_file(key, SslFiletype::PEM).map_err(unreadable(key))?;
            builder.check_private_key().map_err(unreadable(key))?;
        }
        if !self.check_host {
            builder.set_verify_callback(SslVerifyMode::PEER, |good, context: &mut X509StoreContextRef| {
                good || OTHER_NAME.contains(&context.error().as_raw())
            });
        }
        Ok(builder.build())
    }
}
