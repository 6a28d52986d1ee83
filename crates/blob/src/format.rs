//! The layout of a blob in a file, version 1.
//!
//! | octets | what |
//! |---|---|
//! | 8 | `CARNETB1` |
//! | 1 | cipher: 0 = none |
//! | 4 | size of a chunk, big endian (1 MiB) |
//! | 3 | zero |
//! | then for each chunk | its octets (the last may be shorter), followed by their SHA-256 (32 octets) |
//!
//! Digests stand behind their chunks, so a blob is written and verified in one pass, whatever its size. Where it ends
//! is known from its size, which the database keeps.

use openssl::sha::sha256;

use crate::Error;

/// Octets in a chunk.
pub const CHUNK: usize = 1 << 20;
/// Octets of a digest.
pub const DIGEST: usize = 32;
/// Octets before the first chunk.
pub const HEADER: usize = 16;

const MAGIC: &[u8; 8] = b"CARNETB1";
const NO_CIPHER: u8 = 0;

/// The first octets of every blob.
pub fn header() -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let (magic, rest) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(MAGIC);
    let (cipher, rest) = rest.split_at_mut(1);
    cipher.copy_from_slice(&[NO_CIPHER]);
    let (chunk, _) = rest.split_at_mut(4);
    chunk.copy_from_slice(&(CHUNK as u32).to_be_bytes());
    header
}

/// Appends a chunk with its digest.
pub fn seal(chunk: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(chunk);
    out.extend_from_slice(&sha256(chunk));
}

/// Checks a chunk with its digest behind it and returns the length of the chunk alone.
pub fn verify(sealed: &[u8], number: u64) -> Result<usize, Error> {
    let corrupt = Error::Corrupt { chunk: number };
    let Some(length) = sealed.len().checked_sub(DIGEST) else { return Err(corrupt) };
    let (chunk, digest) = sealed.split_at(length);
    match sha256(chunk) == digest {
        true => Ok(length),
        false => Err(corrupt),
    }
}
