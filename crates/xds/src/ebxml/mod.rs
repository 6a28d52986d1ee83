//! The wire form: ebRIM 3.0 objects as XDS uses them (TF-3 §4.2.1), kept without loss.

mod read;
mod write;

use std::collections::BTreeSet;

/// `rim:Slot`. A Slot without values counts as absent but is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slot {
    pub name: String,
    pub slot_type: Option<String>,
    pub values: Vec<String>,
}

/// One `rim:LocalizedString` of a Name or Description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalizedString {
    pub value: String,
    pub lang: Option<String>,
    pub charset: Option<String>,
}

/// `rim:Classification`: a code, an author, or the mark that makes a package a SubmissionSet or a Folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classification {
    pub id: Option<String>,
    pub scheme: Option<String>,
    pub node: Option<String>,
    pub classified_object: Option<String>,
    pub node_representation: Option<String>,
    pub slots: Vec<Slot>,
    pub name: Vec<LocalizedString>,
    pub description: Vec<LocalizedString>,
}

/// `rim:ExternalIdentifier`: patientId, uniqueId, sourceId.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExternalIdentifier {
    pub id: Option<String>,
    pub registry_object: Option<String>,
    pub identification_scheme: String,
    pub value: String,
    pub slots: Vec<Slot>,
    pub name: Vec<LocalizedString>,
    pub description: Vec<LocalizedString>,
}

/// What every registry object has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Common {
    pub id: String,
    pub home: Option<String>,
    pub lid: Option<String>,
    pub object_type: Option<String>,
    pub status: Option<String>,
    pub slots: Vec<Slot>,
    pub name: Vec<LocalizedString>,
    pub description: Vec<LocalizedString>,
    pub version_name: Option<String>,
    pub classifications: Vec<Classification>,
    pub external_identifiers: Vec<ExternalIdentifier>,
}

/// `rim:ExtrinsicObject`: a DocumentEntry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtrinsicObject {
    pub common: Common,
    pub mime_type: Option<String>,
    pub is_opaque: Option<String>,
}

/// `rim:RegistryPackage`: a SubmissionSet or a Folder, by its Classification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryPackage {
    pub common: Common,
}

/// `rim:Association`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Association {
    pub common: Common,
    pub association_type: String,
    pub source_object: String,
    pub target_object: String,
}

/// `lcm:SubmitObjectsRequest`. Classifications that stand beside the packages are moved into the object that they
/// classify when they are read, so that there is one form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubmitObjects {
    pub extrinsic_objects: Vec<ExtrinsicObject>,
    pub packages: Vec<RegistryPackage>,
    pub associations: Vec<Association>,
    /// Findings made while reading (a Classification of nothing, an element that does not belong here): reported
    /// by the registry with its own.
    pub findings: Vec<crate::error::Finding>,
}

impl Common {
    /// The first string of the Name.
    pub fn title(&self) -> Option<&str> {
        self.name.first().map(|name| name.value.as_str()).filter(|title| !title.is_empty())
    }

    /// The values of the Slot `name`; empty when there is none.
    pub fn slot(&self, name: &str) -> &[String] {
        self.slots.iter().find(|s| s.name == name).map_or(&[], |s| &s.values)
    }

    /// The first value of the Slot `name`.
    pub fn slot_value(&self, name: &str) -> Option<&str> {
        self.slot(name).first().map(String::as_str)
    }

    /// Sets the Slot `name` to one value, in place of what was there.
    pub fn set_slot(&mut self, name: &str, value: impl Into<String>) {
        self.slots.retain(|s| s.name != name);
        self.slots.push(Slot { name: name.to_owned(), slot_type: None, values: vec![value.into()] });
    }

    /// Forgets the Slots that only our repository and our registry say to each other.
    pub fn drop_internal_slots(&mut self) {
        self.slots.retain(|slot| !slot.name.starts_with(crate::constants::INTERNAL_SLOTS));
    }

    /// The value of the ExternalIdentifier of that scheme.
    pub fn external_identifier(&self, scheme: &str) -> Option<&str> {
        self.external_identifiers.iter().find(|e| e.identification_scheme == scheme).map(|e| e.value.as_str())
    }

    pub fn is_classified_as(&self, node: &str) -> bool {
        self.classifications.iter().any(|c| c.node.as_deref() == Some(node))
    }
}

impl SubmitObjects {
    /// The package that is marked as SubmissionSet; the first one if the submission is wrong and has several.
    pub fn submission_set(&self) -> Option<&RegistryPackage> {
        self.packages.iter().find(|p| p.common.is_classified_as(crate::constants::SUBMISSION_SET_NODE))
    }

    /// As [`Common::drop_internal_slots`], of every document.
    pub fn drop_internal_slots(&mut self) {
        self.extrinsic_objects.iter_mut().for_each(|object| object.common.drop_internal_slots());
    }

    /// `SubmissionSet.uniqueId` as it was sent, for the trace of a refused submission.
    pub fn submission_set_unique_id(&self) -> Option<&str> {
        self.submission_set()?.common.external_identifier(crate::constants::SUBMISSION_SET_UNIQUE_ID)
    }

    /// The titles of the documents as they were sent, of those that have one.
    pub fn document_titles(&self) -> Vec<String> {
        self.extrinsic_objects
            .iter()
            .filter_map(|document| document.common.title())
            .map(str::to_owned)
            .collect()
    }

    /// Every different patientId in the submission as it was sent, the SubmissionSet's first.
    pub fn patient_ids(&self) -> Vec<&str> {
        use crate::constants::*;
        let mut seen = BTreeSet::new();
        let sets = self.submission_set().into_iter().map(|p| &p.common);
        let documents = self.extrinsic_objects.iter().map(|d| &d.common);
        let packages = self.packages.iter().map(|p| &p.common);
        sets.chain(documents)
            .chain(packages)
            .filter_map(|c| {
                [SUBMISSION_SET_PATIENT_ID, DOCUMENT_ENTRY_PATIENT_ID, FOLDER_PATIENT_ID]
                    .into_iter()
                    .find_map(|scheme| c.external_identifier(scheme))
            })
            .filter(|id| seen.insert(id.to_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
