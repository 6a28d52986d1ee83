//! The octets of one document.

use blob::{BlobStore, Error, hex};
use futures_util::TryStreamExt;
use openssl::sha::{Sha1, Sha256};

use super::{Depth, Finding};
use crate::sql::Filed;

/// What is wrong with octets that should be there.
pub async fn kept<B: BlobStore>(blobs: &B, depth: Depth, document: &Filed) -> Option<Finding> {
    let (unique_id, blob) = (document.unique_id.clone(), document.blob.clone());
    let result = match depth {
        Depth::Length => blobs.measure(&blob, document.size).await.map(|()| true),
        Depth::Octets => are_filed(blobs, document).await,
    };
    match result {
        Ok(true) => None,
        Ok(false) => Some(Finding::OtherOctets { unique_id, blob }),
        Err(Error::Missing) => Some(Finding::NoOctets { unique_id, blob }),
        Err(Error::Corrupt { chunk }) => Some(Finding::Damaged { unique_id, blob, chunk }),
        Err(Error::Io(_) | Error::Full) => Some(Finding::Unreadable { unique_id, blob }),
    }
}

/// What is wrong when octets should be gone.
pub async fn gone<B: BlobStore>(blobs: &B, document: &Filed) -> Option<Finding> {
    let (unique_id, blob) = (document.unique_id.clone(), document.blob.clone());
    is_there(blobs, &blob).await.then_some(Finding::NotPurged { unique_id, blob })
}

/// Whatever its size, and whole or not.
pub async fn is_there<B: BlobStore>(blobs: &B, key: &str) -> bool {
    !matches!(blobs.measure(key, 0).await, Err(Error::Missing))
}

/// Reads everything.
async fn are_filed<B: BlobStore>(blobs: &B, document: &Filed) -> Result<bool, Error> {
    let mut reader = blobs.open(&document.blob, document.size).await?;
    let (mut sha1, mut sha256) = (Sha1::new(), Sha256::new());
    while let Some(octets) = reader.try_next().await? {
        sha1.update(&octets);
        sha256.update(&octets);
    }
    Ok(hex(&sha1.finish()) == document.sha1 && hex(&sha256.finish()) == document.sha256)
}
