//! From the objects of a step to `lcm:SubmitObjectsRequest`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use xds::constants::ns;
use xml::{Document as Xml, Limits};

use crate::context::{Context, Sent};
use crate::entry::Entry;
use crate::scenario::{Association, Change, Document, Half, Object, Submission, Transaction};
use crate::template::{self, ASSOCIATION, DOCUMENT, FOLDER, SUBMISSION_SET, edited, render};

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
        builder.members.push((name, None));
    }
    for (index, association) in submission.association.iter().enumerate() {
        let name = format!("association-{number}-{index}");
        builder.association(association, &name)?;
        if association.kind == "HasMember" && association.source != SET {
            builder.members.push((name, None));
        }
    }
    if submission.members && !submission.set.is_empty() {
        for (index, (target, status)) in std::mem::take(&mut builder.members).into_iter().enumerate() {
            let member = Association {
                kind: "HasMember".into(),
                source: SET.into(),
                target,
                status: status.map(str::to_owned),
                id: None,
                change: Change::default(),
            };
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
    /// What the SubmissionSet has as members: name and SubmissionSetStatus.
    members: Vec<(String, Option<&'static str>)>,
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
        let values = self.values(&id, name)?;
        self.xml.push(render(template, &object.change, &values, &mut self.context.placeholders)?);
        Ok(id)
    }

    fn document(&mut self, document: &Document, name: String) -> Result<Option<BuiltDocument>, Error> {
        let id = self.id(&document.id, &name)?;
        let (xml, octets) = match self.context.prepared.get(&name) {
            Some(prepared) => (prepared.xml.clone(), prepared.octets.clone()),
            None => self.entry(document, &id, &name)?,
        };
        let sent = Sent { entry: self.read(&xml, &name)?, octets: octets.clone() };
        self.context.placeholders.set(format!("{name}.uniqueId"), sent.entry.value("uniqueId"));
        self.context.documents.insert(name.clone(), sent);
        if document.only != Some(Half::Octets) {
            self.xml.push(xml);
            self.members.push((name.clone(), Some("Original")));
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
        for key in ["hash", "size"] {
            let value = values.get(key).cloned().unwrap_or_default();
            self.context.placeholders.set(format!("{name}.{key}"), value);
        }
        let mut change = document.change.clone();
        if self.transaction == Transaction::Iti41 {
            // The repository adds them (TF-2 §3.41.4.1.3); sent only where a scenario gives them a value.
            let added = ["hash", "size", "repositoryUniqueId"];
            let given = |block: &&str| change.values.contains_key(*block) || change.xml.contains_key(*block);
            let absent: Vec<String> = added.into_iter().filter(|b| !given(b)).map(str::to_owned).collect();
            change
                .without
                .extend(absent.into_iter().filter(|block| !document.change.without.contains(block)));
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
        self.xml.push(render(ASSOCIATION, &change, &values, &mut self.context.placeholders)?);
        Ok(())
    }
}

/// The URN of a short name; anything else as it stands.
fn association_type(kind: &str) -> String {
    match kind {
        "HasMember" => "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember".into(),
        "RPLC" | "XFRM" | "APND" | "XFRM_RPLC" | "signs" => {
            format!("urn:ihe:iti:2007:AssociationType:{kind}")
        }
        "IsSnapshotOf" | "UpdateAvailabilityStatus" | "SubmitAssociation" => {
            format!("urn:ihe:iti:2010:AssociationType:{kind}")
        }
        other => other.to_owned(),
    }
}
