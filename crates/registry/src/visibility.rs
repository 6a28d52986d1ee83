//! Which documents may be read: asked by repositories at each retrieval, because it changes here.

pub use crate::sql::Readable;
use crate::{Failure, Registry, sql};

impl Registry {
    /// Those of the documents that may be read now: registered, not removed, online.
    pub async fn readable_documents(&self, unique_ids: &[String]) -> Result<Vec<Readable>, Failure> {
        let client = self.database.get().await?;
        Ok(sql::readable_documents(&client, unique_ids).await?)
    }
}
