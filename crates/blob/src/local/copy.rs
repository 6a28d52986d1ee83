//! Copying a blob from store to store.

use std::io::{Read, Write};
use std::path::Path;

use openssl::sha::Sha256;

use super::reader;
use super::writer::{Temporary, hex};
use crate::Error;
use crate::format::{self, CHUNK, DIGEST};

/// What a copy found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    Now,
    /// It is there already.
    Before,
}

/// The octets of a chunk that is not as it was written do not reach the other store under its key.
pub fn copy(from: &Path, size: u64, sha256: &str, root: &Path, to: &Path) -> Result<Copied, Error> {
    if reader::measure(to, size).is_ok() {
        return Ok(Copied::Before);
    }
    let mut file = reader::measure(from, size)?;
    let mut temporary = Temporary::create(root)?;
    temporary.file.write_all(&format::header())?;
    let (mut left, mut number, mut digest) = (size, 0, Sha256::new());
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
        let mut sealed = vec![0; length + DIGEST];
        file.read_exact(&mut sealed).map_err(|error| reader::cut(error, number))?;
        let length = format::verify(&sealed, number)?;
        digest.update(sealed.get(..length).unwrap_or_default());
        temporary.file.write_all(&sealed)?;
        left -= length as u64;
        number += 1;
    }
    if hex(&digest.finish()) != sha256 {
        return Err(Error::Corrupt { chunk: 0 });
    }
    temporary.move_durably(to)?;
    Ok(Copied::Now)
}
