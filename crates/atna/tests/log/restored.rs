//! A backup that is put back, end to end.

use atna::Error;
use atna::log::{CheckpointFile, What, restored};
use test_support::TestDatabase;

use crate::{execute, log_in, signer, verify, write};

const COPY: &str = "create schema copy;
    create table copy.event as select * from audit_event;
    create table copy.tile as select * from audit_tile;
    create table copy.checkpoint as select * from audit_checkpoint";
const PUT_BACK: &str = "delete from audit_event; insert into audit_event select * from copy.event;
    delete from audit_tile; insert into audit_tile select * from copy.tile;
    delete from audit_checkpoint; insert into audit_checkpoint select * from copy.checkpoint";

#[tokio::test]
async fn a_restore_that_is_written_down_reads_as_one_and_not_as_tampering() {
    for written_down in [true, false] {
        let (test, folder) = (TestDatabase::create().await, test_support::folder());
        let (database, path) = (test.open(), folder.path().join("checkpoints"));
        let mut sequencer = log_in(&database, folder.path());
        for round in 0..3 {
            write(&database, 10).await;
            sequencer.round().await.unwrap();
            if round == 1 {
                execute(&database, COPY).await;
            }
        }
        drop(sequencer);
        execute(&database, PUT_BACK).await;
        let found = verify(&database, Some(&path)).await.finding;
        assert_eq!(found, Some(What::Truncated { known: 30, found: 20 }));
        if written_down {
            let restoration =
                restored(&database, &signer(), &CheckpointFile::new(path.clone())).await.unwrap();
            assert_eq!(restoration.size, 20);
            assert!(verify(&database, Some(&path)).await.is_good());
        }

        // The log goes on, past what was known before.
        write(&database, 15).await;
        let went_on = log_in(&database, folder.path()).round().await;
        let report = verify(&database, Some(&path)).await;
        if written_down {
            assert_eq!(went_on.unwrap().sequenced, 15);
            assert_eq!((report.finding, report.events, report.outside), (None, 35, Some(35)));
            let restored: Vec<u64> = report.restorations.iter().map(|restored| restored.size).collect();
            assert_eq!(restored, [20]);
        } else {
            assert!(matches!(went_on, Err(Error::SetBack { found: 20, known: 30, .. })), "{went_on:?}");
            // A server in another folder signs on.
            let elsewhere = test_support::folder();
            log_in(&database, elsewhere.path()).round().await.unwrap();
            let found = verify(&database, Some(&path)).await.finding;
            assert!(matches!(found, Some(What::Altered { position: 20, .. })), "{found:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_database_can_be_begun_again() {
    let (test, folder) = (TestDatabase::create().await, test_support::folder());
    let (database, path) = (test.open(), folder.path().join("checkpoints"));
    write(&database, 3).await;
    log_in(&database, folder.path()).round().await.unwrap();
    execute(&database, "delete from audit_event; delete from audit_tile; delete from audit_checkpoint").await;
    let restoration = restored(&database, &signer(), &CheckpointFile::new(path.clone())).await.unwrap();
    assert_eq!(restoration.size, 0);
    write(&database, 2).await;
    log_in(&database, folder.path()).round().await.unwrap();
    let report = verify(&database, Some(&path)).await;
    assert_eq!((report.finding, report.events), (None, 2));
}
