//! The sequencer: gives committed events their positions, extends the hash tree and signs it.
//!
//! Events of one transaction are seen together, and an event whose writing was acknowledged before another was begun stands
//! before it. Positions, tiles and the checkpoint are one commit, so a crash leaves events where they wait and nothing else.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use database::Database;
use deadpool_postgres::Transaction;
use transparency::{
    Checkpoint, Edge, Hash, MAX_LEAVES, Note, NoteError, Record, RecordError, Signer, Verifier,
};

use super::{CheckpointFile, sql, tree};
use crate::Error;

/// Events of one checkpoint at most: few enough that one commit stays short, and that they are sorted in memory.
const BATCH: i64 = 1024;
const _: () = assert!(BATCH as usize <= MAX_LEAVES);
/// Checkpoints that are copied into the file at a time.
const COPIED: i64 = 64;

/// Extends the log of one database. Of several, in as many servers, one works at a time.
pub struct Sequencer {
    database: Database,
    signer: Signer,
    keys: Vec<Verifier>,
    file: CheckpointFile,
    /// The tree as the last round left it.
    edge: Option<Edge>,
    /// The month that there is room for.
    month: Option<NaiveDate>,
    /// The size of the last checkpoint in the file, once the file was compared with the database.
    filed: Option<u64>,
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events that got their positions.
    pub sequenced: u64,
    /// Whether another server is at it.
    pub elsewhere: bool,
}

impl Sequencer {
    pub fn new(database: Database, signer: Signer, file: CheckpointFile) -> Result<Sequencer, Error> {
        let keys = vec![signer.verifier()?];
        Ok(Sequencer { database, signer, keys, file, edge: None, month: None, filed: None })
    }

    /// Whether the log in the database was held against the file since the last error, and goes on from it.
    pub fn agrees_with_file(&self) -> bool {
        self.filed.is_some()
    }

    /// Sequences and signs all that waits.
    pub async fn round(&mut self) -> Result<Progress, Error> {
        self.round_at(Utc::now()).await
    }

    /// The same at a given moment.
    pub async fn round_at(&mut self, now: DateTime<Utc>) -> Result<Progress, Error> {
        let mut progress = Progress { sequenced: 0, elsewhere: false };
        loop {
            let done = self.step(now).await?;
            match done {
                None => progress.elsewhere = true,
                Some(sequenced) => progress.sequenced += sequenced,
            }
            if done != Some(BATCH as u64) {
                return Ok(progress);
            }
        }
    }

    /// One batch, in the database and in the file.
    async fn step(&mut self, now: DateTime<Utc>) -> Result<Option<u64>, Error> {
        let done = async {
            self.open_months(now).await?;
            let done = self.batch(now).await?;
            self.copy_to_file().await?;
            Ok(done)
        };
        let done = done.await;
        if done.is_err() {
            // What was committed or written is not known: the next step reads it.
            (self.edge, self.month, self.filed) = (None, None, None);
        }
        done
    }

    /// One commit. None: another server is at it.
    async fn batch(&mut self, now: DateTime<Utc>) -> Result<Option<u64>, Error> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        if !sql::take_turn(&*transaction).await? {
            return Ok(None);
        }
        let (mut edge, before) = self.current(&transaction).await?;
        // A clock that was set back does not bring months back that ended.
        let now = before.map_or(now, |before| before.max(now));
        self.open_month(&transaction, now).await?;
        let leaves = sql::move_oldest(&*transaction, BATCH, edge.size() as i64, first_of_month(now)).await?;
        if leaves.is_empty() {
            self.edge = Some(edge);
            // The room for a new month stays.
            transaction.commit().await?;
            return Ok(Some(0));
        }
        let leaves =
            leaves.iter().map(|leaf| Hash::try_from(leaf.as_slice())).collect::<Result<Vec<_>, _>>()?;
        leaves.iter().for_each(|leaf| edge.push(*leaf));
        tree::store(&*transaction, &mut edge).await?;
        let checkpoint = Checkpoint {
            origin: self.signer.name().to_owned(),
            size: edge.size(),
            root: edge.root(),
            at: now,
            leaves: leaves.iter().map(|leaf| leaf.mark()).collect(),
        };
        let note = checkpoint.sign(&self.signer)?;
        sql::add_checkpoint(&*transaction, edge.size() as i64, now, &note.to_string()).await?;
        transaction.commit().await?;
        self.edge = Some(edge);
        Ok(Some(leaves.len() as u64))
    }

    /// The tree that the last checkpoint in the database speaks of, and when that was signed.
    async fn current(
        &mut self,
        transaction: &Transaction<'_>,
    ) -> Result<(Edge, Option<DateTime<Utc>>), Error> {
        let signed = match sql::last_checkpoint(&**transaction).await? {
            Some((_, note)) => Some(self.signed(&note)?),
            None => None,
        };
        let before = signed.as_ref().map(|checkpoint| checkpoint.at);
        let (size, root) = match &signed {
            Some(checkpoint) => (checkpoint.size, checkpoint.root),
            None => (0, Hash::empty_tree()),
        };
        if let Some(edge) = self.edge.take().filter(|edge| edge.size() == size && edge.root() == root) {
            return Ok((edge, before));
        }
        let edge = tree::edge(&**transaction, size).await?;
        if edge.root() != root {
            return Err(Error::Root { size });
        }
        self.compare_with_file(transaction, size).await?;
        Ok((edge, before))
    }

    fn signed(&self, note: &str) -> Result<Checkpoint, Error> {
        Checkpoint::open(note.as_bytes(), &self.keys).map_err(|error| match error {
            RecordError::Note(NoteError::UnknownKeys { names }) => {
                Error::OtherKey { ours: self.signer.name().to_owned(), theirs: names.join(", ") }
            }
            error => error.into(),
        })
    }

    /// The log in the database must go on from where the file ends; only a restore that was written down may take it back.
    async fn compare_with_file(&mut self, transaction: &Transaction<'_>, size: u64) -> Result<(), Error> {
        let file = || self.file.path().to_owned();
        let (known, root) = match self.file.last(&self.keys).await? {
            None => {
                self.filed = Some(0);
                return Ok(());
            }
            Some(Record::Checkpoint(Checkpoint { size, root, .. })) => (size, root),
            Some(Record::Restoration(restored)) => (restored.size, restored.root),
        };
        if known > size {
            return Err(Error::SetBack { found: size, known, file: file() });
        }
        if tree::edge(&**transaction, known).await?.root() != root {
            return Err(Error::Forked { size: known, file: file() });
        }
        self.filed = Some(known);
        Ok(())
    }

    /// Where the clock was set back, there is room already.
    async fn open_month(&mut self, transaction: &Transaction<'_>, now: DateTime<Utc>) -> Result<(), Error> {
        let month = first_of_month(now);
        if self.month != Some(month) {
            sql::open_month(&**transaction, month).await?;
            self.month = Some(month);
        }
        Ok(())
    }

    /// Makes room for this month and the next, in a commit of its own: who planned to read before there was room, and reads
    /// once the events have moved there, would find them nowhere.
    async fn open_months(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        if self.month == Some(first_of_month(now)) {
            return Ok(());
        }
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        if !sql::take_turn(&*transaction).await? {
            return Ok(());
        }
        let month = first_of_month(now);
        for month in [Some(month), month.checked_add_months(Months::new(1))].into_iter().flatten() {
            sql::open_month(&*transaction, month).await?;
        }
        transaction.commit().await?;
        self.month = Some(month);
        Ok(())
    }

    /// Appends the checkpoints that the database has and the file has not, whoever signed them.
    async fn copy_to_file(&mut self) -> Result<(), Error> {
        let Some(mut filed) = self.filed else { return Ok(()) };
        loop {
            let missing = {
                let client = self.database.get().await?;
                sql::checkpoints_after(&**client, filed as i64, COPIED).await?
            };
            let Some((last, _)) = missing.last() else { return Ok(()) };
            filed = *last as u64;
            let notes = missing
                .iter()
                .map(|(_, note)| Note::parse(note.as_bytes()))
                .collect::<Result<Vec<_>, _>>()
                .map_err(RecordError::Note)?;
            self.file.append(&notes).await?;
            self.filed = Some(filed);
        }
    }
}

pub(super) fn first_of_month(at: DateTime<Utc>) -> NaiveDate {
    let day = at.date_naive();
    day.with_day(1).unwrap_or(day)
}
