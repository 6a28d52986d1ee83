//! CDA documents, each filed with the metadata of its own header, found, and read back.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use cda::metadata::{Defaults, document_entry};
use xds::metadata::Code;
use xds::value::{Cx, parse_uuid_urn};
use xml::Writer;

use crate::context::{Context, Prepared};

/// A document with the name under which the report shows it.
pub struct Document {
    pub name: String,
    pub octets: Bytes,
}

/// The CDA documents below `folder`, in order of their names.
pub fn documents(folder: &Path) -> anyhow::Result<Vec<Document>> {
    let mut files = Vec::new();
    collect(folder, &mut files).with_context(|| format!("{} cannot be read", folder.display()))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")));
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let octets =
                std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
            Ok(Document { name, octets: octets.into() })
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// The document as `document1` of a scenario: everything from its header but the patient and the ids, which are fresh,
/// so that a run neither meets what another left behind nor files test data in somebody's record.
pub fn prepare(octets: &Bytes, context: &mut Context) -> anyhow::Result<Prepared> {
    let header = cda::read(octets, &xml::Limits::default())?;
    let id = context.placeholders.text("{{uuid:document1}}")?;
    let id = parse_uuid_urn(&id).context("a fresh id is a UUID")?;
    let draft = document_entry(&header, &defaults(), id).map_err(|missing| {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the header does not say everything that XDS needs: {}", missing.join("; "))
    })?;
    let mut entry = draft.entry;
    entry.patient_id = Cx::parse(&context.placeholders.text("{{patient}}")?)?;
    let unique_id = context.placeholders.text("{{oid:document1}}")?;
    // The form stays: an OID, or an OID with an extension.
    entry.unique_id = match entry.unique_id.split_once('^') {
        Some((_, extension)) => format!("{unique_id}^{extension}"),
        None => unique_id,
    };
    let mut w = Writer::new();
    entry.to_ebxml().write(&mut w);
    Ok(Prepared { xml: w.finish(), octets: octets.clone() })
}

/// For documents of models that leave out what XDS requires.
fn defaults() -> Defaults {
    Defaults {
        healthcare_facility_type_code: Some(Code::new(
            "SA01",
            "1.2.250.1.71.4.2.4",
            "Établissement public de santé",
        )),
        practice_setting_code: Some(Code::new(
            "ETABLISSEMENT",
            "1.2.250.1.213.1.1.4.9",
            "Établissement de santé",
        )),
        class_code: Some(Code::new("11", "1.2.250.1.213.1.1.4.1", "Compte rendu")),
        type_code: Some(Code::new("34133-9", "2.16.840.1.113883.6.1", "Synthèse d'épisode de soins")),
        ..Defaults::default()
    }
}
