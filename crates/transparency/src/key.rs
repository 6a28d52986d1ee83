//! Ed25519 keys of signed notes (C2SP `signed-note`, signature type 1).

use std::fmt;
use std::str::FromStr;

use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::sha::Sha256;

use crate::lines::{decode, encode, is_name};
use crate::{Note, NoteError, Signature};

const ED25519: u8 = 0x01;
const PUBLIC_KEY_LENGTH: usize = 32;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{0:?} cannot name a key: a name is not empty and has neither spaces nor plus signs")]
    Name(String),
    #[error("this is not an unencrypted private key in PEM (PKCS #8): {0}")]
    Pem(ErrorStack),
    #[error("this private key is not an Ed25519 key: make one with openssl genpkey -algorithm ed25519")]
    NotEd25519,
    #[error("this is not a verifier key, which is written as name+hash+base64")]
    Verifier,
    #[error(
        "the hash {found:08x} in the verifier key is not that of its name and key, {expected:08x}: it was mistyped or cut"
    )]
    Hash { found: u32, expected: u32 },
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

/// A private key with the name that its signatures bear.
#[derive(Clone)]
pub struct Signer {
    name: String,
    id: u32,
    key: PKey<Private>,
}

/// A public key with its name. Its text is `name+hash+base64`, as `golang.org/x/mod/sumdb/note` writes it.
#[derive(Clone)]
pub struct Verifier {
    name: String,
    id: u32,
    key: PKey<Public>,
}

impl Signer {
    /// A new key, from OpenSSL's random numbers.
    pub fn generate(name: &str) -> Result<Signer, KeyError> {
        Signer::new(name, PKey::generate_ed25519()?)
    }

    /// A key from PEM (PKCS #8), not encrypted.
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Signer, KeyError> {
        // With a passphrase given OpenSSL never asks at the terminal for one.
        Signer::new(name, PKey::private_key_from_pem_passphrase(pem, b"").map_err(KeyError::Pem)?)
    }

    /// The private key in PEM (PKCS #8), not encrypted.
    pub fn to_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.key.private_key_to_pem_pkcs8()?)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    pub fn verifier(&self) -> Result<Verifier, KeyError> {
        Verifier::new(&self.name, &self.key.raw_public_key()?)
    }

    /// Signs a text, which ends with a newline.
    pub fn sign(&self, text: &str) -> Result<Note, NoteError> {
        let mut signer = openssl::sign::Signer::new_without_digest(&self.key)?;
        let octets = signer.sign_oneshot_to_vec(text.as_bytes())?;
        Note::new(text, vec![Signature { name: self.name.clone(), id: self.id, octets }])
    }

    fn new(name: &str, key: PKey<Private>) -> Result<Signer, KeyError> {
        if key.id() != Id::ED25519 {
            return Err(KeyError::NotEd25519);
        }
        let id = key_id(name, &key.raw_public_key()?)?;
        Ok(Signer { name: name.to_owned(), id, key })
    }
}

impl Verifier {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number that signatures of this key bear beside its name.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether this key made this signature of the text.
    pub(crate) fn verify(&self, text: &str, signature: &[u8]) -> Result<bool, ErrorStack> {
        // A signature of another length is an error to OpenSSL, and simply wrong here.
        if signature.len() != 64 {
            return Ok(false);
        }
        openssl::sign::Verifier::new_without_digest(&self.key)?.verify_oneshot(signature, text.as_bytes())
    }

    fn new(name: &str, public: &[u8]) -> Result<Verifier, KeyError> {
        let id = key_id(name, public)?;
        let key = PKey::public_key_from_raw_bytes(public, Id::ED25519)?;
        Ok(Verifier { name: name.to_owned(), id, key })
    }
}

/// The first four octets of SHA-256(name ‖ newline ‖ type ‖ public key).
fn key_id(name: &str, public: &[u8]) -> Result<u32, KeyError> {
    if !is_name(name) {
        return Err(KeyError::Name(name.to_owned()));
    }
    let mut sha = Sha256::new();
    sha.update(name.as_bytes());
    sha.update(&[b'\n', ED25519]);
    sha.update(public);
    let [a, b, c, d, ..] = sha.finish();
    Ok(u32::from_be_bytes([a, b, c, d]))
}

impl FromStr for Verifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Verifier, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Verifier);
        };
        let hexadecimal = hash.len() == 8 && hash.bytes().all(|octet| octet.is_ascii_hexdigit());
        let found = u32::from_str_radix(hash, 16).ok().filter(|_| hexadecimal).ok_or(KeyError::Verifier)?;
        let key = decode(key).ok_or(KeyError::Verifier)?;
        let [ED25519, public @ ..] = key.as_slice() else { return Err(KeyError::Verifier) };
        if public.len() != PUBLIC_KEY_LENGTH {
            return Err(KeyError::Verifier);
        }
        let verifier = Verifier::new(name, public)?;
        if verifier.id != found {
            return Err(KeyError::Hash { found, expected: verifier.id });
        }
        Ok(verifier)
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.raw_public_key().map_err(|_| fmt::Error)?);
        write!(f, "{}+{:08x}+{}", self.name, self.id, encode(key))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({self})")
    }
}

/// Without the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}+{:08x})", self.name, self.id)
    }
}
