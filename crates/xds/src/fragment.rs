//! Objects ready to be sent: ebXML with holes for what can change after registration.
//!
//! A fragment holds everything that was submitted plus what the registry assigned for good. The holes are marked by
//! control characters that XML cannot contain, so no content can be mistaken for one. Element names carry the prefix
//! `rim`, which the message around them declares.

mod stored;

use memchr::memchr3;
use uuid::Uuid;
use xml::Writer;

use crate::constants::*;
use crate::ebxml::{self, Common, SubmitObjects};
use crate::metadata::{ANNOTATIONS, Association, AssociationType, DocumentEntry, Folder, SubmissionSet};
use crate::submission::{Purpose, ValidSubmission};
use crate::value::{parse_uuid_urn, uuid_urn};

pub use stored::Damaged;

const STATUS: char = '\u{1}';
const PATIENT_ID: char = '\u{2}';
const LAST_UPDATE_TIME: char = '\u{3}';

/// What is about enough for what fills the holes, in octets.
const ROOM: usize = 256;

/// The number of the version that ITI-42 registers.
const FIRST: u32 = 1;

/// Where the children of an object go on behind its slots, its name and its description.
const AFTER_THE_NAME: &str = "<rim:VersionInfo";

const LAST_UPDATE_TIME_SLOT: &str = "lastUpdateTime";

/// A registry object as ebXML text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment(String);

/// What goes into the holes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fill<'a> {
    /// `@status`, a full URN.
    pub status: &'a str,
    /// The patientId to show, in CX form; ignored by objects that have none.
    pub patient_id: &'a str,
    /// `Folder.lastUpdateTime`, 14 digits; ignored by other objects.
    pub last_update_time: &'a str,
}

/// Which version of which logical object a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    pub logical_id: Uuid,
    pub version: i32,
}

impl Numbered {
    fn of(common: &Common) -> Option<Numbered> {
        let logical_id = common.lid.as_deref().and_then(parse_uuid_urn)?;
        let version = common.version_name.as_deref()?.parse().ok()?;
        Some(Numbered { logical_id, version })
    }
}

impl Fragment {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The complete object, appended to `out`.
    pub fn fill(&self, fill: &Fill<'_>, out: &mut String) {
        out.reserve(self.0.len() + ROOM);
        let mut rest = self.0.as_str();
        while let Some(position) =
            memchr3(STATUS as u8, PATIENT_ID as u8, LAST_UPDATE_TIME as u8, rest.as_bytes())
        {
            let (before, from_hole) = rest.split_at(position);
            out.push_str(before);
            let mut characters = from_hole.chars();
            let value = match characters.next() {
                Some(STATUS) => fill.status,
                Some(PATIENT_ID) => fill.patient_id,
                _ => fill.last_update_time,
            };
            out.push_str(&xml::escape_attribute(value));
            rest = characters.as_str();
        }
        out.push_str(rest);
    }

    /// The document in the fragment, for those who need what the columns do not hold. Its patientId is that of `fill`.
    pub fn document(&self, fill: &Fill<'_>) -> Option<ebxml::ExtrinsicObject> {
        self.read(fill, |element| ebxml::ExtrinsicObject::read(element).ok())
    }

    /// The first string of the Name, as [`Common::title`] has it, without reading the rest.
    pub fn title(&self) -> Result<Option<String>, Damaged> {
        let (head, _) = self.0.split_once(AFTER_THE_NAME).ok_or(Damaged)?;
        let Some(name) = head.find("<rim:Name>").and_then(|begin| head.get(begin..)) else { return Ok(None) };
        let title = Fragment(name.to_owned()).read(&Fill::default(), |name| {
            let first = name.children_named(ns::RIM, "LocalizedString").next();
            let title = first.and_then(|first| first.attribute("value"));
            Some(title.filter(|title| !title.is_empty()).map(str::to_owned))
        });
        title.ok_or(Damaged)
    }

    /// The typed view of the document in the fragment, and which version it is.
    pub fn document_entry(&self, fill: &Fill<'_>) -> Option<(DocumentEntry, Numbered)> {
        let object = self.document(fill)?;
        Some((DocumentEntry::from_ebxml(&object).ok()?, Numbered::of(&object.common)?))
    }

    /// The typed view of the SubmissionSet in the fragment.
    pub fn submission_set(&self, fill: &Fill<'_>) -> Option<SubmissionSet> {
        let package = self.read(fill, |element| ebxml::RegistryPackage::read(element).ok())?;
        SubmissionSet::read(&package, &package.common.id).ok()
    }

    /// The typed view of the folder in the fragment, and which version it is.
    pub fn folder(&self, fill: &Fill<'_>) -> Option<(Folder, Numbered)> {
        let package = self.read(fill, |element| ebxml::RegistryPackage::read(element).ok())?;
        Some((Folder::read(&package, &package.common.id).ok()?, Numbered::of(&package.common)?))
    }

    /// The typed view of the association in the fragment.
    pub fn association(&self) -> Option<Association> {
        let object = self.read(&Fill::default(), |element| ebxml::Association::read(element).ok())?;
        Association::read(&object, &object.common.id, Purpose::Update).ok()
    }

    /// The same association between other objects, with an id of its own. What it said about an update is left behind.
    pub fn between(
        &self,
        id: Uuid,
        source: Uuid,
        target: Uuid,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Option<Fragment> {
        let mut association =
            self.read(&Fill::default(), |element| ebxml::Association::read(element).ok())?;
        let common = &mut association.common;
        common.id = uuid_urn(id);
        common.slots.retain(|slot| !ANNOTATIONS.contains(&slot.name.as_str()));
        for classification in &mut common.classifications {
            classification.id = Some(uuid_urn(fresh()));
            classification.classified_object = Some(uuid_urn(id));
        }
        (association.source_object, association.target_object) = (uuid_urn(source), uuid_urn(target));
        Some(Fragment::of_association(&association))
    }

    fn read<T>(&self, fill: &Fill<'_>, object: impl FnOnce(xml::Element<'_>) -> Option<T>) -> Option<T> {
        let mut text = format!("<stored xmlns:rim=\"{}\">", ns::RIM);
        self.fill(fill, &mut text);
        text.push_str("</stored>");
        let limits = xml::Limits { bytes: usize::MAX, ..xml::Limits::default() };
        let document = xml::Document::parse(&text, &limits).ok()?;
        object(document.root().children().next()?)
    }

    /// A registry-made HasMember association (folder membership of a replacement, TF-2 §3.42.4.1.3.5).
    pub fn has_member(id: Uuid, source: Uuid, target: Uuid) -> Fragment {
        let association = Association {
            entry_uuid: id,
            association_type: AssociationType::HasMember,
            source,
            target,
            submission_set_status: None,
            documentation: None,
            extra: Vec::new(),
        };
        Fragment::of_association(&association.to_ebxml())
    }

    fn of_document(object: &ebxml::ExtrinsicObject, number: u32) -> Fragment {
        let mut object = object.clone();
        prepare(&mut object.common, Some(DOCUMENT_ENTRY_PATIENT_ID));
        version(&mut object.common, number);
        written(|w| object.write(w))
    }

    fn of_package(package: &ebxml::RegistryPackage, number: u32) -> Fragment {
        let mut package = package.clone();
        let common = &mut package.common;
        common.object_type = Some(format!("{OBJECT_TYPE_PREFIX}RegistryPackage"));
        if common.is_classified_as(FOLDER_NODE) {
            prepare(common, Some(FOLDER_PATIENT_ID));
            common.set_slot(LAST_UPDATE_TIME_SLOT, LAST_UPDATE_TIME);
        } else {
            prepare(common, Some(SUBMISSION_SET_PATIENT_ID));
        }
        version(common, number);
        written(|w| package.write(w))
    }

    pub fn of_association(association: &ebxml::Association) -> Fragment {
        let mut association = association.clone();
        association.common.object_type = Some(format!("{OBJECT_TYPE_PREFIX}Association"));
        prepare(&mut association.common, None);
        version(&mut association.common, FIRST);
        written(|w| association.write(w))
    }
}

fn prepare(common: &mut Common, patient_id_scheme: Option<&str>) {
    common.status = Some(STATUS.to_string());
    common.drop_internal_slots();
    for identifier in &mut common.external_identifiers {
        if Some(identifier.identification_scheme.as_str()) == patient_id_scheme {
            identifier.value = PATIENT_ID.to_string();
        }
    }
}

/// The logical id of a first version is its id. A submitted version is ignored.
fn version(common: &mut Common, number: u32) {
    if number == FIRST || common.lid.as_deref().unwrap_or_default().is_empty() {
        common.lid = Some(common.id.clone());
    }
    common.version_name = Some(number.to_string());
}

/// The object `id` out of `objects`, whose ids are UUIDs, as version `number`; `None` when it is not there.
pub(crate) fn of_object(objects: &SubmitObjects, id: Uuid, number: u32) -> Option<Fragment> {
    let urn = uuid_urn(id);
    let document = objects.extrinsic_objects.iter().find(|o| o.common.id == urn);
    let package = || objects.packages.iter().find(|o| o.common.id == urn);
    let association = || objects.associations.iter().find(|o| o.common.id == urn);
    document
        .map(|object| Fragment::of_document(object, number))
        .or_else(|| package().map(|object| Fragment::of_package(object, number)))
        .or_else(|| association().map(Fragment::of_association))
}

fn written(write: impl FnOnce(&mut Writer)) -> Fragment {
    let mut w = Writer::new();
    write(&mut w);
    Fragment(w.finish())
}

impl ValidSubmission {
    /// The fragment of the object `id`, with `lid` = `id` and version 1; `None` when it is not of this submission.
    pub fn fragment(&self, id: Uuid) -> Option<Fragment> {
        of_object(self.objects(), id, FIRST)
    }
}

#[cfg(test)]
mod tests;
