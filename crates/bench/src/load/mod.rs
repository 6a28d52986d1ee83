//! Fills a database with records by COPY: as many entries as a benchmark of growth needs, in minutes.
//!
//! Everything follows from the seed, so what was loaded can be asked for later without keeping a list. The rows are those that
//! filing by ITI-41 leaves; traces are not made, and only some documents get octets ([`Loaded::with_octets`]).

mod indexes;
mod rows;

use anyhow::{Context, bail};
use blob::{BlobStore, BlobWriter, LocalStore, Stored};
use bytes::{Bytes, BytesMut};
use futures_util::SinkExt;
use tokio_postgres::Client;

use crate::people;
use rows::{Shape, TABLES, Table};

/// Documents of one submission.
const TOGETHER: u64 = 5;
/// Submissions of different content.
const SHAPES: usize = 32;
/// Indexes of so many entries are made faster after the rows than with them.
const REBUILD_FROM: u64 = 50_000;
/// Octets that are handed to the database at a time.
const PIECE: usize = 256 << 10;
/// What an entry takes on disk, with all that belongs to it and its part of the indexes, in octets.
pub const OCTETS_OF_ENTRY: u64 = 5_000;

/// What a seed and a number of entries stand for.
pub struct Loaded {
    seed: u64,
    patients: u64,
    shapes: Vec<Shape>,
    rebuild_from: u64,
    /// The uniqueIds of documents that have octets.
    pub readable: Vec<String>,
}

/// Entries of the record of a patient: of a thousand records, one has 1,000, ten have 100, the others 10.
fn entries_of(patient: u64) -> u64 {
    match patient {
        patient if patient % 1000 == 7 => 1000,
        patient if patient % 100 == 50 => 100,
        _ => 10,
    }
}

impl Loaded {
    /// At least `entries` entries, in whole records.
    pub fn new(seed: u64, entries: u64, repository: &str) -> anyhow::Result<Loaded> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let shapes = (0..SHAPES).map(|_| Shape::new(&mut rng, TOGETHER as usize, repository));
        let shapes = shapes.collect::<Result<_, _>>()?;
        let (mut patients, mut sum) = (0, 0);
        while sum < entries {
            sum += entries_of(patients);
            patients += 1;
        }
        // Patients have numbers of eight digits, of which those from 90,000,000 belong to others.
        if patients > 90_000_000 {
            bail!("{entries} entries are more than there are numbers for their patients");
        }
        Ok(Loaded { seed, patients, shapes, rebuild_from: REBUILD_FROM, readable: Vec::new() })
    }

    /// Makes the indexes anew for so many entries or more, whatever is faster.
    pub fn rebuilding_from(self, entries: u64) -> Loaded {
        Loaded { rebuild_from: entries, ..self }
    }

    pub fn patients(&self) -> u64 {
        self.patients
    }

    pub fn entries(&self) -> u64 {
        (0..self.patients).map(entries_of).sum()
    }

    fn shape(&self, patient: u64) -> Option<&Shape> {
        self.shapes.get((patient % SHAPES as u64) as usize)
    }

    fn ins(&self, patient: u64) -> String {
        let prefix = self.shape(patient).map_or("", |shape| shape.prefix.as_str());
        people::ins(prefix, u32::try_from(patient).unwrap_or_default())
    }

    /// Any of the patients with so many entries.
    pub fn patient_with(&self, rng: &mut fastrand::Rng, entries: u64) -> String {
        let patient = match entries {
            1000 => rng.u64(..(self.patients + 992) / 1000) * 1000 + 7,
            100 => rng.u64(..(self.patients + 49) / 100) * 100 + 50,
            _ => loop {
                let patient = rng.u64(..self.patients);
                if entries_of(patient) == 10 {
                    break patient;
                }
            },
        };
        self.ins(patient)
    }

    /// Puts everything into the tables, in one transaction. `progress` is told the rows that are done and what is going on.
    pub async fn into_database(
        &self,
        client: &mut Client,
        mut progress: impl FnMut(u64, &str),
    ) -> anyhow::Result<()> {
        client.batch_execute("set statement_timeout = 0; set maintenance_work_mem = '512MB'").await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute("lock table record in exclusive mode").await?;
        let last: i64 =
            transaction.query_one("select coalesce(max(record), 0) from record", &[]).await?.try_get(0)?;
        let first = last as u64 + 1;
        let put_back = match self.entries() >= self.rebuild_from {
            true => Some(indexes::take_away(&transaction).await?),
            false => None,
        };
        let mut done = 0;
        for table in TABLES {
            let statement = table.copy();
            let mut sink = std::pin::pin!(transaction.copy_in::<_, Bytes>(&statement).await?);
            let mut piece = BytesMut::with_capacity(2 * PIECE);
            let mut line = Vec::new();
            for patient in 0..self.patients {
                let shape = self.shape(patient).context("there is no shape")?;
                let ins = self.ins(patient);
                self.lines(*table, shape, patient, first + patient, &ins, &mut line)?;
                piece.extend_from_slice(&line);
                line.clear();
                done += entries_of(patient);
                if piece.len() >= PIECE {
                    sink.send(piece.split().freeze()).await?;
                    progress(done, table.name());
                }
            }
            sink.send(piece.freeze()).await?;
            let rows = sink.as_mut().finish().await;
            rows.with_context(|| format!("the rows of {} were refused", table.name()))?;
        }
        progress(done, "indexes");
        const NEXT: &str =
            "select setval(pg_get_serial_sequence('record', 'record'), (select max(record) from record))";
        transaction.query_one(NEXT, &[]).await?;
        if let Some(put_back) = put_back {
            put_back.run(&transaction).await?;
        }
        transaction.commit().await?;
        progress(done, "statistics");
        client.batch_execute("vacuum analyze").await?;
        Ok(())
    }

    /// The lines of one table for one patient. The same numbers give the same ids, whatever the table.
    fn lines(
        &self,
        table: Table,
        shape: &Shape,
        patient: u64,
        record: u64,
        ins: &str,
        out: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        if table.once_for_patient() {
            shape.patient_line(table, record, ins, out);
            return Ok(());
        }
        for number in 0..entries_of(patient) / TOGETHER {
            shape.submission_lines(table, record, ins, &mut self.rng(patient, number), out)?;
        }
        Ok(())
    }

    /// What the ids of a submission follow from.
    fn rng(&self, patient: u64, number: u64) -> fastrand::Rng {
        let seed = (patient * 1000 + number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.seed;
        fastrand::Rng::with_seed(seed)
    }

    /// Puts octets into `store` for one document of each of so many records, from all parts of the tables.
    pub async fn with_octets(
        &mut self,
        client: &Client,
        store: &LocalStore,
        documents: u64,
    ) -> anyhow::Result<()> {
        const PLACE: &str =
            "update document set blob = $2 where unique_id = $1 and sha256 = $3 and size = $4";
        let place = client.prepare(PLACE).await?;
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let documents = documents.min(self.patients);
        let mut readable = Vec::new();
        for index in 0..documents {
            // One of each stretch of the patients.
            let patient = (index * self.patients + rng.u64(..self.patients)) / documents;
            let number = rng.u64(..entries_of(patient) / TOGETHER);
            let of = self.shape(patient).context("there is no shape")?;
            let document = of.document(rng.usize(..TOGETHER as usize), &mut self.rng(patient, number));
            let (unique_id, octets) = document.context("there is no document")?;
            let mut writer = store.writer().await?;
            writer.write(octets).await?;
            let Stored { key, size, sha256, .. } = writer.finish().await?;
            let rows = client.execute(&place, &[&unique_id, &key, &sha256, &(size as i64)]).await?;
            if rows != 1 {
                bail!(
                    "{rows} documents of this database are {unique_id} with the octets that it should have"
                );
            }
            readable.push(unique_id);
        }
        self.readable = readable;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_have_the_entries_that_were_asked_for() {
        let loaded = Loaded::new(1, 20_000, "1.2.250.1.999.7").unwrap();
        assert!((20_000..21_000).contains(&loaded.entries()));
        let mut rng = fastrand::Rng::with_seed(2);
        for entries in [10, 100, 1000] {
            for _ in 0..200 {
                let ins = loaded.patient_with(&mut rng, entries);
                let patient = (0..loaded.patients()).find(|patient| loaded.ins(*patient) == ins).unwrap();
                assert_eq!(entries_of(patient), entries);
            }
        }
    }
}
