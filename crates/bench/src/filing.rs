//! One submission of invented documents, and the same as a template.

use anyhow::{Context, bail};
use cda::facts::HeaderFacts;
use cda::metadata::{Defaults, Draft};
use uuid::Uuid;
use xds::constants::action;
use xds::ebxml::SubmitObjects;
use xds::message::{Content, ProvideAndRegister};
use xds::metadata::{Association, AssociationType, Code, DocumentEntry, SubmissionSet, SubmissionSetStatus};
use xds::value::{Dtm, uuid_urn};

use crate::document::{self, Facts};
use crate::people::{self, Patient, Professional};
use crate::template::Template;

/// The OID of the source that these submissions come from.
const SOURCE: &str = "1.2.250.1.999.6.3";
/// Stands for the rest of a patient's number, behind sex, year and month of birth.
const REST: u32 = 99_999_999;
const CREATED: &str = "20250101120000";

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cda,
    Pdf,
}

/// A submission whose ids are placeholders.
pub struct Filing {
    pub set: SubmissionSet,
    pub entries: Vec<DocumentEntry>,
    pub associations: Vec<Association>,
    pub documents: Vec<Vec<u8>>,
    /// What the header of each document tells.
    pub facts: Vec<HeaderFacts>,
    /// Sex, year and month of birth of its patient: how the INS of those begin for whom it can be filed.
    pub prefix: String,
}

/// The placeholders of a filing of `documents`, in the order in which values are given.
pub struct Placeholders {
    pub ins: String,
    pub set: Uuid,
    pub set_unique_id: String,
    pub created: &'static str,
    pub entries: Vec<Uuid>,
    pub unique_ids: Vec<String>,
    pub associations: Vec<Uuid>,
}

impl Placeholders {
    fn new(prefix: &str, documents: usize) -> Placeholders {
        let mut rng = fastrand::Rng::with_seed(0x0063_6172_6e65_7400);
        let mut ids = || -> Vec<Uuid> { (0..documents).map(|_| crate::ids::uuid(&mut rng)).collect() };
        let (entries, associations) = (ids(), ids());
        Placeholders {
            ins: people::ins(prefix, REST),
            set: crate::ids::uuid(&mut rng),
            set_unique_id: crate::ids::unique_id(&mut rng),
            created: CREATED,
            entries,
            unique_ids: (0..documents).map(|_| crate::ids::unique_id(&mut rng)).collect(),
            associations,
        }
    }

    /// As texts: patient, time, set, uniqueId of the set; then of each document its id, uniqueId and association.
    pub fn texts(&self) -> Vec<String> {
        let mut texts =
            vec![self.ins.clone(), self.created.to_owned(), self.set.to_string(), self.set_unique_id.clone()];
        let ids = self.entries.iter().zip(&self.unique_ids).zip(&self.associations);
        texts.extend(ids.flat_map(|((entry, unique_id), association)| {
            [entry.to_string(), unique_id.clone(), association.to_string()]
        }));
        texts
    }
}

impl Filing {
    pub fn new(
        rng: &mut fastrand::Rng,
        kind: Kind,
        documents: usize,
        size: usize,
    ) -> anyhow::Result<(Filing, Placeholders)> {
        let mut patient = Patient::new(rng);
        let prefix = patient.prefix().to_owned();
        let ids = Placeholders::new(&prefix, documents);
        patient.ins = ids.ins.clone();
        let author = Professional::new(rng);
        let (mut entries, mut octets, mut header_facts) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, unique_id) in ids.entries.iter().zip(&ids.unique_ids) {
            let facts = Facts { unique_id, created: ids.created };
            let text = document::cda(rng, &patient, &author, &facts, size);
            let Draft { mut entry, facts: told, .. } = described(&text, *entry)?;
            header_facts.push(told);
            match kind {
                Kind::Cda => octets.push(text.into_bytes()),
                Kind::Pdf => {
                    entry.mime_type = "application/pdf".to_owned();
                    entry.format_code = Code::new(
                        "urn:ihe:iti:xds-sd:pdf:2008",
                        "1.3.6.1.4.1.19376.1.2.3",
                        "Document au format PDF",
                    );
                    octets.push(document::pdf(rng, size));
                }
            }
            entries.push(entry);
        }
        let set = SubmissionSet {
            entry_uuid: ids.set,
            authors: entries.first().map(|entry| entry.authors.clone()).unwrap_or_default(),
            comments: None,
            content_type_code: Code::new("03", "1.2.250.1.213.2.2", "Hospitalisation"),
            home_community_id: None,
            intended_recipients: Vec::new(),
            patient_id: patient.cx(),
            source_id: SOURCE.to_owned(),
            submission_time: Dtm::parse(ids.created)?,
            title: None,
            unique_id: ids.set_unique_id.clone(),
            extra: Vec::new(),
        };
        let member = |(id, target): (&Uuid, &Uuid)| Association {
            entry_uuid: *id,
            association_type: AssociationType::HasMember,
            source: ids.set,
            target: *target,
            submission_set_status: Some(SubmissionSetStatus::Original),
            documentation: None,
            extra: Vec::new(),
        };
        let associations = ids.associations.iter().zip(&ids.entries).map(member).collect();
        Ok((Filing { set, entries, associations, documents: octets, facts: header_facts, prefix }, ids))
    }

    pub fn objects(&self) -> SubmitObjects {
        SubmitObjects {
            extrinsic_objects: self.entries.iter().map(DocumentEntry::to_ebxml).collect(),
            packages: vec![self.set.to_ebxml()],
            associations: self.associations.iter().map(Association::to_ebxml).collect(),
            findings: Vec::new(),
        }
    }
}

/// The metadata that a document's header gives.
fn described(text: &str, id: Uuid) -> anyhow::Result<Draft> {
    let limits = xml::Limits { bytes: usize::MAX, ..xml::Limits::default() };
    let header = cda::read(text.as_bytes(), &limits).context("an invented document is no CDA")?;
    match cda::metadata::document_entry(&header, &Defaults::default(), id) {
        Ok(draft) => Ok(draft),
        Err(missing) => bail!("an invented document does not say {}", missing.len()),
    }
}

/// A Provide and Register message (ITI-41) as an MTOM package, ready to be sent again and again.
pub struct Message {
    pub content_type: String,
    pub template: Template,
    pub documents: usize,
    pub prefix: String,
}

impl Message {
    pub fn new(
        rng: &mut fastrand::Rng,
        kind: Kind,
        documents: usize,
        size: usize,
        to: &str,
    ) -> anyhow::Result<Message> {
        let (filing, ids) = Filing::new(rng, kind, documents, size)?;
        let content_id = |index: usize| format!("document-{}@bench", index + 1);
        let contents = filing.entries.iter().enumerate();
        let contents =
            contents.map(|(index, entry)| (uuid_urn(entry.entry_uuid), Content::Part(content_id(index))));
        let request = ProvideAndRegister { objects: filing.objects(), documents: contents.collect() };
        let message_id = uuid_urn(crate::ids::uuid(rng));
        let header = soap::Header::request(action::ITI_41, &message_id, to);
        let envelope = soap::write(&header, |w| request.write(w));
        let heads = soap::package::Heads::new(action::ITI_41);
        let mut octets = (heads.root() + &envelope).into_bytes();
        for (index, (entry, document)) in filing.entries.iter().zip(&filing.documents).enumerate() {
            octets.extend_from_slice(heads.part(&content_id(index), &entry.mime_type).as_bytes());
            octets.extend_from_slice(document);
        }
        octets.extend_from_slice(heads.end().as_bytes());
        let mut placeholders = ids.texts();
        placeholders.push(message_id.trim_start_matches("urn:uuid:").to_owned());
        let placeholders: Vec<&str> = placeholders.iter().map(String::as_str).collect();
        Ok(Message {
            content_type: heads.content_type(),
            template: Template::new(octets, &placeholders),
            documents,
            prefix: filing.prefix,
        })
    }

    /// The message for a patient, and the uniqueIds of its documents.
    pub fn filled(&self, rng: &mut fastrand::Rng, ins: &str) -> (Vec<u8>, Vec<String>) {
        let unique_ids: Vec<String> = (0..self.documents).map(|_| crate::ids::unique_id(rng)).collect();
        let mut values = vec![
            ins.to_owned(),
            crate::ids::time(rng),
            crate::ids::uuid(rng).to_string(),
            crate::ids::unique_id(rng),
        ];
        for unique_id in &unique_ids {
            values.extend([
                crate::ids::uuid(rng).to_string(),
                unique_id.clone(),
                crate::ids::uuid(rng).to_string(),
            ]);
        }
        values.push(crate::ids::uuid(rng).to_string());
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        (self.template.filled(&values), unique_ids)
    }
}
