//! Which documents may be read: asked by repositories at each retrieval, because it changes here.

pub use crate::sql::Readable;
use crate::{Failure, Registry, sql};

impl Registry {
    /// Whether a SubmissionSet is registered here, whatever of it is shown.
    pub async fn has_submission_set(&self, unique_id: &str) -> Result<bool, Failure> {
        let client = self.database.get().await?;
        Ok(sql::registered_submission(&client, unique_id).await?.is_some())
    }

    /// Those of the documents that may be read now: registered, not removed, online. Of a record that was merged into
    /// another the patient is the surviving one.
    pub async fn readable_documents(&self, unique_ids: &[String]) -> Result<Vec<Readable>, Failure> {
        let client = self.database.get().await?;
        let found = sql::readable_documents(&client, unique_ids).await?;
        let merged: Vec<i64> = found.iter().filter_map(|(merged, _)| *merged).collect();
        let survivors = match merged.is_empty() {
            true => Vec::new(),
            false => sql::survivors_with_patient(&client, &merged).await?,
        };
        let surviving =
            |record: i64| survivors.iter().find(|s| s.record == record).and_then(|s| s.patient.as_ref());
        let shown = |(merged, readable): (Option<i64>, Readable)| match merged.and_then(surviving) {
            Some(patient) => Readable { patient_id: patient.text.clone(), ..readable },
            None => readable,
        };
        Ok(found.into_iter().map(shown).collect())
    }
}
