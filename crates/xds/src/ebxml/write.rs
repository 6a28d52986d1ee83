//! From the wire form to XML, children in the order of the schema. Names carry the prefixes `rim` and `lcm`;
//! [`SubmitObjects::write`] declares them, single objects are written for a place where `rim` is declared.

use xml::Writer;

use super::{
    Association, Classification, Common, ExternalIdentifier, ExtrinsicObject, LocalizedString,
    RegistryPackage, Slot, SubmitObjects,
};
use crate::constants::{OBJECT_TYPE_PREFIX, ns};

type Attributes<'a> = Vec<(&'a str, &'a str)>;

impl SubmitObjects {
    /// `lcm:SubmitObjectsRequest`.
    pub fn write(&self, w: &mut Writer) {
        w.open("lcm:SubmitObjectsRequest", &[("xmlns:lcm", ns::LCM), ("xmlns:rim", ns::RIM)]);
        w.open("rim:RegistryObjectList", &[]);
        self.extrinsic_objects.iter().for_each(|object| object.write(w));
        self.packages.iter().for_each(|object| object.write(w));
        self.associations.iter().for_each(|object| object.write(w));
        w.close().close();
    }
}

impl ExtrinsicObject {
    pub fn write(&self, w: &mut Writer) {
        let mut attributes = self.common.attributes();
        optional(&mut attributes, "mimeType", &self.mime_type);
        optional(&mut attributes, "isOpaque", &self.is_opaque);
        w.open("rim:ExtrinsicObject", &attributes);
        self.common.write_children(w);
        w.close();
    }
}

impl RegistryPackage {
    pub fn write(&self, w: &mut Writer) {
        w.open("rim:RegistryPackage", &self.common.attributes());
        self.common.write_children(w);
        w.close();
    }
}

impl Association {
    pub fn write(&self, w: &mut Writer) {
        let mut attributes = self.common.attributes();
        attributes.push(("associationType", &self.association_type));
        attributes.push(("sourceObject", &self.source_object));
        attributes.push(("targetObject", &self.target_object));
        w.open("rim:Association", &attributes);
        self.common.write_children(w);
        w.close();
    }
}

impl Common {
    fn attributes(&self) -> Attributes<'_> {
        let mut attributes = Vec::new();
        if !self.id.is_empty() {
            attributes.push(("id", self.id.as_str()));
        }
        optional(&mut attributes, "home", &self.home);
        optional(&mut attributes, "lid", &self.lid);
        optional(&mut attributes, "objectType", &self.object_type);
        optional(&mut attributes, "status", &self.status);
        attributes
    }

    fn write_children(&self, w: &mut Writer) {
        write_slots(w, &self.slots);
        write_strings(w, "rim:Name", &self.name);
        write_strings(w, "rim:Description", &self.description);
        if let Some(version) = &self.version_name {
            w.empty("rim:VersionInfo", &[("versionName", version)]);
        }
        self.classifications.iter().for_each(|classification| classification.write(w, &self.id));
        self.external_identifiers.iter().for_each(|identifier| identifier.write(w, &self.id));
    }
}

impl Classification {
    fn write(&self, w: &mut Writer, owner: &str) {
        let object_type = format!("{OBJECT_TYPE_PREFIX}Classification");
        let mut attributes = Vec::new();
        optional(&mut attributes, "id", &self.id);
        attributes.push(("objectType", &object_type));
        optional(&mut attributes, "classificationScheme", &self.scheme);
        optional(&mut attributes, "classificationNode", &self.node);
        attributes.push(("classifiedObject", self.classified_object.as_deref().unwrap_or(owner)));
        optional(&mut attributes, "nodeRepresentation", &self.node_representation);
        w.open("rim:Classification", &attributes);
        write_slots(w, &self.slots);
        write_strings(w, "rim:Name", &self.name);
        write_strings(w, "rim:Description", &self.description);
        w.close();
    }
}

impl ExternalIdentifier {
    fn write(&self, w: &mut Writer, owner: &str) {
        let object_type = format!("{OBJECT_TYPE_PREFIX}ExternalIdentifier");
        let mut attributes = Vec::new();
        optional(&mut attributes, "id", &self.id);
        attributes.push(("objectType", &object_type));
        attributes.push(("registryObject", self.registry_object.as_deref().unwrap_or(owner)));
        attributes.push(("identificationScheme", &self.identification_scheme));
        attributes.push(("value", &self.value));
        w.open("rim:ExternalIdentifier", &attributes);
        write_slots(w, &self.slots);
        write_strings(w, "rim:Name", &self.name);
        write_strings(w, "rim:Description", &self.description);
        w.close();
    }
}

fn write_slots(w: &mut Writer, slots: &[Slot]) {
    for slot in slots {
        let mut attributes = vec![("name", slot.name.as_str())];
        optional(&mut attributes, "slotType", &slot.slot_type);
        w.open("rim:Slot", &attributes).open("rim:ValueList", &[]);
        slot.values.iter().for_each(|value| {
            w.element("rim:Value", &[], value);
        });
        w.close().close();
    }
}

fn write_strings(w: &mut Writer, name: &'static str, strings: &[LocalizedString]) {
    if strings.is_empty() {
        return;
    }
    w.open(name, &[]);
    for string in strings {
        let mut attributes = Vec::new();
        optional(&mut attributes, "xml:lang", &string.lang);
        optional(&mut attributes, "charset", &string.charset);
        attributes.push(("value", &string.value));
        w.empty("rim:LocalizedString", &attributes);
    }
    w.close();
}

fn optional<'a>(attributes: &mut Attributes<'a>, name: &'a str, value: &'a Option<String>) {
    if let Some(value) = value {
        attributes.push((name, value));
    }
}
