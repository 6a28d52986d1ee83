//! The repository's own findings, R1 to R4: documents and metadata belong together. All other metadata are the
//! registry's business (TF-2 §3.41.4.1.3).

use blob::BlobStore;
use xds::constants::DOCUMENT_ENTRY_UNIQUE_ID;
use xds::ebxml::{ExtrinsicObject, SubmitObjects};
use xds::error::Finding;
use xds::rules::Rule;

use super::Received;
use crate::{Failure, Repository, port, sql};

/// Each ExtrinsicObject with its document.
pub fn paired<'a>(
    objects: &'a mut SubmitObjects,
    documents: &'a [Received],
) -> impl Iterator<Item = (&'a mut ExtrinsicObject, &'a Received)> {
    objects.extrinsic_objects.iter_mut().filter_map(|object| {
        let received = documents.iter().find(|d| d.id == object.common.id)?;
        Some((object, received))
    })
}

pub fn unique_id(object: &ExtrinsicObject) -> Option<&str> {
    object.common.external_identifier(DOCUMENT_ENTRY_UNIQUE_ID)
}

/// R1 and R2: exactly one document for each ExtrinsicObject.
pub fn pairs(objects: &SubmitObjects, documents: &[Received]) -> Vec<Finding> {
    let described = |id: &str| objects.extrinsic_objects.iter().any(|o| o.common.id == id);
    let present = |id: &str| documents.iter().any(|d| d.id == id);
    let without_metadata = documents.iter().filter(|d| !described(&d.id)).map(|d| {
        let context = format!("Document/@id \"{}\" has no ExtrinsicObject with that id", d.id);
        Rule::R1.broken(Some(&d.id), context)
    });
    let without_document = objects.extrinsic_objects.iter().filter(|o| !present(&o.common.id)).map(|o| {
        let context = format!("ExtrinsicObject \"{}\" has no Document with that id", o.common.id);
        Rule::R2.broken(Some(&o.common.id), context)
    });
    without_metadata.chain(without_document).collect()
}

/// R3: hash and size as sent, if sent, are those of the octets.
pub fn digests(objects: &SubmitObjects, documents: &[Received]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in &objects.extrinsic_objects {
        let Some(received) = documents.iter().find(|d| d.id == object.common.id) else { continue };
        let stored = &received.stored;
        let mut differs = |attribute: &str, sent: &str, computed: &str| {
            let context = format!(
                "DocumentEntry.{attribute}: \"{sent}\" was sent, but the document received has {computed}"
            );
            findings.push(Rule::R3.broken(Some(&object.common.id), context));
        };
        if let Some(hash) = object.common.slot_value("hash")
            && !hash.trim().eq_ignore_ascii_case(&stored.sha1)
        {
            differs("hash", hash, &stored.sha1);
        }
        if let Some(size) = object.common.slot_value("size")
            && size.trim().parse() != Ok(stored.size)
        {
            differs("size", size, &stored.size.to_string());
        }
    }
    findings
}

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// R4: a uniqueId that is stored already has the same octets.
    pub(super) async fn earlier_documents(
        &self,
        objects: &SubmitObjects,
        documents: &[Received],
    ) -> Result<Vec<Finding>, Failure> {
        let ids: Vec<String> =
            objects.extrinsic_objects.iter().filter_map(|o| unique_id(o).map(str::to_owned)).collect();
        let client = self.database.get().await?;
        let earlier = sql::by_unique_id(&client, &ids).await?;
        let mut findings = Vec::new();
        for object in &objects.extrinsic_objects {
            let Some(id) = unique_id(object) else { continue };
            let Some(received) = documents.iter().find(|d| d.id == object.common.id) else { continue };
            let Some(other) = earlier.iter().find(|e| e.unique_id == id && e.is_registered) else { continue };
            let (rule, what) = if other.sha1 != received.stored.sha1 {
                (Rule::R4Hash, "hash")
            } else if other.size != received.stored.size {
                (Rule::R4Size, "size")
            } else {
                continue;
            };
            let context = format!("{id}: stored before with another {what}");
            findings.push(rule.broken(Some(&object.common.id), context));
        }
        Ok(findings)
    }
}
