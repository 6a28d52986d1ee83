//! The document store: octets in, the same octets out.
//!
//! A blob is written once, gets a random key that tells nothing, and never changes. [`BlobStore`] makes no assumption
//! that a blob is a file; [`LocalStore`] keeps each in one (see [`format`](mod@format) for its layout).

mod error;
pub mod format;
mod local;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::Stream;

pub use error::Error;
pub use local::{Copied, LocalStore, Reader, Room, Writer, hex};

/// A blob that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub key: String,
    /// Octets, without the store's own.
    pub size: u64,
    /// Hexadecimal, lower case.
    pub sha1: String,
    /// Hexadecimal, lower case.
    pub sha256: String,
}

/// Where octets are kept.
#[allow(async_fn_in_trait, reason = "requests stay on the thread that took them: no Send bound is wanted")]
pub trait BlobStore {
    type Writer: BlobWriter;
    type Reader: Stream<Item = Result<Bytes, Error>> + Unpin + 'static;

    async fn writer(&self) -> Result<Self::Writer, Error>;

    /// The octets of a blob, verified while they stream. `size` is the one that [`Stored`] told.
    async fn open(&self, key: &str, size: u64) -> Result<Self::Reader, Error>;

    /// As [`BlobStore::open`], but what was read and verified now is not kept: until it is asked for its octets, the reader
    /// holds neither memory nor files.
    async fn open_later(&self, key: &str, size: u64) -> Result<Self::Reader, Error>;

    /// Whether a blob is there and as long as it should be; its octets are not read.
    async fn measure(&self, key: &str, size: u64) -> Result<(), Error>;

    /// The blobs in one of the 256 parts of the store, and when each was stored. Together the parts have all blobs.
    async fn part(&self, part: u8) -> Result<Vec<(String, SystemTime)>, Error>;

    /// Removing what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), Error>;

    /// Keys of blobs that were stored longer than `age` ago.
    async fn older_than(&self, age: Duration) -> Result<Vec<String>, Error>;

    /// Whether blobs can be written now.
    async fn check(&self) -> Result<(), Error>;
}

/// A blob being written. Dropped before [`BlobWriter::finish`], it leaves nothing behind.
#[allow(async_fn_in_trait, reason = "requests stay on the thread that took them: no Send bound is wanted")]
pub trait BlobWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Makes the blob durable: when this returns, a crash cannot take it away.
    async fn finish(self) -> Result<Stored, Error>;
}
