use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt;
use openssl::sha::{sha1, sha256};
use tempfile::TempDir;

use super::LocalStore;
use crate::format::{CHUNK, DIGEST, HEADER};
use crate::{BlobStore, BlobWriter, Copied, Error, Stored};

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

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { [below(&path), vec![path]].concat() } else { vec![path] })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    below(folder).into_iter().filter(|path| path.is_file()).collect()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
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

/// Files in `folder` that this process has open.
fn opened(folder: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
    links.filter_map(|link| fs::read_link(link).ok()).filter(|path| path.starts_with(folder)).count()
}

#[tokio::test]
async fn what_is_opened_for_later_is_verified_twice_and_not_held_between() {
    let (folder, store) = store().await;
    let original = octets(2 * CHUNK + 500);
    let stored = put(&store, &original, CHUNK).await;
    let later = store.open_later(&stored.key, stored.size).await.unwrap();
    assert_eq!(opened(folder.path()), 0);
    let chunks: Vec<Bytes> = later.try_collect().await.unwrap();
    assert!(chunks.concat() == original);

    let path = files(folder.path()).pop().unwrap();
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[HEADER] ^= 1;
    let mut later = store.open_later(&stored.key, stored.size).await.unwrap();
    fs::write(&path, &bad).unwrap();
    assert!(matches!(later.try_next().await, Err(Error::Corrupt { chunk: 0 })));
    assert!(matches!(
        store.open_later(&stored.key, stored.size).await.err(),
        Some(Error::Corrupt { chunk: 0 })
    ));
    fs::write(&path, &good).unwrap();
    let mut later = store.open_later(&stored.key, stored.size).await.unwrap();
    store.delete(&stored.key).await.unwrap();
    assert!(matches!(later.try_next().await, Err(Error::Missing)));
    assert!(later.try_next().await.unwrap().is_none(), "an error is the end");
}

#[tokio::test]
async fn a_file_is_open_only_until_its_last_octet_is_read() {
    let (folder, store) = store().await;
    let (small, large) = (put(&store, b"lettre", 6).await, put(&store, &octets(CHUNK + 1), CHUNK).await);
    let small = store.open(&small.key, small.size).await.unwrap();
    assert_eq!(opened(folder.path()), 0);
    let mut large = store.open(&large.key, large.size).await.unwrap();
    assert_eq!(opened(folder.path()), 1);
    while large.try_next().await.unwrap().is_some() {}
    assert_eq!(opened(folder.path()), 0);
    drop((small, large));
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
async fn octets_behind_the_end_of_a_blob_are_found() {
    let (folder, store) = store().await;
    let stored = put(&store, &octets(2 * CHUNK), CHUNK).await;
    let path = files(folder.path()).pop().unwrap();
    let good = fs::read(&path).unwrap();
    fs::write(&path, [&good[..], b"x"].concat()).unwrap();
    assert!(matches!(get(&store, &stored).await, Err(Error::Corrupt { chunk: 2 })));
    fs::write(&path, good).unwrap();
    let shorter = Stored { size: CHUNK as u64, ..stored };
    assert!(matches!(get(&store, &shorter).await, Err(Error::Corrupt { chunk: 1 })));
}

#[tokio::test]
async fn nobody_else_can_read_documents() {
    let (folder, store) = store().await;
    put(&store, b"letter", 10).await;
    for path in below(folder.path()) {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o077, 0, "{}", path.display());
    }
}

#[tokio::test]
async fn a_store_opened_again_has_its_blobs() {
    let (folder, store) = store().await;
    let stored = put(&store, b"letter", 10).await;
    let again = LocalStore::open(&folder.path().join("documents")).await.unwrap();
    assert_eq!(get(&again, &stored).await.unwrap(), b"letter");
}

#[tokio::test]
async fn a_store_whose_folders_are_gone_is_broken_and_not_a_missing_blob() {
    let (folder, store) = store().await;
    fs::remove_dir_all(folder.path().join("documents")).unwrap();
    let mut writer = store.writer().await.unwrap();
    writer.write(Bytes::from_static(b"letter")).await.unwrap();
    assert!(matches!(writer.finish().await, Err(Error::Io(_))));
    assert!(matches!(store.check().await, Err(Error::Io(_))));
}

#[tokio::test]
async fn an_error_of_a_chunk_comes_out_and_stays() {
    let (folder, store) = store().await;
    fs::remove_dir_all(folder.path().join("documents")).unwrap();
    let mut writer = store.writer().await.unwrap();
    let mut results = Vec::new();
    for _ in 0..4 {
        results.push(writer.write(Bytes::from(octets(CHUNK))).await.is_ok());
    }
    assert_eq!(results, [true, true, false, false]);
    assert!(writer.finish().await.is_err());
}

#[test]
fn a_full_disk_has_a_name_of_its_own() {
    for full in [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded] {
        assert!(matches!(Error::from(std::io::Error::from(full)), Error::Full));
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nothing() {
    let (folder, store) = store().await;
    let mut writer = store.writer().await.unwrap();
    writer.write(Bytes::from(octets(3 * CHUNK))).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1, "it is on the disk already");
    drop(writer);
    // A chunk may be on its way to the disk on another thread.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !files(folder.path()).is_empty() {
        assert!(Instant::now() < deadline, "{:?} is left", files(folder.path()));
        tokio::task::yield_now().await;
    }
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
    fs::write(folder.path().join("documents/00/not-ours"), b"kept").unwrap();
    assert_eq!(store.older_than(Duration::from_secs(3600)).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.older_than(Duration::ZERO).await.unwrap(), [&*stored.key]);
    assert_eq!(files(folder.path()).len(), 2, "the blob is left, and what is not ours");
    assert_eq!(get(&store, &stored).await.unwrap(), b"letter");
}

#[tokio::test]
async fn a_blob_is_copied_once_and_never_damaged() {
    let (folder, store) = store().await;
    let other = LocalStore::open(&folder.path().join("other")).await.unwrap();
    for size in [0, 10, CHUNK, 2 * CHUNK + 7] {
        let stored = put(&store, &octets(size), CHUNK).await;
        let Stored { key, size, sha256, .. } = &stored;
        assert_eq!(store.copy_to(&other, key, *size, sha256).await.unwrap(), Copied::Now);
        assert_eq!(store.copy_to(&other, key, *size, sha256).await.unwrap(), Copied::Before);
        assert!(get(&other, &stored).await.unwrap() == octets(*size as usize));
    }
    let Stored { key, size, sha256, .. } = put(&store, &octets(CHUNK + 7), CHUNK).await;
    let error = store.copy_to(&other, &key, size, &"0".repeat(64)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    let path = store.path(&key).unwrap();
    let mut bad = fs::read(&path).unwrap();
    bad[HEADER + CHUNK + DIGEST] ^= 1;
    fs::write(&path, bad).unwrap();
    let error = store.copy_to(&other, &key, size, &sha256).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { chunk: 1 }), "{error}");
    assert!(matches!(other.open(&key, size).await, Err(Error::Missing)));
    assert_eq!(files(&folder.path().join("other")).len(), 4, "nothing half is left");
}

#[tokio::test]
async fn a_part_tells_its_blobs_and_a_store_that_is_not_there_has_none() {
    let (folder, store) = store().await;
    let stored = put(&store, b"letter", 10).await;
    let part = u8::from_str_radix(&stored.key[..2], 16).unwrap();
    let found = store.part(part).await.unwrap();
    assert_eq!((found.len(), &found[0].0), (1, &stored.key));
    assert!(store.part(part.wrapping_add(1)).await.unwrap().is_empty());
    store.measure(&stored.key, 6).await.unwrap();
    assert!(matches!(store.measure(&stored.key, 5).await, Err(Error::Corrupt { .. })));
    let nothing = LocalStore::existing(&folder.path().join("nothing"));
    assert!(nothing.part(part).await.unwrap().is_empty());
    assert!(matches!(nothing.measure(&stored.key, 6).await, Err(Error::Missing)));
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

#[tokio::test]
async fn the_room_is_that_of_the_file_system() {
    let (folder, store) = store().await;
    let room = store.room().await.unwrap();
    assert!(0 < room.free && room.free <= room.size, "{room:?}");
    let nowhere = LocalStore::existing(&folder.path().join("nowhere"));
    assert!(nowhere.room().await.is_err());
}
