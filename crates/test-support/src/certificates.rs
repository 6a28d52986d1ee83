//! Authorities and certificates of one test, made when they are needed.

use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

const DAY: i64 = 24 * 3600;

/// A certificate with its key; one that was made by [`Node::authority`] can issue others.
pub struct Node {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// From now, in days.
#[derive(Clone, Copy)]
pub struct Validity {
    pub from: i64,
    pub to: i64,
}

pub const NOW: Validity = Validity { from: -1, to: 1 };
pub const EXPIRED: Validity = Validity { from: -2, to: -1 };

impl Node {
    pub fn authority(name: &str) -> Node {
        make(name, None, NOW, None)
    }

    pub fn self_signed(name: &str) -> Node {
        make(name, None, NOW, Some("localhost"))
    }

    /// For 127.0.0.1 and localhost.
    pub fn issue(&self, name: &str, validity: Validity) -> Node {
        make(name, Some(self), validity, Some("localhost"))
    }

    /// For another host than that of the test.
    pub fn issue_for(&self, host: &str) -> Node {
        make(host, Some(self), NOW, Some(host))
    }

    /// `name.pem` and `name.key` in the folder.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&certificate, self.certificate.to_pem().unwrap()).unwrap();
        std::fs::write(&key, self.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        (certificate, key)
    }

    /// SHA-256, hexadecimal.
    pub fn fingerprint(&self) -> String {
        let digest = self.certificate.digest(MessageDigest::sha256()).unwrap();
        digest.iter().map(|octet| format!("{octet:02x}")).collect()
    }
}

/// Without a host: an authority.
fn make(name: &str, issuer: Option<&Node>, validity: Validity, host: Option<&str>) -> Node {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = |days: i64| Asn1Time::from_unix(i64::try_from(now.as_secs()).unwrap() + days * DAY).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |issuer| issuer.certificate.subject_name())).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&at(validity.from)).unwrap();
    builder.set_not_after(&at(validity.to)).unwrap();
    match host {
        None => {
            builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        }
        Some(host) => {
            let mut names = SubjectAlternativeName::new();
            names.dns(host);
            if host == "localhost" {
                names.ip("127.0.0.1");
            }
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        }
    }
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Node { certificate: builder.build(), key }
}
