//! Whoever can write the whole database, without the key, is found out, and the first event that suffered is named.

use std::path::{Path, PathBuf};

use atna::log::What;
use database::Database;
use tempfile::TempDir;
use test_support::TestDatabase;
use transparency::{Edge, Hash};

use crate::{execute, log_in, verify, write};

/// A log of 600 events in three checkpoints, and the file of those.
struct Log {
    database: Database,
    _folder: TempDir,
    checkpoints: PathBuf,
}

impl Log {
    async fn new() -> Log {
        let (test, folder) = (TestDatabase::create().await, test_support::folder());
        let database = test.open();
        let mut sequencer = log_in(&database, folder.path());
        for count in [100, 300, 200] {
            write(&database, count).await;
            sequencer.round().await.unwrap();
        }
        let checkpoints = folder.path().join("checkpoints");
        Log { database, _folder: folder, checkpoints }
    }

    /// What is found after an intrusion: with the database alone, and with the checkpoints that were kept.
    async fn after(sql: &str) -> [Option<What>; 2] {
        let log = Log::new().await;
        execute(&log.database, sql).await;
        log.findings().await
    }

    /// The same by an intruder who also makes the stored tree fit and takes the checkpoints away that do not.
    async fn after_cover_up(sql: &str) -> [Option<What>; 2] {
        let log = Log::new().await;
        execute(&log.database, sql).await;
        log.cover_up().await;
        log.findings().await
    }

    async fn findings(&self) -> [Option<What>; 2] {
        let alone = verify(&self.database, None).await.finding;
        let kept = verify(&self.database, Some(&self.checkpoints)).await.finding;
        [alone, kept]
    }

    async fn cover_up(&self) {
        let client = self.database.get().await.unwrap();
        let rows =
            client.query("select salt, content from audit_event order by position", &[]).await.unwrap();
        let mut edge = Edge::empty();
        for row in rows {
            edge.push(transparency::leaf_hash(row.get::<_, &[u8]>(0).try_into().unwrap(), row.get(1)));
        }
        client.execute("delete from audit_tile", &[]).await.unwrap();
        for (id, hashes) in edge.take_changed() {
            let octets: Vec<u8> = hashes.iter().flat_map(Hash::as_octets).copied().collect();
            let (level, index) = (i16::from(id.level), id.index as i64);
            let sql = "insert into audit_tile values ($1, $2, $3)";
            client.execute(sql, &[&level, &index, &octets]).await.unwrap();
        }
    }
}

fn position(what: &Option<What>) -> Option<u64> {
    match what {
        Some(
            What::Altered { position, .. }
            | What::Column { position, .. }
            | What::Removed { position }
            | What::Inserted { position, .. }
            | What::Moved { position, .. }
            | What::Unsigned { position, .. },
        ) => Some(*position),
        _ => None,
    }
}

const ALTER: &str =
    "update audit_event set content = convert_to(replace(convert_from(content, 'UTF8'), 'minor-failure',
    'success'), 'UTF8') where position = 150";
const REMOVE: &str = "delete from audit_event where position = 150";
const RENUMBER: &str = "update audit_event set position = position - 1 where position > 150";
const INSERT: &str = "update audit_event set position = position + 1 where position >= 150;
    insert into audit_event select 150, month, kind, gen_random_uuid(), at, patient_id, patient_authority, salt, content
    from audit_event where position = 400";
const SWAP: &str = "update audit_event set position = case position when 150 then 450 else 150 end
    where position in (150, 450)";

#[tokio::test]
async fn an_untouched_log_is_good() {
    let log = Log::new().await;
    let report = verify(&log.database, Some(&log.checkpoints)).await;
    assert_eq!((report.finding, report.events, report.size), (None, 600, 600));
}

#[tokio::test]
async fn an_altered_event_is_named() {
    for found in [Log::after(ALTER).await, Log::after_cover_up(ALTER).await].as_flattened() {
        assert!(matches!(found, Some(What::Altered { position: 150, .. })), "{found:?}");
    }
    let salt = "update audit_event set salt = gen_random_uuid()::text::bytea where position = 150";
    for found in Log::after(salt).await {
        assert!(matches!(found, Some(What::Altered { position: 150, .. })), "{found:?}");
    }
    let blank = "update audit_event set content = null, salt = null where position = 150";
    for found in Log::after(blank).await {
        assert!(matches!(found, Some(What::Altered { position: 150, .. })), "{found:?}");
    }
}

#[tokio::test]
async fn every_column_that_lies_is_named() {
    for (column, value) in [
        ("id", "gen_random_uuid()"),
        ("at", "at + interval '1 microsecond'"),
        ("patient_id", "'other'"),
        ("patient_id", "null"),
        ("patient_authority", "''"),
        ("kind", "2"),
    ] {
        for found in
            Log::after(&format!("update audit_event set {column} = {value} where position = 150")).await
        {
            assert!(
                matches!(found, Some(What::Column { position: 150, column: named, .. }) if named == column),
                "{column}: {found:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_removed_event_is_named() {
    for found in Log::after(REMOVE).await {
        assert_eq!(found, Some(What::Removed { position: 150 }));
    }
    let renumbered = format!("{REMOVE}; {RENUMBER}");
    for found in [Log::after(&renumbered).await, Log::after_cover_up(&renumbered).await].as_flattened() {
        assert!(matches!(found, Some(What::Moved { position: 150, .. })), "{found:?}");
    }
}

#[tokio::test]
async fn an_inserted_event_is_named() {
    let doubled =
        "insert into audit_event select 150, month, kind, gen_random_uuid(), at, null, null, salt, content
        from audit_event where position = 400";
    for found in Log::after(doubled).await {
        // Which of the two is the intruder depends on which is read first.
        assert!(position(&found).is_some_and(|position| position == 150), "{found:?}");
    }
    for found in [Log::after(INSERT).await, Log::after_cover_up(INSERT).await].as_flattened() {
        assert!(
            matches!(found, Some(What::Moved { position: 150, .. } | What::Altered { position: 150, .. })),
            "{found:?}"
        );
    }
    let behind =
        "insert into audit_event select 600, month, kind, gen_random_uuid(), at, null, null, salt, content
        from audit_event where position = 400";
    for found in Log::after(behind).await {
        assert!(matches!(found, Some(What::Unsigned { position: 600, .. })), "{found:?}");
    }
}

#[tokio::test]
async fn two_events_that_changed_places_are_named() {
    for found in [Log::after(SWAP).await, Log::after_cover_up(SWAP).await].as_flattened() {
        assert!(
            matches!(found, Some(What::Moved { position: 150, .. } | What::Altered { position: 150, .. })),
            "{found:?}"
        );
    }
}

/// The database alone cannot tell: all that says otherwise was taken away with it.
#[tokio::test]
async fn a_tail_that_was_cut_off_is_found_by_a_checkpoint_outside() {
    let cut = "delete from audit_event where position >= 400; delete from audit_checkpoint where size > 400";
    let [alone, kept] = Log::after_cover_up(cut).await;
    assert_eq!((alone, kept), (None, Some(What::Truncated { known: 600, found: 400 })));
    let events_alone = "delete from audit_event where position >= 400";
    for found in Log::after(events_alone).await {
        assert_eq!(found, Some(What::Removed { position: 400 }));
    }
}

#[tokio::test]
async fn a_database_that_was_rolled_back_and_used_again_is_found_by_a_checkpoint_outside() {
    let log = Log::new().await;
    let cut = "delete from audit_event where position >= 400; delete from audit_checkpoint where size > 400";
    execute(&log.database, cut).await;
    log.cover_up().await;
    // It goes on in another folder, whose file knows nothing, and even grows past what was known.
    let elsewhere = test_support::folder();
    write(&log.database, 500).await;
    log_in(&log.database, elsewhere.path()).round().await.unwrap();
    let [alone, kept] = log.findings().await;
    assert_eq!(alone, None);
    assert!(matches!(kept, Some(What::Altered { position: 400, .. })), "{kept:?}");
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    let forged = "update audit_checkpoint set note = replace(note, 'time 2', 'time 1') where size = 400";
    for found in Log::after(forged).await {
        assert_eq!(found, Some(What::Checkpoint { size: 400 }));
    }
    let last = "update audit_checkpoint set note = replace(note, 'time 2', 'time 1') where size = 600";
    for found in Log::after(last).await {
        assert_eq!(found, Some(What::Checkpoint { size: 600 }));
    }
}

#[tokio::test]
async fn a_stored_tree_that_does_not_fit_the_events_is_told_apart() {
    let tile = "update audit_tile set hashes = overlay(hashes placing '\\x00' from 70 for 1) where level = 0 and index = 0";
    for found in Log::after(tile).await {
        assert_eq!(found, Some(What::Tile { position: 2 }));
    }
}

#[tokio::test]
async fn a_checkpoint_file_that_was_altered_is_refused() {
    let log = Log::new().await;
    let text = std::fs::read_to_string(&log.checkpoints).unwrap();
    std::fs::write(&log.checkpoints, text.replacen("\n100\n", "\n101\n", 1)).unwrap();
    let verification = atna::log::Verification {
        keys: vec![crate::signer().verifier().unwrap()],
        checkpoints: Some(Path::to_owned(&log.checkpoints)),
        since: None,
    };
    assert!(verification.run(&log.database, |_, _| ()).await.is_err());
}
