use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use openssl::sha::{sha1, sha256};
use tempfile::TempDir;

use super::{LocalStore, hex};
use crate::format::{CHUNK, DIGEST, HEADER};
use crate::{BlobStore, BlobWriter, Error, Stored};

async fn store() -> (TempDir, LocalStore) {
    let folder = TempDir::new().unwrap();
    let store = LocalStore::open(&folder.path().join("documents")).await.unwrap();
    (folder, store)
}

async fn put(store: &LocalStore, octets: &[u8], piece: usize) -> Stored {
    let mut writer = store.writer().await.unwrap();
    for piece in octets.chunks(piece) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    writer.finish().await.unwrap()
}

async fn get(store: &LocalStore, stored: &Stored) -> Result<Vec<u8>, Error> {
    let chunks: Vec<Bytes> = store.open(&stored.key, stored.size).await?.try_collect().await?;
    Ok(chunks.concat())
}

fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 7 % 251) as u8).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    super::files_below(folder).unwrap().into_iter().map(|(path, _)| path).collect()
}

#[tokio::test]
async fn what_goes_in_comes_out_whatever_its_size_and_its_pieces() {
    let (_folder, store) = store().await;
    for size in [0, 1, 30_000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 1] {
        for piece in [1000, CHUNK, 5 * CHUNK] {
            let octets = octets(size);
            let stored = put(&store, &octets, piece).await;
            assert_eq!(stored.size, size as u64);
            assert_eq!((&*stored.sha1, &*stored.sha256), (&*hex(&sha1(&octets)), &*hex(&sha256(&octets))));
            assert!(get(&store, &stored).await.unwrap() == octets, "size {size}, pieces of {piece}");
        }
    }
}

#[tokio::test]
async fn a_changed_octet_is_found_before_its_chunk_is_given_out() {
    let (folder, store) = store().await;
    let original = octets(2 * CHUNK + 500);
    let stored = put(&store, &original, CHUNK).await;
    let path = files(folder.path()).pop().unwrap();
    let good = fs::read(&path).unwrap();
    for (position, chunk) in [(HEADER, 0), (HEADER + CHUNK + DIGEST + 5, 1), (good.len() - DIGEST - 1, 2)] {
        let mut bad = good.clone();
        bad[position] ^= 1;
        fs::write(&path, bad).unwrap();
        let mut given = Vec::new();
        let error = match store.open(&stored.key, stored.size).await {
            Err(error) => error,
            Ok(mut reader) => loop {
                match reader.try_next().await {
                    Ok(Some(bytes)) => given.extend_from_slice(&bytes),
                    Ok(None) => panic!("a changed octet at {position} was not found"),
                    Err(error) => break error,
                }
            },
        };
        assert!(matches!(error, Error::Corrupt { chunk: found } if found == chunk), "{error}");
        assert!(original.starts_with(&given) && given.len() == chunk as usize * CHUNK);
    }
}

#[tokio::test]
async fn a_cut_blob_is_corrupt_and_not_short() {
    let (folder, store) = store().await;
    let stored = put(&store, &octets(CHUNK + 10), CHUNK).await;
    let path = files(folder.path()).pop().unwrap();
    let good = fs::read(&path).unwrap();
    for length in [0, HEADER, HEADER + CHUNK, HEADER + CHUNK + DIGEST, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(get(&store, &stored).await, Err(Error::Corrupt { .. })), "cut at {length}");
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nothing() {
    let (folder, store) = store().await;
    let mut writer = store.writer().await.unwrap();
    writer.write(Bytes::from(octets(2 * CHUNK))).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    drop(writer);
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_is_deleted_is_missing_and_deleting_again_is_no_error() {
    let (_folder, store) = store().await;
    let stored = put(&store, b"letter", 10).await;
    store.delete(&stored.key).await.unwrap();
    store.delete(&stored.key).await.unwrap();
    assert!(matches!(get(&store, &stored).await, Err(Error::Missing)));
}

#[tokio::test]
async fn a_key_cannot_lead_out_of_the_store() {
    let (_folder, store) = store().await;
    assert!(matches!(store.open("../../etc/passwd", 1).await, Err(Error::Missing)));
}

#[tokio::test]
async fn the_sweep_sees_old_blobs_and_clears_what_a_crash_left() {
    let (folder, store) = store().await;
    let stored = put(&store, b"letter", 10).await;
    fs::write(folder.path().join("documents/tmp/left-by-a-crash"), b"half").unwrap();
    assert_eq!(store.older_than(Duration::from_secs(3600)).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.older_than(Duration::ZERO).await.unwrap(), [stored.key.clone()]);
    assert_eq!(files(folder.path()).len(), 1, "only the blob is left");
    assert_eq!(get(&store, &stored).await.unwrap(), b"letter");
}

#[tokio::test]
async fn writers_at_the_same_time_do_not_disturb_each_other() {
    let (_folder, store) = store().await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let octets = octets(CHUNK / 2 + n * 1000);
                let stored = put(&store, &octets, 10_000).await;
                get(&store, &stored).await.unwrap() == octets
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
}
