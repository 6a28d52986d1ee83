//! From PEM files to the settings of a listener.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use openssl::ssl::{
    SslAcceptor, SslAcceptorBuilder, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode,
    SslVersion,
};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContextRef};
use tokio::sync::mpsc;

use crate::config::{self, ClientCertificates};

/// TLS 1.2 and 1.3 with the suites of IHE's ATNA "TLS 1.2 floor using BCP195" and those of the DMP that are AEAD.
pub fn acceptor(
    settings: &config::Tls,
    refused: &mpsc::Sender<String>,
) -> anyhow::Result<SslAcceptorBuilder> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    // A session that is taken up again would not be checked against a list of trust that has changed since.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0)?;
    let unusable = |key: &str, path: &Path| format!("{key} = {} cannot be used", path.display());
    builder
        .set_certificate_chain_file(&settings.certificate)
        .with_context(|| unusable("tls.certificate", &settings.certificate))?;
    builder
        .set_private_key_file(&settings.key, SslFiletype::PEM)
        .with_context(|| unusable("tls.key", &settings.key))?;
    builder.check_private_key().context("tls.key is not the key of tls.certificate")?;
    let mode = match settings.client_certificates {
        ClientCertificates::Off => {
            builder.set_verify(SslVerifyMode::NONE);
            return Ok(builder);
        }
        ClientCertificates::Optional => SslVerifyMode::PEER,
        ClientCertificates::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    };
    let Some(path) = &settings.authorities else { bail!("tls.authorities is missing") };
    let pem = std::fs::read(path).with_context(|| unusable("tls.authorities", path))?;
    let authorities = X509::stack_from_pem(&pem).with_context(|| unusable("tls.authorities", path))?;
    if authorities.is_empty() {
        bail!("tls.authorities = {} holds no certificate", path.display());
    }
    let mut store = X509StoreBuilder::new()?;
    // A node is trusted by its authority, or by its own certificate being in the list (ITI TF-2 §3.19.6.1).
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    for authority in authorities {
        builder.add_client_ca(&authority)?;
        store.add_cert(authority)?;
    }
    builder.set_verify_cert_store(store.build())?;
    let refused = refused.clone();
    builder.set_verify_callback(mode, move |good, context: &mut X509StoreContextRef| {
        if !good {
            let reason = context.error().error_string();
            tracing::warn!("a peer's certificate was refused: {reason}");
            // A full queue means a flood, of which the first are enough.
            let _ = refused.try_send(reason.to_owned());
        }
        good
    });
    Ok(builder)
}

/// What tells whether a file is another than before.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamps(Vec<Option<(SystemTime, u64, u64)>>);

impl Stamps {
    pub fn of(settings: &config::Tls) -> Stamps {
        use std::os::unix::fs::MetadataExt;
        let paths = [Some(&settings.certificate), Some(&settings.key), settings.authorities.as_ref()];
        let stamp = |path: &std::path::PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        };
        Stamps(paths.into_iter().flatten().map(stamp).collect())
    }
}
