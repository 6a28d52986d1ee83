mod people;

use xml::{Document, Element, Limits};

use crate::header::{Act, Body, Coded, Header, Id, Parent, Relation};

/// Namespace of HL7 v3.
const HL7: &str = "urn:hl7-org:v3";
/// Namespace of the imaging extension (DICOM PS3.20), which adds the accession number to an order.
const DICOM: &str = "urn:dicom-org:ps3-20";
const XSL: &str = "http://www.w3.org/1999/XSL/Transform";

/// Why a document has no header to read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not XML: {0}")]
    NotXml(#[from] xml::Error),
    #[error("not a CDA document: the root is neither ClinicalDocument nor a stylesheet that holds one")]
    NotCda,
    /// Names the elements without which a document has no identity.
    #[error("the CDA header lacks {}", .0.join(", "))]
    Incomplete(Vec<&'static str>),
}

/// Reads the header of a CDA document.
///
/// `octets` are the document as it was received: a byte order mark, processing instructions and any encoding that its
/// XML declaration names are understood. Of the header only the document's `id` and `code` must be there; whatever
/// else is missing is missing in the [`Header`].
pub fn read(octets: &[u8], limits: &Limits) -> Result<Header, Error> {
    if octets.len() > limits.bytes {
        return Err(xml::Error::TooLarge { size: octets.len(), limit: limits.bytes }.into());
    }
    let text = xml::decode(octets)?;
    let document = Document::parse(&text, limits)?;
    let root = document.root();
    match root.is(HL7, "ClinicalDocument") {
        true => header(root, false),
        false => header(wrapped(root).ok_or(Error::NotCda)?, true),
    }
}

/// The ClinicalDocument inside a self-presenting document: `stylesheet/data:Contenu/ClinicalDocument`, where the
/// middle element is of a namespace of its own (XSLT 1.0 §2.2 lets a stylesheet hold such data at its top).
fn wrapped(root: Element<'_>) -> Option<Element<'_>> {
    let data = root.is(XSL, "stylesheet").then(|| root.children())?;
    data.filter(|e| e.namespace() != XSL).find_map(|e| e.child(HL7, "ClinicalDocument"))
}

fn header(root: Element<'_>, self_presenting: bool) -> Result<Header, Error> {
    let child = |name| root.child(HL7, name);
    let (id, code) = (child("id").and_then(id), child("code").and_then(coded));
    let (Some(id), Some(code)) = (&id, &code) else {
        let lacking = [
            id.is_none().then_some("ClinicalDocument/id"),
            code.is_none().then_some("ClinicalDocument/code"),
        ];
        return Err(Error::Incomplete(lacking.into_iter().flatten().collect()));
    };
    let orders = || root.children_named(HL7, "inFulfillmentOf").filter_map(|e| e.child(HL7, "order"));
    Ok(Header {
        self_presenting,
        templates: root.children_named(HL7, "templateId").filter_map(self::id).collect(),
        id: id.clone(),
        code: code.clone(),
        title: child("title").and_then(text),
        effective_time: child("effectiveTime").and_then(|e| attribute(e, "value")),
        confidentiality: child("confidentialityCode").and_then(coded),
        language: child("languageCode").and_then(|e| attribute(e, "code")),
        set_id: child("setId").and_then(self::id),
        version_number: child("versionNumber").and_then(|e| attribute(e, "value")?.parse().ok()),
        patient: root.path(HL7, &["recordTarget", "patientRole"]).map(people::patient).unwrap_or_default(),
        authors: root.children_named(HL7, "author").filter_map(people::author).collect(),
        custodian: root
            .path(HL7, &["custodian", "assignedCustodian", "representedCustodianOrganization"])
            .and_then(people::organisation),
        legal_authenticator: root
            .path(HL7, &["legalAuthenticator", "assignedEntity"])
            .and_then(people::agent),
        acts: root
            .children_named(HL7, "documentationOf")
            .filter_map(|e| e.child(HL7, "serviceEvent"))
            .map(act)
            .collect(),
        orders: orders().flat_map(|e| e.children_named(HL7, "id")).filter_map(self::id).collect(),
        accessions: orders()
            .flat_map(|e| e.children_named(DICOM, "accessionNumber"))
            .filter_map(self::id)
            .collect(),
        parents: root.children_named(HL7, "relatedDocument").filter_map(parent).collect(),
        facility: root
            .path(HL7, &["componentOf", "encompassingEncounter", "location", "healthCareFacility", "code"])
            .and_then(coded),
        body: child("component").and_then(body),
    })
}

fn act(event: Element<'_>) -> Act {
    let time = event.child(HL7, "effectiveTime");
    let bound = |name| time.and_then(|t| attribute(t.child(HL7, name)?, "value"));
    let performers = || event.children_named(HL7, "performer").filter_map(|e| e.child(HL7, "assignedEntity"));
    Act {
        code: event.child(HL7, "code").and_then(coded),
        // An act that took no time may have a single date in place of two bounds.
        start: bound("low").or_else(|| attribute(time?, "value")),
        stop: bound("high"),
        performer: performers().find_map(people::agent),
        practice_setting: performers()
            .filter_map(|e| e.path(HL7, &["representedOrganization", "standardIndustryClassCode"]))
            .find_map(coded),
    }
}

fn parent(related: Element<'_>) -> Option<Parent> {
    let relation = match related.attribute("typeCode")? {
        "RPLC" => Relation::Replaces,
        "XFRM" => Relation::Transforms,
        "APND" => Relation::Appends,
        _ => return None,
    };
    let id = related.child(HL7, "parentDocument")?.children_named(HL7, "id").find_map(id)?;
    Some(Parent { relation, id })
}

fn body(component: Element<'_>) -> Option<Body> {
    if component.child(HL7, "structuredBody").is_some() {
        return Some(Body::Structured);
    }
    let text = component.path(HL7, &["nonXMLBody", "text"])?;
    // The media type of an HL7 v3 text is text/plain when it is not said.
    let media_type = attribute(text, "mediaType").unwrap_or_else(|| "text/plain".to_owned());
    Some(Body::Unstructured { media_type })
}

fn id(element: Element<'_>) -> Option<Id> {
    Some(Id { root: attribute(element, "root")?, extension: attribute(element, "extension") })
}

fn coded(element: Element<'_>) -> Option<Coded> {
    Some(Coded {
        code: attribute(element, "code")?,
        system: attribute(element, "codeSystem"),
        display: attribute(element, "displayName"),
    })
}

/// The attribute without white space around it; `None` when it is empty.
fn attribute(element: Element<'_>, name: &str) -> Option<String> {
    let value = element.attribute(name)?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The text of the element on one line; `None` when it is empty.
fn text(element: Element<'_>) -> Option<String> {
    let words: Vec<String> = element.text().split_whitespace().map(str::to_owned).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests;
