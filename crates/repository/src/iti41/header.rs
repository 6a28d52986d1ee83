//! What the CDA header tells beyond XDS, handed to the registry as Slots that it indexes and does not return.

use blob::{BlobStore, Stored};
use cda::facts::HeaderFacts;
use futures_util::TryStreamExt;
use identity::InsError;
use xds::ebxml::{ExtrinsicObject, Slot};
use xds::error::{ErrorCode, Finding};

use crate::{Failure, InsKey, Repository, port};

impl<R: port::Registry, B: BlobStore> Repository<R, B> {
    /// Adds the header facts of a CDA document to its metadata. A document that is not CDA, or whose header cannot be
    /// read, is stored all the same.
    pub(super) async fn read_header(
        &self,
        object: &mut ExtrinsicObject,
        stored: &Stored,
    ) -> Result<Vec<Finding>, Failure> {
        object.common.drop_internal_slots();
        let mime_type = object.mime_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        let is_xml = mime_type.contains("xml") || mime_type.contains("xslt");
        if !is_xml || stored.size > self.settings.cda_header.bytes as u64 {
            return Ok(Vec::new());
        }
        let mut octets = Vec::with_capacity(usize::try_from(stored.size).unwrap_or_default());
        let mut reader = self.blobs.open(&stored.key, stored.size).await?;
        while let Some(bytes) = reader.try_next().await? {
            octets.extend_from_slice(&bytes);
        }
        let Ok(header) = cda::read(&octets, &self.settings.cda_header) else { return Ok(Vec::new()) };
        let facts = HeaderFacts::from(&header).to_slots();
        object.common.slots.extend(facts.into_iter().filter(fits));
        let location = Some(object.common.id.as_str());
        let finding = |error: InsError| {
            let (code, context) =
                (ErrorCode::XDSRepositoryMetadataError, format!("CDA header, INS: {error}"));
            match self.settings.ins_key {
                InsKey::Warn => Finding::warning(code, location, context),
                InsKey::Refuse => Finding::error(code, location, context),
            }
        };
        Ok(header.ins_findings().into_iter().map(finding).collect())
    }
}

/// A Slot value has at most 256 characters; a header may say more, and is then not indexed by it.
fn fits(slot: &Slot) -> bool {
    slot.values.iter().all(|value| value.chars().count() <= 256)
}
