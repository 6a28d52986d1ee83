//! The elements of the resources that Carnet reads and writes, in the order in which FHIR's XML has them.

/// What an element holds.
pub enum Kind {
    Text,
    Boolean,
    Number,
    Of(&'static Shape),
    /// A whole resource.
    Resource,
}

pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// A list in JSON.
    pub many: bool,
}

pub struct Shape {
    pub name: &'static str,
    pub fields: &'static [Field],
}

impl Shape {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The resources that are known.
pub fn resource(name: &str) -> Option<&'static Shape> {
    [&AUDIT_EVENT, &BUNDLE, &CAPABILITY_STATEMENT, &OPERATION_OUTCOME]
        .into_iter()
        .find(|shape| shape.name == name)
}

const fn one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, many: false }
}

const fn many(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, many: true }
}

macro_rules! shapes {
    ($($shape:ident $name:literal: $($field:expr),+;)+) => {
        $(static $shape: Shape = Shape { name: $name, fields: &[$($field),+] };)+
    };
}

use Kind::{Boolean, Number, Of, Resource, Text};

shapes! {
    AUDIT_EVENT "AuditEvent":
        one("id", Text), one("meta", Of(&META)), one("type", Of(&CODING)), many("subtype", Of(&CODING)),
        one("action", Text), one("period", Of(&PERIOD)), one("recorded", Text), one("outcome", Text),
        one("outcomeDesc", Text), many("purposeOfEvent", Of(&CONCEPT)), many("agent", Of(&AGENT)),
        one("source", Of(&SOURCE)), many("entity", Of(&ENTITY));
    AGENT "agent":
        one("type", Of(&CONCEPT)), many("role", Of(&CONCEPT)), one("who", Of(&REFERENCE)), one("altId", Text),
        one("name", Text), one("requestor", Boolean), one("location", Of(&REFERENCE)), many("policy", Text),
        one("media", Of(&CODING)), one("network", Of(&NETWORK)), many("purposeOfUse", Of(&CONCEPT));
    NETWORK "network": one("address", Text), one("type", Text);
    SOURCE "source": one("site", Text), one("observer", Of(&REFERENCE)), many("type", Of(&CODING));
    ENTITY "entity":
        one("what", Of(&REFERENCE)), one("type", Of(&CODING)), one("role", Of(&CODING)),
        one("lifecycle", Of(&CODING)), many("securityLabel", Of(&CODING)), one("name", Text),
        one("description", Text), one("query", Text), many("detail", Of(&DETAIL));
    DETAIL "detail": one("type", Text), one("valueString", Text), one("valueBase64Binary", Text);
    META "meta":
        one("versionId", Text), one("lastUpdated", Text), one("source", Text), many("profile", Text),
        many("security", Of(&CODING)), many("tag", Of(&CODING));
    CODING "Coding":
        one("system", Text), one("version", Text), one("code", Text), one("display", Text),
        one("userSelected", Boolean);
    CONCEPT "CodeableConcept": many("coding", Of(&CODING)), one("text", Text);
    REFERENCE "Reference":
        one("reference", Text), one("type", Text), one("identifier", Of(&IDENTIFIER)), one("display", Text);
    IDENTIFIER "Identifier":
        one("use", Text), one("type", Of(&CONCEPT)), one("system", Text), one("value", Text),
        one("period", Of(&PERIOD)), one("assigner", Of(&ASSIGNER));
    // An identifier of an identifier's assigner is not looked at.
    ASSIGNER "Reference": one("reference", Text), one("type", Text), one("display", Text);
    PERIOD "Period": one("start", Text), one("end", Text);
    BUNDLE "Bundle":
        one("id", Text), one("meta", Of(&META)), one("type", Text), one("timestamp", Text), one("total", Number),
        many("link", Of(&LINK)), many("entry", Of(&BUNDLE_ENTRY));
    LINK "link": one("relation", Text), one("url", Text);
    BUNDLE_ENTRY "entry":
        many("link", Of(&LINK)), one("fullUrl", Text), one("resource", Resource), one("search", Of(&SEARCH)),
        one("request", Of(&REQUEST)), one("response", Of(&RESPONSE));
    SEARCH "search": one("mode", Text), one("score", Number);
    REQUEST "request":
        one("method", Text), one("url", Text), one("ifNoneMatch", Text), one("ifModifiedSince", Text),
        one("ifMatch", Text), one("ifNoneExist", Text);
    RESPONSE "response":
        one("status", Text), one("location", Text), one("etag", Text), one("lastModified", Text),
        one("outcome", Resource);
    CAPABILITY_STATEMENT "CapabilityStatement":
        one("id", Text), one("url", Text), one("version", Text), one("name", Text), one("status", Text),
        one("date", Text), one("description", Text), one("kind", Text), one("software", Of(&SOFTWARE)),
        one("implementation", Of(&IMPLEMENTATION)), one("fhirVersion", Text), many("format", Text),
        many("rest", Of(&REST));
    SOFTWARE "software": one("name", Text), one("version", Text);
    IMPLEMENTATION "implementation": one("description", Text), one("url", Text);
    REST "rest":
        one("mode", Text), one("documentation", Text), one("security", Of(&SECURITY)),
        many("resource", Of(&REST_RESOURCE)), many("interaction", Of(&INTERACTION));
    SECURITY "security": one("description", Text);
    REST_RESOURCE "resource":
        one("type", Text), one("documentation", Text), many("interaction", Of(&INTERACTION)),
        many("searchParam", Of(&SEARCH_PARAMETER));
    INTERACTION "interaction": one("code", Text), one("documentation", Text);
    SEARCH_PARAMETER "searchParam": one("name", Text), one("type", Text), one("documentation", Text);
    OPERATION_OUTCOME "OperationOutcome": one("id", Text), one("meta", Of(&META)), many("issue", Of(&ISSUE));
    ISSUE "issue":
        one("severity", Text), one("code", Text), one("details", Of(&CONCEPT)), one("diagnostics", Text),
        many("location", Text), many("expression", Text);
}
