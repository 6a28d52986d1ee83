//! From the objects of a step to `lcm:SubmitObjectsRequest`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use xds::constants::{DOCUMENT_ENTRY_ON_DEMAND, ns};
use xml::{Document as Xml, Limits, Writer};

use crate::context::{Context, Sent};
use crate::entry::{Entry, Kind};
use crate::scenario::{Association, Change, Document, Half, Object, Submission, Version};
use crate::template::{self, ASSOCIATION, DOCUMENT, FOLDER, SUBMISSION_SET, edited, render};
use crate::transaction::{Transaction, association_type};

/// The first SubmissionSet of the step, as an end of associations.
const SET: &str = "set";

/// A submission ready to be put into a body.
pub struct Built {
    /// `lcm:SubmitObjectsRequest`.
    pub objects: String,
    pub documents: Vec<BuiltDocument>,
}

pub struct BuiltDocument {
    pub name: String,
    /// `Document/@id`.
    pub id: String,
    pub octets: Bytes,
    pub inline: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Template(#[from] template::Error),
    #[error("there is no object {0}")]
    NoObject(String),
    #[error("{0}: not base64")]
    Base64(String),
    #[error("{0}: the metadata of the scenario are not well-formed: {1}")]
    Xml(String, xml::Error),
}

/// `number`: of the step, for names of objects that have none.
pub fn build(
    submission: &Submission,
    number: usize,
    transaction: Transaction,
    context: &mut Context,
) -> Result<Built, Error> {
    let documents = match &submission.document {
        Some(documents) => documents.clone(),
        None if submission.folder.is_empty() && submission.association.is_empty() => {
            vec![Document::default()]
        }
        None => Vec::new(),
    };
    let mut builder = Builder { number, transaction, context, xml: Vec::new(), members: Vec::new() };
    for (index, set) in submission.set.iter().enumerate() {
        let name = set.name.clone().unwrap_or_else(|| format!("set-{number}-{index}"));
        let id = builder.package(SUBMISSION_SET, set, &name)?;
        if index == 0 {
            builder.context.ids.insert(SET.to_owned(), id);
            let sent = builder.context.objects.get(&name).cloned();
            let sent = sent.unwrap_or(Sent { entry: Entry::default(), octets: None });
            builder.remember(SET, sent);
        }
    }
    let mut built = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let name = document.name.clone().unwrap_or_else(|| format!("document-{number}-{index}"));
        built.extend(builder.document(document, name)?);
    }
    for (index, folder) in submission.folder.iter().enumerate() {
        let name = folder.name.clone().unwrap_or_else(|| format!("folder-{number}-{index}"));
        builder.package(FOLDER, folder, &name)?;
        builder.member(name, None, &folder.version);
    }
    // One may lead to another that comes later.
    for (index, association) in submission.association.iter().enumerate() {
        let name = association.name.clone().unwrap_or_else(|| format!("association-{number}-{index}"));
        builder.id(&association.id, &name)?;
    }
    for (index, association) in submission.association.iter().enumerate() {
        let name = association.name.clone().unwrap_or_else(|| format!("association-{number}-{index}"));
        builder.association(association, &name)?;
        if association.kind == "HasMember" && association.source != SET && !transaction.updates() {
            builder.member(name, None, &Version::default());
        }
    }
    if submission.members && !submission.set.is_empty() {
        for (index, member) in std::mem::take(&mut builder.members).into_iter().enumerate() {
            builder.association(&member, &format!("member-{number}-{index}"))?;
        }
    }
    let Builder { xml, context, .. } = builder;
    let objects = format!(
        "<lcm:SubmitObjectsRequest xmlns:lcm=\"{}\" xmlns:rim=\"{}\">\n<rim:RegistryObjectList>\n{}{}\n\
         </rim:RegistryObjectList>\n</lcm:SubmitObjectsRequest>",
        ns::LCM,
        ns::RIM,
        xml.concat(),
        context.placeholders.xml(&submission.more).map_err(template::Error::from)?,
    );
    Ok(Built { objects: edited(objects, &submission.edit, &mut context.placeholders)?, documents: built })
}

struct Builder<'a> {
    number: usize,
    transaction: Transaction,
    context: &'a mut Context,
    xml: Vec<String>,
    /// HasMember associations of the SubmissionSet.
    members: Vec<Association>,
}

type Values = BTreeMap<String, String>;

impl Builder<'_> {
    /// `id` as the scenario wants it, or a fresh UUID that stays the same under `name`.
    fn id(&mut self, id: &Option<String>, name: &str) -> Result<String, Error> {
        let id = id.clone().unwrap_or_else(|| format!("{{{{uuid:{name}}}}}"));
        let id = self.text(&id)?;
        self.context.ids.insert(name.to_owned(), id.clone());
        Ok(id)
    }

    fn text(&mut self, text: &str) -> Result<String, Error> {
        Ok(self.context.placeholders.text(text).map_err(template::Error::from)?)
    }

    /// What every object takes from the scenario unless it says otherwise.
    fn values(&mut self, id: &str, name: &str) -> Result<Values, Error> {
        let unique_id = self.text(&format!("{{{{oid:{name}}}}}"))?;
        let patient_id = self.text("{{patient}}")?;
        let values = [("id", id), ("name", name), ("uniqueId", &unique_id), ("patientId", &patient_id)];
        Ok(values.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
    }

    fn package(&mut self, template: &str, object: &Object, name: &str) -> Result<String, Error> {
        let id = self.id(&object.id, name)?;
        let mut values = self.values(&id, name)?;
        let mut change = object.change.clone();
        if template == FOLDER {
            self.version(&object.version, &mut values, &mut change)?;
        }
        let xml = render(template, &change, &values, &mut self.context.placeholders)?;
        let mut entry = self.read(&xml, name)?;
        entry.kind = if template == FOLDER { Kind::Folder } else { Kind::SubmissionSet };
        self.xml.push(xml);
        self.remember(name, Sent { entry, octets: None });
        Ok(id)
    }

    /// The HasMember of the SubmissionSet that makes the object `target` a part of the submission.
    fn member(&mut self, target: String, status: Option<&str>, version: &Version) {
        let slot = |name: &str, value: &Option<String>| Some(vec![name.to_owned(), value.clone()?]);
        let slots = [
            slot("PreviousVersion", &version.previous),
            slot("AssociationPropagation", &version.propagation),
        ];
        self.members.push(Association {
            name: None,
            kind: "HasMember".into(),
            source: SET.into(),
            target,
            status: status.map(str::to_owned),
            slots: slots.into_iter().flatten().collect(),
            id: None,
            change: Change::default(),
        });
    }

    /// Takes from an older version what every version has in common.
    fn version(&mut self, version: &Version, values: &mut Values, change: &mut Change) -> Result<(), Error> {
        let mut logical_id = None;
        if let Some(of) = &version.of {
            let sent = self.context.objects.get(of).ok_or_else(|| Error::NoObject(of.clone()))?;
            let id = [sent.entry.value("logicalID"), sent.entry.value("entryUUID")];
            logical_id = id.into_iter().find(|id| !id.is_empty()).map(str::to_owned);
            values.insert("uniqueId".into(), sent.entry.value("uniqueId").to_owned());
            for attribute in ["hash", "size", "repositoryUniqueId"] {
                let value = match sent.entry.value(attribute) {
                    "" => self.context.placeholders.text(&format!("{{{{{of}.{attribute}|}}}}")),
                    value => Ok(value.to_owned()),
                };
                let value = value.map_err(template::Error::from)?;
                if !value.is_empty() {
                    values.insert(attribute.into(), value);
                }
            }
        }
        if let Some(id) = &version.logical_id {
            logical_id = Some(self.text(id)?);
        }
        match logical_id {
            Some(id) => drop(values.insert("lid".into(), id)),
            None => change.without.push("lid".into()),
        }
        Ok(())
    }

    /// What later steps can say of the object.
    fn remember(&mut self, name: &str, sent: Sent) {
        let placeholders = &mut self.context.placeholders;
        placeholders.set(format!("{name}.uniqueId"), sent.entry.value("uniqueId"));
        let id = sent.entry.value("entryUUID");
        if id.starts_with("urn:uuid:") {
            placeholders.set(format!("{name}.entryUUID"), id);
        }
        self.context.objects.insert(name.to_owned(), sent);
    }

    fn document(&mut self, document: &Document, name: String) -> Result<Option<BuiltDocument>, Error> {
        let id = self.id(&document.id, &name)?;
        let (xml, octets) = match self.context.prepared.get(&name) {
            Some(prepared) => (prepared.xml.clone(), prepared.octets.clone()),
            None => self.entry(document, &id, &name)?,
        };
        let has_octets = self.transaction != Transaction::Iti61;
        let old = document.version.of.as_ref().and_then(|of| self.context.objects.get(of));
        let kept = match old {
            Some(old) => old.octets.clone(),
            None => has_octets.then(|| octets.clone()),
        };
        let sent = Sent { entry: self.read(&xml, &name)?, octets: kept };
        self.remember(&name, sent);
        if document.only != Some(Half::Octets) {
            self.xml.push(xml);
            self.member(name.clone(), Some("Original"), &document.version);
        }
        let inline = document.inline;
        Ok((document.only != Some(Half::Metadata)).then_some(BuiltDocument { name, id, octets, inline }))
    }

    fn entry(&mut self, document: &Document, id: &str, name: &str) -> Result<(String, Bytes), Error> {
        let octets = match (&document.base64, &document.content) {
            (Some(base64), _) => STANDARD.decode(base64).map_err(|_| Error::Base64(name.to_owned()))?,
            (None, Some(text)) => self.text(text)?.into_bytes(),
            (None, None) => {
                format!("Step {} of a conformance test.\n{name}: {id}\n", self.number).into_bytes()
            }
        };
        let mut values = self.values(id, name)?;
        let hash: String = openssl::sha::sha1(&octets).iter().map(|byte| format!("{byte:02x}")).collect();
        values.insert("hash".into(), hash);
        values.insert("size".into(), octets.len().to_string());
        values.insert("repositoryUniqueId".into(), self.text("{{repository|}}")?);
        let mut change = document.change.clone();
        self.version(&document.version, &mut values, &mut change)?;
        for key in ["hash", "size"] {
            let value = values.get(key).cloned().unwrap_or_default();
            self.context.placeholders.set(format!("{name}.{key}"), value);
        }
        // Left out unless a scenario gives them a value: for ITI-41 the repository adds them (TF-2 3.41.4.1.3),
        // an on-demand entry has none (TF-2 3.61.4.1.2).
        let left_out: &[&str] = match self.transaction {
            Transaction::Iti41 => &["hash", "size", "repositoryUniqueId"],
            Transaction::Iti61 => &["creationTime", "hash", "size"],
            _ => &[],
        };
        let given = |block: &str| {
            change.values.contains_key(block)
                || change.xml.contains_key(block)
                || change.without.iter().any(|without| without == block)
        };
        let left_out: Vec<String> =
            left_out.iter().filter(|block| !given(block)).map(|block| (*block).to_owned()).collect();
        change.without.extend(left_out);
        if self.transaction == Transaction::Iti61 {
            values.insert("objectType".into(), DOCUMENT_ENTRY_ON_DEMAND.to_owned());
        }
        Ok((render(DOCUMENT, &change, &values, &mut self.context.placeholders)?, octets.into()))
    }

    fn read(&self, xml: &str, name: &str) -> Result<Entry, Error> {
        let text = format!("<r xmlns:rim=\"{}\">{xml}</r>", ns::RIM);
        let document = Xml::parse(&text, &Limits::default()).map_err(|e| Error::Xml(name.to_owned(), e))?;
        Ok(document.root().children().next().map(Entry::read).unwrap_or_default())
    }

    fn association(&mut self, association: &Association, name: &str) -> Result<(), Error> {
        let id = self.id(&association.id, name)?;
        let (source, target) = (self.text(&association.source)?, self.text(&association.target)?);
        let mut values = Values::from([
            ("id".to_owned(), id),
            ("name".to_owned(), name.to_owned()),
            ("type".to_owned(), association_type(&association.kind)),
            ("source".to_owned(), self.context.id(&source)),
            ("target".to_owned(), self.context.id(&target)),
        ]);
        let mut change = association.change.clone();
        match &association.status {
            Some(status) => drop(values.insert("submissionSetStatus".into(), status.clone())),
            None => change.without.push("submissionSetStatus".into()),
        }
        for slot in &association.slots {
            let Some((slot_name, slot_values)) = slot.split_first() else { continue };
            let mut w = Writer::new();
            w.open("rim:Slot", &[("name", slot_name)]).open("rim:ValueList", &[]);
            for value in slot_values {
                w.element(
                    "rim:Value",
                    &[],
                    &self.context.placeholders.text(value).map_err(template::Error::from)?,
                );
            }
            w.close().close();
            change.xml.entry("moreSlots".into()).or_default().push_str(&w.finish());
        }
        let xml = render(ASSOCIATION, &change, &values, &mut self.context.placeholders)?;
        let entry = self.read(&xml, name)?;
        self.xml.push(xml);
        self.remember(name, Sent { entry, octets: None });
        Ok(())
    }
}
