//! Holds what was sent and what came back against the XML schemas of IHE, OASIS and HL7. They are not part of this
//! project: the folder that has them is given from outside, and `xmllint` does the work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use xml::{Document, Limits};

use crate::answer::unpack;
use crate::mutation::edit::{elements, text as latin};
use crate::report::{Octets, Outcome, Report};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const HL7: &str = "urn:hl7-org:v3";
const RMD: &str = "urn:ihe:iti:rmd:2017";
/// Files for one run of xmllint.
const BATCH: usize = 200;

/// What the schemas object to.
pub struct Verdict {
    /// How many messages were looked at.
    pub messages: usize,
    /// One line each: scenario, step, message, and what xmllint says.
    pub invalid: Vec<String>,
}

/// Looks at every answer, and at every request that was to be accepted. `schemas` is the folder with `ihe-iti-info`.
pub async fn validate(report: &Report, schemas: &Path) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let mut files: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut names = Vec::new();
    for check in report.checks.iter().filter(|check| check.outcome == Outcome::Passed) {
        for exchange in &check.exchanges {
            let request = exchange.is_valid.then_some(("request", &exchange.request));
            let answer = exchange.answer.as_ref().map(|answer| ("answer", answer));
            for (kind, octets) in request.into_iter().chain(answer) {
                let Some(body) = body(octets).await else { continue };
                let file = folder.path().join(format!("{}.xml", names.len()));
                std::fs::write(&file, &body.xml)?;
                files.entry(body.schema(schemas, folder.path())?).or_default().push(file);
                names.push(format!("{}, {}, {kind}", check.scenario, check.step));
            }
        }
    }
    let mut invalid = Vec::new();
    for (schema, files) in &files {
        for batch in files.chunks(BATCH) {
            invalid.extend(complaints(schema, batch, schemas, &names)?);
        }
    }
    Ok(Verdict { messages: names.len(), invalid })
}

struct Body {
    namespace: String,
    name: String,
    xml: String,
}

impl Body {
    fn schema(&self, schemas: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
        let iti = schemas.join("ihe-iti-info/schema");
        Ok(match self.namespace.as_str() {
            HL7 => iti.join(format!("HL7V3/NE2008/multicacheschemas/{}.xsd", self.name)),
            RMD => {
                // It imports its neighbours from places where they are not.
                let repaired = folder.join("RMD.xsd");
                let text = std::fs::read_to_string(iti.join("IHE/RMD.xsd"))?;
                let place = |folder: &str| format!("schemaLocation=\"{}/", iti.join(folder).display());
                let text = text.replace("schemaLocation=\"../ebRS30/", &place("ebRS"));
                let text = text.replace("schemaLocation=\"XDS", &format!("{}XDS", place("IHE")));
                std::fs::write(&repaired, text)?;
                repaired
            }
            _ => iti.join("IHE/XDS.b_DocumentRepository.xsd"),
        })
    }
}

/// What is in the SOAP body, documents of the package put where they belong. None: a fault, or no SOAP.
async fn body(octets: &Octets) -> Option<Body> {
    let envelope = match octets.content_type.to_ascii_lowercase() {
        media if media.starts_with("multipart/related") => {
            let (root, parts) = unpack(&octets.content_type, &octets.body).await.ok()?;
            let mut text = xml::decode(&root).ok()?.into_owned();
            while let Some(range) = elements(&text, "Include").into_iter().next() {
                let (_, href) = text[range.clone()].split_once("href=\"cid:")?;
                let id = percent_decode_str(href.split('"').next()?).decode_utf8_lossy().into_owned();
                text.replace_range(range, &STANDARD.encode(parts.get(&id)?));
            }
            text
        }
        media if media.starts_with("application/soap+xml") => xml::decode(&octets.body).ok()?.into_owned(),
        _ => return None,
    };
    let document = Document::parse(&envelope, &Limits { bytes: usize::MAX, ..Limits::default() }).ok()?;
    let body = document.root().child(SOAP, "Body")?.children().next()?;
    (!body.is(SOAP, "Fault")).then(|| Body {
        namespace: body.namespace().to_owned(),
        name: body.name().to_owned(),
        xml: body.to_xml(),
    })
}

/// What xmllint says of each file that is not valid: its first complaint.
fn complaints(
    schema: &Path,
    files: &[PathBuf],
    schemas: &Path,
    names: &[String],
) -> anyhow::Result<Vec<String>> {
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--huge", "--schema"])
        .arg(schema)
        .args(files)
        .env("XML_CATALOG_FILES", schemas.join("catalog.xml"))
        .stdin(Stdio::null())
        .output()
        .context("xmllint cannot be started")?;
    let said = latin(&output.stderr);
    let verdicts = said.lines().filter(|line| line.ends_with(" validates")).count();
    let failures: Vec<&str> =
        said.lines().filter_map(|line| line.strip_suffix(" fails to validate")).collect();
    if verdicts + failures.len() != files.len() {
        bail!("xmllint does not judge by {}: {}", schema.display(), said.lines().take(5).collect::<String>());
    }
    Ok(failures
        .into_iter()
        .map(|file| {
            let complaint = said.lines().find_map(|line| line.strip_prefix(file)).unwrap_or_default();
            let number = Path::new(file).file_stem().and_then(|stem| stem.to_str()?.parse::<usize>().ok());
            let name = number.and_then(|number| names.get(number)).map_or(file, String::as_str);
            format!("{name}{complaint}")
        })
        .collect())
}
