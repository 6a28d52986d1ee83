//! A summary of the record: a list of its documents, as a CDA R2 document of level 1 with a plain text.

use identity::Oid;
use xds::metadata::DocumentEntry;
use xml::Writer;

use super::{Order, Provider};

const NAMESPACE: &str = "urn:hl7-org:v3";
const TITLE: &str = "Synthèse du dossier";

/// The provider that Carnet comes with.
pub struct Summary;

impl Provider for Summary {
    fn mime_type(&self) -> &'static str {
        "text/xml"
    }

    fn make(&self, order: &Order<'_>) -> Vec<u8> {
        let entry = order.entry;
        let time = order.identity.made_at.format("%Y%m%d%H%M%S+0000").to_string();
        let mut w = Writer::new();
        w.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        w.open("ClinicalDocument", &[("xmlns", NAMESPACE)]);
        w.empty("realmCode", &[("code", "FR")]);
        w.empty("typeId", &[("root", "2.16.840.1.113883.1.3"), ("extension", "POCD_HD000040")]);
        w.empty("id", &[("root", &order.identity.unique_id)]);
        code(&mut w, entry);
        w.element("title", &[], title(entry));
        w.empty("effectiveTime", &[("value", &time)]);
        w.empty("confidentialityCode", &[("code", "N"), ("codeSystem", "2.16.840.1.113883.5.25")]);
        w.empty("languageCode", &[("code", "fr-FR")]);
        patient(&mut w, entry);
        keeper(&mut w, order.repository_unique_id, &time);
        w.open("component", &[]).open("nonXMLBody", &[]);
        w.element("text", &[("mediaType", "text/plain")], &text(order.documents));
        w.close().close();
        w.finish().into_bytes()
    }
}

fn title(entry: &DocumentEntry) -> &str {
    entry.title.as_deref().filter(|title| !title.trim().is_empty()).unwrap_or(TITLE)
}

/// CDA takes a code system by its OID; a type of another kind of system is told by its name.
fn code(w: &mut Writer, entry: &DocumentEntry) {
    let kind = &entry.type_code;
    match Oid::parse(&kind.scheme) {
        Ok(_) => {
            let attributes =
                [("code", &*kind.code), ("codeSystem", &*kind.scheme), ("displayName", &*kind.display)];
            w.empty("code", &attributes);
        }
        Err(_) => {
            w.open("code", &[("nullFlavor", "OTH")]).element("originalText", &[], &kind.display).close();
        }
    }
}

/// What the On-Demand entry says of its patient.
fn patient(w: &mut Writer, entry: &DocumentEntry) {
    let field = |name: &str| {
        let values = entry.source_patient_info.iter().filter_map(|info| info.split_once('|'));
        values.filter(|(field, value)| *field == name && !value.is_empty()).map(|(_, value)| value).next()
    };
    w.open("recordTarget", &[]).open("patientRole", &[]);
    w.empty("id", &[("extension", &entry.patient_id.id), ("root", &entry.patient_id.authority)]);
    w.open("patient", &[]);
    let mut names = field("PID-5").unwrap_or_default().split('^');
    w.open("name", &[]);
    for (element, name) in [("family", names.next()), ("given", names.next())] {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            w.element(element, &[], name);
        }
    }
    w.close();
    let gender = match field("PID-8") {
        Some("M") => "M",
        Some("F") => "F",
        _ => "UN",
    };
    w.empty("administrativeGenderCode", &[("code", gender), ("codeSystem", "2.16.840.1.113883.5.1")]);
    let digits = |date: &&str| matches!(date.len(), 4 | 6 | 8) && date.bytes().all(|b| b.is_ascii_digit());
    match field("PID-7").filter(digits) {
        Some(date) => w.empty("birthTime", &[("value", date)]),
        None => w.empty("birthTime", &[("nullFlavor", "UNK")]),
    };
    w.close().close().close();
}

/// Made and kept by this software.
fn keeper(w: &mut Writer, repository: &str, time: &str) {
    w.open("author", &[]).empty("time", &[("value", time)]).open("assignedAuthor", &[]);
    w.empty("id", &[("root", repository)]).open("assignedAuthoringDevice", &[]);
    w.element("softwareName", &[], "Carnet").close().close().close();
    w.open("custodian", &[]).open("assignedCustodian", &[]).open("representedCustodianOrganization", &[]);
    w.empty("id", &[("root", repository)]).element("name", &[], "Carnet").close().close().close();
}

fn text(documents: &[DocumentEntry]) -> String {
    let mut text = match documents.len() {
        0 => "Aucun document.\n".to_owned(),
        1 => "1 document\n\n".to_owned(),
        several => format!("{several} documents\n\n"),
    };
    for document in documents {
        let date = document.creation_time.as_ref().map(|time| date(time.as_str())).unwrap_or_default();
        let (kind, title) = (&document.type_code.display, document.title.as_deref());
        let author = document.authors.iter().find_map(|author| author.person.as_deref()).map(person);
        text.push_str(&format!("{date}  {}", title.unwrap_or(kind)));
        if title.is_some_and(|title| title != kind) {
            text.push_str(&format!(" ({kind})"));
        }
        if let Some(author) = author.filter(|author| !author.is_empty()) {
            text.push_str(&format!(", {author}"));
        }
        text.push('\n');
    }
    text
}

/// Of a DTM, as far as it goes: `31/12/2025`.
fn date(dtm: &str) -> String {
    let parts = [dtm.get(6..8), dtm.get(4..6), dtm.get(..4)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// Given name and name of an XCN.
fn person(xcn: &str) -> String {
    let mut components = xcn.split('^').skip(1);
    let (family, given) = (components.next(), components.next());
    [given, family].into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
