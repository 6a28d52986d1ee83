//! Which documents may be read: asked by repositories at each retrieval, because it changes here.

pub use crate::sql::Readable;
use crate::{Failure, Registry, sql};

impl Registry {
    /// Those of the documents that may be read now: registered, not removed, online. Of a record that was merged into
    /// another the patient is the surviving one.
    pub async fn readable_documents(&self, unique_ids: &[String]) -> Result<Vec<Readable>, Failure> {
        let client = self.database.get().await?;
        let found = sql::readable_documents(&client, unique_ids).await?;
        let records: Vec<i64> = found.iter().map(|(record, _)| *record).collect();
        let survivors = sql::survivors_with_patient(&client, &records).await?;
        let merged_into = |record: i64| {
            let survivor = survivors.iter().find(|s| s.record == record && s.surviving != record)?;
            survivor.patient.as_ref()
        };
        let shown = |(record, readable): (i64, Readable)| match merged_into(record) {
            Some(patient) => Readable { patient_id: patient.text.clone(), ..readable },
            None => readable,
        };
        Ok(found.into_iter().map(shown).collect())
    }
}
