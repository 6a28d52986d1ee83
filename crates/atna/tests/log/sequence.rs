//! Positions, the tree, checkpoints and their file.

use std::path::Path;

use atna::log::{self, Progress};
use atna::{Error, forward, record};
use test_support::TestDatabase;
use transparency::{Checkpoint, Hash, Record, records};

use crate::{event, execute, log_in, signer, verify, write};

fn filed(path: &Path) -> Vec<Checkpoint> {
    let octets = std::fs::read(path).unwrap();
    records(&octets, &[signer().verifier().unwrap()])
        .map(|record| match record.unwrap().record {
            Record::Checkpoint(checkpoint) => checkpoint,
            Record::Restoration(_) => panic!("nothing was restored"),
        })
        .collect()
}

#[tokio::test]
async fn what_is_committed_gets_its_place_and_a_signed_head() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let mut sequencer = log_in(&database, folder.path());
    assert_eq!(sequencer.round().await.unwrap(), Progress { sequenced: 0, elsewhere: false });
    write(&database, 3).await;
    assert_eq!(sequencer.round().await.unwrap().sequenced, 3);
    write(&database, 300).await;
    assert_eq!(sequencer.round().await.unwrap().sequenced, 300);
    let checkpoints = filed(&folder.path().join("checkpoints"));
    let sizes: Vec<(u64, usize)> = checkpoints.iter().map(|c| (c.size, c.leaves.len())).collect();
    assert_eq!(sizes, [(3, 3), (303, 300)]);

    let client = database.get().await.unwrap();
    let rows = client.query("select salt, content from audit_event order by position", &[]).await.unwrap();
    let leaves: Vec<Hash> = rows
        .iter()
        .map(|row| transparency::leaf_hash(row.get::<_, &[u8]>(0).try_into().unwrap(), row.get(1)))
        .collect();
    assert_eq!(checkpoints[0].root, transparency::tree_hash(&leaves[..3]));
    assert_eq!(checkpoints[1].root, transparency::tree_hash(&leaves));
    let report = verify(&database, Some(&folder.path().join("checkpoints"))).await;
    assert_eq!((report.finding, report.events, report.outside), (None, 303, Some(303)));
}

#[tokio::test]
async fn there_is_room_for_a_month_before_the_first_event_moves_there() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    write(&database, 1).await;
    log_in(&database, folder.path()).round_at("2026-12-31T23:59:59Z".parse().unwrap()).await.unwrap();
    let client = database.get().await.unwrap();
    // Who planned to read before there was room must not miss what moved there.
    let row = client
        .query_one(
            "select (select xmin from audit_event)::text,
                (select xmin from pg_inherits where inhrelid = 'audit_access_2026_12'::regclass)::text,
                to_regclass('audit_received_2027_01') is not null",
            &[],
        )
        .await
        .unwrap();
    assert_ne!(row.get::<_, &str>(0), row.get::<_, &str>(1));
    assert!(row.get::<_, bool>(2));
}

#[tokio::test]
async fn an_event_that_was_acknowledged_before_another_began_stands_before_it() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let (mut slow, quick) = (database.get().await.unwrap(), database.get().await.unwrap());
    let open = slow.transaction().await.unwrap();
    // Begun first, committed last.
    record(&open, &[event(9, None)]).await.unwrap();
    record(&quick, &[event(5, None)]).await.unwrap();
    record(&quick, &[event(1, None)]).await.unwrap();
    let mut sequencer = log_in(&database, folder.path());
    assert_eq!(sequencer.round().await.unwrap().sequenced, 2);
    open.commit().await.unwrap();
    assert_eq!(sequencer.round().await.unwrap().sequenced, 1);
    let events = forward::read(&**quick, 0, 10, i64::MAX).await.unwrap();
    let order: Vec<_> = events.iter().map(|(_, entry)| entry.at()).collect();
    assert_eq!(order, [5, 1, 9].map(crate::time));
    assert_eq!(events.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [0, 1, 2]);
}

#[tokio::test]
async fn a_backlog_is_signed_in_steps() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    write(&database, 20_000).await;
    assert_eq!(log_in(&database, folder.path()).round().await.unwrap().sequenced, 20_000);
    let sizes: Vec<u64> = filed(&folder.path().join("checkpoints")).iter().map(|c| c.size).collect();
    let steps: Vec<u64> = (1..=20).map(|step| (1024 * step).min(20_000)).collect();
    assert_eq!(sizes, steps);
    assert!(verify(&database, Some(&folder.path().join("checkpoints"))).await.is_good());
}

#[tokio::test]
async fn one_server_after_another_goes_on_where_the_log_ended() {
    let (test, here, there) = (TestDatabase::create().await, test_support::folder(), test_support::folder());
    let database = test.open();
    let (mut one, mut other) = (log_in(&database, here.path()), log_in(&database, there.path()));
    for round in 0..6 {
        write(&database, 100 * round + 1).await;
        let sequencer = if round % 2 == 0 { &mut one } else { &mut other };
        assert_eq!(sequencer.round().await.unwrap().sequenced, u64::from(100 * round + 1));
    }
    one.round().await.unwrap();
    let files = [here, there].map(|folder| std::fs::read(folder.path().join("checkpoints")).unwrap());
    assert!(!files[0].is_empty());
    assert_eq!(files[0], files[1]);
    assert!(verify(&database, None).await.is_good());
}

#[tokio::test]
async fn a_crash_between_commit_and_file_is_made_good_and_is_no_tampering() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let (database, path) = (test.open(), folder.path().join("checkpoints"));
    let mut sequencer = log_in(&database, folder.path());
    write(&database, 2).await;
    sequencer.round().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    write(&database, 2).await;
    sequencer.round().await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    // Any part of the second record may be what reached the disk.
    for cut in [before.len(), before.len() + 1, (before.len() + whole.len()) / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        log_in(&database, folder.path()).round().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
    }
    assert!(verify(&database, Some(&path)).await.is_good());
}

#[tokio::test]
async fn events_that_wait_are_no_tampering() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    write(&database, 2).await;
    log_in(&database, folder.path()).round().await.unwrap();
    write(&database, 3).await;
    let report = verify(&database, Some(&folder.path().join("checkpoints"))).await;
    assert_eq!((report.finding, report.events, report.waiting), (None, 2, 3));
}

#[tokio::test]
async fn a_log_that_was_set_back_is_not_signed_over() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    write(&database, 2).await;
    log_in(&database, folder.path()).round().await.unwrap();
    execute(&database, "create schema copy; create table copy.tiles as select * from audit_tile").await;
    write(&database, 2).await;
    log_in(&database, folder.path()).round().await.unwrap();
    execute(
        &database,
        "delete from audit_event where position > 1; delete from audit_checkpoint where size > 2; delete from audit_tile;
        insert into audit_tile select * from copy.tiles",
    )
    .await;
    write(&database, 5).await;
    let refused = log_in(&database, folder.path()).round().await;
    assert!(matches!(refused, Err(Error::SetBack { found: 2, known: 4, .. })), "{refused:?}");
    let waiting = log::waiting(&**database.get().await.unwrap()).await.unwrap().0;
    assert_eq!(waiting, 5, "and nothing is lost");
}

#[tokio::test]
async fn a_log_of_another_key_is_left_alone() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    write(&database, 2).await;
    log_in(&database, folder.path()).round().await.unwrap();
    write(&database, 1).await;
    let stranger = transparency::Signer::generate("log.example").unwrap();
    let file = log::CheckpointFile::new(folder.path().join("others"));
    let mut sequencer = log::Sequencer::new(database.clone(), stranger, file).unwrap();
    let refused = sequencer.round().await;
    assert!(matches!(refused, Err(Error::OtherKey { .. })), "{refused:?}");
    assert_eq!(log_in(&database, folder.path()).round().await.unwrap().sequenced, 1);
}

#[tokio::test]
async fn every_event_can_be_proven_by_itself() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let database = test.open();
    let mut sequencer = log_in(&database, folder.path());
    for count in [1, 255, 1, 600] {
        write(&database, count).await;
        sequencer.round().await.unwrap();
    }
    let client = database.get().await.unwrap();
    for (position, entry) in forward::read(&**client, 0, 1000, i64::MAX).await.unwrap() {
        let proven = log::prove(&**client, entry.id()).await.unwrap().unwrap();
        let leaf = transparency::record_hash(&proven.record);
        let keys = [signer().verifier().unwrap()];
        assert_eq!(proven.proof.verify(&leaf, &keys).unwrap().size, 857);
        assert_eq!(proven.proof.index, position);
        let other = transparency::record_hash(&proven.record[1..]);
        assert!(proven.proof.verify(&other, &keys).is_err());
    }
    assert!(log::prove(&**client, uuid::Uuid::new_v4()).await.unwrap().is_none());
}
