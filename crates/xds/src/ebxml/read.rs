//! From XML to the wire form. Attributes and order are kept; what the schema makes optional may be missing.

use xml::Element;

use super::{
    Association, Classification, Common, ExternalIdentifier, ExtrinsicObject, LocalizedString,
    RegistryPackage, Slot, SubmitObjects,
};
use crate::constants::ns::{LCM, RIM};
use crate::message::MessageError;
use crate::rules::Rule;

const XML: &str = "http://www.w3.org/XML/1998/namespace";

impl SubmitObjects {
    /// Reads `lcm:SubmitObjectsRequest`, or a bare `rim:RegistryObjectList`.
    pub fn read(element: Element<'_>) -> Result<SubmitObjects, MessageError> {
        let list = match element.is(RIM, "RegistryObjectList") {
            true => Some(element),
            false if element.is(LCM, "SubmitObjectsRequest") => element.child(RIM, "RegistryObjectList"),
            false => None,
        };
        let Some(list) = list else {
            return Err(MessageError("SubmitObjectsRequest has no rim:RegistryObjectList".to_owned()));
        };
        let mut objects = SubmitObjects::default();
        let mut beside = Vec::new();
        for element in list.children() {
            match (element.namespace(), element.name()) {
                (RIM, "ExtrinsicObject") => objects.extrinsic_objects.push(ExtrinsicObject::read(element)?),
                (RIM, "RegistryPackage") => objects.packages.push(RegistryPackage::read(element)?),
                (RIM, "Association") => objects.associations.push(Association::read(element)?),
                (RIM, "Classification") => beside.push(classification(element)),
                // Old senders declare the classification schemes that they use.
                (RIM, "ObjectRef") => {}
                (_, name) => objects.findings.push(Rule::V1.broken(
                    element.attribute("id"),
                    format!("{name} (line {}) does not belong into a submission", element.line()),
                )),
            }
        }
        beside.into_iter().for_each(|classification| objects.adopt(classification));
        Ok(objects)
    }

    /// Moves a Classification that stood beside its object into it.
    fn adopt(&mut self, classification: Classification) {
        let owner = classification.classified_object.clone().unwrap_or_default();
        let documents = self.extrinsic_objects.iter_mut().map(|o| &mut o.common);
        let packages = self.packages.iter_mut().map(|o| &mut o.common);
        let associations = self.associations.iter_mut().map(|o| &mut o.common);
        match documents.chain(packages).chain(associations).find(|common| common.id == owner) {
            Some(common) => common.classifications.push(classification),
            None => self.findings.push(Rule::V4.broken(
                classification.id.as_deref(),
                format!("Classification.classifiedObject \"{owner}\" is not in this submission"),
            )),
        }
    }
}

impl ExtrinsicObject {
    pub fn read(element: Element<'_>) -> Result<ExtrinsicObject, MessageError> {
        Ok(ExtrinsicObject {
            common: common(element)?,
            mime_type: owned(element, "mimeType"),
            is_opaque: owned(element, "isOpaque"),
        })
    }
}

impl RegistryPackage {
    pub fn read(element: Element<'_>) -> Result<RegistryPackage, MessageError> {
        Ok(RegistryPackage { common: common(element)? })
    }
}

impl Association {
    pub fn read(element: Element<'_>) -> Result<Association, MessageError> {
        Ok(Association {
            // Senders leave it off, since nothing refers to most associations; the registry gives one.
            common: Common { id: element.attribute("id").unwrap_or_default().to_owned(), ..inner(element) },
            association_type: required(element, "associationType")?,
            source_object: required(element, "sourceObject")?,
            target_object: required(element, "targetObject")?,
        })
    }
}

fn common(element: Element<'_>) -> Result<Common, MessageError> {
    let id = required(element, "id")?;
    Ok(Common { id, ..inner(element) })
}

fn inner(element: Element<'_>) -> Common {
    Common {
        id: String::new(),
        home: owned(element, "home"),
        lid: owned(element, "lid"),
        object_type: owned(element, "objectType"),
        status: owned(element, "status"),
        slots: slots(element),
        name: strings(element, "Name"),
        description: strings(element, "Description"),
        version_name: element.child(RIM, "VersionInfo").and_then(|version| owned(version, "versionName")),
        classifications: element.children_named(RIM, "Classification").map(classification).collect(),
        external_identifiers: element
            .children_named(RIM, "ExternalIdentifier")
            .map(external_identifier)
            .collect(),
    }
}

fn classification(element: Element<'_>) -> Classification {
    Classification {
        id: owned(element, "id"),
        scheme: owned(element, "classificationScheme"),
        node: owned(element, "classificationNode"),
        classified_object: owned(element, "classifiedObject"),
        node_representation: owned(element, "nodeRepresentation"),
        slots: slots(element),
        name: strings(element, "Name"),
        description: strings(element, "Description"),
    }
}

fn external_identifier(element: Element<'_>) -> ExternalIdentifier {
    ExternalIdentifier {
        id: owned(element, "id"),
        registry_object: owned(element, "registryObject"),
        identification_scheme: owned(element, "identificationScheme").unwrap_or_default(),
        value: owned(element, "value").unwrap_or_default(),
        slots: slots(element),
        name: strings(element, "Name"),
        description: strings(element, "Description"),
    }
}

fn slots(element: Element<'_>) -> Vec<Slot> {
    element
        .children_named(RIM, "Slot")
        .map(|slot| Slot {
            name: owned(slot, "name").unwrap_or_default(),
            slot_type: owned(slot, "slotType"),
            values: slot
                .child(RIM, "ValueList")
                .into_iter()
                .flat_map(|list| list.children_named(RIM, "Value"))
                .map(|value| value.text().into_owned())
                .collect(),
        })
        .collect()
}

fn strings(element: Element<'_>, name: &str) -> Vec<LocalizedString> {
    element
        .child(RIM, name)
        .into_iter()
        .flat_map(|list| list.children_named(RIM, "LocalizedString"))
        .map(|string| LocalizedString {
            value: owned(string, "value").unwrap_or_default(),
            lang: string.attribute_ns(XML, "lang").map(str::to_owned),
            charset: owned(string, "charset"),
        })
        .collect()
}

fn owned(element: Element<'_>, name: &str) -> Option<String> {
    element.attribute(name).map(str::to_owned)
}

fn required(element: Element<'_>, name: &str) -> Result<String, MessageError> {
    owned(element, name).filter(|value| !value.is_empty()).ok_or_else(|| {
        MessageError(format!("{} (line {}) has no attribute {name}", element.name(), element.line()))
    })
}
