//! Lines for COPY, prebuilt: numbers and ids have a fixed width and are put in place.

use anyhow::{Context, anyhow};
use bytes::Bytes;
use cda::facts::HeaderFacts;
use openssl::sha::{sha1, sha256};
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::metadata::{Author, Code, DocumentEntry};
use xds::submission::{Rules, Transaction, ValidSubmission};
use xds::value::Dtm;

use crate::filing::{Filing, Kind};
use crate::ids;
use crate::stage::SMALL;
use crate::template::Template;

/// Stand for the number of a record and the key of a blob.
const RECORD: u64 = 900_000_000_000_000_001;
const BLOB: Uuid = Uuid::from_u128(0x6265_6e63_6800_4000_8000_0000_0000_0002);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Record,
    PatientIdentifier,
    SubmissionSet,
    DocumentEntry,
    Association,
    Object,
    UniqueId,
    HeaderFact,
    Document,
}

pub const TABLES: &[Table] = &[
    Table::Record,
    Table::PatientIdentifier,
    Table::SubmissionSet,
    Table::DocumentEntry,
    Table::Association,
    Table::Object,
    Table::UniqueId,
    Table::HeaderFact,
    Table::Document,
];

impl Table {
    pub fn name(self) -> &'static str {
        match self {
            Table::Record => "record",
            Table::PatientIdentifier => "patient_identifier",
            Table::SubmissionSet => "submission_set",
            Table::DocumentEntry => "document_entry",
            Table::Association => "association",
            Table::Object => "object",
            Table::UniqueId => "unique_id",
            Table::HeaderFact => "header_fact",
            Table::Document => "document",
        }
    }

    fn columns(self) -> &'static str {
        match self {
            Table::Record => "record",
            Table::PatientIdentifier => "authority, value, record",
            Table::SubmissionSet => {
                "record, entry_uuid, unique_id, source_id, patient_id, submission_time, content_type_code, author_persons, \
                 intended_recipients, status, fragment"
            }
            Table::DocumentEntry => {
                "record, entry_uuid, logical_id, submission_set, document_type, status, unique_id, repository_unique_id, \
                 patient_id, hash, size, mime_type, class_code, type_code, format_code, practice_setting_code, \
                 healthcare_facility_type_code, event_codes, confidentiality_codes, author_persons, reference_ids, \
                 creation_time, service_start_time, service_stop_time, fragment"
            }
            Table::Association => {
                "record, entry_uuid, submission_set, association_type, source, target, status, submission_set_status, fragment"
            }
            Table::Object => "entry_uuid, record, kind",
            Table::UniqueId => "value, kind, entry_uuid, record",
            Table::HeaderFact => {
                "record, entry_uuid, set_id, version_number, ins, ins_authority, birth_name, birth_given, used_name, \
                 used_given, gender, birth_date, birth_place"
            }
            Table::Document => "unique_id, blob, mime_type, size, sha1, sha256, state, patient_id",
        }
    }

    pub fn copy(self) -> String {
        format!("copy {} ({}) from stdin", self.name(), self.columns())
    }

    /// Whether the last column is a fragment.
    fn has_fragment(self) -> bool {
        matches!(self, Table::SubmissionSet | Table::DocumentEntry | Table::Association)
    }

    pub fn once_for_patient(self) -> bool {
        matches!(self, Table::Record | Table::PatientIdentifier)
    }
}

/// The lines of one submission, in every table.
pub struct Shape {
    pub prefix: String,
    authority: String,
    /// The octets of its documents, which are the same for every patient.
    pub documents: Vec<Bytes>,
    templates: Vec<(Table, Template)>,
}

impl Shape {
    pub fn new(rng: &mut fastrand::Rng, documents: usize, repository: &str) -> anyhow::Result<Shape> {
        let (mut filing, ids) = Filing::new(rng, Kind::Cda, documents, SMALL)?;
        for (entry, octets) in filing.entries.iter_mut().zip(&filing.documents) {
            entry.hash = Some(blob::hex(&sha1(octets)));
            entry.size = Some(octets.len() as u64);
            entry.repository_unique_id = Some(repository.to_owned());
        }
        let rules = Rules::default();
        let valid =
            ValidSubmission::check(filing.objects(), Transaction::Iti42, &rules, &mut || ids::uuid(rng));
        let valid =
            valid.map_err(|refused| anyhow!("an invented submission is refused: {:?}", refused.findings))?;
        let mut placeholders = ids.texts();
        placeholders.extend([RECORD.to_string(), BLOB.simple().to_string()]);
        let placeholders: Vec<&str> = placeholders.iter().map(String::as_str).collect();
        let mut templates = Vec::new();
        for table in TABLES.iter().copied().filter(|table| !table.once_for_patient()) {
            let lines = lines(table, &filing, &valid)?;
            // Of documents each has a blob of its own: a template for each line.
            match table {
                Table::Document => {
                    let each = lines.split_inclusive('\n');
                    templates.extend(each.map(|line| (table, Template::new(line, &placeholders))));
                }
                _ => templates.push((table, Template::new(lines, &placeholders))),
            }
        }
        let authority = filing.set.patient_id.authority.clone();
        let documents = filing.documents.into_iter().map(Bytes::from).collect();
        Ok(Shape { prefix: filing.prefix, authority, documents, templates })
    }

    /// What a submission is told apart by: of patient, time and set, then of each document.
    fn values(&self, ins: &str, rng: &mut fastrand::Rng) -> Vec<String> {
        let mut values =
            vec![ins.to_owned(), ids::time(rng), ids::uuid(rng).to_string(), ids::unique_id(rng)];
        for _ in &self.documents {
            values.extend([ids::uuid(rng).to_string(), ids::unique_id(rng), ids::uuid(rng).to_string()]);
        }
        values
    }

    /// The uniqueId of one of the documents of a submission, and its octets.
    pub fn document(&self, number: usize, rng: &mut fastrand::Rng) -> Option<(String, Bytes)> {
        let unique_id = self.values("", rng).into_iter().nth(4 + 3 * number + 1)?;
        Some((unique_id, self.documents.get(number)?.clone()))
    }

    /// The line of a table that has one for each patient.
    pub fn patient_line(&self, table: Table, record: u64, ins: &str, out: &mut Vec<u8>) {
        let line = match table {
            Table::Record => format!("{record}\n"),
            _ => format!("{}\t{ins}\t{record}\n", self.authority),
        };
        out.extend_from_slice(line.as_bytes());
    }

    /// The lines of one submission. `rng` gives the same ids for every table.
    pub fn submission_lines(
        &self,
        table: Table,
        record: u64,
        ins: &str,
        rng: &mut fastrand::Rng,
        out: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        let mut values = self.values(ins, rng);
        values.push(format!("{record:018}"));
        for (_, template) in self.templates.iter().filter(|(of, _)| *of == table) {
            let blob = ids::uuid(rng).simple().to_string();
            let values: Vec<&str> = values.iter().map(String::as_str).chain([blob.as_str()]).collect();
            match table.has_fragment() {
                true => pack_fragments(&template.filled(&values), out)?,
                false => template.fill(&values, out),
            }
        }
        Ok(())
    }
}

/// Copies lines, with the fragment at the end of each as it is stored.
fn pack_fragments(lines: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
    for line in lines.split_inclusive(|octet| *octet == b'\n') {
        let (columns, text) = line.split_at(memchr::memrchr(b'\t', line).map_or(0, |tab| tab + 1));
        let fragment = Fragment::from_stored(&unescaped(text)).context("an invented fragment is none")?;
        out.extend_from_slice(columns);
        out.extend_from_slice(b"\\\\x");
        // A text for each octet would take longer than all else of a line.
        out.extend(fragment.to_stored().into_iter().flat_map(hex));
        out.push(b'\n');
    }
    Ok(())
}

fn hex(octet: u8) -> [u8; 2] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    [digit(octet >> 4), digit(octet & 15)]
}

/// What [`Line::text`] was given, with the end of the line left out.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut octets = text.strip_suffix(b"\n").unwrap_or(text).iter();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        plain.push(match octet {
            b'\\' => match octets.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                _ => b'\\',
            },
            octet => *octet,
        });
    }
    plain
}

/// The lines of a submission in one table, with placeholders.
fn lines(table: Table, filing: &Filing, valid: &ValidSubmission) -> anyhow::Result<String> {
    let set = &filing.set;
    let fragment = |id: Uuid| -> anyhow::Result<String> {
        Ok(valid.fragment(id).context("an object is not of its submission")?.as_str().to_owned())
    };
    let mut all = String::new();
    match table {
        Table::Record | Table::PatientIdentifier => {}
        Table::SubmissionSet => Line::of(&mut all)
            .text(RECORD)
            .text(set.entry_uuid)
            .text(&set.unique_id)
            .text(&set.source_id)
            .text(&set.patient_id.text)
            .text(set.submission_time.padded())
            .text(set.content_type_code.key())
            .list(persons(&set.authors))
            .list(&set.intended_recipients)
            .text("Approved")
            .text(fragment(set.entry_uuid)?)
            .end(),
        Table::DocumentEntry => {
            for entry in &filing.entries {
                document_entry(entry, set.entry_uuid, fragment(entry.entry_uuid)?, &mut all);
            }
        }
        Table::Association => {
            for association in &filing.associations {
                Line::of(&mut all)
                    .text(RECORD)
                    .text(association.entry_uuid)
                    .text(set.entry_uuid)
                    .text(association.association_type.urn())
                    .text(association.source)
                    .text(association.target)
                    .text("Approved")
                    .text("Original")
                    .text(fragment(association.entry_uuid)?)
                    .end();
            }
        }
        Table::Object => {
            let mut object = |id: Uuid, kind: &str| Line::of(&mut all).text(id).text(RECORD).text(kind).end();
            object(set.entry_uuid, "SubmissionSet");
            filing.entries.iter().for_each(|entry| object(entry.entry_uuid, "DocumentEntry"));
            filing.associations.iter().for_each(|association| object(association.entry_uuid, "Association"));
        }
        Table::UniqueId => {
            let mut unique = |value: &str, kind: &str, id: Uuid| {
                Line::of(&mut all).text(value).text(kind).text(id).text(RECORD).end();
            };
            unique(&set.unique_id, "SubmissionSet", set.entry_uuid);
            filing.entries.iter().for_each(|e| unique(&e.unique_id, "DocumentEntry", e.entry_uuid));
        }
        Table::HeaderFact => {
            for (entry, facts) in filing.entries.iter().zip(&filing.facts) {
                header_fact(entry, facts, &mut all);
            }
        }
        Table::Document => {
            for (entry, octets) in filing.entries.iter().zip(&filing.documents) {
                Line::of(&mut all)
                    .text(&entry.unique_id)
                    .text(BLOB.simple())
                    .text(&entry.mime_type)
                    .text(octets.len())
                    .text(blob::hex(&sha1(octets)))
                    .text(blob::hex(&sha256(octets)))
                    .text("registered")
                    .text(&entry.patient_id.text)
                    .end();
            }
        }
    }
    Ok(all)
}

fn document_entry(entry: &DocumentEntry, set: Uuid, fragment: String, all: &mut String) {
    let keys = |codes: &[Code]| codes.iter().map(Code::key).collect::<Vec<_>>();
    Line::of(all)
        .text(RECORD)
        .text(entry.entry_uuid)
        .text(entry.entry_uuid)
        .text(set)
        .text("Stable")
        .text("Approved")
        .text(&entry.unique_id)
        .maybe(entry.repository_unique_id.as_ref())
        .text(&entry.patient_id.text)
        .maybe(entry.hash.as_ref())
        .maybe(entry.size)
        .text(&entry.mime_type)
        .text(entry.class_code.key())
        .text(entry.type_code.key())
        .text(entry.format_code.key())
        .text(entry.practice_setting_code.key())
        .text(entry.healthcare_facility_type_code.key())
        .list(keys(&entry.event_codes))
        .list(keys(&entry.confidentiality_codes))
        .list(persons(&entry.authors))
        .list(&entry.reference_ids)
        .maybe(entry.creation_time.as_ref().map(Dtm::padded))
        .maybe(entry.service_start_time.as_ref().map(Dtm::padded))
        .maybe(entry.service_stop_time.as_ref().map(Dtm::padded))
        .text(fragment)
        .end();
}

fn header_fact(entry: &DocumentEntry, facts: &HeaderFacts, all: &mut String) {
    Line::of(all)
        .text(RECORD)
        .text(entry.entry_uuid)
        .maybe(facts.set_id.as_ref())
        .maybe(facts.version_number)
        .maybe(facts.ins.as_ref())
        .maybe(facts.ins_authority.as_ref())
        .maybe(facts.birth_name.as_ref())
        .maybe(facts.birth_given.as_ref())
        .maybe(facts.used_name.as_ref())
        .maybe(facts.used_given.as_ref())
        .maybe(facts.gender.as_ref())
        .maybe(facts.birth_date.as_ref())
        .maybe(facts.birth_place.as_ref())
        .end();
}

fn persons(authors: &[Author]) -> Vec<&str> {
    authors.iter().filter_map(|author| author.person.as_deref()).collect()
}

/// A line in the text form of COPY.
struct Line<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl<'a> Line<'a> {
    fn of(out: &'a mut String) -> Line<'a> {
        Line { out, is_first: true }
    }

    fn begin(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push('\t');
        }
    }

    fn text(mut self, value: impl ToString) -> Self {
        self.begin();
        for character in value.to_string().chars() {
            match character {
                '\\' => self.out.push_str("\\\\"),
                '\t' => self.out.push_str("\\t"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                other => self.out.push(other),
            }
        }
        self
    }

    fn end(self) {
        self.out.push('\n');
    }

    fn maybe(mut self, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => {
                self.begin();
                self.out.push_str("\\N");
                self
            }
        }
    }

    fn list(self, values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let quoted = |value: &str| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        let values: Vec<String> = values.into_iter().map(|value| quoted(value.as_ref())).collect();
        self.text(format!("{{{}}}", values.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_copy_reads_them() {
        let mut out = String::new();
        Line::of(&mut out).text("a\tb\\c").maybe(None::<&str>).list(["x\"y", "é"]).end();
        assert_eq!(out, "a\\tb\\\\c\t\\N\t{\"x\\\\\"y\",\"é\"}\n");
    }

    #[test]
    fn a_fragment_at_the_end_of_a_line_is_packed() {
        let (text, mut line, mut packed) = ("<a>\t\\\r\n</a>", String::new(), Vec::new());
        Line::of(&mut line).text("a\tb").text(text).end();
        pack_fragments(line.repeat(2).as_bytes(), &mut packed).unwrap();
        let packed = String::from_utf8(packed).unwrap();
        let lines: Vec<&str> = packed.lines().collect();
        assert_eq!(lines[0], lines[1]);
        let hex = lines[0].strip_prefix("a\\tb\t\\\\x").unwrap();
        let octets: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert_eq!(Fragment::from_stored(&octets).unwrap().as_str(), text);
    }
}
